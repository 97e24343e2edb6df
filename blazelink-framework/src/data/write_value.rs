//! From JSON to Postgres' text: the way back of `value`. Pure.
//!
//! What must stay true: a value that was answered, given back, is the same value. Texts are bound
//! and cast to the column's type by the statement, so what a type refuses Postgres says.

use serde_json::Value as Json;

use crate::value::Kind;

/// The text that a column of this kind reads; nothing for NULL.
///
/// # Errors
///
/// What the value must be, as the end of a sentence.
pub(super) fn text_of(kind: &Kind, value: &Json) -> Result<Option<String>, &'static str> {
    if value.is_null() {
        return Ok(None);
    }
    let text = match (kind, value) {
        // PostgreSQL's jsonb and texts hold every character but this one.
        (Kind::Json, value) => serde_json::to_string(value).map_err(|_| "must be JSON")?,
        (Kind::Array(element), Json::Array(items)) => array(element, items)?,
        (Kind::Array(_), Json::String(text)) => text.clone(),
        (Kind::Array(_), _) => return Err("must be a list"),
        (Kind::Int | Kind::BigInt, Json::Number(number)) if number.is_i64() => number.to_string(),
        (Kind::Int | Kind::BigInt, Json::String(text)) if text.parse::<i64>().is_ok() => {
            text.clone()
        }
        (Kind::Int | Kind::BigInt, _) => return Err("must be an integer"),
        (Kind::Float, Json::Number(number)) => number.to_string(),
        (Kind::Float, Json::String(text))
            if matches!(text.as_str(), "NaN" | "Infinity" | "-Infinity") =>
        {
            text.clone()
        }
        (Kind::Float, _) => return Err("must be a number"),
        (Kind::Bool, Json::Bool(truth)) => if *truth { "t" } else { "f" }.to_owned(),
        (Kind::Bool, _) => return Err("must be true or false"),
        (Kind::Char | Kind::Text, Json::String(text)) => text.clone(),
        (Kind::Char | Kind::Text, _) => return Err("must be a string"),
    };
    match text.contains('\0') {
        true => Err("must not contain the character U+0000"),
        false => Ok(Some(text)),
    }
}

/// The text of an array (manual, section 8.15.2). Every element is quoted, so that none is taken
/// for NULL or a part of the array's own.
fn array(element: &Kind, items: &[Json]) -> Result<String, &'static str> {
    let mut out = String::from("{");
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        match (element, item) {
            // A list within a list is a further dimension; of JSON it is an element.
            (Kind::Array(element), Json::Array(inner)) => out.push_str(&array(element, inner)?),
            (element, Json::Array(inner)) if *element != Kind::Json => {
                out.push_str(&array(element, inner)?);
            }
            (element, item) => match text_of(element.innermost(), item)? {
                Some(text) => quote(&text, &mut out),
                None => out.push_str("NULL"),
            },
        }
    }
    out.push('}');
    Ok(out)
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for letter in text.chars() {
        if matches!(letter, '"' | '\\') {
            out.push('\\');
        }
        out.push(letter);
    }
    out.push('"');
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::value::write_value;

    fn array(element: Kind) -> Kind {
        Kind::Array(Box::new(element))
    }

    fn text(kind: &Kind, value: Json) -> Result<Option<String>, &'static str> {
        text_of(kind, &value)
    }

    #[test]
    fn values_become_the_text_that_their_type_reads() {
        let rows = [
            (Kind::Int, json!(-7), "-7"),
            (Kind::BigInt, json!("9007199254740993"), "9007199254740993"),
            (Kind::BigInt, json!(i64::MIN), "-9223372036854775808"),
            (Kind::Float, json!(1.5e-7), "1.5e-7"),
            (Kind::Float, json!("NaN"), "NaN"),
            (Kind::Bool, json!(true), "t"),
            (Kind::Text, json!("1.10"), "1.10"),
            (Kind::Json, json!({"a": [1, null]}), r#"{"a":[1,null]}"#),
            (Kind::Json, json!("a"), "\"a\""),
            (array(Kind::Int), json!([1, null, 3]), r#"{"1",NULL,"3"}"#),
            (array(Kind::Int), json!([]), "{}"),
            (array(Kind::Int), json!([[1], [2]]), r#"{{"1"},{"2"}}"#),
            (
                array(Kind::Text),
                json!(["NULL", "a\"\\"]),
                r#"{"NULL","a\"\\"}"#,
            ),
            (array(Kind::Json), json!([[1]]), r#"{"[1]"}"#),
        ];
        for (kind, value, expected) in rows {
            assert_eq!(
                text(&kind, value),
                Ok(Some(expected.to_owned())),
                "{kind:?}"
            );
        }
        assert_eq!(text(&Kind::Json, Json::Null), Ok(None));
    }

    #[test]
    fn numbers_in_json_keep_all_their_digits() {
        let written = r#"{"a":12345678901234567890123456789.10,"b":1e+400}"#;
        let value: Json = serde_json::from_str(written).unwrap();
        assert_eq!(text(&Kind::Json, value), Ok(Some(written.to_owned())));
    }

    #[test]
    fn values_of_another_kind_are_refused() {
        let rows = [
            (Kind::Int, json!(1.5), "must be an integer"),
            (Kind::Int, json!("x"), "must be an integer"),
            (Kind::Bool, json!("t"), "must be true or false"),
            (Kind::Text, json!(1), "must be a string"),
            (Kind::Float, json!("1"), "must be a number"),
            (array(Kind::Int), json!(1), "must be a list"),
            (
                Kind::Text,
                json!("\0"),
                "must not contain the character U+0000",
            ),
        ];
        for (kind, value, expected) in rows {
            assert_eq!(text(&kind, value), Err(expected), "{kind:?}");
        }
    }

    proptest! {
        #[test]
        fn lists_of_texts_read_back_as_they_were(
            items in proptest::collection::vec(proptest::option::of("[^\0]*"), 0..6),
        ) {
            let kind = array(Kind::Text);
            let written = text(&kind, json!(items)).unwrap().unwrap();
            let mut out = Vec::new();
            write_value(&kind, &written, &mut out);
            let read: Vec<Option<String>> = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(read, items);
        }
    }
}
