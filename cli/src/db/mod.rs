//! `blazelink db`: the project's database by hand. What drops or copies one is for the private
//! Postgres alone; a database that the user supplied is left as it is.

pub(crate) mod branch;
mod copies;
mod keeper;
pub(crate) mod psql;
mod reset;

use std::path::Path;

use blazelink_codes::Result;
use blazelink_postgres::{Cluster, Setup};
use clap::{Args, Subcommand};

pub(crate) use self::copies::keep_copy;
use self::copies::{Copies, CopyName};
use crate::project::Project;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::terminal::Terminal;

/// Start, stop, look into, fill, copy and reset the project's database
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start the private Postgres and leave it running; `dev` joins it
    Start,
    /// Stop the private Postgres that `start` left running
    Stop,
    /// Print the database's URL
    ///
    /// The URL may hold a password, if the database is your own.
    Url,
    /// Open the database in psql
    Psql {
        /// Arguments for psql, such as `-c 'SELECT 1'`
        #[arg(
            trailing_var_arg = true,
            allow_hyphen_values = true,
            value_name = "ARGUMENT"
        )]
        arguments: Vec<String>,
    },
    /// Drop everything in the database, migrate and seed it anew
    Reset,
    /// Run the app's `seed`
    Seed,
    /// Keep a copy of the database, rows and all; without a name the copies are listed
    Snapshot {
        /// What to call the copy
        name: Option<CopyName>,
    },
    /// Replace the database by a snapshot of it
    Restore {
        /// Which snapshot
        name: CopyName,
    },
    /// Work on a copy of the database from now on; without a name the copies are listed
    ///
    /// Makes the copy if it is not there. `dev` and all other verbs work on it until another one
    /// is chosen; `main` is the database that the copies were made of.
    Branch {
        /// Which one to work on; without it they are listed
        name: Option<CopyName>,

        /// Drop the copy instead
        #[arg(long, requires = "name")]
        delete: bool,
    },
    /// What `start` leaves running.
    #[command(hide = true)]
    Keep,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    // It outlives the terminal, and ends by a signal in order.
    if let Verb::Keep = arguments.verb {
        return keeper::keep(&Project::open(Path::new(".")).await?).await;
    }
    // psql has Ctrl-C to itself.
    if let Verb::Psql { arguments } = arguments.verb {
        return psql::run(&arguments, terminal).await;
    }
    let mut stop = Stop::listen()?;
    stop.during(dispatch(arguments.verb, terminal)).await
}

async fn dispatch(verb: Verb, terminal: Terminal) -> Result<()> {
    let project = Project::open(Path::new(".")).await?;
    let settings = Settings::of(&project)?;
    if let Some(name) = private(&verb) {
        settings.require_private(name)?;
    }
    match verb {
        Verb::Start => keeper::start(&project, terminal).await,
        Verb::Stop => keeper::stop(&project, terminal).await,
        Verb::Url => url(&project, &settings, terminal).await,
        Verb::Seed => reset::seed(&project, &settings, terminal).await,
        Verb::Reset => reset::reset(&project, &settings, terminal).await,
        Verb::Snapshot { .. } | Verb::Restore { .. } | Verb::Branch { .. } => {
            let cluster = start(&project, terminal).await?;
            let copies = Copies {
                project: &project,
                cluster: &cluster,
                terminal,
            };
            let done = copy(verb, &copies).await;
            cluster.stop().await;
            done
        }
        // Both were dealt with before.
        Verb::Psql { .. } | Verb::Keep => Ok(()),
    }
}

async fn copy(verb: Verb, copies: &Copies<'_>) -> Result<()> {
    match verb {
        Verb::Snapshot { name: None } => copies.list_snapshots().await,
        Verb::Snapshot { name: Some(name) } => copies.snapshot(&name).await,
        Verb::Restore { name } => copies.restore(&name).await,
        Verb::Branch { name: None, .. } => copies.list_branches().await,
        Verb::Branch {
            name: Some(name),
            delete: true,
        } => copies.delete_branch(&name).await,
        Verb::Branch {
            name: Some(name), ..
        } => copies.branch(&name).await,
        // The others make no copies.
        _ => Ok(()),
    }
}

/// The verb's name, if it is for the private Postgres alone.
fn private(verb: &Verb) -> Option<&'static str> {
    match verb {
        Verb::Start => Some("db start"),
        Verb::Stop => Some("db stop"),
        Verb::Reset => Some("db reset"),
        Verb::Snapshot { .. } => Some("db snapshot"),
        Verb::Restore { .. } => Some("db restore"),
        Verb::Branch { .. } => Some("db branch"),
        Verb::Url | Verb::Psql { .. } | Verb::Seed | Verb::Keep => None,
    }
}

async fn start(project: &Project, terminal: Terminal) -> Result<Cluster> {
    let cluster = Cluster::start(Setup::new(&project.folder).dialogue(terminal)).await?;
    cluster.ensure_database(&branch::database(project)?).await?;
    Ok(cluster)
}

async fn url(project: &Project, settings: &Settings, terminal: Terminal) -> Result<()> {
    if let Some(supplied) = &settings.database {
        terminal.result(&supplied.url);
        return Ok(());
    }
    let name = branch::database(project)?;
    let running = Cluster::running(Setup::new(&project.folder)).await?;
    match running {
        Some(cluster) => terminal.result(cluster.url(&name)),
        None => {
            terminal.result(Cluster::url_of(&project.folder, &name)?);
            terminal.note("Nothing runs there now; `blazelink db start` starts it");
        }
    }
    Ok(())
}
