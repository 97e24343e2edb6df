//! `blazelink db reset` and `seed`.

use std::path::Path;
use std::time::Instant;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::database::Database;
use crate::migrate::{Direction, Migrations};
use crate::process;
use crate::project::Project;
use crate::settings::Settings;
use crate::terminal::Terminal;

/// Makes the database anew: migrated, and seeded if the settings say so.
pub(super) async fn reset(
    project: &Project,
    settings: &Settings,
    terminal: Terminal,
) -> Result<()> {
    let name = super::branch::database(project)?;
    let question = format!("Drop everything in the database `{name}`?");
    if !terminal.confirm(&question, "blazelink db reset --yes")? {
        return Ok(());
    }
    // All of it is built before anything is dropped.
    let migration = match &project.migration {
        Some(migration) => Some(migration.built(terminal).await?),
        None => None,
    };
    let app = match settings.seed {
        true => Some(project.app.built(terminal).await?),
        false => None,
    };
    let database = Database::start(project, settings, terminal).await?;
    let done = anew(
        project,
        &database,
        migration.as_deref(),
        app.as_deref(),
        terminal,
    )
    .await;
    database.stop().await;
    done
}

async fn anew(
    project: &Project,
    database: &Database<'_>,
    migration: Option<&Path>,
    app: Option<&Path>,
    terminal: Terminal,
) -> Result<()> {
    if let Database::Private { cluster, name } = database {
        let begun = Instant::now();
        cluster.drop_database(name).await?;
        cluster.ensure_database(name).await?;
        terminal.step("reset", &format!("`{name}` is empty"), begun.elapsed());
    }
    if let Some(program) = migration {
        let begun = Instant::now();
        let migrations = Migrations::on(project, program, database, terminal);
        let applied = migrations.go(Direction::Up, None).await?;
        let applied = format!("{} applied", applied.len());
        terminal.step("migrate", &applied, begun.elapsed());
    }
    match app {
        Some(app) => run_seed(project, database, app, terminal).await,
        None => Ok(()),
    }
}

/// Runs the app's `seed`.
pub(super) async fn seed(project: &Project, settings: &Settings, terminal: Terminal) -> Result<()> {
    let app = project.app.built(terminal).await?;
    let database = Database::start(project, settings, terminal).await?;
    let done = run_seed(project, &database, &app, terminal).await;
    database.stop().await;
    done
}

async fn run_seed(
    project: &Project,
    database: &Database<'_>,
    app: &Path,
    terminal: Terminal,
) -> Result<()> {
    let begun = Instant::now();
    let mut command = database.command(project, app);
    command.arg("seed");
    terminal.command(&command);
    let failed = |sentence: String| Error::new(ErrorKind::Setup, Code::CommandFailed, sentence);
    let said = process::said(command)
        .await
        .map_err(|error| failed(format!("`{}` cannot be run", app.display())).with_source(error))?;
    if said.status.success() {
        terminal.step("seed", "done", begun.elapsed());
        return Ok(());
    }
    let ending = process::ending(said.status);
    Err(failed(format!("The app's `seed` ended with {ending}"))
        .with_source(said.errors.trim().to_owned())
        .with_hint("mend it, then: blazelink db seed"))
}
