//! `blazelink migrate diff`: entities against the database, or with `--drift` the database against its
//! migrations, as SQL and as a migration.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::{Cluster, Setup};
use clap::Args;
use serde_json::json;

use super::{Added, Migrations, State};
use crate::database::Database;
use crate::difference::{self, Ddl, Difference, Drift, Memory, Purpose};
use crate::project::Project;
use crate::settings::Settings;
use crate::terminal::{Terminal, several};

#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Write it as a migration of this name
    #[arg(long, value_name = "NAME", conflicts_with = "drift")]
    write: Option<String>,

    /// Also drop the columns of which no entity says anything
    #[arg(long, conflicts_with = "drift")]
    drop: bool,

    /// Compare the database with what its migrations make: what was done to it by hand
    ///
    /// The migrations are run on an empty scratch database of the private Postgres.
    #[arg(long)]
    drift: bool,

    /// Undo what was done by hand, once you agree
    #[arg(long, requires = "drift")]
    repair: bool,

    /// Write what was done by hand as a migration of this name, which this database has already
    #[arg(
        long,
        value_name = "NAME",
        requires = "drift",
        conflicts_with = "repair"
    )]
    adopt: Option<String>,

    /// End with exit status 5 if there is a difference
    #[arg(long)]
    check: bool,
}

pub(super) async fn run(project: &Project, arguments: Arguments, terminal: Terminal) -> Result<()> {
    let settings = Settings::of(project)?;
    if arguments.drift {
        let program = project.migration()?.built(terminal).await?;
        let database = Database::start(project, &settings, terminal).await?;
        let done = drifted(project, &program, &database, &arguments, terminal).await;
        database.stop().await;
        return done;
    }
    let app = project.app.built(terminal).await?;
    let ddl = Ddl::of(project, &app).await?;
    let database = Database::start(project, &settings, terminal).await?;
    let memory = Memory::of(project)?;
    let found = difference::of_entities(&database.url(), &ddl, &memory).await;
    database.stop().await;
    let found = found?;
    let mut list = found.list;
    if arguments.drop {
        list.extend(found.undescribed);
    } else if let count @ 1.. = found.undescribed.len() {
        terminal.note(format!(
            "The database has {} of which no entity says anything; --drop shows them too",
            several(count, "column")
        ));
    }
    if list.is_empty() {
        terminal.note("The database is as the entities say");
        return Ok(());
    }
    match &arguments.write {
        Some(name) => {
            let added = difference::write(project, name, Purpose::Entities, &list)?;
            written(&added, &list, terminal);
        }
        None => {
            tell(&list, terminal);
            terminal.note("To have it as a migration: blazelink migrate diff --write NAME");
        }
    }
    checked(&arguments, list.len())
}

async fn drifted(
    project: &Project,
    program: &std::path::Path,
    database: &Database<'_>,
    arguments: &Arguments,
    terminal: Terminal,
) -> Result<()> {
    let migrations = Migrations::on(project, program, database, terminal);
    let pending = |(_, state): &(String, State)| *state == State::Pending;
    if let Some((name, _)) = migrations.status().await?.into_iter().find(pending) {
        let sentence = format!("The database does not have the migration `{name}` yet");
        return Err(Error::new(ErrorKind::Setup, Code::Usage, sentence)
            .with_hint("blazelink migrate up, then ask again"));
    }
    let drift = match database {
        Database::Private { cluster, .. } => {
            Drift::of(project, program, cluster, &database.url(), terminal).await?
        }
        Database::Supplied(_) => {
            let setup = Setup::new(&project.folder).dialogue(terminal);
            let cluster = Cluster::start(setup).await?;
            let drift = Drift::of(project, program, &cluster, &database.url(), terminal).await;
            cluster.stop().await;
            drift?
        }
    };
    if drift.is_none() {
        terminal.note("The database is as its migrations make it");
        return Ok(());
    }
    if let Some(name) = &arguments.adopt {
        let added = difference::write(project, name, Purpose::Adoption, &drift.adopt)?;
        difference::adopted(&database.url(), &added.module).await?;
        written(&added, &drift.adopt, terminal);
        return Ok(());
    }
    tell(&drift.repair, terminal);
    if arguments.repair {
        let question = "Make the database as its migrations make it?";
        if terminal.confirm(question, "blazelink migrate diff --drift --repair --yes")? {
            difference::execute(&database.url(), &drift.repair).await?;
            terminal.note("The database is as its migrations make it");
        }
        return Ok(());
    }
    terminal.note(
        "To undo what was done by hand: blazelink migrate diff --drift --repair\n  \
         To keep it, as a migration:     blazelink migrate diff --drift --adopt NAME",
    );
    checked(arguments, drift.repair.len())
}

fn tell(list: &[Difference], terminal: Terminal) {
    for difference in list {
        let fields = json!({
            "sql": difference.sql(),
            "danger": difference.word(),
            "why": difference.why(),
        });
        terminal.outcome("sql", fields, difference.text().trim_end());
    }
}

fn written(added: &Added, list: &[Difference], terminal: Terminal) {
    added.tell(terminal);
    let by_hand: Vec<&str> = list.iter().filter_map(Difference::by_hand).collect();
    if by_hand.is_empty() {
        terminal.note("Look at it, then: blazelink migrate up");
        return;
    }
    for what in by_hand {
        terminal.note(format!("by hand: {what}"));
    }
    terminal.note(format!("Write that into {} first", added.path()));
}

fn checked(arguments: &Arguments, count: usize) -> Result<()> {
    if !arguments.check {
        return Ok(());
    }
    let sentence = format!(
        "There {}",
        match count {
            1 => "is 1 difference".to_owned(),
            count => format!("are {count} differences"),
        }
    );
    Err(Error::new(ErrorKind::Setup, Code::Differs, sentence)
        .with_hint("blazelink migrate diff --write NAME"))
}
