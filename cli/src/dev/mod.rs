//! `blazelink dev`: the project's own Postgres, migrated and seeded, and the app on it.
//!
//! Everything that was started ends in order, app before Postgres, whether by Ctrl-C, by an
//! error, or because the app ended.

mod events;
mod port;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Args;

use self::events::Events;
use crate::build;
use crate::database::Database;
use crate::process::{self, Running};
use crate::project::Project;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::terminal::Terminal;

/// A Postgres that ends this soon after it was started again is given up.
const SETTLED: Duration = Duration::from_secs(2);

/// Run an app with its own Postgres: migrate, seed when empty, build, serve
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    /// The folder of the app's Cargo.toml
    #[arg(default_value = ".")]
    path: PathBuf,

    /// The port to listen on; the next free one when it is taken [default: 8000]
    #[arg(short, long)]
    port: Option<u16>,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut stop = Stop::listen()?;
    let Some(project) = until(&mut stop, Project::open(&arguments.path)).await? else {
        return Ok(());
    };
    let settings = Settings::read(&project.folder, arguments.port, |name| {
        std::env::var_os(name)
    })?;
    let version = env!("CARGO_PKG_VERSION");
    terminal.title(&project.app.package, &format!("blazelink {version} · dev"));
    let database = Database::start(&project, &settings, terminal);
    let Some(database) = until(&mut stop, database).await? else {
        return Ok(());
    };
    let dev = Dev {
        project: &project,
        settings: &settings,
        database: &database,
        terminal,
    };
    let done = dev.run(&mut stop).await;
    database.stop().await;
    done
}

/// The work's result, or None when the tool was told to stop first. The work is dropped then, and
/// with it what it started.
async fn until<T>(stop: &mut Stop, work: impl Future<Output = Result<T>>) -> Result<Option<T>> {
    tokio::select! {
        done = work => done.map(Some),
        () = stop.asked() => Ok(None),
    }
}

struct Dev<'a> {
    project: &'a Project,
    settings: &'a Settings,
    database: &'a Database<'a>,
    terminal: Terminal,
}

impl Dev<'_> {
    async fn run(&self, stop: &mut Stop) -> Result<()> {
        let Some(app) = until(stop, self.prepare()).await? else {
            return Ok(());
        };
        let mut wanted = self.settings.port;
        loop {
            let port = port::free(wanted)?;
            if port != self.settings.port {
                let asked = self.settings.port;
                self.terminal
                    .note(format!("Port {asked} is taken; the app listens on {port}"));
            }
            match self.serve(&app, port, stop).await? {
                Served::Done => return Ok(()),
                Served::PortLost => wanted = port.saturating_add(1),
            }
        }
    }

    /// Builds, migrates and seeds; returns the app's program.
    async fn prepare(&self) -> Result<PathBuf> {
        let begun = Instant::now();
        let programs: Vec<_> = [Some(&self.project.app), self.project.migration.as_ref()]
            .into_iter()
            .flatten()
            .collect();
        self.terminal.progress("build", "starting cargo");
        let built = build::build(&programs, self.terminal).await?;
        self.terminal.step("build", "done", begun.elapsed());
        let mut built = built.into_iter();
        let app = built.next().ok_or_else(|| {
            Error::new(
                ErrorKind::Setup,
                Code::CommandFailed,
                "cargo built no program of the app",
            )
        })?;
        if let Some(migration) = built.next() {
            self.step("migrate", &migration, "up").await?;
        }
        if self.settings.seed {
            self.step("seed", &app, "seed").await?;
        }
        Ok(app)
    }

    /// Runs a program of the project to its end.
    async fn step(&self, name: &str, program: &Path, argument: &str) -> Result<()> {
        let begun = Instant::now();
        let command = self.command(program, argument);
        let not_run = |error| not_run(program, error);
        let mut running = Running::start(command).map_err(not_run)?;
        let status = running.ended().await.map_err(not_run)?;
        if status.success() {
            self.terminal.step(name, "done", begun.elapsed());
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Setup,
            Code::CommandFailed,
            format!(
                "`{} {argument}` ended with {}; its words are above",
                program.display(),
                process::ending(status)
            ),
        )
        .with_hint(match name {
            "migrate" => "mend the migration, then: blazelink dev",
            _ => {
                "mend the seed, or set `[dev] seed = false` in Blazelink.toml, then: blazelink dev"
            }
        }))
    }

    /// Runs the app until it ends or the tool is told to stop.
    async fn serve(&self, app: &Path, port: u16, stop: &mut Stop) -> Result<Served> {
        let events = Events::new(self.project)?;
        let mut command = self.command(app, "serve");
        command
            .env("BLAZELINK_PORT", port.to_string())
            .env("BLAZELINK_EVENTS", events.path());
        let not_run = |error| not_run(app, error);
        let mut running = Running::start(command).map_err(not_run)?;
        let ready = tokio::select! {
            url = events.ready() => url.unwrap_or_else(|| format!("http://127.0.0.1:{port}")),
            status = running.ended() => {
                let status = status.map_err(not_run)?;
                // Between our look and the app's start somebody else took the port.
                if matches!(port::is_free(port), Ok(false)) {
                    return Ok(Served::PortLost);
                }
                return Err(app_ended(status, "before it was ready"));
            }
            () = stop.asked() => {
                self.end(running, stop).await;
                return Ok(Served::Done);
            }
        };
        self.summary(&ready);
        let done = tokio::select! {
            status = running.ended() => return Err(app_ended(status.map_err(not_run)?, "by itself")),
            () = stop.asked() => Ok(Served::Done),
            error = self.keep_database() => Err(error),
        };
        self.end(running, stop).await;
        done
    }

    async fn end(&self, running: Running, stop: &mut Stop) {
        self.terminal
            .note("Stopping; Ctrl-C again does not wait for the app");
        running.stop(stop.asked()).await;
    }

    /// Starts the private Postgres again whenever it ends; returns when that is in vain.
    async fn keep_database(&self) -> Error {
        let Database::Private { cluster, .. } = self.database else {
            return std::future::pending().await;
        };
        let mut started_again: Option<Instant> = None;
        loop {
            cluster.ended().await;
            if started_again.is_some_and(|started| started.elapsed() < SETTLED) {
                let log = cluster.log_file().display().to_string();
                return Error::new(
                    ErrorKind::Setup,
                    Code::PostgresStart,
                    "Postgres ends again and again",
                )
                .with_hint(format!("less {log}"));
            }
            self.terminal
                .note("Postgres has ended; it is started again");
            if let Err(error) = cluster.restart().await {
                return error;
            }
            started_again = Some(Instant::now());
            self.terminal.note("Postgres answers again");
        }
    }

    /// A program of the project, in its folder, told where the database is. It holds a pipe whose
    /// end means that we are gone.
    fn command(&self, program: &Path, argument: &str) -> Command {
        let mut command = process::command(program);
        command
            .arg(argument)
            .current_dir(&self.project.folder)
            .env("DATABASE_URL", self.database.url())
            .env("BLAZELINK_ENV", "development")
            .env("BLAZELINK_PARENT_PIPE", "1");
        if matches!(self.database, Database::Supplied(_)) && !self.settings.slot_chosen {
            command.env("BLAZELINK_SLOT", "temporary");
        }
        command.stdin(Stdio::piped());
        command
    }

    fn summary(&self, url: &str) {
        let url = url.trim_end_matches('/');
        self.terminal.space();
        self.terminal.fact("app", url);
        self.terminal.fact("graphql", format!("{url}/graphql/"));
        self.database.describe(self.terminal);
        self.terminal
            .event("ready", serde_json::json!({"url": url}));
        self.terminal.space();
        self.terminal.note(match self.database {
            Database::Private { .. } => "Ctrl-C stops the app and its Postgres\n",
            Database::Supplied(_) => "Ctrl-C stops the app\n",
        });
    }
}

enum Served {
    Done,
    PortLost,
}

fn app_ended(status: ExitStatus, when: &str) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::CommandFailed,
        format!(
            "The app ended {when}, with {}; its words are above",
            process::ending(status)
        ),
    )
    .with_hint("mend what it says, then: blazelink dev")
}

fn not_run(program: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::CommandFailed,
        format!("`{}` cannot be run", program.display()),
    )
    .with_source(error)
}
