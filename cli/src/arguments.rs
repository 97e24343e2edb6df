//! The command line: what holds for every verb, and the verbs. What a verb takes stands in its own
//! file.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    completions, db, debug, dev, doctor, explain, generate, man, migrate, new, record, replay,
    schema, version, why,
};

/// Blazelink: a realtime web framework on Postgres
#[derive(Debug, Parser)]
#[command(name = "blazelink", version, max_term_width = 100)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) globals: Globals,

    #[command(subcommand)]
    pub(crate) verb: Verb,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    New(new::Arguments),
    Dev(dev::Arguments),
    #[command(visible_alias = "g")]
    Generate(generate::Arguments),
    Migrate(migrate::Arguments),
    Db(db::Arguments),
    Schema(schema::Arguments),
    Debug(debug::Arguments),
    Why(why::Arguments),
    Record(record::Arguments),
    Replay(replay::Arguments),
    Doctor(doctor::Arguments),
    Explain(explain::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
    Version(version::Arguments),
}

/// What may stand anywhere on the command line.
#[derive(Args, Debug)]
#[command(next_help_heading = "Everywhere")]
pub(crate) struct Globals {
    /// Work in this folder, as if the tool had been started there
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,

    /// Print one JSON object per line instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Say nothing but results and errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,

    /// Say what is done, and with which commands
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,

    /// When to use colours
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: Color,

    /// Answer every question with yes
    #[arg(short, long, global = true)]
    pub(crate) yes: bool,

    /// Ask nothing; end with exit status 3 where an answer is needed
    #[arg(long, global = true)]
    pub(crate) no_input: bool,

    /// Use no network, and have cargo use none
    #[arg(long, global = true)]
    pub(crate) offline: bool,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` says otherwise
    #[default]
    Auto,
    Always,
    Never,
}
