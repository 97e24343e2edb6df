//! What the functions of this crate fail with.

use std::fmt;

use blazelink_codes::Code;
use sea_orm_migration::DbErr;

/// A failure of setting up replication, worded for the person who has to mend it.
pub struct Error {
    code: Code,
    sentence: String,
    hint: Option<String>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A result whose error is this crate's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(code: Code, sentence: impl Into<String>) -> Error {
        Error {
            code,
            sentence: sentence.into(),
            hint: None,
            source: None,
        }
    }

    /// The database did not answer a statement.
    pub fn database(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
        Error {
            source: Some(source.into()),
            ..Error::new(Code::Database, "The database did not answer a statement")
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.hint = Some(hint.into());
        self
    }

    /// What caused the error.
    pub fn into_source(self) -> Option<Box<dyn std::error::Error + Send + Sync>> {
        self.source
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.code
    }

    /// What happened, without code, hint and cause.
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// What to type or change next.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    /// Everything there is to say, a line each: a migration runner prints an error once and in
    /// this form only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence, self.code)?;
        if let Some(source) = &self.source {
            write!(f, "\n  because: {source}")?;
            let mut cause = source.source();
            while let Some(error) = cause {
                write!(f, "\n  because: {error}")?;
                cause = error.source();
            }
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", hint.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source
            .as_deref()
            .map(|source| source as &(dyn std::error::Error + 'static))
    }
}

impl From<Error> for DbErr {
    fn from(error: Error) -> DbErr {
        DbErr::Migration(error.to_string())
    }
}
