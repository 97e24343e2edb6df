//! Who may see which rows and columns: what an app says ([`Access`], made of a [`Rule`]), and what
//! that means for one table ([`Sight`]).
//!
//! What a viewer may write is said the same way ([`WriteAccess`]).
//!
//! One rule, two readings: SQL for answers, a look at a row's image for pushes. A test holds them
//! together with Postgres as the judge.

mod access;
mod rule;
mod sight;
mod write;

pub use access::Access;
pub(crate) use access::Hook;
pub use rule::Rule;
pub use sight::{Sight, Told};
pub use write::WriteAccess;
pub(crate) use write::{Writable, WriteHook, WriteSight};
