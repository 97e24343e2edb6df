//! `blazelink schema`: the GraphQL schema that the app has, and what changes in it mean for those
//! who use it. The app's own program prints it, without a database.
//!
//! `schema.graphql` in the project is the schema that clients were told of: it is committed, and
//! `check` compares with it.

mod changes;
mod graph;
mod model;

use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use self::changes::{Change, changes};
use self::model::Schema;
use crate::process;
use crate::project::Project;
use crate::stop::Stop;
use crate::terminal::{Terminal, several};

/// The schema that clients were told of, in the project's folder.
const SNAPSHOT: &str = "schema.graphql";

/// Print the app's GraphQL schema, and tell what changes in it would break
#[derive(Args, Debug)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Print the schema, in GraphQL's own language
    Print {
        /// Write it into this file instead
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Tell what differs from `schema.graphql`, as it lies there or as git has it
    Diff {
        /// A revision that git knows, such as `main`; without it the file as it is
        #[arg(value_name = "REV")]
        revision: Option<String>,
    },
    /// End with exit status 5 if the schema breaks what `schema.graphql` promises
    ///
    /// What is removed, and what takes less or gives less than before, breaks; what is new does
    /// not. Commit `schema.graphql`, and take changes over with `--write`.
    Check {
        /// Write the schema into `schema.graphql`, whatever has changed
        #[arg(long)]
        write: bool,
    },
    /// Print the types and how they lead to each other, as a Mermaid diagram
    Graph,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut stop = Stop::listen()?;
    stop.during(dispatch(arguments.verb, terminal)).await
}

async fn dispatch(verb: Verb, terminal: Terminal) -> Result<()> {
    let project = Project::open(Path::new(".")).await?;
    let sdl = sdl(&project, terminal).await?;
    let snapshot = project.folder.join(SNAPSHOT);
    match verb {
        Verb::Print { out: None } => terminal.result(sdl.trim_end()),
        Verb::Print { out: Some(file) } => write(&file, &sdl, terminal)?,
        Verb::Graph => terminal.result(graph::mermaid(&parse(&sdl, "the app")?).trim_end()),
        Verb::Diff { revision } => {
            let (old, from) = match revision {
                None => (read(&snapshot)?, SNAPSHOT.to_owned()),
                Some(revision) => (of_revision(&project, &revision).await?, revision),
            };
            let found = changes(&parse(&old, &from)?, &parse(&sdl, "the app")?);
            tell(&found, terminal);
            if found.is_empty() {
                terminal.note(format!("The schema is that of {from}"));
            }
        }
        Verb::Check { write: true } => {
            if let Ok(old) = std::fs::read_to_string(&snapshot) {
                tell(
                    &changes(&parse(&old, SNAPSHOT)?, &parse(&sdl, "the app")?),
                    terminal,
                );
            }
            write(&snapshot, &sdl, terminal)?;
        }
        Verb::Check { write: false } => {
            let found = changes(
                &parse(&read(&snapshot)?, SNAPSHOT)?,
                &parse(&sdl, "the app")?,
            );
            tell(&found, terminal);
            check(&found, terminal)?;
        }
    }
    Ok(())
}

fn check(found: &[Change], terminal: Terminal) -> Result<()> {
    const WRITE: &str = "blazelink schema check --write";
    let breaking = found.iter().filter(|change| change.breaks).count();
    if breaking > 0 {
        let things = several(breaking, "thing");
        let sentence = format!("The schema breaks {things} that clients may use");
        return Err(Error::new(ErrorKind::Setup, Code::Differs, sentence)
            .with_hint(format!("take it back, or if nobody uses it: {WRITE}")));
    }
    if found.is_empty() {
        terminal.note(format!("The schema is that of {SNAPSHOT}"));
    } else {
        terminal.note(format!(
            "Nothing breaks; `{WRITE}` takes what is new into {SNAPSHOT}"
        ));
    }
    Ok(())
}

fn tell(found: &[Change], terminal: Terminal) {
    for change in found {
        let word = if change.breaks { "breaking" } else { "safe" };
        let fields = json!({"at": change.at, "what": change.what, "breaking": change.breaks});
        let text = format!("  {word:<10}{}: {}", change.at, change.what);
        terminal.outcome("change", fields, text);
    }
}

/// What the app's program prints.
async fn sdl(project: &Project, terminal: Terminal) -> Result<String> {
    let program = project.app.built(terminal).await?;
    let failed = |sentence: String| Error::new(ErrorKind::Setup, Code::CommandFailed, sentence);
    let mut command = process::command(&program);
    command.arg("schema").current_dir(&project.folder);
    terminal.command(&command);
    let said = process::said(command).await.map_err(|error| {
        failed(format!("`{}` cannot be run", program.display())).with_source(error)
    })?;
    if said.status.success() {
        return Ok(said.output);
    }
    let ending = process::ending(said.status);
    Err(failed(format!("The app's `schema` ended with {ending}"))
        .with_source(said.errors.trim().to_owned())
        .with_hint("mend what it says, then repeat the command"))
}

/// The snapshot as a commit has it.
async fn of_revision(project: &Project, revision: &str) -> Result<String> {
    let mut command = process::command("git");
    command
        .args(["show", "--end-of-options"])
        .arg(format!("{revision}:./{SNAPSHOT}"))
        .current_dir(&project.folder);
    let failed = || {
        let sentence = format!("git has no `{SNAPSHOT}` of `{revision}`");
        Error::new(ErrorKind::Setup, Code::Usage, sentence)
    };
    let said = process::said(command).await;
    let said = said.map_err(|error| failed().with_source(error))?;
    if said.status.success() {
        return Ok(said.output);
    }
    Err(failed()
        .with_source(said.errors.trim().to_owned())
        .with_hint("blazelink schema diff REV, with a commit, a branch or a tag"))
}

fn parse(sdl: &str, from: &str) -> Result<Schema> {
    Schema::parse(sdl).map_err(|why| {
        let sentence = format!("The schema of {from} cannot be read");
        Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(why)
    })
}

fn read(file: &Path) -> Result<String> {
    std::fs::read_to_string(file).map_err(|error| {
        let sentence = format!("`{SNAPSHOT}` cannot be read");
        let missing = error.kind() == std::io::ErrorKind::NotFound;
        let error = Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error);
        match missing {
            true => error.with_hint("make it, then commit it: blazelink schema check --write"),
            false => error,
        }
    })
}

fn write(file: &Path, sdl: &str, terminal: Terminal) -> Result<()> {
    std::fs::write(file, sdl).map_err(|error| {
        let sentence = format!("`{}` cannot be written", file.display());
        Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
    })?;
    let shown = file
        .file_name()
        .unwrap_or(file.as_os_str())
        .to_string_lossy();
    let fields = json!({"change": "written", "path": file.display().to_string()});
    terminal.outcome("file", fields, format!("  written   {shown}"));
    Ok(())
}
