//! `blazelink new PATH`: a project that runs, has a page and a test, and is its owner's.
//!
//! Nothing is asked, unless `--interactive` says so. Everything is decided before anything is
//! written; what is stopped or fails half-way leaves nothing behind.

mod existing;
mod framework;
mod machine;
mod name;
mod repository;

use std::path::{Component, Path, PathBuf};
use std::process::Stdio;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::project::{self, Template, Values};
use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};
use rustix::process::{Pid, setpriority_process};
use serde_json::json;

use self::existing::Existing;
use self::framework::Framework;
use self::machine::Machine;
use self::name::Name;
use self::repository::Repository;
use crate::build;
use crate::plan::{Plan, Step};
use crate::stop::Stop;
use crate::terminal::Terminal;

/// The build in the background gives way to what a person does, but not so far that `dev`, which
/// waits for it, would stand still on a busy machine.
const NICE: i32 = 10;

/// Make a new app: a project that runs, with a page, a test and migrations
#[derive(Args, Clone, Debug)]
pub(crate) struct Arguments {
    /// The folder to make; its name is the app's
    path: PathBuf,

    /// What to begin with
    #[arg(short, long, value_enum, default_value_t, value_name = "NAME")]
    template: Choice,

    /// Begin with the tables of this database, which is only read
    #[arg(long, value_name = "URL", conflicts_with_all = ["template", "interactive"])]
    from_db: Option<String>,

    /// Ask what to make, and tell how to make the same without being asked
    #[arg(short, long)]
    interactive: bool,

    /// Make no git repository
    #[arg(long)]
    no_git: bool,

    /// Do not begin to build in the background
    #[arg(long)]
    no_build: bool,

    /// Tell what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,

    /// Write into a folder that is not empty, and replace what is there
    #[arg(short, long)]
    force: bool,

    /// Depend on this checkout of Blazelink instead of a release
    #[arg(long, value_name = "PATH")]
    framework: Option<PathBuf>,
}

/// A template, as the command line names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Choice(Template);

impl ValueEnum for Choice {
    fn value_variants<'a>() -> &'a [Choice] {
        const ALL: [Choice; Template::ALL.len()] = {
            let [game, blank] = Template::ALL;
            [Choice(game), Choice(blank)]
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.0.name()).help(self.0.meaning()))
    }
}

pub(crate) async fn run(mut arguments: Arguments, terminal: Terminal) -> Result<()> {
    let folder = absolute(&arguments.path)?;
    let name = folder.file_name().unwrap_or_default();
    let beside = |other: &str| match arguments.path.file_name() {
        Some(typed) if typed == name => arguments.path.with_file_name(other),
        _ => PathBuf::from(other),
    };
    let name = Name::new(&name.to_string_lossy(), |other| {
        format!("blazelink new {}", quoted(&beside(other)))
    })?;
    if !arguments.force {
        check_empty(&folder, &arguments.path)?;
    }
    if arguments.interactive {
        ask(&mut arguments, terminal)?;
    }
    let framework = Framework::find(arguments.framework.as_deref())?;
    let mut values = Values::new(name.as_str(), framework.blazelink(), framework.migrations());
    let mut stop = Stop::listen()?;
    let existing = match &arguments.from_db {
        None => None,
        Some(url) => {
            arguments.template = Choice(Template::Existing);
            tokio::select! {
                existing = Existing::read(url) => Some(existing?),
                () = stop.asked() => return Err(interrupted()),
            }
        }
    };
    if let Some(existing) = &existing {
        values = values.existing(existing.tables.clone(), &existing.left_out);
    }
    let mut files = project::files(arguments.template.0, &values)?;
    let (tables, left_out) = match existing {
        None => (0, Vec::new()),
        Some(existing) => {
            files.extend(existing.files);
            (existing.tables.len(), existing.left_out)
        }
    };
    let lines: usize = files
        .iter()
        .filter(|file| file.path != LOCK)
        .map(|file| file.text.lines().count())
        .sum();
    let files = files.into_iter().map(|file| (file.path.into(), file.text));
    let new = New {
        plan: Plan::new(folder.clone(), files.collect()),
        lines,
        folder,
        name,
        tables,
        left_out,
        arguments,
        terminal,
    };
    if new.arguments.dry_run {
        return new.tell_plan();
    }
    new.make(stop).await
}

/// Not counted: nobody reads it.
const LOCK: &str = "Cargo.lock";

/// A project that is about to be made.
struct New {
    plan: Plan,
    lines: usize,
    folder: PathBuf,
    name: Name,
    /// Tables of a database that is there.
    tables: usize,
    /// Those of them that are not exposed, and why.
    left_out: Vec<(String, String)>,
    arguments: Arguments,
    terminal: Terminal,
}

impl New {
    /// What would be made.
    fn tell_plan(&self) -> Result<()> {
        for (path, step) in self.plan.steps()? {
            let verb = match step {
                Step::Create => "create",
                Step::Replace => "replace",
                Step::Keep => "keep",
            };
            self.terminal.fact(verb, path.display());
        }
        self.terminal.space();
        self.terminal.note(format!(
            "Nothing was written. To write it: {}",
            command(&self.arguments, false)
        ));
        Ok(())
    }

    async fn make(&self, mut stop: Stop) -> Result<()> {
        let version = env!("CARGO_PKG_VERSION");
        self.terminal
            .title(self.name.as_str(), &format!("blazelink {version} · new"));
        let work = async { tokio::join!(Machine::look(&self.folder), self.write()) };
        let (machine, repository) = tokio::select! {
            // First, since Ctrl-C ends git too, which alone is no reason to stop.
            biased;
            () = stop.asked() => return Err(interrupted()),
            (machine, made) = work => (machine, made?),
        };
        let builds = !self.arguments.no_build && self.start_build();
        let made = format!(
            "{} ({} files, {} lines)",
            self.arguments.path.display(),
            self.plan.files(),
            self.lines
        );
        self.terminal.remark("rust", &machine.rust);
        self.terminal.remark("postgres", &machine.postgres);
        self.terminal.fact("created", made);
        if self.arguments.from_db.is_some() {
            let what = format!(
                "{} with an entity; closed until src/policy.rs opens them",
                self.tables
            );
            self.terminal.remark("tables", &what);
        }
        for (name, why) in &self.left_out {
            self.terminal.remark("left out", &format!("`{name}` {why}"));
        }
        if let Some(repository) = repository {
            self.terminal.remark("git", repository.sentence());
        }
        if builds {
            let what = "in the background; the first time takes minutes";
            self.terminal.remark("build", what);
        }
        self.terminal.event(
            "created",
            json!({
                "name": self.name.as_str(),
                "path": self.folder,
                "template": self.arguments.template.0.name(),
                "files": self.plan.files(),
                "lines": self.lines,
                "building": builds,
            }),
        );
        self.tell_next();
        Ok(())
    }

    /// Writes everything, or nothing: also when this is dropped before it is done.
    async fn write(&self) -> Result<Option<Repository>> {
        let within = !self.arguments.no_git && Repository::is_around(&self.folder).await;
        let mut written = self.plan.write()?;
        let made = if self.arguments.no_git {
            None
        } else if within {
            Some(Repository::Within)
        } else {
            written.with_tree(self.folder.join(".git"));
            Some(Repository::make(&self.folder).await)
        };
        written.keep();
        Ok(made)
    }

    /// Begins to build what `dev` will want, which then goes on with it. Its words are lost: `dev`
    /// repeats those that matter.
    fn start_build(&self) -> bool {
        use std::os::unix::process::CommandExt;
        let name = self.name.as_str();
        let mut cargo = build::cargo();
        cargo
            .args(["build", "--quiet", "--package", name, "--bin", name])
            .args(["--package", "migration", "--bin", "migration"])
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        // Not waited for: it goes on when we have ended.
        let started = cargo.spawn();
        if let Ok(build) = &started
            && let Some(build) = i32::try_from(build.id()).ok().and_then(Pid::from_raw)
        {
            // In vain it merely builds faster than it should.
            let _ = setpriority_process(Some(build), NICE);
        }
        started.is_ok()
    }

    fn tell_next(&self) {
        let terminal = self.terminal;
        terminal.space();
        terminal.note("next");
        if std::env::current_dir().is_ok_and(|here| here != self.folder) {
            terminal.note(format!("  cd {}", quoted(&self.arguments.path)));
        }
        if self.arguments.from_db.is_some() {
            terminal.note("  blazelink dev            on an empty database with these tables");
            terminal.note(
                "  blazelink dev --db URL   on the database itself, which it adds a publication to",
            );
        } else {
            terminal.note("  blazelink dev          then open http://localhost:8000");
        }
        terminal.space();
        let full = command(&self.arguments, true);
        terminal.note(format!("The same in full: {full}"));
    }
}

/// Lets a person choose what the command line could have said.
fn ask(arguments: &mut Arguments, terminal: Terminal) -> Result<()> {
    let hint = format!("leave out --interactive: {}", command(arguments, true));
    let names: Vec<&str> = Template::ALL.map(Template::name).to_vec();
    let chosen = arguments.template.0.name();
    let answer = terminal.choose("Which template?", &names, chosen, &hint)?;
    if let Some(template) = Template::ALL.into_iter().find(|it| it.name() == answer) {
        arguments.template = Choice(template);
    }
    let git = if arguments.no_git { "no" } else { "yes" };
    arguments.no_git = terminal.choose("A git repository?", &["yes", "no"], git, &hint)? == "no";
    Ok(())
}

/// The command that makes the same without questions. `full` names the defaults too.
fn command(arguments: &Arguments, full: bool) -> String {
    let mut command = format!("blazelink new {}", quoted(&arguments.path));
    let template = arguments.template.0;
    if arguments.from_db.is_some() {
        // The URL may hold a password.
        command.push_str(" --from-db URL");
    } else if full || template != Template::default() {
        command.push_str(&format!(" --template {template}"));
    }
    if let Some(framework) = &arguments.framework {
        command.push_str(&format!(" --framework {}", quoted(framework)));
    }
    for (flag, is_set) in [
        ("--no-git", arguments.no_git),
        ("--no-build", arguments.no_build),
        ("--force", arguments.force),
    ] {
        if is_set {
            command.push_str(&format!(" {flag}"));
        }
    }
    command
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_alphanumeric() || "-_./~+,@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.into_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}

/// The folder that is meant, without `.` and `..`.
fn absolute(path: &Path) -> Result<PathBuf> {
    if let Ok(there) = path.canonicalize() {
        return Ok(there);
    }
    let absolute = std::path::absolute(path).map_err(|error| {
        let sentence = format!("`{}` names no folder", path.display());
        Error::new(ErrorKind::Setup, Code::Usage, sentence).with_source(error)
    })?;
    let mut plain = PathBuf::new();
    for part in absolute.components() {
        match part {
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    Ok(plain)
}

/// A folder that is not there is empty, and so is a repository in which nothing was done yet.
fn check_empty(folder: &Path, typed: &Path) -> Result<()> {
    let taken = |what: &str| {
        let sentence = format!("`{}` {what}", typed.display());
        let error = Error::new(ErrorKind::Setup, Code::FolderTaken, sentence);
        let other = format!("{}-2", typed.display());
        error.with_hint(format!("blazelink new {}", quoted(Path::new(&other))))
    };
    let there = folder.ancestors().find(|folder| folder.exists());
    if let Some(file) = there.filter(|there| !there.is_dir()) {
        return Err(match file == folder {
            true => taken("is a file"),
            false => taken(&format!("cannot be made: `{}` is a file", file.display())),
        });
    }
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(taken("cannot be looked into").with_source(error)),
    };
    match entries.flatten().all(|entry| entry.file_name() == ".git") {
        true => Ok(()),
        false => Err(taken("is not empty; --force writes into it all the same")),
    }
}

fn interrupted() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::Interrupted,
        "Stopped; nothing was made",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_quoted_for_a_shell_where_they_must_be() {
        for (path, shown) in [
            ("mygame", "mygame"),
            ("../a_b/my-game", "../a_b/my-game"),
            ("my game", "'my game'"),
            ("it's", r"'it'\''s'"),
            ("$HOME", "'$HOME'"),
        ] {
            assert_eq!(quoted(Path::new(path)), shown);
        }
    }

    #[test]
    fn a_folder_that_is_not_there_yet_has_a_plain_name() {
        let here = std::env::current_dir().ok();
        let made = absolute(Path::new("none/./inner/../app")).ok();
        assert_eq!(made, here.map(|here| here.join("none/app")));
    }
}
