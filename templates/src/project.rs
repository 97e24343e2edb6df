//! The projects that `blazelink new` makes: which there are, and the files of one.
//!
//! `project/shared/` has what all of them have, a folder beside it what one of them has besides. A
//! file whose name ends in `.j2` is a template, and loses that ending; any other is taken as it is.

use std::fmt;

use blazelink_codes::Result;
use include_dir::{Dir, DirEntry, include_dir};
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use serde::Serialize;

use crate::not_rendered;

static SHARED: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/project/shared");
static GAME: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/project/game");
static BLANK: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/project/blank");
static EXISTING: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/project/existing");

/// The SQL of a database that was there, which the project's first migration reads.
pub const BASELINE: &str = "migration/src/baseline.sql";

/// The packages that a project depends on, as they were tested: a Cargo.lock of a project called
/// [`PLACE`].
static LOCK: &str = include_str!("../project/Cargo.lock");

/// What the project in [`LOCK`] is called.
const PLACE: &str = "project-name";

/// The ending of a file that is a template.
const TEMPLATE: &str = ".j2";

/// A project that can be made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Template {
    /// A live game: four tables, computed fields, and a page with two teams.
    #[default]
    Game,
    /// One table and a page that lists it.
    Blank,
    /// The tables of a database that is there. Nobody chooses it by name.
    Existing,
}

impl Template {
    /// Every template that can be chosen.
    pub const ALL: [Template; 2] = [Template::Game, Template::Blank];

    /// What is typed for it.
    pub fn name(self) -> &'static str {
        match self {
            Template::Game => "game",
            Template::Blank => "blank",
            Template::Existing => "existing",
        }
    }

    /// What one gets, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Template::Game => "A live game: four tables, computed fields, a page with two teams",
            Template::Blank => "One table and a page that lists it",
            Template::Existing => "The tables of a database that is there",
        }
    }

    fn folder(self) -> &'static Dir<'static> {
        match self {
            Template::Game => &GAME,
            Template::Blank => &BLANK,
            Template::Existing => &EXISTING,
        }
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What the templates name.
#[derive(Clone, Debug, Serialize)]
pub struct Values {
    /// The package.
    name: String,
    /// The package, as Rust code and the database are called.
    #[serde(rename = "crate")]
    krate: String,
    /// What people read.
    title: String,
    /// Where cargo finds the framework.
    blazelink: String,
    blazelink_migrations: String,
    /// The oldest Rust that builds the framework.
    rust_version: &'static str,
    /// Where people find Blazelink.
    repository: &'static str,
    /// Of [`Template::Existing`].
    tables: Vec<Table>,
    left_out: Vec<LeftOut>,
}

/// A table that was there, and has an entity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// In SQL.
    pub name: String,
    /// The entity's module, as Rust code names it.
    pub module: String,
}

/// A table that was there, and has no entity.
#[derive(Clone, Debug, Serialize)]
struct LeftOut {
    name: String,
    why: String,
}

impl Values {
    /// Of an app that is called so: the name of a package that needs no escaping anywhere. Cargo
    /// finds the framework, and what migrations use, as `blazelink` and `blazelink_migrations` say:
    /// `path = ".."` or `version = ".."`.
    pub fn new(name: &str, blazelink: String, blazelink_migrations: String) -> Values {
        let words = name.replace(['-', '_'], " ");
        let mut letters = words.trim().chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        Values {
            name: name.to_owned(),
            krate: name.replace('-', "_"),
            title: first.into_iter().chain(letters).collect(),
            blazelink,
            blazelink_migrations,
            rust_version: env!("CARGO_PKG_RUST_VERSION"),
            repository: env!("CARGO_PKG_REPOSITORY"),
            tables: Vec::new(),
            left_out: Vec::new(),
        }
    }

    /// With the tables of a database that is there, and those that are not exposed, each with the
    /// reason as the end of a sentence.
    #[must_use]
    pub fn existing(mut self, tables: Vec<Table>, left_out: &[(String, String)]) -> Values {
        self.tables = tables;
        let left_out = left_out.iter().cloned();
        self.left_out = left_out.map(|(name, why)| LeftOut { name, why }).collect();
        self
    }
}

/// A file of a project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the project's folder, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
}

/// The files of a project, ordered by their paths.
///
/// # Errors
///
/// If a template is broken, which the tests of this package rule out.
pub fn files(template: Template, values: &Values) -> Result<Vec<File>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    // A name is letters, digits and dashes: nothing in it needs escaping anywhere.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    let mut files = vec![File {
        path: "Cargo.lock".to_owned(),
        text: lock(&values.name),
    }];
    for (path, text) in sources(template) {
        files.push(match path.strip_suffix(TEMPLATE) {
            None => File {
                path: path.to_owned(),
                text: text.to_owned(),
            },
            Some(rendered) => File {
                path: rendered.to_owned(),
                // The last line's end is not part of what a template renders to.
                text: environment
                    .render_named_str(path, text, Serde(values))
                    .map_err(|error| not_rendered(path, &error))?
                    + "\n",
            },
        });
    }
    files.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(files)
}

/// Every package that a project is built of besides itself: what it may not be called.
pub fn packages() -> impl Iterator<Item = &'static str> {
    blocks().map(name_of).filter(|name| *name != PLACE)
}

/// What lies in the folders of a template, with its path.
fn sources(template: Template) -> Vec<(&'static str, &'static str)> {
    fn collect(folder: &'static Dir<'static>, found: &mut Vec<(&'static str, &'static str)>) {
        for entry in folder.entries() {
            match entry {
                DirEntry::Dir(folder) => collect(folder, found),
                DirEntry::File(file) => {
                    // Both are UTF-8: a test reads every file.
                    if let (Some(path), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
                        found.push((path, text));
                    }
                }
            }
        }
    }
    let mut found = Vec::new();
    collect(&SHARED, &mut found);
    collect(template.folder(), &mut found);
    found
}

/// The lock file of a project of this name. Cargo keeps packages in the order of their names, and
/// would write it anew otherwise.
fn lock(name: &str) -> String {
    let mut packages: Vec<String> = blocks()
        .map(|block| block.replacen(PLACE, name, usize::from(name_of(block) == PLACE)))
        .collect();
    // Stable: packages of one name stay in the order of their versions.
    packages.sort_by(|one, other| name_of(one).cmp(name_of(other)));
    let head = LOCK.split(PACKAGE).next().unwrap_or_default();
    let packages = packages.iter().map(|block| block.trim_end());
    let mut text = head.to_owned();
    for (at, block) in packages.enumerate() {
        let gap = if at == 0 { "" } else { "\n" };
        text.push_str(&format!("{gap}{PACKAGE}{block}\n"));
    }
    text
}

/// What stands above each package of a lock file.
const PACKAGE: &str = "[[package]]\n";

fn blocks() -> impl Iterator<Item = &'static str> {
    LOCK.split(PACKAGE).skip(1)
}

fn name_of(block: &str) -> &str {
    block.split('"').nth(1).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// How much a person is given to read at once.
    const MOST_FILES: usize = 31;
    const MOST_LINES: usize = 650;

    fn values(name: &str) -> Values {
        let path = |folder: &str| format!("path = \"/checkout/{folder}\"");
        Values::new(name, path("framework"), path("migrations"))
    }

    #[test]
    fn a_name_is_a_crate_and_a_title() {
        for (name, krate, title) in [
            ("mygame", "mygame", "Mygame"),
            ("my-game", "my_game", "My game"),
            ("a1_b-", "a1_b_", "A1 b"),
            ("x", "x", "X"),
        ] {
            let values = values(name);
            assert_eq!(
                (values.krate.as_str(), values.title.as_str()),
                (krate, title)
            );
        }
    }

    fn made(template: Template) -> Vec<File> {
        files(template, &values("mygame")).unwrap()
    }

    #[test]
    fn every_file_of_the_folders_is_in_the_project_once() {
        for template in Template::ALL {
            let root = concat!(env!("CARGO_MANIFEST_DIR"), "/project");
            let listed = |folder: &str| {
                let mut found = Vec::new();
                let mut folders = vec![std::path::Path::new(root).join(folder)];
                while let Some(folder) = folders.pop() {
                    for entry in std::fs::read_dir(folder).unwrap() {
                        let path = entry.unwrap().path();
                        match path.is_dir() {
                            true => folders.push(path),
                            false => found.push(path),
                        }
                    }
                }
                found.len()
            };
            let files = made(template);
            let lock = 1;
            let expected = listed("shared") + listed(template.name()) + lock;
            assert_eq!(files.len(), expected, "{template}");
            let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
            assert_eq!(paths.len(), files.len(), "{template}");
        }
    }

    #[test]
    fn a_project_is_small_enough_to_be_read() {
        for template in Template::ALL {
            let files = made(template);
            assert!(files.len() <= MOST_FILES, "{template}: {}", files.len());
            let read = files.iter().filter(|file| file.path != "Cargo.lock");
            let lines = read.flat_map(|file| file.text.lines());
            let lines = lines.filter(|line| !line.trim().is_empty()).count();
            assert!(lines <= MOST_LINES, "{template}: {lines}");
        }
    }

    #[test]
    fn every_file_opens_with_what_it_is_and_whose_it_is() {
        for template in Template::ALL {
            for File { path, text } in made(template) {
                if path == "Cargo.lock" {
                    continue;
                }
                let comment = ["//! ", "// ", "/* ", "# ", "<!-- "];
                let lines = text.lines();
                let opening: Vec<&str> = lines
                    .take_while(|line| comment.iter().any(|mark| line.starts_with(mark)))
                    .collect();
                assert!(!opening.is_empty(), "{template}/{path}");
                let opening = opening.join(" ");
                assert!(opening.contains("Yours"), "{template}/{path}: {opening}");
            }
        }
    }

    #[test]
    fn nothing_of_the_templates_language_is_left() {
        for template in Template::ALL {
            for File { path, text } in made(template) {
                let left = ["{{ ", "{%", "{#", PLACE].map(|mark| text.contains(mark));
                // GitHub has braces of its own.
                assert!(path.ends_with(".yml") || left == [false; 4], "{path}");
                assert!(text.ends_with('\n') && !text.ends_with("\n\n"), "{path}");
            }
        }
    }

    #[test]
    fn a_value_that_is_missing_is_an_error() {
        let environment = {
            let mut environment = Environment::new();
            environment.set_undefined_behavior(UndefinedBehavior::Strict);
            environment
        };
        for template in Template::ALL {
            for (path, text) in sources(template) {
                if path.ends_with(TEMPLATE) {
                    let rendered = environment.render_named_str(path, text, ());
                    assert!(rendered.is_err(), "{path} has no variable: drop its ending");
                }
            }
        }
    }

    #[test]
    fn the_lock_has_the_project_where_cargo_would_put_it() {
        for name in ["aaa", "mygame", "proc", "zzz"] {
            let lock = lock(name);
            let names: Vec<&str> = lock.split(PACKAGE).skip(1).map(name_of).collect();
            assert!(names.is_sorted() && names.contains(&name), "{name}");
            let others = names.iter().filter(|other| **other != name);
            assert_eq!(others.count(), packages().count());
            assert!(lock.ends_with("]\n") || lock.ends_with("\"\n"), "{name}");
        }
        assert_eq!(lock(PLACE), LOCK);
    }
}
