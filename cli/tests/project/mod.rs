//! A small project to run the tool in, and what a person sees of it.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

/// A project whose programs have no dependencies.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// With one table, made by one migration.
    pub(crate) fn new() -> Project {
        let project = Project {
            folder: tempfile::tempdir().unwrap(),
        };
        project.write(
            "Cargo.toml",
            "[package]\nname = \"fake-app\"\nedition = \"2024\"\n[workspace]\nmembers = [\"migration\"]\n",
        );
        project.write("src/main.rs", include_str!("app.rs"));
        project.write(
            "migration/Cargo.toml",
            "[package]\nname = \"fake-migration\"\nedition = \"2024\"\n",
        );
        project.write("migration/src/main.rs", include_str!("migration.rs"));
        project.migration(
            "m1_user",
            "CREATE TABLE \"user\" (id int PRIMARY KEY, name text NOT NULL)",
            "DROP TABLE \"user\"",
        );
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        let file = self.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    pub(crate) fn read(&self, file: &str) -> String {
        fs::read_to_string(self.path().join(file)).unwrap()
    }

    pub(crate) fn migration(&self, name: &str, up: &str, down: &str) {
        self.write(&format!("sql/{name}.up.sql"), up);
        self.write(&format!("sql/{name}.down.sql"), down);
    }

    /// The tool, as if somebody had typed this in the project's folder.
    pub(crate) fn tool(&self, line: &str) -> Command {
        tool(self.path(), line)
    }

    /// What a person sees who types these lines one after the other.
    pub(crate) fn transcript(&self, lines: &[&str]) -> String {
        let mut text = String::new();
        for line in lines {
            let output = self.tool(line).output().unwrap();
            write!(text, "$ blazelink {line}\n{}", seen(&output)).unwrap();
        }
        self.redacted(&text)
    }

    /// A text without what differs from machine to machine and from run to run.
    fn redacted(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for path in [&self.path().canonicalize().unwrap(), self.path()] {
            text = text.replace(&path.display().to_string(), "PROJECT");
        }
        text.lines().map(redacted_line).collect()
    }
}

pub(crate) fn tool(folder: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blazelink"));
    command.args(line.split(' ').filter(|word| !word.is_empty()));
    command.current_dir(folder).stdin(Stdio::null());
    for name in [
        "DATABASE_URL",
        "BLAZELINK_PORT",
        "BLAZELINK_SLOT",
        "BLAZELINK_ENV",
        "CARGO_TARGET_DIR",
        "CLICOLOR_FORCE",
    ] {
        command.env_remove(name);
    }
    command
}

/// Both outputs and the exit status.
pub(crate) fn seen(output: &Output) -> String {
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    for line in errors.lines() {
        writeln!(text, "err {line}").unwrap();
    }
    match output.status.code() {
        Some(0) => {}
        Some(code) => writeln!(text, "exit {code}").unwrap(),
        None => text.push_str("exit by a signal\n"),
    }
    text
}

/// `postgres   15.18, private      0.2 s` without its numbers, and no version, time or socket.
fn redacted_line(line: &str) -> String {
    let mut line = line.to_owned();
    if let Some(without) = line.strip_suffix(" s")
        && let Some((before, seconds)) = without.rsplit_once(' ')
        && seconds.parse::<f64>().is_ok()
    {
        line = format!("{} T s", before.trim_end());
    }
    for (from, to, new) in [
        ("\"ts\":", "}", "0"),
        ("\"ts\":", ",", "0"),
        ("\"ms\":", ",", "0"),
        ("postgres   ", ", ", "VERSION"),
        ("Making a Postgres ", " cluster", "VERSION"),
        ("\"text\":\"Making a Postgres ", " cluster", "VERSION"),
        ("postgres://postgres@", "/", "SOCKET"),
        ("psql -h ", " -U", "SOCKET"),
    ] {
        if let Some((before, rest)) = line.split_once(from)
            && let Some(end) = rest.find(to)
            && (new != "0" || rest[..end].bytes().all(|byte| byte.is_ascii_digit()))
        {
            line = format!("{before}{from}{new}{}", &rest[end..]);
        }
    }
    line + "\n"
}
