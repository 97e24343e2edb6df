//! What monitors are told: every step from a read to a subscription and from a change to a message.
//!
//! Events are values; the original's `DebugMessage` is one way to write them. They are made while
//! a monitor is attached and never otherwise.

mod event;
mod hub;
mod queue;
mod trace;

pub use event::{Event, Subscription, UpdateId};
pub use hub::{Monitor, MonitorHub, TooManyMonitors};
pub(crate) use trace::Findings;
