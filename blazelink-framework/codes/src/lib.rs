//! What Blazelink calls its errors, its close codes and its limits.
//!
//! One table each, in one place, so that the framework, the command line tool and the
//! documentation never disagree about a number. Nothing here does anything: the framework and
//! the tool decide when a code applies.

pub mod close;
pub mod limits;

mod code;

pub use code::{Code, Range};
