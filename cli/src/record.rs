//! `blazelink record`: what a running app does from now on, in a file, made by the app's debugger.

use std::time::Duration;

use blazelink_codes::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::debug::{Body, Debugger, Place};
use crate::stop::Stop;
use crate::terminal::Terminal;

/// Record what a running app does, to be looked at or replayed on another build
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink record slow-lobby --seconds 30")]
pub(crate) struct Arguments {
    /// What it is called, of letters, digits, - and _; after the time, if it is not named
    name: Option<String>,

    /// End after so long; without it, Ctrl-C ends it
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,

    /// Leave out values, viewers and what sessions watch; it can then be looked at, and not replayed
    #[arg(long)]
    redacted: bool,

    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let debugger = Debugger::find(arguments.place)?;
    let mut stop = Stop::listen()?;
    let begin = json!({"name": arguments.name, "redacted": arguments.redacted});
    let begun = debugger.tell("recordings", Body::Json(begin)).await?;
    let name = begun["running"]["name"].as_str().unwrap_or_default();
    match arguments.seconds {
        Some(seconds) => {
            terminal.note(format!(
                "Recording {name} for {seconds} s; Ctrl-C ends it earlier"
            ));
            tokio::select! {
                () = stop.asked() => {}
                () = tokio::time::sleep(Duration::from_secs(seconds)) => {}
            }
        }
        None => {
            terminal.note(format!("Recording {name}; Ctrl-C ends it"));
            stop.asked().await;
        }
    }
    let kept = debugger.tell("recordings/stop", Body::None).await?;
    let text = told(&kept);
    terminal.outcome("record", json!({"answer": kept}), text);
    Ok(())
}

fn told(kept: &Value) -> String {
    let file = kept["file"].as_str().unwrap_or_default();
    let mut text = format!("{file}\n");
    for (count, what) in [
        (
            &kept["let_go"],
            "commits found no room in the debugger's memory",
        ),
        (
            &kept["left_out"],
            "sessions watched more than there was room for",
        ),
        (&kept["lost"], "records found no room on their way"),
    ] {
        if count.as_u64().is_some_and(|count| count > 0) {
            text.push_str(&format!("  {count} {what}\n"));
        }
    }
    if kept["redacted"] == false {
        text.push_str(&format!("  blazelink replay {file}\n"));
    }
    text.trim_end().to_owned()
}
