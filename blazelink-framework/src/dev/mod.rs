//! What an app adds to its pages while `blazelink dev` runs it: one script, and the stream of
//! events that the script follows. Nowhere else is any of it served.

mod announce;
mod channel;
mod endpoint;

pub(crate) use announce::announce;
pub use channel::DevChannel;
pub(crate) use endpoint::{ANSWER, Answers, EVENTS, SCRIPT, events, script, with_script};
