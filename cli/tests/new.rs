//! `blazelink new` as a person sees it: what is written, what is said, and what is left behind when
//! it fails or is stopped.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use rustix::process::{Pid, Signal, kill_process};

/// An empty folder to work in, and a git that knows who commits.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Desk {
        let folder = tempfile::tempdir().unwrap();
        let config = "[user]\nname = Ada\nemail = ada@example.com\nuseConfigOnly = true\n";
        fs::create_dir(folder.path().join("home")).unwrap();
        fs::write(folder.path().join("home/gitconfig"), config).unwrap();
        fs::create_dir(folder.path().join("work")).unwrap();
        Desk { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    fn home(&self, name: &str) -> PathBuf {
        self.folder.path().join("home").join(name)
    }

    /// The tool, to be run there.
    fn tool(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_blazelink"));
        command.arg("new").args(arguments);
        self.at(&mut command);
        command
    }

    fn at(&self, command: &mut Command) {
        command
            .current_dir(self.path(""))
            .env("GIT_CONFIG_GLOBAL", self.home("gitconfig"))
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null());
    }

    /// Has a shell script stand in for a program.
    fn stand_in(&self, name: &str, script: &str) -> PathBuf {
        let program = self.home(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        program
    }

    /// A named pipe.
    fn pipe(&self, name: &str) -> PathBuf {
        let pipe = self.home(name);
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        pipe
    }

    /// What stands in the folder, hidden or not.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("")).unwrap();
        let names = entries.map(|it| it.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    /// What the tool says and how it ends. What differs between machines is left out.
    fn told(&self, arguments: &[&str]) -> String {
        self.shown(&self.tool(arguments).output().unwrap())
    }

    fn shown(&self, output: &Output) -> String {
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let text = text.replace(&*self.path("").to_string_lossy(), "[WORK]/");
            let line = |line: &str| match line.trim_start().split(' ').next() {
                Some(name @ ("rust" | "postgres")) => format!("  {name:<11}[..]\n"),
                Some("created") => format!("{}[..])\n", &line[..=line.find('(').unwrap()]),
                _ => format!("{line}\n"),
            };
            text.lines().map(line).collect::<String>()
        };
        format!(
            "-- output\n{}-- errors\n{}-- status {}\n",
            text(&output.stdout),
            text(&output.stderr),
            output.status.code().unwrap()
        )
    }
}

#[test]
fn an_app_is_made_without_a_question() {
    let desk = Desk::new();
    assert_snapshot!(desk.told(&["mygame", "--no-build"]));
    let log = Command::new("git")
        .args(["-C", "mygame", "log", "--format=%an: %s"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    let log = String::from_utf8(log.stdout).unwrap();
    assert_eq!(log, "Ada: Start from what `blazelink new` makes\n");
    let status = Command::new("git")
        .args(["-C", "mygame", "status", "--porcelain"])
        .current_dir(desk.path(""))
        .output()
        .unwrap();
    assert_eq!(status.stdout, b"", "all of it is committed");
}

#[test]
fn the_plan_of_the_game_is_told() {
    assert_snapshot!(Desk::new().told(&["mygame", "--dry-run"]));
}

#[test]
fn the_plan_of_the_blank_template_is_told_and_nothing_written() {
    let desk = Desk::new();
    assert_snapshot!(desk.told(&["deep/my-app", "--template", "blank", "--dry-run"]));
    assert!(desk.names().is_empty());
}

#[test]
fn what_is_made_is_what_was_planned() {
    let desk = Desk::new();
    for template in ["game", "blank"] {
        let arguments = ["app", "--template", template];
        let plan = desk.told(&[&arguments[..], &["--dry-run"]].concat());
        let mut planned: Vec<&str> = plan
            .lines()
            .filter_map(|line| line.strip_prefix("  create "))
            .map(str::trim)
            .collect();
        desk.told(&[&arguments[..], &["--no-build", "--no-git"]].concat());
        let mut made = Vec::new();
        let mut folders = vec![desk.path("app")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => made.push(path),
                }
            }
        }
        let root = desk.path("app");
        let relative = made.iter().map(|it| it.strip_prefix(&root).unwrap());
        let mut made: Vec<&str> = relative.map(|it| it.to_str().unwrap()).collect();
        made.sort_unstable();
        planned.sort_unstable();
        assert_eq!(made, planned);
        fs::remove_dir_all(root).unwrap();
    }
}

#[test]
fn scripts_read_one_object_per_line() {
    let desk = Desk::new();
    let mut command = Command::new(env!("CARGO_BIN_EXE_blazelink"));
    desk.at(command.args(["--json", "new", "app", "--no-build"]));
    let output = command.output().unwrap();
    assert_eq!(output.stderr, b"");
    let lines = String::from_utf8(output.stdout).unwrap();
    let events: Vec<serde_json::Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let created = events.iter().find(|event| event["event"] == "created");
    let created = created.unwrap();
    assert_eq!(created["name"], "app");
    assert_eq!(created["template"], "game");
    assert_eq!(created["building"], false);
    let path = fs::canonicalize(desk.path("app")).unwrap();
    assert_eq!(created["path"], path.to_str().unwrap());
}

#[test]
fn a_name_that_cannot_be_is_refused() {
    let desk = Desk::new();
    assert_snapshot!(desk.told(&["1bad"]));
    assert!(desk.names().is_empty());
}

#[test]
fn a_name_of_a_package_that_the_app_is_made_of_is_refused() {
    assert_snapshot!(Desk::new().told(&["some/tokio"]));
}

#[test]
fn an_unknown_template_is_refused_with_those_there_are() {
    assert_snapshot!(Desk::new().told(&["app", "--template", "gaem"]));
}

#[test]
fn a_folder_that_is_no_checkout_is_refused() {
    assert_snapshot!(Desk::new().told(&["app", "--framework", "."]));
}

#[test]
fn nobody_at_the_terminal_is_asked_nothing() {
    let desk = Desk::new();
    assert_snapshot!(desk.told(&["app", "--interactive"]));
    assert!(desk.names().is_empty());
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let desk = Desk::new();
    fs::create_dir(desk.path("app")).unwrap();
    fs::write(desk.path("app/README.md"), "mine").unwrap();
    assert_snapshot!(desk.told(&["app"]));
    assert_eq!(fs::read_dir(desk.path("app")).unwrap().count(), 1);
}

#[test]
fn a_file_of_that_name_is_left_alone() {
    let desk = Desk::new();
    fs::write(desk.path("app"), "mine").unwrap();
    assert_snapshot!(desk.told(&["app"]));
}

#[test]
fn force_replaces_what_has_the_same_name_and_nothing_else() {
    let desk = Desk::new();
    fs::create_dir(desk.path("app")).unwrap();
    fs::write(desk.path("app/README.md"), "mine").unwrap();
    fs::write(desk.path("app/notes"), "mine").unwrap();
    let plan = desk.told(&["app", "--force", "--dry-run"]);
    assert!(plan.contains("replace    README.md"), "{plan}");
    let told = desk.told(&["app", "--force", "--no-build"]);
    assert!(told.ends_with("status 0\n"), "{told}");
    assert!(fs::read_to_string(desk.path("app/README.md")).unwrap() != "mine");
    assert_eq!(fs::read_to_string(desk.path("app/notes")).unwrap(), "mine");
}

#[test]
fn a_folder_in_a_file_cannot_be_made() {
    let desk = Desk::new();
    fs::write(desk.path("file"), "").unwrap();
    assert_snapshot!(desk.told(&["file/app", "--no-build"]));
}

#[test]
fn a_folder_that_may_not_be_written_to_says_so() {
    let desk = Desk::new();
    let locked = desk.path("locked");
    fs::create_dir(&locked).unwrap();
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o555)).unwrap();
    let told = desk.told(&["locked/app", "--no-build"]);
    // Root may write anywhere.
    if rustix::process::getuid().is_root() {
        assert!(told.ends_with("status 0\n"), "{told}");
    } else {
        assert!(
            told.contains("BLZ7008") && told.contains("that you may write to"),
            "{told}"
        );
        assert_eq!(fs::read_dir(&locked).unwrap().count(), 0);
    }
    fs::set_permissions(&locked, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_disk_that_takes_no_more_leaves_nothing_behind() {
    let desk = Desk::new();
    let mut shell = Command::new("sh");
    // Files of more than a few kilobytes are refused, as a full disk would, and Cargo.lock is one.
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" new deep/app --no-build";
    shell.args(["-c", script, env!("CARGO_BIN_EXE_blazelink")]);
    desk.at(&mut shell);
    let output = shell.output().unwrap();
    assert_snapshot!(desk.shown(&output));
    assert!(desk.names().is_empty());
}

#[test]
fn stopped_in_the_middle_it_leaves_nothing_behind() {
    let desk = Desk::new();
    let begun = desk.pipe("begun");
    let script = format!(
        "case $1 in init) echo begun > {}; exec sleep 600 ;; *) exit 1 ;; esac",
        begun.display()
    );
    desk.stand_in("git", &script);
    let mut tool = desk.tool(&["app", "--no-build"]);
    let path = std::env::var("PATH").unwrap();
    tool.env("PATH", format!("{}:{path}", desk.home("").display()));
    tool.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = tool.spawn().unwrap();
    // Opens when git does.
    assert_eq!(fs::read_to_string(begun).unwrap(), "begun\n");
    assert!(desk.path("app/src/app.rs").exists());
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_snapshot!(desk.shown(&output));
    assert!(desk.names().is_empty());
}

#[test]
fn git_that_is_missing_or_knows_nobody_is_a_remark() {
    let desk = Desk::new();
    let mut tool = desk.tool(&["one", "--no-build"]);
    let told = desk.shown(&tool.env("PATH", desk.home("")).output().unwrap());
    assert!(
        told.contains("git        no repository: git is not here"),
        "{told}"
    );
    assert!(told.ends_with("status 0\n"), "{told}");
    assert!(!desk.path("one/.git").exists());

    fs::write(desk.home("gitconfig"), "[user]\nuseConfigOnly = true\n").unwrap();
    let told = desk.told(&["two", "--no-build"]);
    assert!(
        told.contains("a repository without a commit: git config"),
        "{told}"
    );
    assert!(desk.path("two/.git").exists());
}

#[test]
fn a_repository_around_the_project_is_left_alone() {
    let desk = Desk::new();
    desk.told(&["outer", "--no-build"]);
    let told = desk.told(&["outer/inner", "--no-build"]);
    assert!(told.contains("in a repository already"), "{told}");
    assert!(!desk.path("outer/inner/.git").exists());
    // What the outer one ignores is none of it.
    let told = desk.told(&["outer/target/inner", "--no-build"]);
    assert!(told.contains("with a first commit"), "{told}");
}

#[test]
fn a_repository_in_which_nothing_was_done_yet_is_left_to_its_owner() {
    let desk = Desk::new();
    fs::create_dir_all(desk.path("app/.git")).unwrap();
    fs::write(desk.path("app/.git/mine"), "").unwrap();
    let told = desk.told(&["app", "--no-build"]);
    assert!(told.contains("in a repository already"), "{told}");
    let names = fs::read_dir(desk.path("app/.git")).unwrap();
    assert_eq!(names.count(), 1);
}

#[test]
fn the_build_goes_on_by_itself_behind_everything_else() {
    let desk = Desk::new();
    let (go, report) = (desk.pipe("go"), desk.pipe("report"));
    let script = format!(
        "read go < {}; {{ pwd; echo \"$@\"; nice; }} > {}",
        go.display(),
        report.display()
    );
    let cargo = desk.stand_in("cargo", &script);
    let mut tool = desk.tool(&["my-app", "--no-git"]);
    let told = desk.shown(&tool.env("CARGO", cargo).output().unwrap());
    assert!(told.contains("build      in the background"), "{told}");
    // The tool has ended.
    fs::write(go, "\n").unwrap();
    let folder = fs::canonicalize(desk.path("my-app")).unwrap();
    let expected = format!(
        "{}\nbuild --quiet --package my-app --bin my-app --package migration --bin migration\n10\n",
        folder.display()
    );
    assert_eq!(fs::read_to_string(report).unwrap(), expected);
}

#[test]
fn a_person_is_asked_and_told_the_command_that_asks_nothing() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let desk = Desk::new();
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap().into_string().unwrap();
    let theirs = fs::File::options()
        .read(true)
        .write(true)
        .open(name)
        .unwrap();
    let mut tool = desk.tool(&["app", "--interactive", "--no-build"]);
    tool.env("TERM", "dumb")
        .stdin(theirs.try_clone().unwrap())
        .stdout(Stdio::piped())
        .stderr(theirs);
    let child = tool.spawn().unwrap();
    // It holds our copies of the terminal's other end.
    drop(tool);
    let mut terminal = fs::File::from(ours);
    let mut said = String::new();
    let wait_for = |what: &str, terminal: &mut fs::File, said: &mut String| {
        let mut bytes = [0; 256];
        while !said.contains(what) {
            let read = terminal.read(&mut bytes).unwrap();
            said.push_str(std::str::from_utf8(&bytes[..read]).unwrap());
        }
    };
    // Up to its last space: what we type is echoed among what is said.
    wait_for("[game] ", &mut terminal, &mut said);
    terminal.write_all(b"none\n").unwrap();
    wait_for(
        "(game, blank) [game] none\r\n  Which template? (game, blank) [game] ",
        &mut terminal,
        &mut said,
    );
    terminal.write_all(b"b\n").unwrap();
    wait_for("[yes] ", &mut terminal, &mut said);
    terminal.write_all(b"no\n").unwrap();
    let full = "blazelink new app --template blank --no-git --no-build";
    wait_for(full, &mut terminal, &mut said);
    assert!(child.wait_with_output().unwrap().status.success());
    assert!(desk.path("app/src/entities/note.rs").exists());
    assert!(!desk.path("app/.git").exists());
}

#[test]
fn an_empty_folder_that_one_is_in_becomes_the_app() {
    let desk = Desk::new();
    fs::create_dir(desk.path("here")).unwrap();
    let mut tool = desk.tool(&[".", "--no-build"]);
    let told = desk.shown(&tool.current_dir(desk.path("here")).output().unwrap());
    assert!(!told.contains("    cd "), "{told}");
    let manifest = fs::read_to_string(desk.path("here/Cargo.toml")).unwrap();
    assert!(manifest.contains("name = \"here\""), "{manifest}");
    assert!(desk.path("here/.git").exists());
}

#[test]
fn a_database_that_cannot_be_reached_leaves_nothing_behind() {
    let desk = Desk::new();
    let url = "postgres://ada:secret@127.0.0.1:1/none";
    let told = desk.told(&["app", "--from-db", url]);
    assert!(!told.contains("secret"), "{told}");
    assert_snapshot!(told);
    assert!(desk.names().is_empty());
    assert_snapshot!(desk.told(&["app", "--from-db", url, "--template", "blank"]));
}
