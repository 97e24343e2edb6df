//! What README.md and the pages in `docs/` show is what is compiled and run elsewhere.

use blazelink_tests::documentation;

const README: &str = include_str!("../../README.md");

/// The framework's documentation, whose examples the compiler checks.
const DOCUMENTATION: &[&str] = &[
    include_str!("../../blazelink-framework/src/lib.rs"),
    include_str!("../../blazelink-framework/src/test/mod.rs"),
];

#[test]
fn the_code_of_the_readme_is_the_documentations_compiled_example() {
    let snippets = README.split("```rust\n").skip(1);
    let snippets: Vec<&str> = snippets
        .map(|rest| rest.split_once("```").expect("the code ends").0)
        .collect();
    assert!(!snippets.is_empty(), "the README shows Rust");
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
