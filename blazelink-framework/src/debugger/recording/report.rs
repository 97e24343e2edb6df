//! What the API tells of recordings.

use poem_openapi::Object;

/// The recordings of the app.
#[derive(Clone, Debug, Object)]
pub(crate) struct Recordings {
    /// The one that is being made; nothing if none is.
    pub(crate) running: Option<RunningReport>,
    /// Those that are kept, the newest first.
    pub(crate) recordings: Vec<RecordingReport>,
    /// How many may be kept.
    pub(crate) most: u64,
    /// Whether the app keeps recordings: it needs a folder for that.
    pub(crate) kept: bool,
}

/// A recording that is being made.
#[derive(Clone, Debug, Object)]
pub(crate) struct RunningReport {
    /// What it is called.
    pub(crate) name: String,
    /// Since when: milliseconds since 1970, by the app's clock.
    pub(crate) began_at_ms: u64,
    /// Whether values, viewers and what sessions watch are left out.
    pub(crate) redacted: bool,
    /// Transactions that it has by now.
    pub(crate) updates: u64,
}

/// A recording that is kept.
#[derive(Clone, Debug, Object)]
pub(crate) struct RecordingReport {
    /// What it is called.
    pub(crate) name: String,
    /// Where its file is.
    pub(crate) file: String,
    /// Bytes of its file.
    pub(crate) bytes: u64,
    /// When it began: milliseconds since 1970, by the app's clock.
    pub(crate) began_at_ms: u64,
    /// When it ended, the same way.
    pub(crate) ended_at_ms: u64,
    /// Whether values, viewers and what sessions watch are left out.
    pub(crate) redacted: bool,
    /// Transactions that are not in it, for want of room in the debugger's memory.
    pub(crate) let_go: u64,
    /// Changes of what sessions watch that are not in it, for want of room.
    pub(crate) left_out: u64,
}

/// What would differ if a recording happened to the app as it is now.
#[derive(Clone, Debug, Object)]
pub(crate) struct ReplayReport {
    /// All of it in a sentence.
    pub(crate) sentence: String,
    /// Transactions that were put to this build.
    pub(crate) commits: u64,
    /// Sessions that were compared.
    pub(crate) sessions: u64,
    /// Deliveries that were compared.
    pub(crate) compared: u64,
    /// Deliveries that would differ.
    pub(crate) differ: u64,
    /// The first of them.
    pub(crate) differences: Vec<DifferenceReport>,
    /// What was not compared and why, a sentence each.
    pub(crate) not_compared: Vec<String>,
}

/// A delivery that would differ.
#[derive(Clone, Debug, Object)]
pub(crate) struct DifferenceReport {
    /// The transaction's number in the recording.
    pub(crate) update: u64,
    /// The session's label in the recording.
    pub(crate) session: String,
    /// Of what it is told, such as `game_event:17`.
    pub(crate) object: String,
    /// How it was told: `create`, `update`, `delete` or `again`; nothing if it was not.
    pub(crate) was: Option<String>,
    /// How it would be told; nothing if it would not.
    pub(crate) would: Option<String>,
    /// In a sentence.
    pub(crate) sentence: String,
}
