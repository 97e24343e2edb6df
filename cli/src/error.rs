//! The tool's error: what happened, where, and what to type next.

use std::borrow::Cow;
use std::fmt;

use blazelink_codes::Code;

/// A failure that ends the tool.
#[derive(Debug)]
pub(crate) struct Error {
    code: Code,
    sentence: Cow<'static, str>,
    cause: Option<String>,
    hint: Option<Cow<'static, str>>,
}

/// A result whose error is the tool's.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(code: Code, sentence: impl Into<Cow<'static, str>>) -> Error {
        Error {
            code,
            sentence: sentence.into(),
            cause: None,
            hint: None,
        }
    }

    pub(crate) fn because(mut self, cause: impl fmt::Display) -> Error {
        self.cause = Some(cause.to_string());
        self
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<Cow<'static, str>>) -> Error {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Error {
    /// A line each: sentence and code, cause, hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.sentence, self.code)?;
        if let Some(cause) = &self.cause {
            write!(f, "\n  because: {}", cause.replace('\n', "\n           "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {}", hint.replace('\n', "\n        "))?;
        }
        Ok(())
    }
}

impl From<blazelink_postgres::Error> for Error {
    fn from(error: blazelink_postgres::Error) -> Error {
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            causes.push(next.to_string());
            cause = next.source();
        }
        Error {
            code: error.code(),
            sentence: error.sentence().to_owned().into(),
            cause: (!causes.is_empty()).then(|| causes.join("\n")),
            hint: error.hint().map(|hint| hint.to_owned().into()),
        }
    }
}

/// What the operating system refused the tool itself.
pub(crate) fn internal(error: std::io::Error) -> Error {
    Error::new(
        Code::CommandFailed,
        "The tool could not do what it needs from the system",
    )
    .because(error)
}
