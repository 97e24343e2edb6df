//! Why a computed field has no value: what its reader is told, and what only the log says.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use blazelink_codes::Code;
use sea_orm::DbErr;

use crate::error::{Error, ErrorKind};

/// Why a field has no value: it is null, with an error that says the message.
///
/// Any error becomes one by `?`. Clients then read that the field could not be computed, and the
/// log the rest; what clients are to read, [`FieldError::new`] says.
pub struct FieldError {
    message: Cow<'static, str>,
    /// What clients are not told.
    source: Option<Box<dyn StdError + Send + Sync>>,
    /// Whether the read has failed, so that the answer must not count as watched.
    failed: bool,
}

/// What a computed field gives; an alias for those who write none of their own.
pub type FieldResult<T> = Result<T, FieldError>;

const OTHER: &str = "The field could not be computed";

/// Causes that are looked at; an error that is its own cause ends there.
const CAUSES: usize = 16;

impl FieldError {
    /// An error whose message clients read. The answer stays watched: what it says may change.
    pub fn new(message: impl Into<Cow<'static, str>>) -> FieldError {
        FieldError {
            message: message.into(),
            source: None,
            failed: false,
        }
    }

    /// A mistake of the field's author: told in the log.
    pub(crate) fn defect(what: impl Into<Cow<'static, str>>) -> FieldError {
        Error::new(ErrorKind::Setup, Code::SchemaDefinition, what).into()
    }

    /// The error of a field that panics. What it has read stays watched: another value may do.
    pub(crate) fn panicked(source: Error) -> FieldError {
        FieldError {
            message: Cow::Borrowed(OTHER),
            source: Some(source.into()),
            failed: false,
        }
    }

    /// The error of a field that takes too long. Nobody knows what it has not read yet.
    pub(crate) fn late(source: Error) -> FieldError {
        FieldError {
            message: Cow::Borrowed("The field took too long"),
            source: Some(source.into()),
            failed: true,
        }
    }

    /// What clients read.
    pub fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn source(&self) -> Option<&(dyn StdError + Send + Sync)> {
        self.source.as_deref()
    }

    /// Whether what the field was to read could not be read.
    pub(crate) fn is_failed_read(&self) -> bool {
        self.failed
    }
}

impl fmt::Debug for FieldError {
    /// Without its source, which may hold values of rows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FieldError({:?})", self.message)
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

// As with `anyhow::Error`, this is why it is no `std::error::Error` itself.
impl<E: StdError + Send + Sync + 'static> From<E> for FieldError {
    fn from(source: E) -> FieldError {
        let source: Box<dyn StdError + Send + Sync> = Box::new(source);
        let message = message(&*source);
        FieldError {
            message: message.map_or(Cow::Borrowed(OTHER), Cow::Owned),
            failed: has_failed(&*source),
            source: Some(source),
        }
    }
}

/// What clients may read of it: that the database did not answer, or a request's own error.
fn message(error: &(dyn StdError + 'static)) -> Option<String> {
    if error.is::<DbErr>() {
        return Some("The database did not answer a statement".to_owned());
    }
    let error = error.downcast_ref::<Error>()?;
    (error.kind() == ErrorKind::Request).then(|| error.sentence().to_owned())
}

/// Whether a read is at the bottom of it.
fn has_failed(error: &(dyn StdError + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |error: &&(dyn StdError + 'static)| {
        (**error).source()
    });
    let mut causes = causes.take(CAUSES);
    causes.any(|cause| cause.is::<DbErr>() || cause.is::<Error>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Wrapped(Option<DbErr>);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("secret")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            self.0
                .as_ref()
                .map(|error| error as &(dyn StdError + 'static))
        }
    }

    #[test]
    fn any_error_becomes_one_that_tells_clients_nothing() {
        let error = FieldError::from(Wrapped(None));
        assert_eq!(error.message(), OTHER);
        assert!(!error.is_failed_read());
        assert!(!format!("{error:?} {error}").contains("secret"));
    }

    #[test]
    fn a_statement_at_the_bottom_of_an_error_is_a_failed_read() {
        let statement = || DbErr::Custom("secret".to_owned());
        assert!(FieldError::from(Wrapped(Some(statement()))).is_failed_read());
        let error = FieldError::from(statement());
        assert!(error.is_failed_read());
        assert_eq!(error.message(), "The database did not answer a statement");
        assert!(!FieldError::new("Only on Sundays").is_failed_read());
    }
}
