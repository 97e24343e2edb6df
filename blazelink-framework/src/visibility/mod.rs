//! Who may see which rows and columns: what an app says ([`Access`], made of a [`Rule`]), and what
//! that means for one table ([`Sight`]).
//!
//! What a viewer may write is said the same way ([`WriteAccess`]).
//!
//! One rule, two readings: SQL for answers, a look at a row's image for pushes. A test holds them
//! together with Postgres as the judge.

mod access;
mod bound_rule;
mod condition;
mod hook;
mod policy;
mod rule;
mod sight;
mod summary;
mod visible;
mod write;

pub use access::Access;
pub(crate) use condition::{Image, document};
pub(crate) use hook::Hook;
pub(crate) use policy::ReadPolicy;
pub use rule::Rule;
pub(crate) use sight::Seen;
pub use sight::{Sight, Told};
pub use summary::{Open, Openness, summary};
pub(crate) use visible::{Narrow, Sights};
pub use visible::{Visible, VisibleRow};
pub use write::WriteAccess;
pub(crate) use write::{Writable, WriteSight};
