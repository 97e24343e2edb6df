//! `blazelink why`: why a session did, or did not, hear of a row, in a sentence from the app's debugger.

use blazelink_codes::Result;
use clap::Args;
use serde_json::json;

use crate::debug::{self, Debugger, Place};
use crate::terminal::Terminal;

/// Say why a session did, or did not, hear of a row
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink why s_0009f2 game_event:17")]
pub(crate) struct Arguments {
    /// The session's label, as logs and `blazelink debug sessions` show it
    session: String,

    /// The row: its table, a colon and its key
    object: String,

    /// The commit that it is about, as a position in the log; the newest that has changed the row
    #[arg(long, value_name = "LSN")]
    at: Option<String>,

    #[command(flatten)]
    place: Place,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let debugger = Debugger::find(arguments.place)?;
    let mut parameters = vec![("session", arguments.session), ("object", arguments.object)];
    parameters.extend(arguments.at.map(|at| ("at", at)));
    let told = debugger.ask("why", &parameters).await?;
    let text = debug::why(&told);
    terminal.outcome("why", json!({"answer": told}), text.trim_end());
    Ok(())
}
