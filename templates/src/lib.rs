//! The pages that Blazelink shows by itself, and the projects that `blazelink new` makes: embedded,
//! and rendered with minijinja.
//!
//! The framework renders pages while it serves, so a template must not be able to fail on good
//! input: every variable is needed ([`render`] refuses a context that lacks one), every value is
//! escaped, and no page loads anything from another host.
//!
//! The tool renders projects ([`project`]). Neither program has what only the other one uses: what
//! nobody refers to is not linked.

mod debugger;
pub mod generated;
mod pages;
pub mod project;

pub use blazelink_codes::{Error, ErrorKind, Result};
pub use debugger::debugger_file;
pub use pages::render;

use blazelink_codes::Code;

/// Without the error as its source: minijinja's own forms list the context's values.
fn not_rendered(name: &str, error: &minijinja::Error) -> Error {
    let name = error.name().unwrap_or(name);
    let line = error
        .line()
        .map_or(String::new(), |line| format!(" (line {line})"));
    let what = error.kind();
    let sentence = format!("Template `{name}` cannot be rendered{line}: {what}");
    Error::new(ErrorKind::Setup, Code::Template, sentence)
}
