//! `blazelink generate` as a person sees it: the plan as a tree, what is refused, and the way back.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use insta::assert_snapshot;

/// An app that `blazelink new` has made.
struct App {
    work: tempfile::TempDir,
}

impl App {
    fn new() -> App {
        let app = App {
            work: tempfile::tempdir().unwrap(),
        };
        let made = Command::new(env!("CARGO_BIN_EXE_blazelink"))
            .args(["new", "mygame", "--no-git", "--no-build", "--quiet"])
            .current_dir(app.work.path())
            .status()
            .unwrap();
        assert!(made.success());
        app
    }

    fn folder(&self) -> PathBuf {
        self.work.path().join("mygame")
    }

    fn edit(&self, file: &str, from: &str, to: &str) {
        let file = self.folder().join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Every file but the tool's own, with its text.
    fn files(&self) -> BTreeMap<PathBuf, String> {
        fn read(folder: &Path, files: &mut BTreeMap<PathBuf, String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.ends_with(".blazelink") {
                    continue;
                }
                if path.is_dir() {
                    files.insert(path.clone(), String::new());
                    read(&path, files);
                } else {
                    files.insert(path.clone(), fs::read_to_string(&path).unwrap());
                }
            }
        }
        let mut files = BTreeMap::new();
        read(&self.folder(), &mut files);
        files
    }

    /// What is typed and what the tool says to it, with the same time in every migration's name.
    fn told(&self, line: &str) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_blazelink"))
            .args(line.split(' '))
            .current_dir(self.folder())
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| untimed(std::str::from_utf8(bytes).unwrap());
        format!(
            "$ blazelink {line}\n-- output\n{}-- errors\n{}-- status {}\n",
            text(&output.stdout),
            text(&output.stderr),
            output.status.code().unwrap()
        )
    }
}

/// The text with `m[time]_` for `m20261125_120000_`, except for the migration of the template.
fn untimed(text: &str) -> String {
    let words = text.split_inclusive(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words
        .map(|word| {
            let is_stamp = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
            let parts: Vec<&str> = word.splitn(3, '_').collect();
            match parts.as_slice() {
                [date, time, name]
                    if time.len() == 6
                        && *time != "000001"
                        && is_stamp(time)
                        && date.strip_prefix('m').is_some_and(is_stamp) =>
                {
                    format!("m[time]_{name}")
                }
                _ => word.to_owned(),
            }
        })
        .collect()
}

#[test]
fn an_entity_is_planned_made_made_again_and_taken_back() {
    let app = App::new();
    let before = app.files();
    let line = "generate entity Match map:string! started_at:datetime team:ref:Team?";
    let mut told = app.told(&format!("{line} --dry-run"));
    assert_eq!(app.files(), before, "a dry run writes nothing");
    told += &app.told(line);
    let made = app.files();
    assert_ne!(made, before);
    told += &app.told(line);
    assert_eq!(app.files(), made, "what is there is not made again");
    told += &app.told("generate --undo --dry-run");
    assert_eq!(app.files(), made, "a dry run takes nothing back");
    told += &app.told("generate --undo");
    assert_eq!(app.files(), before);
    told += &app.told("generate --undo");
    assert_snapshot!(told);
}

#[test]
fn what_somebody_has_edited_is_neither_overwritten_nor_taken_back() {
    let app = App::new();
    let line = "generate entity Match map:string!";
    app.told(line);
    app.edit(
        "src/entities/match_.rs",
        "pub map: String",
        "pub place: String",
    );
    let edited = app.files();
    let mut told = app.told(line);
    told += &app.told("generate --undo");
    assert_eq!(app.files(), edited);
    app.edit(
        "src/entities/match_.rs",
        "pub place: String",
        "pub map: String",
    );
    told += &app.told("generate --undo");
    assert_snapshot!(told);
}

#[test]
fn nothing_is_written_where_not_all_of_it_can_be() {
    let app = App::new();
    app.edit("migration/src/lib.rs", "fn migrations()", "fn others()");
    let before = app.files();
    let mut told = app.told("generate entity Match map:string!");
    told += &app.told("generate");
    told += &app.told("--json generate policy game_event");
    told += &app.told("--json generate computed user kd double --dry-run");
    assert_eq!(app.files(), before);
    let told = told
        .split(r#","ts":"#)
        .enumerate()
        .map(|(at, part)| match at {
            0 => part.to_owned(),
            _ => part
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .to_owned(),
        })
        .collect::<String>();
    assert_snapshot!(told);
}
