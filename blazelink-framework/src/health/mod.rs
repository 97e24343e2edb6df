//! Whether the app works, for those who keep it running: `/health` and `/ready`.
//!
//! `app` starts the [`Pulse`] and `routes` serves both paths, in front of the doors: a load
//! balancer asks by address, and knows no name of the app's. So anybody may ask, and what is told is
//! one word out of a list; a question costs a look into memory, however often it is put.

mod endpoint;
mod lag;
mod pulse;
mod readiness;

pub(crate) use endpoint::{HEALTH, READY, health, ready};
pub(crate) use pulse::Pulse;
