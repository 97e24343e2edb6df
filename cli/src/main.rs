//! The blazelink command line tool. One file per verb; it runs the app's own programs and never
//! links the framework.

mod build;
mod database;
mod dev;
mod events;
mod port;
mod process;
mod project;
mod settings;
mod stop;
mod terminal;

use std::process::ExitCode;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::{Parser, Subcommand};

use crate::terminal::Terminal;

/// Blazelink: a realtime web framework on Postgres
#[derive(Debug, Parser)]
#[command(name = "blazelink", version)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Dev(dev::Arguments),
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let terminal = Terminal::of_this_process();
    match run(arguments, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            terminal.error(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments, terminal: &Terminal) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| {
            let sentence = "No threads can be started";
            Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
        })?;
    let done = runtime.block_on(async {
        match arguments.verb {
            Verb::Dev(arguments) => dev::run(arguments, terminal).await,
        }
    });
    // A question at the terminal may still wait for its answer: it must not hold us up.
    runtime.shutdown_background();
    done
}
