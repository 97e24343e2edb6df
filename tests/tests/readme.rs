//! What README.md and the pages in `docs/` show is what is compiled and run elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use blazelink_tests::documentation;

const README: &str = include_str!("../../README.md");

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs");

/// The page whose code a test of its own compiles and runs.
const EXAMPLES: &str = "examples.md";

/// The guide's pages, by their names.
fn guide() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(DOCS).expect("the guide is there");
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let pages = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages
        .map(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("a page is text");
            (name.into_owned(), text)
        })
        .collect()
}

/// The framework's documentation, whose examples the compiler checks.
const DOCUMENTATION: &[&str] = &[
    include_str!("../../blazelink-framework/src/lib.rs"),
    include_str!("../../blazelink-framework/src/test/mod.rs"),
];

#[test]
fn the_code_of_readme_and_guide_is_the_documentations_compiled_example() {
    let guide = guide();
    let pages = guide.iter().filter(|(name, _)| *name != EXAMPLES);
    let pages = pages.map(|(_, text)| text.as_str()).chain([README]);
    let snippets: Vec<&str> = pages
        .flat_map(|text| text.split("```rust\n").skip(1))
        .map(|rest| rest.split_once("```").expect("the code ends").0)
        .collect();
    assert!(snippets.len() > 4, "README and guide show Rust");
    let compiled: Vec<&str> = DOCUMENTATION
        .iter()
        .flat_map(|file| file.lines())
        .filter_map(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    for line in snippets.concat().lines().map(str::trim) {
        let comment = line.starts_with("//");
        assert!(
            comment || compiled.contains(&line),
            "not in the documentation: {line}"
        );
    }
}

#[test]
fn the_steps_that_the_readme_names_are_those_of_the_test_command() {
    let steps = include_str!("../run");
    let (_, rest) = steps
        .split_once("STEPS=(")
        .expect("tests/run lists its steps");
    let (steps, _) = rest.split_once(')').expect("the list ends");
    for step in steps.split_whitespace() {
        assert!(
            README.contains(&format!("`{step}`")),
            "the README lacks the step {step}"
        );
    }
}

#[test]
fn the_page_for_those_who_come_from_python_is_made_of_its_lists() {
    let page = std::fs::read_to_string(documentation::PAGE).unwrap_or_default();
    assert!(
        page == documentation::render(),
        "the page is old: cargo run -p blazelink-tests --bin coming-from-python"
    );
    assert!(README.contains("(docs/coming-from-python.md)"));
}

/// What a page links to, but for other servers.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1);
    let targets = targets.filter_map(|rest| Some(rest.split_once(')')?.0));
    targets.filter(|target| !target.contains("://"))
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter_map(|letter| match letter {
        ' ' => Some('-'),
        '-' | '_' => Some(letter),
        _ => letter
            .is_alphanumeric()
            .then(|| letter.to_ascii_lowercase()),
    });
    kept.collect()
}

#[test]
fn every_link_of_readme_and_guide_leads_somewhere() {
    let mut pages: Vec<(String, String)> = guide().into_iter().collect();
    pages.push(("../README.md".to_owned(), README.to_owned()));
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (name, text) in &pages {
        let page = Path::new(DOCS).join(name);
        for link in links(text) {
            looked_at += 1;
            let (path, place) = link.split_once('#').unwrap_or((link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.with_file_name("").join(path),
            };
            let is_there = match place {
                "" => target.exists(),
                place => std::fs::read_to_string(&target).is_ok_and(|text| {
                    let headings = text.lines().filter(|line| line.starts_with('#'));
                    let mut headings = headings.map(|line| line.trim_start_matches('#').trim());
                    headings.any(|heading| anchor(heading) == place)
                }),
            };
            if !is_there {
                wrong.push(format!("{name}: {link}"));
            }
        }
    }
    assert!(looked_at > 30, "{looked_at}");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_of_the_guide_is_in_its_summary() {
    let guide = guide();
    let summary: BTreeSet<&str> = links(&guide["SUMMARY.md"]).collect();
    let pages: BTreeSet<&str> = guide.keys().map(String::as_str).collect();
    let pages = &pages - &BTreeSet::from(["SUMMARY.md"]);
    assert_eq!(summary, pages);
}
