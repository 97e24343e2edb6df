//! The GraphQL schemas, as an app's program prints them: compared with the files in `schemas/`.
//!
//! After a change that is meant: `SCHEMAS=write cargo test -p blazelink-sample schemas`, and read
//! what `git diff` says.

use std::path::Path;
use std::process::Command;

use similar::TextDiff;

/// What the app's program prints, where there is no database and nothing is set.
fn printed(app: &str) -> String {
    let folder = std::env::temp_dir();
    let output = Command::new(env!("CARGO_BIN_EXE_sample"))
        .arg("schema")
        .env_clear()
        .env("SAMPLE_APP", app)
        .current_dir(folder)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn compare(app: &str) {
    let name = format!("{app}.graphql");
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("schemas")
        .join(&name);
    let printed = printed(app);
    if std::env::var_os("SCHEMAS").is_some_and(|what| what == "write") {
        std::fs::write(&file, &printed).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    let diff = TextDiff::from_lines(&kept, &printed);
    assert!(
        kept == printed,
        "The schema has changed:\n{}\nIf that is meant: SCHEMAS=write cargo test -p \
         blazelink-sample schemas",
        diff.unified_diff().header(&name, "printed now")
    );
}

#[test]
fn the_store_has_the_schema_that_is_kept() {
    compare("store");
}

#[test]
fn the_kitchen_has_the_schema_that_is_kept() {
    compare("kitchen");
}

#[test]
fn the_shooter_has_the_schema_that_is_kept() {
    compare("shooter");
}
