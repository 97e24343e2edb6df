//! `blazelink replay`: what a build would tell otherwise than a recording says, found out by the debugger
//! of the app that runs.

use std::fs;
use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use clap::Args;
use serde_json::json;

use crate::debug::{self, Body, Debugger, Place};
use crate::terminal::Terminal;

/// Play a recording to the app that runs, and list what it would tell otherwise
#[derive(Args, Debug)]
#[command(
    after_help = "Example: blazelink replay .blazelink/recordings/slow-lobby.blz\n\n\
                  Ends with exit status 5 if a delivery would differ."
)]
pub(crate) struct Arguments {
    /// The recording's file
    file: PathBuf,

    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let debugger = Debugger::find(arguments.place)?;
    let file = fs::read(&arguments.file).map_err(|error| {
        let path = arguments.file.display();
        let sentence = format!("The recording {path} cannot be read");
        Error::new(ErrorKind::Setup, Code::NoRecording, sentence).with_source(error)
    })?;
    let told = debugger.tell("replay", Body::File(file)).await?;
    let differ = told["differ"].as_u64().unwrap_or_default();
    let compared = told["compared"].as_u64().unwrap_or_default();
    let text = debug::replayed(&told);
    terminal.outcome("replay", json!({"answer": told}), text.trim_end());
    if differ == 0 {
        return Ok(());
    }
    let sentence = format!("Of {compared} deliveries of the recording {differ} would differ");
    Err(Error::new(ErrorKind::Setup, Code::Differs, sentence)
        .with_hint("if that is what you mean to change, record anew with this build"))
}
