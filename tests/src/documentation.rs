//! `docs/coming-from-python.md`, made of its template and of the lists of deviations and defects.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment};

use crate::deviations::Deviations;

/// Where the page lies.
pub const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/coming-from-python.md");

const TEMPLATE: &str = include_str!("../original/coming-from-python.md.jinja");

/// The page as it must be.
pub fn render() -> String {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let lists = Serde(Deviations::load());
    let page = environment.render_str(TEMPLATE, lists);
    let page = page.unwrap_or_else(|error| panic!("the template of the page: {error:#}"));
    format!("{}\n", page.trim_end())
}
