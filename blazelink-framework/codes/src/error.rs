//! The one error that the public functions of Blazelink's packages return.
//!
//! It says what happened and where (`sentence`), what to type next (`hint`), and why (`source`).
//! It never holds row values, secrets or another type's `Debug` output. The framework shows it as
//! `blazelink::error`; every other package returns it as it is, so that a person who reads two of
//! them cannot tell which package spoke.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use crate::Code;

/// What a caller can do about an [`Error`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Something must be changed by hand before a retry can succeed.
    Setup,
    /// The other side (database, network) failed; a retry may succeed.
    Unavailable,
    /// The other side said what its protocol does not allow.
    Protocol,
    /// A client asked for what cannot be answered.
    Request,
}

/// A failure, worded for the person who has to mend it. Boxed inside: one word wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    code: Code,
    sentence: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result whose error is Blazelink's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of this kind and code. The sentence has no full stop and names tables, columns
    /// and settings, never values.
    pub fn new(kind: ErrorKind, code: Code, sentence: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            kind,
            code,
            sentence: sentence.into(),
            hint: None,
            source: None,
        }))
    }

    /// Adds what to type or change next.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds what caused the error.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// What a caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened, without code, hint and cause.
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// What to type or change next.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    /// The sentence and the code; with `{:#}` also the causes and the hint, each from a line of
    /// its own on. A cause that the one before it has already quoted is left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.sentence, self.0.code)?;
        if f.alternate() {
            let mut said = String::new();
            let mut cause = self.source();
            while let Some(error) = cause {
                let text = error.to_string();
                if !said.ends_with(&text) {
                    write!(f, "\n  because: {}", text.replace('\n', "\n           "))?;
                    said = text;
                }
                cause = error.source();
            }
            if let Some(hint) = &self.0.hint {
                write!(f, "\n  hint: {}", hint.replace('\n', "\n        "))?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    /// As `{:#}`: what `main` returning this error prints is what a person should read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:#}")
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn StdError + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_form_names_cause_and_hint_and_is_the_debug_form() {
        let error = Error::new(ErrorKind::Setup, Code::WalLevel, "wal_level is `replica`")
            .with_source("told by SHOW\non the standby")
            .with_hint("ALTER SYSTEM SET wal_level = logical\nthen restart Postgres");
        assert_eq!(error.to_string(), "wal_level is `replica` (BLZ3002)");
        let long = "wal_level is `replica` (BLZ3002)\n  because: told by SHOW\n           on the \
                    standby\n  hint: ALTER SYSTEM SET wal_level = logical\n        then restart \
                    Postgres";
        assert_eq!(format!("{error:#}"), long);
        assert_eq!(format!("{error:?}"), long);
        assert_eq!(format!("{error:#?}"), long);
    }

    /// An error that quotes its source, as many libraries' do.
    #[derive(Debug)]
    struct Quoting(std::io::Error);

    impl fmt::Display for Quoting {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "query failed: {}", self.0)
        }
    }

    impl StdError for Quoting {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_cause_is_told_once() {
        let cause = Quoting(std::io::Error::other("connection reset"));
        let sentence = "The database did not answer";
        let error = Error::new(ErrorKind::Unavailable, Code::Database, sentence);
        assert_eq!(
            format!("{:#}", error.with_source(cause)),
            "The database did not answer (BLZ5001)\n  because: query failed: connection reset"
        );
    }
}
