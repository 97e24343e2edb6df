//! What holds for every verb: help, suggestions, exit statuses, outputs, and that no text for
//! programmers reaches a person.
#![allow(clippy::unwrap_used)]

mod project;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use project::{Project, seen, tool};

const EVENTS: &str = include_str!("../../docs/json-events.md");

/// Every verb, and every verb of a verb.
const VERBS: &[&str] = &[
    "",
    "new",
    "dev",
    "generate",
    "generate entity",
    "generate virtual",
    "generate computed",
    "generate migration",
    "generate policy",
    "generate docker",
    "migrate",
    "migrate status",
    "migrate up",
    "migrate down",
    "migrate redo",
    "migrate new",
    "migrate diff",
    "migrate verify",
    "db",
    "db start",
    "db stop",
    "db url",
    "db psql",
    "db reset",
    "db seed",
    "db snapshot",
    "db restore",
    "db branch",
    "schema",
    "schema print",
    "schema diff",
    "schema check",
    "schema graph",
    "debug",
    "debug updates",
    "debug update",
    "debug sessions",
    "debug session",
    "debug subscriptions",
    "debug recordings",
    "why",
    "record",
    "replay",
    "doctor",
    "explain",
    "completions",
    "man",
    "version",
];

fn run(line: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    format!(
        "$ blazelink {line}\n{}",
        seen(&tool(folder.path(), line).output().unwrap())
    )
}

#[test]
fn every_verb_has_help() {
    for verb in VERBS {
        // `-h` is a line per argument, `--help` a paragraph: the short one is read more often.
        let name = format!("help {verb}").trim_end().replace(' ', "-");
        insta::assert_snapshot!(name, run(&format!("{verb} -h")));
    }
}

/// The guide's page of all verbs: their help, with what holds for all of them once.
fn page_of_commands() -> String {
    const EVERYWHERE: &str = "\nEverywhere:\n";
    let mut page = String::from(
        "# Commands\n\nWhat `blazelink` takes, as `-h` says it; `--help` says more, `blazelink man` all of it.\n\
         This page is made of it: `INSTA_UPDATE=always cargo test -p blazelink-cli --test conventions`.\n",
    );
    for verb in VERBS {
        let output = tool(Path::new("."), &format!("{verb} -h"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let text = match text.split_once(EVERYWHERE) {
            Some((before, rest)) if !verb.is_empty() => {
                // What comes behind is the verb's own again.
                let own = rest.split_once("\n\n").map_or("", |(_, own)| own);
                format!("{}\n\n{own}", before.trim_end())
            }
            _ => text,
        };
        let level = "#".repeat(2 + verb.split(' ').count().saturating_sub(1));
        let name = format!("blazelink {verb}");
        let text = text.trim();
        page.push_str(&format!(
            "\n{level} {}\n\n```text\n{text}\n```\n",
            name.trim()
        ));
    }
    page
}

#[test]
fn the_page_of_commands_is_what_the_tool_prints() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/commands.md");
    let page = page_of_commands();
    if std::env::var_os("INSTA_UPDATE").is_some_and(|update| update == "always") {
        fs::write(path, &page).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap_or_default() == page,
        "docs/commands.md is old: INSTA_UPDATE=always cargo test -p blazelink-cli --test conventions"
    );
}

#[test]
fn what_is_misspelt_is_answered_with_what_was_meant() {
    let lines = [
        "migrte",
        "migrate stauts",
        "version --colour never",
        "version --color allways",
        "completions bsh",
        "migrate down 0",
        "db snapshot a/b",
        "explain BLZ9999",
    ];
    insta::assert_snapshot!(lines.map(run).concat());
}

#[test]
fn a_code_is_explained_and_the_committed_page_is_what_the_tool_prints() {
    insta::assert_snapshot!(
        ["explain 3002", "--json explain BLZ7004", "man nothing"]
            .map(|line| {
                let text = run(line);
                match text.split_once("\"ts\":") {
                    // The time is the last field but for none.
                    Some((before, rest)) => format!(
                        "{before}\"ts\":0{}",
                        rest.trim_start_matches(|c: char| c.is_ascii_digit())
                    ),
                    None => text,
                }
            })
            .concat()
    );
    let all = tool(Path::new("."), "explain --all").output().unwrap();
    let page = include_str!("../../docs/error-codes.md");
    assert!(
        String::from_utf8(all.stdout).unwrap() == page,
        "the page is old: cargo run -- explain --all > docs/error-codes.md"
    );
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    for line in ["explain --all", "completions bash", "--help"] {
        let mut command = tool(Path::new("."), line);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let mut said = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut said)
            .unwrap();
        assert_eq!(
            (said.as_str(), child.wait().unwrap().code()),
            ("", Some(0)),
            "{line}"
        );
    }
}

#[test]
fn the_version_is_there_at_once() {
    let took = || {
        let begun = Instant::now();
        tool(Path::new("."), "--version").output().unwrap();
        begun.elapsed()
    };
    // The best of many: the others waited for the machine.
    let best = (0..20).map(|_| took()).min().unwrap();
    assert!(best < Duration::from_millis(10), "{best:?}");
}

#[test]
fn results_go_to_standard_output_and_colours_nowhere_but_to_a_terminal() {
    for line in ["version", "explain 3002", "explain"] {
        let output = tool(Path::new("."), line).output().unwrap();
        assert!(
            !output.stdout.is_empty() && output.stderr.is_empty(),
            "{line}"
        );
        assert!(!output.stdout.contains(&0x1b), "{line}");
    }
    let refused = tool(Path::new("."), "explain nope").output().unwrap();
    assert!(refused.stdout.is_empty() && !refused.stderr.contains(&0x1b));
    let forced = tool(Path::new("."), "explain nope --color always")
        .output()
        .unwrap();
    assert!(forced.stderr.contains(&0x1b));
}

#[test]
fn completions_and_manual_pages_know_every_verb() {
    let folder = tempfile::tempdir().unwrap();
    let wrote = tool(folder.path(), "man --out pages").output().unwrap();
    assert_eq!(wrote.status.code(), Some(0), "{}", seen(&wrote));
    for verb in VERBS {
        let page = format!("pages/blazelink {verb}.1")
            .replace(' ', "-")
            .replace("-.1", ".1");
        assert!(folder.path().join(&page).exists(), "{page}");
    }
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&format!("completions {shell}"));
        for verb in VERBS.iter().flat_map(|verb| verb.split(' ')) {
            assert!(script.contains(verb), "{shell}: {verb}");
        }
    }
}

#[test]
fn offline_reaches_cargo() {
    let project = Project::new();
    project.write(
        "src/main.rs",
        "fn main() { println!(\"{}\", env!(\"CARGO_NET_OFFLINE\")) }",
    );
    let online = project.tool("schema print").output().unwrap();
    assert_eq!(online.status.code(), Some(1), "{}", seen(&online));
    let offline = project.tool("--offline schema print").output().unwrap();
    assert_eq!(String::from_utf8(offline.stdout).unwrap(), "true\n");
}

/// The words of Rust's `Debug` that a person has met in other tools.
#[test]
fn no_snapshot_holds_text_for_programmers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let mut looked_at = 0;
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        let text = fs::read_to_string(&file).unwrap();
        // The head is insta's.
        let (_, text) = text[3..].split_once("\n---\n").unwrap();
        looked_at += 1;
        for word in [
            "Message(",
            "Custom {",
            "Os {",
            "Some(",
            "None)",
            "Err(",
            "panicked at",
            "\\u{",
        ] {
            assert!(!text.contains(word), "{}: {word}", file.display());
        }
    }
    assert!(looked_at > VERBS.len());
}

/// The events of the documentation: their fields, those in `[..]` are there at times.
fn documented() -> BTreeMap<String, (BTreeSet<String>, BTreeSet<String>)> {
    let rows = EVENTS.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let words = |text: &str| {
            let quoted = text.split('`').skip(1).step_by(2);
            quoted.map(str::to_owned).collect::<BTreeSet<_>>()
        };
        let (always, at_times) = cells[2].split_once('[').unwrap_or((cells[2], ""));
        (
            cells[1].trim_matches('`').to_owned(),
            (words(always), words(at_times)),
        )
    })
    .collect()
}

#[test]
fn every_event_that_the_tool_prints_is_documented_and_the_other_way_round() {
    let mut printed = BTreeSet::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            for call in [".event(", ".outcome(", ".say("] {
                for rest in text.split(call).skip(1) {
                    if let Some(name) = rest.trim_start().strip_prefix('"') {
                        printed.insert(name.split('"').next().unwrap().to_owned());
                    }
                }
            }
        }
    }
    // A blank line is for people.
    printed.remove("");
    let documented: BTreeSet<String> = documented().into_keys().collect();
    assert_eq!(printed, documented, "docs/json-events.md");
}

#[test]
fn events_have_the_fields_that_are_documented() {
    let project = Project::new();
    project.write("app.graphql", "type Query { a: Int }\n");
    project.write("schema.graphql", "type Query { b: Int }\n");
    let known = documented();
    let mut met = BTreeSet::new();
    for line in [
        "version",
        "explain",
        "explain 1001",
        "explain nope",
        "-v migrate up",
        "migrate status",
        "migrate verify",
        "schema print",
        "schema diff",
        "schema check",
        "schema check --write",
        "db url",
        "db branch one",
        "db branch",
        "db snapshot one",
        "db snapshot",
        "doctor --ci",
    ] {
        let output = project.tool(&format!("--json {line}")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!text.is_empty(), "{line}");
        for event in text.lines() {
            let event: serde_json::Value = serde_json::from_str(event).unwrap();
            let name = event["event"].as_str().unwrap();
            let keys: BTreeSet<String> = event.as_object().unwrap().keys().cloned().collect();
            let (always, at_times) = known.get(name).unwrap_or_else(|| panic!("{name}"));
            let mut wanted = always.clone();
            wanted.extend(["event".to_owned(), "ts".to_owned()]);
            assert!(keys.is_superset(&wanted), "{line}: {event}");
            let allowed: BTreeSet<String> = wanted.union(at_times).cloned().collect();
            assert!(keys.is_subset(&allowed), "{line}: {event}");
            met.insert(name.to_owned());
        }
    }
    for name in [
        "step",
        "note",
        "detail",
        "result",
        "error",
        "migration",
        "file",
        "change",
    ] {
        assert!(met.contains(name), "{name}");
    }
}
