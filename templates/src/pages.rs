//! The embedded pages and the environment that renders them.

use std::sync::LazyLock;

use blazelink_codes::Result;
use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::not_rendered;

/// Every page with its text.
const PAGES: &[(&str, &str)] = &[
    ("debugger.html", include_str!("../pages/debugger.html")),
    (
        "debugger-api.html",
        include_str!("../pages/debugger-api.html"),
    ),
    ("explorer.html", include_str!("../pages/explorer.html")),
];

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_loader(|name| {
        let page = PAGES.iter().find(|(known, _)| *known == name);
        Ok(page.map(|(_, text)| (*text).to_owned()))
    });
    environment
});

/// The page `name` with the values of `context`, escaped for HTML.
///
/// | Page | Shown for | Needs |
/// |---|---|---|
/// | `debugger.html` | every screen of the debugger | `app`, `version`, `base` |
/// | `debugger-api.html` | the debugger's API, described | `app`, `base`, `spec` (OpenAPI 3.0) |
/// | `explorer.html` | a GET of the GraphQL address by a browser | `graphql_url`, `title` |
///
/// # Errors
///
/// If there is no such page, or if the context lacks a value that the page names.
///
/// # Examples
///
/// ```
/// use std::collections::BTreeMap;
///
/// let context = BTreeMap::from([("graphql_url", "/graphql/"), ("title", "shooter")]);
/// let page = blazelink_templates::render("explorer.html", context)?;
/// assert!(page.contains("<title>shooter"));
/// # Ok::<(), blazelink_templates::Error>(())
/// ```
pub fn render(name: &str, context: impl Serialize) -> Result<String> {
    ENVIRONMENT
        .get_template(name)
        .and_then(|template| template.render(Serde(context)))
        .map_err(|error| not_rendered(name, &error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeMap;

    use blazelink_codes::Code;

    use super::*;

    fn explorer(title: &str) -> String {
        let context = BTreeMap::from([("graphql_url", "/graphql/"), ("title", title)]);
        render("explorer.html", context).unwrap()
    }

    #[test]
    fn a_page_shows_what_its_context_says() {
        let page = explorer("shooter");
        assert!(page.contains("<title>shooter"));
        assert!(page.contains(r#"data-graphql-url="&#x2f;graphql&#x2f;""#));
    }

    #[test]
    fn values_of_the_context_are_escaped() {
        let page = explorer("<script>alert('x')</script>");
        assert!(!page.contains("<script>alert"));
        assert!(page.contains("&lt;script&gt;"));
    }

    #[test]
    fn a_missing_value_is_an_error_that_names_the_page_and_line_but_no_value() {
        let context = BTreeMap::from([("title", "a secret")]);
        let error = render("explorer.html", context).unwrap_err();
        assert_eq!(error.code(), Code::Template);
        let said = error.sentence();
        assert!(
            said.contains("`explorer.html`") && said.contains("(line "),
            "{said}"
        );
        let text = format!("{error} {error:?} {error:#?}");
        assert!(text.contains("undefined value"), "{text}");
        assert!(!text.contains("a secret"), "{text}");
    }

    #[test]
    fn an_unknown_page_is_an_error() {
        let error = render("nope.html", ()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Template `nope.html` cannot be rendered: template not found (BLZ1003)"
        );
    }

    #[test]
    fn no_page_reaches_for_another_host() {
        for (name, text) in PAGES {
            let foreign = ["http://", "https://", "src=\"//", "href=\"//", "@import"];
            for pattern in foreign {
                assert!(!text.contains(pattern), "{name} contains {pattern}");
            }
        }
    }
}
