//! Sessions: clients across their sockets, what waits for each of them, and how long they live.

mod admission;
mod connections;
mod id;
#[cfg(test)]
mod model;
mod outbox;
mod peer;
mod state;
mod update;

pub use admission::{Admission, SessionLimits};
pub use connections::{Attached, ConnectionManager};
pub use id::{SessionId, SessionLabel};
pub use outbox::{Entry, Outbox};
pub use peer::Peer;
pub use state::{Session, Socket, Taken};
pub use update::{Update, UpdateKind};
