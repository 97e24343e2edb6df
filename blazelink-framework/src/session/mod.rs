//! Sessions: clients across their sockets, what waits for each of them, and how long they live.

mod admission;
mod connections;
mod id;
mod mischief;
#[cfg(test)]
mod model;
mod outbox;
mod peer;
mod state;
mod update;

pub use admission::{Admission, SessionLimits};
pub use connections::{Attached, ConnectionManager};
pub use id::{NoLabel, SessionId, SessionLabel};
pub(crate) use mischief::Mischief;
pub(crate) use outbox::{Delivered, Entry, Pushed};
pub use peer::Peer;
pub use state::{AnotherViewer, Session, Socket};
pub(crate) use state::{Bound, Taken};
pub(crate) use update::Update;
pub use update::UpdateKind;
#[cfg(test)]
pub(crate) use update::open;
