//! `blazelink generate`: adds to an app what is mostly typed the same way, and takes it back.
//!
//! The texts of the project's files are read once (`sources`). A generator plans changes to them
//! (`changes`) and touches nothing; what is planned is written all or not at all, and kept in a
//! journal (`journal`) that undoes it to the byte. A file that somebody has edited is never
//! overwritten: one thing may be added to it (`rust`), every other byte stays.

mod changes;
mod computed;
mod docker;
mod entity;
mod field;
mod journal;
mod layout;
mod live_test;
mod mark;
mod migration;
mod policy;
mod rust;
mod sample;
mod schema;
mod sources;
mod tree;
mod virtual_table;
mod words;

use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::{Args, Subcommand};

use self::changes::{Change, Changes, Step};
use self::journal::Entry;
use self::sources::Sources;
use crate::plan::Plan;
use crate::project;
use crate::terminal::Terminal;

const FIELDS: &str = "\
Fields are NAME:TYPE or NAME:ref:ENTITY, with `!` behind them for NOT NULL and `^` for unique.
Types: string text smallint int bigint float double decimal bool datetime date time uuid json bytes";

/// Add an entity, a field, a migration or a rule to the app, or take it back
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_required = false,
    after_help = "\
Examples:
  blazelink generate entity Match map:string! started_at:datetime team:ref:Team?
  blazelink generate computed user kd double
  blazelink generate --undo"
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,

    /// Take back what was generated last
    #[arg(long)]
    undo: bool,

    /// Tell what would be done, and do nothing
    #[arg(long, global = true)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum What {
    /// A table: entity, relations on both sides, migration and test
    #[command(after_help = format!("{FIELDS}\n\nExample:\n  blazelink generate entity Match map:string! started_at:datetime team:ref:Team?"))]
    Entity {
        /// The name of its type, such as Match
        name: String,
        /// What it has besides `id`
        fields: Vec<String>,
        /// Let everybody read it
        #[arg(long)]
        public: bool,
    },
    /// An object without a row: fields of its own, over a row that its client names
    #[command(after_help = format!("{FIELDS}\n\nExample:\n  blazelink generate virtual UserStats user:ref:User games:int!"))]
    Virtual {
        /// The name of its type, such as UserStats
        name: String,
        /// Its fields; a reference is the row that it is over
        fields: Vec<String>,
    },
    /// A field that a table does not have by itself
    #[command(after_help = "\
Types are those of an entity's fields, with `?` behind those that may be null.

Example:
  blazelink generate computed user kd double")]
    Computed {
        /// The table, or the entity's type
        table: String,
        /// The field's name
        field: String,
        /// What it gives
        #[arg(value_name = "TYPE")]
        gives: String,
    },
    /// A migration: of columns for the table that its name ends with, or of SQL
    #[command(after_help = format!("{FIELDS}\n\nExamples:\n  blazelink generate migration add_rank_to_user rank:int\n  blazelink generate migration drop_old_events"))]
    Migration {
        /// What it does, such as add_rank_to_user
        name: String,
        /// Columns to be added
        fields: Vec<String>,
    },
    /// Who may read and write a table
    #[command(after_help = "Example:\n  blazelink generate policy match")]
    Policy {
        /// The table, or the entity's type
        table: String,
    },
    /// A Dockerfile, and a unit of systemd
    Docker,
}

/// What a generator has to say besides its changes.
#[derive(Debug)]
struct Generated {
    /// The files to look at next.
    next: [String; 3],
    notes: Vec<(&'static str, String)>,
}

impl Generated {
    fn new(next: [String; 3]) -> Generated {
        Generated {
            next,
            notes: Vec::new(),
        }
    }
}

pub(crate) fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let folder = std::env::current_dir().map_err(|error| {
        let sentence = "The current folder is gone";
        Error::new(ErrorKind::Setup, Code::NotAProject, sentence).with_source(error)
    })?;
    let run = Run {
        folder,
        dry_run: arguments.dry_run,
        terminal,
    };
    match arguments.what {
        Some(what) => run.generate(&what),
        None if arguments.undo => run.undo(),
        None => {
            let sentence = "It is not said what to generate".to_owned();
            Err(field::usage(sentence).with_hint("blazelink generate --help"))
        }
    }
}

struct Run {
    folder: PathBuf,
    dry_run: bool,
    terminal: Terminal,
}

impl Run {
    fn generate(&self, what: &What) -> Result<()> {
        let sources = Sources::read(&self.folder)?;
        let stamp = chrono::Utc::now().format("%Y%m%d_%H%M%S").to_string();
        let (changes, generated) = plan(&sources, what, &stamp)?;
        tree::tell(&changes, self.terminal);
        refuse_conflicts(&changes)?;
        let command = what.command();
        if self.dry_run {
            self.terminal.space();
            self.terminal
                .note(format!("Nothing was written. To write it: {command}"));
            return Ok(());
        }
        if changes.iter().all(|change| change.step == Step::Skip) {
            self.terminal.space();
            self.terminal.note("All of it is there already");
            return Ok(());
        }
        self.write(&changes, command)?;
        self.terminal.space();
        for (name, note) in &generated.notes {
            self.terminal.remark(name, note);
        }
        self.terminal.remark("next", "look at");
        for path in generated.next {
            self.terminal.note(format!("             {path}"));
        }
        self.terminal.remark("undo", "blazelink generate --undo");
        Ok(())
    }

    fn write(&self, changes: &[Change], command: String) -> Result<()> {
        let entry = Entry::of(command, changes, &self.folder);
        let kept = entry.kept(&self.folder)?;
        let files = entry.files.into_iter();
        let files = files.map(|file| (PathBuf::from(file.path), file.after));
        let plan = Plan::new(self.folder.clone(), files.chain([kept]).collect());
        plan.steps()?;
        project::state(&self.folder)?;
        plan.write()?.keep();
        Ok(())
    }

    fn undo(&self) -> Result<()> {
        let (kept, entry) = Entry::newest(&self.folder)?;
        if let Some(diff) = entry.edited(&self.folder)? {
            self.terminal.result(diff.trim_end());
            let sentence = format!("What `{}` has written was edited since", entry.command);
            return Err(Error::new(ErrorKind::Setup, Code::EditedSince, sentence)
                .with_hint("take the edits back that are shown above, or undo it by hand"));
        }
        tree::tell_undone(&entry, self.terminal);
        self.terminal.space();
        if self.dry_run {
            let what = "Nothing was undone. To undo it: blazelink generate --undo";
            self.terminal.note(what);
            return Ok(());
        }
        let mut files = Vec::new();
        let mut removed = vec![kept];
        for file in &entry.files {
            match &file.before {
                Some(before) => files.push((PathBuf::from(&file.path), before.clone())),
                None => removed.push(PathBuf::from(&file.path)),
            }
        }
        // The inner ones first.
        removed.extend(entry.folders.iter().rev().map(PathBuf::from));
        let plan = Plan::new(self.folder.clone(), files).without(removed);
        plan.write()?.keep();
        self.terminal.remark("undone", &entry.command);
        let is_migration =
            |path: &str| path.starts_with("migration/src/m") && Path::new(path).is_relative();
        let gone = entry
            .files
            .iter()
            .find(|it| it.before.is_none() && is_migration(&it.path));
        if let Some(migration) = gone {
            let what = format!(
                "if {} was applied, your database has what it made still",
                migration.path
            );
            self.terminal.remark("database", &what);
        }
        Ok(())
    }
}

impl What {
    /// What to type for it.
    fn command(&self) -> String {
        let mut words: Vec<&str> = vec!["blazelink", "generate"];
        match self {
            What::Entity {
                name,
                fields,
                public,
            } => {
                words.extend(["entity", name]);
                words.extend(fields.iter().map(String::as_str));
                if *public {
                    words.push("--public");
                }
            }
            What::Virtual { name, fields } => {
                words.extend(["virtual", name]);
                words.extend(fields.iter().map(String::as_str));
            }
            What::Computed {
                table,
                field,
                gives,
            } => {
                words.extend(["computed", table, field, gives]);
            }
            What::Migration { name, fields } => {
                words.extend(["migration", name]);
                words.extend(fields.iter().map(String::as_str));
            }
            What::Policy { table } => words.extend(["policy", table]),
            What::Docker => words.push("docker"),
        }
        words.join(" ")
    }
}

/// What would be done to these texts. `stamp` is the time in the names of migrations.
fn plan(sources: &Sources, what: &What, stamp: &str) -> Result<(Vec<Change>, Generated)> {
    let mut changes = Changes::new(sources);
    let generated = match what {
        What::Entity {
            name,
            fields,
            public,
        } => entity::plan(&mut changes, name, fields, *public, stamp),
        What::Virtual { name, fields } => virtual_table::plan(&mut changes, name, fields),
        What::Computed {
            table,
            field,
            gives,
        } => computed::plan(&mut changes, table, field, gives),
        What::Migration { name, fields } => migration::plan(&mut changes, name, fields, stamp),
        What::Policy { table } => policy::plan(&mut changes, table),
        What::Docker => docker::plan(&mut changes),
    }?;
    Ok((changes.finish(), generated))
}

/// Nothing is written as long as something is in the way.
fn refuse_conflicts(changes: &[Change]) -> Result<()> {
    let mut conflicts = changes.iter().filter(|it| it.step == Step::Conflict);
    let Some(first) = conflicts.next() else {
        return Ok(());
    };
    let path = &first.path;
    let before = first.before.as_deref().unwrap_or_default();
    let (sentence, hint) = match mark::is_untouched(before) {
        true => (
            format!("`{path}` was generated otherwise"),
            "blazelink generate --undo, and then again; or edit it".to_owned(),
        ),
        false => (
            format!("`{path}` is yours, and is not what would be made"),
            format!("edit {path} as the difference shows, or move it away"),
        ),
    };
    Err(Error::new(ErrorKind::Setup, Code::GeneratorConflict, sentence).with_hint(hint))
}

#[cfg(test)]
mod tests;
