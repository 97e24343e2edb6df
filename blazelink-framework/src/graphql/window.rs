//! The rules of a page: which rows `page` and `size` mean. Pure.

use async_graphql::Value;
use blazelink_codes::limits;

use super::plan::PageArguments;
use super::variables::Variables;

/// Which part of a list of rows is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) limit: i64,
    pub(super) offset: i64,
}

/// The window of a page, or nothing if it can hold no row.
///
/// # Errors
///
/// The message for the field's error.
pub(super) fn window(
    arguments: &PageArguments,
    variables: &Variables,
) -> Result<Option<Window>, String> {
    let number = |argument, name: &str, default| match variables.resolve(argument) {
        None => Ok(default),
        Some(Value::Number(number)) => number
            .as_i64()
            .ok_or_else(|| format!("The argument `{name}` must be an integer")),
        Some(_) => Err(format!("The argument `{name}` must not be null")),
    };
    let page = number(arguments.page.as_ref(), "page", 0)?;
    let size = number(arguments.size.as_ref(), "size", 10)?;
    if size > limits::PAGE_SIZE {
        return Err(format!("`size` must be at most {}", limits::PAGE_SIZE));
    }
    if size <= 0 || page < 0 {
        return Ok(None);
    }
    Ok(Some(Window {
        limit: size,
        offset: size.saturating_mul(page),
    }))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::{Pos, Positioned};
    use async_graphql_value::Value as Literal;

    use super::*;

    fn of(page: Option<Literal>, size: Option<Literal>) -> Result<Option<Window>, String> {
        let at = |value| Positioned::new(value, Pos::default());
        let arguments = PageArguments {
            page: page.map(at),
            size: size.map(at),
            ..PageArguments::default()
        };
        window(&arguments, &Variables::default())
    }

    fn number(number: i64) -> Option<Literal> {
        Some(Literal::Number(number.into()))
    }

    #[test]
    fn pages_are_windows_of_their_size() {
        let window = |limit, offset| Ok(Some(Window { limit, offset }));
        assert_eq!(of(None, None), window(10, 0));
        assert_eq!(of(number(3), None), window(10, 30));
        assert_eq!(of(number(2), number(1_000)), window(1_000, 2_000));
        let last = i64::from(i32::MAX);
        assert_eq!(of(number(last), number(1_000)), window(1_000, last * 1_000));
    }

    #[test]
    fn pages_that_can_hold_no_row_are_empty() {
        assert_eq!(of(None, number(0)), Ok(None));
        assert_eq!(of(None, number(-5)), Ok(None));
        assert_eq!(of(number(-1), None), Ok(None));
    }

    #[test]
    fn pages_without_a_size_or_with_too_large_a_one_are_refused() {
        assert!(
            of(Some(Literal::Null), None)
                .unwrap_err()
                .contains("`page` must not be null")
        );
        assert!(
            of(None, Some(Literal::Null))
                .unwrap_err()
                .contains("`size` must not be null")
        );
        assert!(
            of(None, number(1_001))
                .unwrap_err()
                .contains("at most 1000")
        );
    }
}
