//! The pages that Blazelink shows by itself, embedded and rendered with minijinja.
//!
//! The framework renders them while it serves, so a template must not be able to fail on good
//! input: every variable is needed ([`render`] refuses a context that lacks one), every value is
//! escaped, and no page loads anything from another host.

mod pages;

pub use blazelink_codes::{Error, ErrorKind, Result};
pub use pages::render;
