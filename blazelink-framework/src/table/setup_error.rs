//! The error of what an app says of its tables: found at the start, with what to type instead.

use std::borrow::Cow;

use blazelink_codes::Code;

use crate::error::{Error, ErrorKind};

/// An app cannot start before somebody follows the hint.
pub(super) fn setup(
    code: Code,
    sentence: impl Into<Cow<'static, str>>,
    hint: impl Into<Cow<'static, str>>,
) -> Error {
    Error::new(ErrorKind::Setup, code, sentence).with_hint(hint)
}
