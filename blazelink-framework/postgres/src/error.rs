//! The error of this package: what happened, with which code, and what to type next.
//!
//! Every public function returns it. It prints as the framework's own error does, so that a
//! person who reads both cannot tell which package spoke.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use blazelink_codes::Code;

/// A failure of the private Postgres, worded for the person who has to mend it.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    sentence: Cow<'static, str>,
    hint: Option<Cow<'static, str>>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result whose error is this package's.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(code: Code, sentence: impl Into<Cow<'static, str>>) -> Error {
        Error(Box::new(Inner {
            code,
            sentence: sentence.into(),
            hint: None,
            source: None,
        }))
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    pub(crate) fn with_source(
        mut self,
        source: impl Into<Box<dyn StdError + Send + Sync>>,
    ) -> Error {
        self.0.source = Some(source.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What happened and where, without code, hint and cause.
    pub fn sentence(&self) -> &str {
        &self.0.sentence
    }

    /// What to type or change next.
    pub fn hint(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }
}

impl fmt::Display for Error {
    /// The sentence and the code; with `{:#}` also the causes and the hint, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.0.sentence, self.0.code)?;
        if f.alternate() {
            let mut cause = self.source();
            while let Some(error) = cause {
                let text = error.to_string();
                write!(f, "\n  because: {}", text.replace('\n', "\n           "))?;
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
    /// As `{:#}`, so that a test that unwraps shows what a person should read.
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
