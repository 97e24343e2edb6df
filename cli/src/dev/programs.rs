//! The project's programs: how each is told where the database is, and one run of it to its end.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use super::app;
use super::driver::World;
use super::screen::Screen;
use crate::database::Database;
use crate::process::{self, Running};

/// What was built.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    pub(crate) app: PathBuf,
    pub(crate) migration: Option<PathBuf>,
}

/// Tells one build of a program from another.
pub(crate) type Stamp = Option<(SystemTime, u64)>;

/// What the program on disk is now.
pub(crate) fn stamp(program: &Path) -> Stamp {
    let file = std::fs::metadata(program).ok()?;
    Some((file.modified().ok()?, file.len()))
}

/// A program of the project, in its folder, told where the database is. It holds a pipe whose end
/// means that we are gone.
pub(crate) fn command(world: &World<'_>, program: &Path, argument: &str) -> Command {
    let mut command = process::command(program);
    command
        .arg(argument)
        .current_dir(&world.project.folder)
        .env("DATABASE_URL", world.database.url())
        .env("BLAZELINK_ENV", "development")
        .env("BLAZELINK_HOST", world.settings.host.to_string())
        .env("BLAZELINK_PORT", world.socket.address().port().to_string())
        .env("BLAZELINK_PARENT_PIPE", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    if !world.settings.hosts.is_empty() {
        command.env("BLAZELINK_HOSTS", world.settings.hosts.join(","));
    }
    if world.durable {
        command.env("BLAZELINK_SLOT", "durable");
    } else if matches!(world.database, Database::Supplied(_)) && !world.settings.slot_chosen {
        command.env("BLAZELINK_SLOT", "temporary");
    }
    command
}

/// Why a program did not do what it was run for.
#[derive(Debug)]
pub(crate) struct Unsuccessful {
    pub(crate) error: Error,
    /// What it said last.
    pub(crate) words: Vec<String>,
}

/// Runs a program to its end.
pub(crate) async fn run(
    command: Command,
    hint: &'static str,
    screen: Screen,
) -> std::result::Result<(), Box<Unsuccessful>> {
    let program = PathBuf::from(command.get_program());
    let argument: Vec<_> = command.get_args().map(|text| text.to_owned()).collect();
    let not_run = |error: std::io::Error| {
        let error = not_run(&program, error);
        let words = Vec::new();
        Box::new(Unsuccessful { error, words })
    };
    let mut running = Running::start(command).map_err(not_run)?;
    let (output, errors) = running.outputs();
    let ((_, mut words), status) = {
        let both = async {
            tokio::join!(
                app::hand_on(output, screen.clone()),
                app::hand_on(errors, screen.clone())
            )
        };
        tokio::join!(both, running.ended())
    };
    let status = status.map_err(not_run)?;
    if status.success() {
        return Ok(());
    }
    words.retain(|line| !line.trim().is_empty());
    let argument = argument.join(std::ffi::OsStr::new(" "));
    let sentence = format!(
        "`{} {}` ended with {}; its words are above",
        program.display(),
        argument.display(),
        process::ending(status)
    );
    let error = Error::new(ErrorKind::Setup, Code::CommandFailed, sentence).with_hint(hint);
    Err(Box::new(Unsuccessful { error, words }))
}

fn not_run(program: &Path, error: std::io::Error) -> Error {
    let sentence = format!("`{}` cannot be run", program.display());
    Error::new(ErrorKind::Setup, Code::CommandFailed, sentence).with_source(error)
}

/// Nothing is built yet, though something is to be run.
pub(crate) fn not_built() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::CommandFailed,
        "cargo built no program of the app",
    )
}

impl Programs {
    /// What cargo built, app first.
    pub(crate) fn of(built: Vec<PathBuf>) -> Result<Programs> {
        let mut built = built.into_iter();
        Ok(Programs {
            app: built.next().ok_or_else(not_built)?,
            migration: built.next(),
        })
    }
}
