//! The list itself: whole, in order, and naming tests that there are.

use std::path::Path;

use blazelink_tests::deviations::Deviations;

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Whether this file has a test of this name: a function under `#[test]` in Rust, the words that
/// `test` is called with elsewhere.
fn holds(file: &str, source: &str, name: &str) -> bool {
    if !file.ends_with(".rs") {
        return source.contains(&format!("test(\"{name}\""));
    }
    let function = format!("fn {name}(");
    source.match_indices(&function).any(|(at, _)| {
        let before = source[..at].rsplit("\n\n").next().unwrap_or_default();
        before.contains("#[test]") || before.contains("#[tokio::test")
    })
}

#[test]
fn every_defect_is_proved_gone_by_tests_that_there_are() {
    let mut wrong = Vec::new();
    for (number, defect) in (1..).zip(Deviations::load().defects) {
        if defect.number != number {
            wrong.push(format!("{} stands where {number} belongs", defect.number));
        }
        if defect.tests.is_empty() {
            wrong.push(format!("{number} names no test"));
        }
        for test in &defect.tests {
            let (file, name) = test.split_once("::").unwrap_or((test, ""));
            match std::fs::read_to_string(Path::new(ROOT).join(file)) {
                Err(error) => wrong.push(format!("{number}: {file}: {error}")),
                Ok(source) if !holds(file, &source, name) => {
                    wrong.push(format!("{number}: {file} has no test {name:?}"));
                }
                Ok(_) => {}
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_function_that_is_no_test_proves_nothing() {
    let source = "#[test]\nfn one() {\n}\n\nfn two() {\n}\n\n#[tokio::test]\nasync fn three() {}";
    let found = ["one", "two", "three", "four"].map(|name| holds("a.rs", source, name));
    assert_eq!(found, [true, false, true, false]);
    assert!(holds("a.test.ts", "test(\"it waits\", () => {", "it waits"));
}
