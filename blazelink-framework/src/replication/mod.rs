//! From Postgres' write-ahead log to transactions: connect, read, decode, bound, gate.
//!
//! In the order of a byte's way: [`ReplicationConnection`] opens a slot and becomes a
//! [`ReplicationStream`]; [`Decoder`] makes transactions of its messages; [`Reader`] owns both,
//! on a thread of its own, and fills the [`Queue`]; whoever takes from that asks the [`Gate`]
//! before it hands anything on. [`preflight`] says beforehand what would not work.
//!
//! Decisions (`pgoutput`, `decoder`, `pending`, `binding`, `backoff`, `queue`, `preflight::judge`)
//! know neither sockets nor clocks; the rest carries them out.

mod backoff;
mod binding;
mod cancel;
mod connection;
mod decoder;
mod following;
mod gate;
mod ordinary;
mod pending;
pub mod pgoutput;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod pooler;
pub mod preflight;
mod queue;
mod reader;
mod server_error;
mod signaler;
mod slot;
mod stream;
#[cfg(test)]
mod testing;
mod tls;
mod url;
mod wire;

pub use connection::{Identity, ReplicationConnection};
pub use decoder::{Arrival, Decoded, Decoder, INVALIDATE, Limits, SCHEMA};
pub use following::Following;
pub use gate::Gate;
pub use ordinary::OrdinaryConnection;
#[cfg(test)]
pub(crate) use pooler::pooler;
pub use queue::{Batch, Queue, QueueWriter, Reset, Status, queue};
pub use reader::{Reader, ReaderConfig, on_own_thread};
pub use server_error::ServerError;
pub(crate) use server_error::refuses_settings;
pub(crate) use signaler::{Signaler, Tells};
pub use slot::SlotPlan;
pub use stream::{Frame, Frames, ReplicationStream};
pub use url::DatabaseUrl;
pub(crate) use url::SESSION_SETTINGS;
