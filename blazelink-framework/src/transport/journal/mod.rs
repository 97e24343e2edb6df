//! The original's client says nothing when it comes back after a restart, so what it watches is
//! kept in a file.

mod file;
mod record;

pub use file::Journal;
pub use record::Sessions;
