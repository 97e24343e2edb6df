//! What Blazelink adds to a broadcast: the same changes, told to the same clients by Blazelink, by
//! the least that can be written on the same libraries, and by a loop that only writes bytes.

mod baseline;
mod blazelink;
mod crowd;
mod plain;
mod publisher;

pub(crate) use publisher::{COMMAND, Cost, How, Publisher, Scene, run};
