//! What an app adds to its pages while `blazelink dev` runs it: a script and the stream of events that
//! it follows, and a badge that leads to the debugger. Nowhere else is any of it served.

mod announce;
mod badge;
mod channel;
mod endpoint;

pub(crate) use announce::announce;
pub(crate) use badge::{BADGE, DEBUGGER, ToDebugger, badge, with_badge};
pub use channel::DevChannel;
pub(crate) use endpoint::{ANSWER, Answers, EVENTS, SCRIPT, events, script, with_script};
