//! The live debugger: what happened to each update, and why.
//!
//! The app tells its recorder what it does; the picture is made of that, on a thread of its own, and
//! whoever looks is shown the picture. It only listens, but for the queries that somebody types into its
//! explorer and the mischief that somebody does in development: without it, everything else is the same.

mod api;
mod course;
mod delta;
mod explorer;
mod filter;
mod gate;
mod grid;
mod inquiry;
mod inspector;
mod looker;
mod mischief_api;
mod names;
mod operator_api;
mod pages;
mod picture;
mod record;
mod recorder;
mod recording;
mod recordings;
mod recordings_api;
mod replication;
mod report;
mod schema;
mod service;
mod site;
mod stage;
mod summary;
#[cfg(test)]
mod testing;
mod trace;
mod traces;
mod unnamed;
mod updates;
mod watch;
mod why;
mod writers;

pub(crate) use explorer::Explorer;
pub(crate) use gate::{Gate, Lookers};
pub(crate) use inspector::{Inspector, Subject};
pub use looker::Looker;
pub(crate) use record::{Commit, Draft, Moment, Noticed, Record, Watching, What, read};
pub(crate) use recorder::Recorder;
pub(crate) use recording::Shelf;
pub(crate) use replication::Postgres;
pub(crate) use service::Debugger;
pub(crate) use site::site;
