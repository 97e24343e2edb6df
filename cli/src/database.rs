//! The database that a verb works on: the project's private one, or one that the user supplied.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use blazelink_codes::Result;
use blazelink_postgres::{Cluster, Setup};

use crate::db::branch;
use crate::process;
use crate::project::Project;
use crate::settings::{Settings, Source, Supplied};
use crate::terminal::Terminal;

/// A database that answers, as far as it is ours to say.
#[derive(Debug)]
pub(crate) enum Database<'a> {
    /// A cluster of our own, and the database in it.
    Private { cluster: Box<Cluster>, name: String },
    /// Somebody else's server: left as it is found, so its slot is a temporary one.
    Supplied(&'a Supplied),
}

impl<'a> Database<'a> {
    /// Starts the private Postgres unless the settings name another.
    pub(crate) async fn start(
        project: &Project,
        settings: &'a Settings,
        terminal: Terminal,
    ) -> Result<Database<'a>> {
        if let Some(supplied) = &settings.database {
            return Ok(Database::Supplied(supplied));
        }
        let begun = Instant::now();
        terminal.progress("postgres", "starting");
        let setup = Setup::new(&project.folder).dialogue(terminal);
        let cluster = Cluster::start(setup).await?;
        let name = branch::database(project)?;
        cluster.ensure_database(&name).await?;
        let whose = if cluster.is_ours() {
            "private"
        } else {
            "private, running already"
        };
        let what = format!("{}, {whose}", cluster.version());
        terminal.step("postgres", &what, begun.elapsed());
        Ok(Database::Private {
            cluster: Box::new(cluster),
            name,
        })
    }

    /// A program of the project, in its folder, told where the database is. What is the user's own
    /// is worked on as the environment and the settings say; the private one is for development.
    pub(crate) fn command(&self, project: &Project, program: &Path) -> Command {
        let mut command = process::command(program);
        command
            .current_dir(&project.folder)
            .env("DATABASE_URL", self.url())
            .stdin(Stdio::null());
        if matches!(self, Database::Private { .. }) {
            command.env("BLAZELINK_ENV", "development");
        }
        command
    }

    /// The URL for the project's programs.
    pub(crate) fn url(&self) -> String {
        match self {
            Database::Private { cluster, name } => cluster.url(name),
            Database::Supplied(supplied) => supplied.url.clone(),
        }
    }

    /// Tells how to look into the database.
    pub(crate) fn describe(&self, terminal: Terminal) {
        match self {
            Database::Private { cluster, name } => match cluster.psql(name) {
                Some(line) => terminal.fact("psql", line),
                None => {
                    terminal.fact("database", cluster.url(name));
                    terminal.fact("psql", format!("is not here: {}", Cluster::psql_install()));
                }
            },
            Database::Supplied(Supplied {
                from: Source::Environment,
                ..
            }) => terminal.fact("psql", "psql \"$DATABASE_URL\""),
            Database::Supplied(Supplied {
                from: Source::File, ..
            }) => terminal.fact(
                "database",
                "your own, as [database] url in Blazelink.toml says",
            ),
            Database::Supplied(Supplied {
                from: Source::CommandLine,
                ..
            }) => terminal.fact("database", "your own, as --db says"),
        }
    }

    /// Stops what we started.
    pub(crate) async fn stop(&self) {
        if let Database::Private { cluster, .. } = self {
            cluster.stop().await;
        }
    }
}
