//! `Following`: how an app follows the log of its database. The replication thread says it; the app's
//! owner, tests and `/ready` hear it.

/// Whether commits arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Following {
    /// Not yet: the slot is being made, which waits for transactions that are open.
    #[default]
    Starting,
    /// Commits arrive.
    Live,
    /// The connection failed and is tried again; why, in one sentence.
    Down(String),
}
