//! `blazelink debug`: what a running app has done lately, from its debugger. `why` asks it too.

mod asking;
mod telling;

use std::time::{SystemTime, UNIX_EPOCH};

use blazelink_codes::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

pub(crate) use self::asking::{Body, Debugger, Place};
use self::telling::Now;
pub(crate) use self::telling::{replayed, why};
use crate::terminal::Terminal;

/// Show what a running app does: commits, sessions, and who is told what
#[derive(Args, Debug)]
#[command(after_help = "Example: blazelink debug updates table:game_event outcome:denied since:5m")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Option<Verb>,

    #[command(flatten)]
    place: Place,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// The newest transactions, and how many sessions got how far with each
    Updates {
        /// Which: table:T row:T:KEY op:insert session:S outcome:denied cause:TEXT lag>100ms since:5m
        filter: Vec<String>,

        /// How many, at most 500
        #[arg(short, long, default_value_t = 20, value_name = "COUNT")]
        number: u32,
    },
    /// One transaction's way from Postgres to every client
    Update {
        /// Its number, as `updates` lists it
        number: u64,
    },
    /// The sessions, those first that something waits for
    Sessions {
        /// Only those that are live, behind or offline
        #[arg(long)]
        state: Option<String>,

        /// How many, at most 500
        #[arg(short, long, default_value_t = 20, value_name = "COUNT")]
        number: u32,
    },
    /// One session, and what it watches
    Session {
        /// Its label, such as s_0009f2
        session: String,
    },
    /// What sessions watch, by shape, and what that costs
    Subscriptions,
    /// The recordings that are kept, and the one that is being made
    Recordings,
}

pub(crate) async fn run(arguments: Arguments, terminal: Terminal) -> Result<()> {
    let debugger = Debugger::find(arguments.place)?;
    let none = Vec::new();
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = Now(now.map_or(0, |now| now.as_millis() as u64));
    let (path, parameters, tell): (String, _, fn(&Value, Now) -> String) = match arguments.verb {
        None => ("overview".to_owned(), none, |told, _| {
            telling::overview(told)
        }),
        Some(Verb::Updates { filter, number }) => {
            let filter = ("filter", filter.join(" "));
            let limit = ("limit", number.to_string());
            ("updates".to_owned(), vec![filter, limit], telling::updates)
        }
        Some(Verb::Update { number }) => (format!("updates/{number}"), none, |told, _| {
            telling::path(told)
        }),
        Some(Verb::Sessions { state, number }) => {
            let mut parameters = vec![("limit", number.to_string())];
            parameters.extend(state.map(|state| ("state", state)));
            ("sessions".to_owned(), parameters, telling::sessions)
        }
        Some(Verb::Session { session }) => (format!("sessions/{session}"), none, telling::detail),
        Some(Verb::Subscriptions) => ("subscriptions".to_owned(), none, |told, _| {
            telling::subscriptions(told)
        }),
        Some(Verb::Recordings) => ("recordings".to_owned(), none, telling::recordings),
    };
    let told = debugger.ask(&path, &parameters).await?;
    let text = tell(&told, now);
    terminal.outcome("debug", json!({"answer": told}), text.trim_end());
    Ok(())
}
