//! The error of the framework's public functions: the one that all of Blazelink's packages share.

pub use blazelink_codes::{Error, ErrorKind, Result};
