//! The projects of `blazelink new` against this repository: the game is the example, the packages
//! are those that are tested here, and rustfmt finds nothing whatever the app is called.

use std::process::Command;

use blazelink_templates::project::{File, Template};
use blazelink_tests::new_project::{self, files};

const SHOOTER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/shooter");

/// The folders and files of the example that are those of the template, with all they hold.
const SAME: &[&str] = &[
    "migration/src/",
    "src/entities/",
    "src/main.rs",
    "src/seed.rs",
    "src/tables/",
];

/// Files that both have and that differ: the example has a JSON API instead of mutations, a larger
/// page, and the manifests and lints of this repository.
const OTHER: &[&str] = &[
    "Cargo.toml",
    "migration/Cargo.toml",
    "src/app.rs",
    "src/lib.rs",
    "static/app.css",
    "static/app.js",
    "templates/index.html",
];

fn example(path: &str) -> Option<String> {
    std::fs::read_to_string(format!("{SHOOTER}/{path}")).ok()
}

#[test]
fn the_game_is_the_example_where_they_overlap() {
    let mut compared = 0;
    for File { path, text } in files(Template::Game, "shooter") {
        let Some(example) = example(&path) else {
            let is_shared = SAME.iter().any(|same| path.starts_with(same));
            assert!(!is_shared, "the example has no {path}");
            continue;
        };
        if OTHER.contains(&path.as_str()) {
            assert_ne!(text, example, "{path} is the same: move it to SAME");
            continue;
        }
        let is_listed = SAME.iter().any(|same| path.starts_with(same));
        assert!(is_listed, "{path} is in both: say in SAME or OTHER which");
        // Of all packages here only one could be called `migration`.
        let example = example.replace("shooter_migration", "migration");
        assert!(
            text == example,
            "examples/shooter/{path} and templates/project differ:\n{}",
            similar(&text, &example)
        );
        compared += 1;
    }
    assert_eq!(compared, 13);
}

#[test]
fn the_example_has_nothing_of_its_own_where_they_overlap() {
    let template: Vec<String> = files(Template::Game, "shooter")
        .into_iter()
        .map(|file| file.path)
        .collect();
    for folder in SAME.iter().filter(|same| same.ends_with('/')) {
        let entries = std::fs::read_dir(format!("{SHOOTER}/{folder}"));
        for entry in entries.expect("the example is there") {
            let name = entry.expect("the folder can be read").file_name();
            let path = format!("{folder}{}", name.to_string_lossy());
            assert!(template.contains(&path), "the template has no {path}");
        }
    }
}

/// The lines of the first that the second does not have there.
fn similar(one: &str, other: &str) -> String {
    let pairs = one.lines().zip(other.lines());
    let differing = pairs.filter(|(one, other)| one != other);
    differing
        .map(|(one, other)| format!("- {one}\n+ {other}\n"))
        .collect()
}

#[test]
fn projects_are_built_of_the_packages_that_are_tested_here() {
    let kept = std::fs::read_to_string(new_project::LOCK).unwrap_or_default();
    assert!(
        kept == new_project::lock(),
        "templates/project/Cargo.lock is old: cargo run -p blazelink-tests --bin project-lock"
    );
}

#[test]
fn projects_are_built_as_this_repository_is() {
    let profile = |manifest: &str| {
        let manifest: toml::Table = manifest.parse().expect("it is TOML");
        manifest["profile"].clone()
    };
    let ours = include_str!("../../Cargo.toml");
    for template in Template::ALL {
        let files = files(template, "mygame");
        let theirs = files.iter().find(|file| file.path == "Cargo.toml");
        let theirs = theirs.expect("every project has one");
        assert_eq!(profile(&theirs.text), profile(ours), "{template}");
    }
}

#[test]
fn rustfmt_finds_nothing_whatever_the_app_is_called() {
    for name in ["x", "a-name-as-long-as-names-are", "zebra"] {
        for template in Template::ALL {
            let folder = tempfile::tempdir().expect("there is room for a project");
            new_project::write(template, name, folder.path());
            let checked = Command::new("rustfmt")
                .args(["--edition", "2024", "--check", "src/lib.rs", "src/main.rs"])
                .args([
                    "migration/src/lib.rs",
                    "migration/src/main.rs",
                    "tests/live.rs",
                ])
                .current_dir(folder.path())
                .output()
                .expect("rustfmt is part of the toolchain");
            let said = String::from_utf8_lossy(&checked.stdout);
            assert!(checked.status.success(), "{template}, {name}:\n{said}");
        }
    }
}
