//! What a session reads, and the seam through which that is written down to outlive the process.
//!
//! The `SubscriptionManager` calls a [`Ledger`] after it has let go of the index, and only when
//! what a read watches has changed. The ledger asks back for what is watched while it holds a
//! lock of its own, so that its records stand in the order of what they say, whichever request
//! comes first.

use super::dependency::{Dependency, Role};
use crate::object_id::ObjectId;
use crate::session::SessionId;

/// The name of a read within its session.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewName {
    /// What is read.
    pub object: ObjectId,
    /// Which selection of it; see [`Watch::begin`](super::Watch::begin).
    pub selection: u64,
}

/// What a read watches, and how its session is told of each.
pub type View = Vec<(Role, Dependency)>;

/// Is called with each view that lives, one after the other.
pub type Visit<'a> = dyn FnMut(&SessionId, &ViewName, View) + 'a;

/// Keeps what sessions watch.
pub trait Ledger: Send + Sync {
    /// What the session watches for this read has changed: `view` gives what it is by now,
    /// nothing if it is let go. Returns when it is written.
    fn changed(&self, session: &SessionId, name: &ViewName, view: &dyn Fn() -> View);

    /// The session has ended, unless `gone` denies it: a client may have come back meanwhile.
    fn ended(&self, session: &SessionId, gone: &dyn Fn() -> bool);

    /// Gives up the room of what lives no more, if it is worth it. `living` hands over all views
    /// that live. Called every few seconds, by one thread.
    fn tidy(&self, living: &dyn Fn(&mut Visit<'_>));
}
