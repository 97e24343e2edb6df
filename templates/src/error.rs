//! Why a page could not be rendered.

use std::fmt;

/// A template that does not exist, is no template, or was not given all that it needs.
pub struct Error {
    name: String,
    line: Option<usize>,
    source: minijinja::Error,
}

impl Error {
    pub(crate) fn new(name: &str, source: minijinja::Error) -> Error {
        Error {
            name: source.name().unwrap_or(name).to_owned(),
            line: source.line(),
            source,
        }
    }

    /// The template in which it happened.
    pub fn template(&self) -> &str {
        &self.name
    }

    /// The line in it, from 1, if it is one line's fault.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Template `{}` cannot be rendered", self.name)?;
        if let Some(line) = self.line {
            write!(f, " (line {line})")?;
        }
        write!(f, ": {}", self.source.kind())
    }
}

impl fmt::Debug for Error {
    /// As `Display`: minijinja's own form lists the context's values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Error {}
