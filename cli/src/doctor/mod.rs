//! `blazelink doctor`: looks at everything that has to be right, and says of each thing that is
//! not what mends it. The machine is looked at here; tables, replication and the database by the
//! app's own program, which knows them.

mod check;
mod machine;

use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Args;
use serde_json::json;

use self::check::{Check, State};
use crate::database::Database;
use crate::migrate::{self, Direction, Migrations};
use crate::process;
use crate::project::Project;
use crate::settings::Settings;
use crate::stop::Stop;
use crate::terminal::{Terminal, several};

/// Look at the machine, the project and the database, and say what mends what is wrong
#[derive(Args, Clone, Copy, Debug)]
#[command(
    after_help = "Ends with exit status 4 if something is wrong without which Blazelink does \
                        not work."
)]
pub(crate) struct Arguments {
    /// Mend what can be mended, asking before each thing: slots left over, migrations pending
    #[arg(long)]
    fix: bool,

    /// Also look at what must not be open in production; DATABASE_URL names the database
    #[arg(long)]
    prod: bool,

    /// Leave out what only matters where somebody develops: the port, and watches of files
    #[arg(long)]
    ci: bool,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut stop = Stop::listen()?;
    stop.during(examine(arguments, terminal)).await
}

async fn examine(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut told = Told {
        terminal,
        checks: 0,
        warnings: 0,
        errors: 0,
    };
    told.tell(&machine::toolchain());
    told.tell(&machine::linker());
    if !Path::new("Cargo.toml").exists() {
        told.tell(&machine::disk(Path::new(".")));
        told.tell(&machine::postgres(Path::new(".")));
        terminal.note("There is no project here, so only the machine was looked at");
        return told.sum_up();
    }
    let project = Project::open(Path::new(".")).await?;
    let settings = Settings::of(&project)?;
    told.tell(&machine::disk(&project.app.workspace));
    if !arguments.ci && !arguments.prod {
        told.tell(&machine::port(settings.port));
        machine::watches().iter().for_each(|check| told.tell(check));
    }
    if settings.database.is_some() {
        of_project(arguments, &project, &settings, &mut told).await?;
    } else if arguments.prod {
        told.tell(&Check::new(
            "database",
            State::Error,
            "No database is named, so none of production's was looked at",
            &["set DATABASE_URL as in production"],
        ));
    } else {
        told.tell(&machine::postgres(&project.folder));
        of_project(arguments, &project, &settings, &mut told).await?;
    }
    told.sum_up()
}

async fn of_project(
    arguments: Arguments,
    project: &Project,
    settings: &Settings,
    told: &mut Told,
) -> Result<()> {
    let terminal = told.terminal;
    let database = match Database::start(project, settings, terminal).await {
        Ok(database) => database,
        Err(error) => {
            told.tell(&Check::of_error("database", &error));
            return Ok(());
        }
    };
    let done = async {
        of_migrations(arguments, project, &database, told).await?;
        of_app(arguments, project, &database, told).await
    }
    .await;
    database.stop().await;
    done
}

async fn of_migrations(
    arguments: Arguments,
    project: &Project,
    database: &Database<'_>,
    told: &mut Told,
) -> Result<()> {
    let Some(migration) = &project.migration else {
        told.tell(&Check::ok("migrations", "the project has none"));
        return Ok(());
    };
    let program = match migration.built(told.terminal).await {
        Ok(program) => program,
        Err(error) => {
            told.tell(&Check::of_error("migrations", &error));
            return Ok(());
        }
    };
    let migrations = Migrations::on(project, &program, database, told.terminal);
    let known = match migrations.status().await {
        Ok(known) => known,
        Err(error) => {
            told.tell(&Check::of_error("migrations", &error));
            return Ok(());
        }
    };
    let pending = known
        .iter()
        .filter(|(_, state)| *state == migrate::State::Pending);
    match pending.count() {
        0 => told.tell(&Check::ok(
            "migrations",
            format!("{} applied, none pending", known.len()),
        )),
        pending => {
            let text = format!("{pending} of {} pending", known.len());
            let fix = ["blazelink migrate up"];
            told.tell(&Check::new("migrations", State::Warning, text, &fix));
            let question = format!("Apply {}?", several(pending, "migration"));
            if arguments.fix
                && told
                    .terminal
                    .confirm(&question, "blazelink doctor --fix --yes")?
            {
                let applied = migrations.go(Direction::Up, None).await?;
                told.terminal.note(format!("{} applied", applied.len()));
            }
        }
    }
    Ok(())
}

/// What the app's program finds.
async fn of_app(
    arguments: Arguments,
    project: &Project,
    database: &Database<'_>,
    told: &mut Told,
) -> Result<()> {
    let terminal = told.terminal;
    let program = match project.app.built(terminal).await {
        Ok(program) => program,
        Err(error) => {
            told.tell(&Check::of_error("app", &error));
            return Ok(());
        }
    };
    let app = App {
        project,
        database,
        program: &program,
        terminal,
    };
    let found = match app.checks(arguments.prod).await {
        Ok(found) => found,
        Err(error) => {
            told.tell(&Check::of_error("app", &error));
            return Ok(());
        }
    };
    found.iter().for_each(|check| told.tell(check));
    if arguments.fix {
        for [name, of] in found.iter().filter_map(|check| check.slot.as_ref()) {
            app.drop_slot(name, of).await?;
        }
    }
    Ok(())
}

/// The app's own program, and what it works on.
struct App<'a> {
    project: &'a Project,
    database: &'a Database<'a>,
    program: &'a Path,
    terminal: Terminal,
}

impl App<'_> {
    async fn doctor(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.database.command(self.project, self.program);
        command.arg("doctor").args(arguments);
        self.terminal.command(&command);
        let failed = |sentence: String| Error::new(ErrorKind::Setup, Code::CommandFailed, sentence);
        let said = process::said(command).await.map_err(|error| {
            failed(format!("`{}` cannot be run", self.program.display())).with_source(error)
        })?;
        if said.status.success() {
            return Ok(said.output);
        }
        let ending = process::ending(said.status);
        Err(failed(format!("The app's `doctor` ended with {ending}"))
            .with_source(said.errors.trim().to_owned()))
    }

    async fn checks(&self, production: bool) -> Result<Vec<Check>> {
        let said = self
            .doctor(if production { &["--prod"] } else { &[] })
            .await?;
        let found = said
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        let found: Vec<Check> = found.collect();
        match found.is_empty() {
            false => Ok(found),
            true => Err(Error::new(
                ErrorKind::Setup,
                Code::CommandFailed,
                "The app's program does not answer `doctor`",
            )
            .with_hint("let its `main` return `blazelink::run(..)`")),
        }
    }

    async fn drop_slot(&self, name: &str, of: &str) -> Result<()> {
        let question = format!("Drop the replication slot `{name}`? Its app, if any, reads anew.");
        if !self
            .terminal
            .confirm(&question, "blazelink doctor --fix --yes")?
        {
            return Ok(());
        }
        match self.database {
            // It may be of another of the cluster's databases, in which alone it can be dropped.
            Database::Private { cluster, .. } => {
                // Postgres allows small letters, digits and `_` in the name.
                let sql = format!("SELECT pg_drop_replication_slot('{name}')");
                cluster.rows(of, &sql).await?;
            }
            Database::Supplied(_) => {
                self.doctor(&["--drop-slot", name]).await?;
            }
        }
        self.terminal.note(format!("`{name}` is dropped"));
        Ok(())
    }
}

/// What was told so far.
struct Told {
    terminal: Terminal,
    checks: usize,
    warnings: usize,
    errors: usize,
}

impl Told {
    fn tell(&mut self, check: &Check) {
        self.checks += 1;
        self.warnings += usize::from(check.state == State::Warning);
        self.errors += usize::from(check.state == State::Error);
        check.tell(self.terminal);
    }

    fn sum_up(&self) -> Result<()> {
        let (checks, warnings, errors) = (self.checks, self.warnings, self.errors);
        let fields = json!({"checks": checks, "warnings": warnings, "errors": errors});
        self.terminal.event("summary", fields);
        if errors == 0 {
            self.terminal.note(match warnings {
                0 => format!("All {checks} checks are well"),
                warnings => format!("{} in {checks} checks", several(warnings, "warning")),
            });
            return Ok(());
        }
        let sentence = format!("{} in {checks} checks", several(errors, "error"));
        Err(Error::new(ErrorKind::Setup, Code::Unhealthy, sentence)
            .with_hint("what mends each stands beneath it"))
    }
}
