//! `blazelink migrate`: the project's migrations, through the program that the project has for
//! them. It is built without the app, so all of this works while the app does not compile.

mod diff;
pub(crate) mod inject;
mod new;
mod program;
pub(crate) mod schema;
mod verify;

use std::path::Path;
use std::time::Instant;

use blazelink_codes::Result;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::database::Database;
use crate::project::Project;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::terminal::Terminal;

pub(crate) use self::new::Added;
pub(crate) use self::program::{Direction, Migrations, State};

/// Apply, take back, write and check the migrations of a project
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the migrations, and which of them the database has
    Status,
    /// Apply the migrations that the database does not have
    Up {
        /// How many; without it all of them
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        count: Option<u32>,
    },
    /// Take back the latest migrations; what they had made is lost
    Down {
        /// How many
        #[arg(value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        count: u32,
    },
    /// Take back the latest migration and apply it again
    Redo,
    /// Write an empty migration into the project
    New {
        /// What it is for, such as `add_rank`
        name: String,
    },
    /// Print the SQL that makes the database as the entities say, or write it as a migration
    ///
    /// Nothing is changed. What may lose rows or has to be written by hand is marked as such.
    Diff(diff::Arguments),
    /// Try all migrations on an empty scratch database: up, down, and up to the same schema
    ///
    /// The scratch database is on the private Postgres and is dropped again. Ends with exit
    /// status 5 if something stays behind, or the schema is another the second time.
    Verify,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut stop = Stop::listen()?;
    stop.during(dispatch(arguments.verb, terminal)).await
}

async fn dispatch(verb: Verb, terminal: Terminal) -> Result<()> {
    let project = Project::open(Path::new(".")).await?;
    if let Verb::New { name } = &verb {
        return new::run(&project, name, terminal);
    }
    if let Verb::Diff(arguments) = verb {
        return diff::run(&project, arguments, terminal).await;
    }
    let program = project.migration()?.built(terminal).await?;
    if matches!(verb, Verb::Verify) {
        return verify::run(&project, &program, terminal).await;
    }
    let settings = Settings::of(&project)?;
    let database = Database::start(&project, &settings, terminal).await?;
    let migrations = Migrations::on(&project, &program, &database, terminal);
    let done = work(verb, &migrations, terminal).await;
    database.stop().await;
    done
}

async fn work(verb: Verb, migrations: &Migrations<'_>, terminal: Terminal) -> Result<()> {
    match verb {
        Verb::Status => status(migrations, terminal).await,
        Verb::Up { count } => go(migrations, Direction::Up, count, terminal)
            .await
            .map(drop),
        Verb::Down { count } => {
            let what = match count {
                1 => "the latest migration".to_owned(),
                count => format!("the latest {count} migrations"),
            };
            if !agreed(terminal, &what, &format!("down {count}"))? {
                return Ok(());
            }
            go(migrations, Direction::Down, Some(count), terminal)
                .await
                .map(drop)
        }
        Verb::Redo => {
            if !agreed(terminal, "the latest migration", "redo")? {
                return Ok(());
            }
            match go(migrations, Direction::Down, Some(1), terminal).await? {
                0 => Ok(()),
                _ => go(migrations, Direction::Up, Some(1), terminal)
                    .await
                    .map(drop),
            }
        }
        // These were dealt with before.
        Verb::New { .. } | Verb::Diff(_) | Verb::Verify => Ok(()),
    }
}

fn agreed(terminal: Terminal, what: &str, verb: &str) -> Result<bool> {
    let question = format!("Take back {what}? What it had made, rows too, is lost.");
    terminal.confirm(&question, &format!("blazelink migrate {verb} --yes"))
}

async fn status(migrations: &Migrations<'_>, terminal: Terminal) -> Result<()> {
    let known = migrations.status().await?;
    for (name, state) in &known {
        let word = match state {
            State::Applied => "applied",
            State::Pending => "pending",
        };
        let fields = json!({"name": name, "state": word});
        terminal.outcome("migration", fields, format!("  {word}  {name}"));
    }
    let pending = known.iter().filter(|(_, state)| *state == State::Pending);
    match pending.count() {
        0 => terminal.note("The database has all migrations"),
        _ => terminal.note("`blazelink migrate up` applies what is pending"),
    }
    Ok(())
}

/// Goes along the migrations, tells which, and returns how many.
async fn go(
    migrations: &Migrations<'_>,
    direction: Direction,
    count: Option<u32>,
    terminal: Terminal,
) -> Result<usize> {
    let begun = Instant::now();
    let done = migrations.go(direction, count).await?;
    let word = match direction {
        Direction::Up => "applied",
        Direction::Down => "taken back",
    };
    for name in &done {
        let fields = json!({"name": name, "state": word});
        terminal.outcome("migration", fields, format!("  {word}  {name}"));
    }
    match done.len() {
        0 => terminal.note(match direction {
            Direction::Up => "The database has all migrations",
            Direction::Down => "The database has no migrations",
        }),
        count => terminal.step("migrate", &format!("{count} {word}"), begun.elapsed()),
    }
    Ok(done.len())
}
