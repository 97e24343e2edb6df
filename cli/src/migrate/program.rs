//! The project's program of migrations, which is SeaORM's command line with the project's list:
//! run, and read.

use std::path::{Path, PathBuf};
use std::process::Command;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::database::Database;
use crate::process;
use crate::project::Project;
use crate::terminal::Terminal;

/// The migrations of a project, and the database that they are for.
#[derive(Debug)]
pub(crate) struct Migrations<'a> {
    program: PathBuf,
    target: Target<'a>,
    terminal: Terminal,
}

#[derive(Debug)]
enum Target<'a> {
    Of(&'a Project, &'a Database<'a>),
    /// A scratch database, by its URL.
    Scratch(&'a Project, String),
}

/// Whether the database has a migration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Applied,
    Pending,
}

/// Which way to go along the migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl<'a> Migrations<'a> {
    /// The migrations on the project's database.
    pub(crate) fn on(
        project: &'a Project,
        program: &Path,
        database: &'a Database<'a>,
        terminal: Terminal,
    ) -> Migrations<'a> {
        Migrations {
            program: program.to_owned(),
            target: Target::Of(project, database),
            terminal,
        }
    }

    /// The migrations on a database that nobody keeps. No slot is made in it.
    pub(crate) fn on_scratch(
        project: &'a Project,
        program: &Path,
        url: String,
        terminal: Terminal,
    ) -> Migrations<'a> {
        Migrations {
            program: program.to_owned(),
            target: Target::Scratch(project, url),
            terminal,
        }
    }

    /// Every migration of the project, in order.
    ///
    /// # Errors
    /// [`Code::MigrationFailed`] when the database does not answer, or has a migration that the
    /// project does not.
    pub(crate) async fn status(&self) -> Result<Vec<(String, State)>> {
        let said = self.run(&["status"]).await?;
        Ok(said.lines().filter_map(state_in).collect())
    }

    /// Applies or takes back so many migrations, or all; returns the names of those.
    ///
    /// # Errors
    /// [`Code::MigrationFailed`], naming the migration and what the database says.
    pub(crate) async fn go(&self, direction: Direction, count: Option<u32>) -> Result<Vec<String>> {
        let verb = match (direction, count) {
            (Direction::Up, _) => "up",
            (Direction::Down, Some(_)) => "down",
            (Direction::Down, None) => "reset",
        };
        let count = count.map(|count| count.to_string());
        let mut arguments = vec![verb];
        if let Some(count) = &count {
            arguments.extend(["-n", count]);
        }
        let said = self.run(&arguments).await?;
        Ok(said
            .lines()
            .filter_map(done_in)
            .map(str::to_owned)
            .collect())
    }

    async fn run(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.command();
        command
            .args(arguments)
            .env("NO_COLOR", "1")
            .env_remove("RUST_LOG");
        self.terminal.command(&command);
        let said = process::said(command).await.map_err(|error| {
            let sentence = format!("`{}` cannot be run", self.program.display());
            Error::new(ErrorKind::Setup, Code::CommandFailed, sentence).with_source(error)
        })?;
        if said.status.success() {
            return Ok(said.output);
        }
        Err(failed(&said.output, &said.errors))
    }

    fn command(&self) -> Command {
        match &self.target {
            Target::Of(project, database) => database.command(project, &self.program),
            Target::Scratch(project, url) => {
                let mut command = process::command(&self.program);
                command
                    .current_dir(&project.folder)
                    .env("DATABASE_URL", url)
                    .env("BLAZELINK_ENV", "development")
                    .env("BLAZELINK_SLOT", "temporary");
                command
            }
        }
    }
}

/// `Migration 'm1'... Applied`
fn state_in(line: &str) -> Option<(String, State)> {
    let (name, state) = line
        .trim()
        .strip_prefix("Migration '")?
        .split_once("'... ")?;
    let state = match state {
        "Applied" => State::Applied,
        "Pending" => State::Pending,
        _ => return None,
    };
    Some((name.to_owned(), state))
}

/// `Migration 'm1' has been applied`, or `rolled back`.
fn done_in(line: &str) -> Option<&str> {
    let (name, what) = line
        .trim()
        .strip_prefix("Migration '")?
        .split_once("' has been ")?;
    matches!(what, "applied" | "rolled back").then_some(name)
}

/// `Applying migration 'm1'`, or `Rolling back`.
fn begun_in(line: &str) -> Option<&str> {
    let line = line.trim();
    let begun = ["Applying migration '", "Rolling back migration '"];
    let rest = begun.iter().find_map(|begun| line.strip_prefix(begun))?;
    rest.strip_suffix('\'')
}

fn failed(output: &str, errors: &str) -> Error {
    let unreachable = errors.contains("Fail to acquire database connection");
    if unreachable {
        // The program panics there, with text that is not for people.
        return Error::new(
            ErrorKind::Unavailable,
            Code::Database,
            "The migrations cannot reach the database",
        )
        .with_hint("look whether the server runs and DATABASE_URL is right");
    }
    let done: Vec<&str> = output.lines().filter_map(done_in).collect();
    let begun = output.lines().filter_map(begun_in).next_back();
    let sentence = match begun.filter(|name| !done.contains(name)) {
        Some(name) => format!("The migration `{name}` failed"),
        None => "The migrations were not run".to_owned(),
    };
    Error::new(ErrorKind::Setup, Code::MigrationFailed, sentence)
        .with_source(cause(errors))
        .with_hint("mend it, then: blazelink migrate up")
}

/// What the program says of its failure, without what Rust says of a panic.
fn cause(errors: &str) -> String {
    let lines = errors.lines().filter(|line| {
        !line.is_empty()
            && !line.starts_with("note: run with `RUST_BACKTRACE")
            && !line.starts_with("thread '")
    });
    let said: Vec<&str> = lines.collect();
    match said.is_empty() {
        true => "it does not say why".to_owned(),
        false => said.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "Applying all pending migrations\nApplying migration 'm1'\n\
                        Migration 'm1' has been applied\nApplying migration 'm2'\n";

    #[test]
    fn what_the_program_says_is_read() {
        assert_eq!(
            state_in("Migration 'm1'... Pending"),
            Some(("m1".to_owned(), State::Pending))
        );
        assert_eq!(state_in("Checking migration status"), None);
        let done: Vec<_> = SAID.lines().filter_map(done_in).collect();
        assert_eq!(done, ["m1"]);
        assert_eq!(done_in("Migration 'm1' has been rolled back"), Some("m1"));
        assert_eq!(begun_in("Rolling back migration 'm1'"), Some("m1"));
        assert_eq!(begun_in("Rolling back all applied migrations"), None);
    }

    #[test]
    fn a_failure_names_the_migration_and_the_databases_reason() {
        let told = format!("{:#}", failed(SAID, "Execution Error: no such column\n"));
        assert!(told.contains("`m2` failed (BLZ7020)"), "{told}");
        assert!(
            told.contains("because: Execution Error: no such column"),
            "{told}"
        );
        let panic = "\nthread 'main' panicked at src/cli.rs:9:5:\nFail to acquire database \
                     connection: Conn(SqlxError(Io(Os { code: 2 })))\n";
        let told = format!("{:#}", failed("", panic));
        assert!(told.contains("BLZ5001") && !told.contains("Os {"), "{told}");
    }
}
