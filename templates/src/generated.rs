//! The files that `blazelink generate` makes. What stands in `generate/` is rendered as it is; how
//! lines are broken is decided before.

use blazelink_codes::Result;
use include_dir::{Dir, include_dir};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::not_rendered;

static FILES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/generate");

/// The template of this name with these values.
///
/// # Errors
///
/// If there is none of that name, or a value is missing, which the tests of the tool rule out.
pub fn render(name: &str, values: impl Serialize) -> Result<String> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // Names are letters, digits and underscores: nothing in them needs escaping anywhere.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let syntax = SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build();
    environment.set_syntax(syntax.map_err(|error| not_rendered(name, &error))?);
    let file = FILES.get_file(name);
    let text = file.and_then(|file| file.contents_utf8()).ok_or_else(|| {
        let none = minijinja::Error::new(minijinja::ErrorKind::TemplateNotFound, "");
        not_rendered(name, &none)
    })?;
    let rendered = environment.render_named_str(name, text, Serde(values));
    rendered.map_err(|error| not_rendered(name, &error))
}
