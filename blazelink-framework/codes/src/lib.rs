//! Blazelink's error type, and what its errors, its close codes and its limits are called.
//!
//! One table each, in one place, so that the framework, the command line tool and the
//! documentation never disagree about a number or print an error differently. Nothing here does
//! anything: the packages that use it decide when a code applies.

pub mod close;
pub mod limits;

mod code;
mod error;
mod explain;

pub use code::{Code, UnknownCode};
pub use error::{Error, ErrorKind, Result};
