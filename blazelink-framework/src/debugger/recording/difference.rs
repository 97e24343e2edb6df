//! `Difference`: something that a session would be told otherwise than it was. Found by `replay`, told by
//! `report`.

use crate::object_id::ObjectId;
use crate::session::{SessionLabel, UpdateKind};

/// What came of replaying a recording.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// Transactions that were put to this build.
    pub(crate) commits: u64,
    /// Sessions that were compared.
    pub(crate) sessions: u64,
    /// What they were told, or would be: compared one by one.
    pub(crate) compared: u64,
    /// What would differ, as far as [`limits::REPLAY_DIFFERENCES`] allow.
    pub(crate) differences: Vec<Difference>,
    /// How many would differ in all.
    pub(crate) differ: u64,
    /// What could not be compared, because its session began to watch something or ceased just then.
    pub(crate) unsettled: u64,
    /// Sessions that were not compared, because nobody knows whose they were.
    pub(crate) unknown_viewers: u64,
}

/// Something that a session would be told otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Difference {
    /// The number of the transaction in the recording.
    pub(crate) number: u64,
    /// The session.
    pub(crate) session: SessionLabel,
    /// Of what.
    pub(crate) object: ObjectId,
    /// How it was told; nothing if it was not.
    pub(crate) was: Option<Telling>,
    /// How it would be; nothing if it would not.
    pub(crate) would: Option<Telling>,
}

/// How a session is told of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Telling {
    /// Whether the row itself is told, or only that something is to be read again.
    pub(crate) row: bool,
    /// What has happened to it.
    pub(crate) kind: UpdateKind,
    /// Of its columns and values.
    pub(crate) print: u64,
}
