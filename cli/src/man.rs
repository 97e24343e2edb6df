//! `blazelink man`: the manual pages, made of what `--help` says.

use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::{Args, CommandFactory};
use clap_mangen::Man;

use crate::terminal::Terminal;

/// Print a manual page, or write all of them into a folder
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink man migrate verify | man -l -")]
pub(crate) struct Arguments {
    /// Whose page; without one the page of the tool itself
    #[arg(conflicts_with = "out")]
    verb: Vec<String>,

    /// Write the pages of all verbs into this folder
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let mut command = crate::arguments::Arguments::command();
    // Gives every verb its whole name.
    command.build();
    if let Some(folder) = arguments.out {
        let written = std::fs::create_dir_all(&folder)
            .and_then(|()| clap_mangen::generate_to(command, &folder));
        return written.map_err(|error| {
            let sentence = format!("The pages cannot be written into `{}`", folder.display());
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
        });
    }
    let mut of = &command;
    for verb in &arguments.verb {
        of = of.find_subcommand(verb).ok_or_else(|| {
            let sentence = format!("There is no verb `{}`", arguments.verb.join(" "));
            Error::new(ErrorKind::Setup, Code::Usage, sentence).with_hint("blazelink --help")
        })?;
    }
    let mut page = Vec::new();
    Man::new(of.clone()).render(&mut page).map_err(|error| {
        let sentence = "The page cannot be made";
        Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
    })?;
    terminal.result(String::from_utf8_lossy(&page).trim_end());
    Ok(())
}
