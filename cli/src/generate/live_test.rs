//! The tests that generators add to `tests/live.rs`. Pure.

use std::collections::BTreeMap;

use blazelink_codes::Result;
use blazelink_templates::generated;
use serde_json::{Value, json};

use super::changes::Changes;
use super::rust;
use super::sample::Rows;

/// Where they go.
pub(super) const FILE: &str = "tests/live.rs";

const HEAD: &str = "//! What is committed reaches every page that shows it. Yours to edit.\n";

/// A test that is to be made.
#[derive(Debug)]
pub(super) struct LiveTest {
    pub(super) name: String,
    /// What of the template is rendered.
    pub(super) kind: &'static str,
    /// What the template names besides.
    pub(super) values: Value,
    /// The rows that it inserts.
    pub(super) rows: Rows,
    /// What it uses besides what every one of them does, as whole paths.
    pub(super) imports: &'static [&'static str],
}

impl LiveTest {
    /// Adds it, and the file where there is none.
    pub(super) fn add(self, changes: &mut Changes<'_>) -> Result<()> {
        let there = changes.text(FILE).map(str::to_owned);
        let text = there.clone().unwrap_or_else(|| HEAD.to_owned());
        let imported = rust::imports(&text).unwrap_or_default();
        let test = self.render(&changes.sources.krate, &imported)?;
        match there {
            None => {
                changes.create(FILE.to_owned(), format!("{HEAD}\n{test}"));
                Ok(())
            }
            Some(_) => changes.inject(FILE, &format!("test `{}`", self.name), |text| {
                rust::add_function(text, &self.name, &test)
            }),
        }
    }

    fn render(&self, krate: &str, imported: &[String]) -> Result<String> {
        let mut needed: Vec<String> =
            vec!["blazelink::test::TestApp".into(), format!("{krate}::app")];
        if !self.rows.lines.is_empty() {
            needed.push(format!("{krate}::entities"));
            needed.push("sea_orm::ActiveModelBehavior".into());
            needed.push("sea_orm::ActiveModelTrait".into());
        }
        if self.rows.sets {
            needed.push("sea_orm::Set".into());
        }
        needed.extend(self.imports.iter().map(|path| (*path).to_owned()));
        needed.retain(|path| !imported.contains(path));
        let result = "blazelink::test::TestResult";
        let result = match imported.iter().any(|path| path == result) {
            true => "TestResult",
            false => result,
        };
        let mut values = json!({
            "name": self.name,
            "kind": self.kind,
            "result": result,
            "uses": uses(krate, &needed),
            "rows": self.rows.lines.join("\n"),
        });
        if let (Value::Object(values), Value::Object(own)) = (&mut values, self.values.clone()) {
            values.extend(own);
        }
        generated::render("test.rs.j2", values)
    }
}

/// Imports by crate, as rustfmt sorts them: ours, SeaORM's, the app's.
fn uses(krate: &str, paths: &[String]) -> Vec<Vec<String>> {
    let mut groups = vec![Vec::new(); 3];
    let mut modules: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for path in paths {
        if let Some((module, name)) = path.rsplit_once("::") {
            modules.entry(module).or_default().push(name);
        }
    }
    for (module, mut names) in modules {
        names.sort_unstable();
        let line = match names.as_slice() {
            [only] => format!("use {module}::{only};"),
            several => format!("use {module}::{{{}}};", several.join(", ")),
        };
        let group = match module.split("::").next() {
            Some("blazelink") => 0,
            Some(first) if first == krate => 2,
            _ => 1,
        };
        groups[group].push(line);
    }
    groups.retain(|group| !group.is_empty());
    groups
}
