//! Recordings: what an app has done for a while, written to a file, looked at later, and played again to
//! another build of the app.

mod audience;
mod difference;
mod file;
mod lines;
mod replay;
mod report;
mod running;
mod shelf;

pub(crate) use audience::audience;
pub(crate) use file::{About, Recording};
pub(crate) use replay::replay;
pub(crate) use report::{RecordingReport, Recordings, ReplayReport, RunningReport};
pub(crate) use running::{Counted, Noted, Running};
pub(crate) use shelf::{Shelf, Unshelved};
