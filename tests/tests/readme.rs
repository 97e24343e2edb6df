//! What README.md shows is what is compiled and run elsewhere.

const README: &str = include_str!("../../README.md");

/// The framework's documentation, whose example the compiler checks.
const DOCUMENTATION: &str = include_str!("../../blazelink-framework/src/lib.rs");

#[test]
fn the_code_of_the_readme_is_the_documentations_compiled_example() {
    let snippets = README.split("```rust\n").skip(1);
    let snippets: Vec<&str> = snippets
        .map(|rest| rest.split_once("```").expect("the code ends").0)
        .collect();
    assert!(!snippets.is_empty(), "the README shows Rust");
    let compiled: Vec<&str> = DOCUMENTATION
        .lines()
        .filter_map(|line| line.strip_prefix("//!"))
        .map(str::trim)
        .collect();
    for line in snippets.concat().lines().map(str::trim) {
        let comment = line.starts_with("//");
        assert!(comment || compiled.contains(&line), "not in lib.rs: {line}");
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
