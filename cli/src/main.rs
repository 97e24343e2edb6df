//! The blazelink command line tool. One file or folder per verb, named in `arguments`; it runs the
//! app's own programs and never links the framework.

mod arguments;
mod build;
mod completions;
mod database;
mod db;
mod debug;
mod defect;
mod dev;
mod difference;
mod doctor;
mod exit;
mod explain;
mod generate;
mod man;
mod migrate;
mod new;
mod plan;
mod process;
mod project;
mod record;
mod replay;
mod schema;
mod settings;
mod stop;
mod terminal;
mod version;
mod why;

use std::process::ExitCode;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Parser;

use crate::arguments::{Arguments, Verb};
use crate::exit::Exit;
use crate::terminal::Terminal;

fn main() -> ExitCode {
    defect::tell_of_panics();
    let arguments = Arguments::parse();
    let terminal = Terminal::new(&arguments.globals);
    match run(arguments, terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            Exit::of(error.code()).into()
        }
    }
}

fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let Arguments { globals, verb } = arguments;
    if let Some(folder) = &globals.directory {
        std::env::set_current_dir(folder).map_err(|error| {
            let sentence = format!("`{}` cannot be worked in", folder.display());
            Error::new(ErrorKind::Setup, Code::Usage, sentence).with_source(error)
        })?;
    }
    if globals.offline {
        process::go_offline();
    }
    match verb {
        Verb::New(arguments) => wait_for(new::run(arguments, terminal)),
        Verb::Dev(arguments) => wait_for(dev::run(arguments, terminal)),
        Verb::Generate(arguments) => generate::run(arguments, terminal),
        Verb::Migrate(arguments) => wait_for(migrate::run(arguments, terminal)),
        Verb::Db(arguments) => wait_for(db::run(arguments, terminal)),
        Verb::Schema(arguments) => wait_for(schema::run(arguments, terminal)),
        Verb::Debug(arguments) => wait_for(debug::run(arguments, terminal)),
        Verb::Why(arguments) => wait_for(why::run(arguments, terminal)),
        Verb::Record(arguments) => wait_for(record::run(arguments, terminal)),
        Verb::Replay(arguments) => wait_for(replay::run(arguments, terminal)),
        Verb::Doctor(arguments) => wait_for(doctor::run(arguments, terminal)),
        Verb::Explain(arguments) => explain::run(arguments, terminal),
        Verb::Completions(arguments) => completions::run(arguments, terminal),
        Verb::Man(arguments) => man::run(arguments, terminal),
        Verb::Version(arguments) => version::run(arguments, terminal),
    }
}

/// Runs a verb that waits for several things at once.
fn wait_for(verb: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            let sentence = "No threads can be started";
            Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
        })?;
    let done = runtime.block_on(verb);
    // A question at the terminal may still wait for its answer: it must not hold us up.
    runtime.shutdown_background();
    done
}
