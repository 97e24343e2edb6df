//! What the API tells of recordings, and how that is put into words. Pure.

use poem_openapi::Object;

use super::difference::{Difference, Replayed, Telling};
use super::file::Recording;
use crate::debugger::names::name_of;
use crate::debugger::why::plural;
use crate::exposure::Exposure;
use crate::session::UpdateKind;

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
    /// Records of the app that found no room on their way to the debugger.
    pub(crate) lost: u64,
    /// Sessions of which it is not known, from some moment on, what they watched, for want of room.
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
    /// How it would be told; nothing if it would not. The same word as `was`, if it would be told other
    /// columns or values.
    pub(crate) would: Option<String>,
}

impl ReplayReport {
    /// Of what came of replaying a recording.
    pub(crate) fn of(
        recording: &Recording,
        replayed: &Replayed,
        exposure: &Exposure,
    ) -> ReplayReport {
        let deliveries = counted(replayed.compared, "delivery", "deliveries");
        let of = format!(
            "{} of {}",
            counted(replayed.commits, "commit", "commits"),
            counted(replayed.sessions, "session", "sessions")
        );
        let differences = replayed.differences.iter();
        ReplayReport {
            sentence: match replayed.differ {
                0 => format!("{of}: {deliveries} as recorded, none differs"),
                differ => format!("{of}: {differ} of {deliveries} would differ"),
            },
            commits: replayed.commits,
            sessions: replayed.sessions,
            compared: replayed.compared,
            differ: replayed.differ,
            differences: differences
                .map(|difference| DifferenceReport::of(difference, exposure))
                .collect(),
            not_compared: not_compared(recording, replayed),
        }
    }
}

/// What could not be compared, a sentence for each reason.
fn not_compared(recording: &Recording, replayed: &Replayed) -> Vec<String> {
    let head = &recording.head;
    let reasons = [
        (
            replayed.unknown_viewers,
            "session is not compared: the recording does not say whose it was (Builder::record_viewers)",
            "sessions are not compared: the recording does not say whose they were (Builder::record_viewers)",
        ),
        (
            replayed.unsettled,
            "delivery is not compared: its session began or ceased to watch something just then",
            "deliveries are not compared: their sessions began or ceased to watch something just then",
        ),
        (
            recording.unknown,
            "commit is about a table that this build does not expose",
            "commits are about tables that this build does not expose",
        ),
        (
            head.let_go,
            "commit is not in the recording: there was no room for it",
            "commits are not in the recording: there was no room for them",
        ),
        (
            head.left_out,
            "session is compared in part: there was no room for all that it watched",
            "sessions are compared in part: there was no room for all that they watched",
        ),
        (
            head.lost,
            "record was lost while it was made: if it said what a session watched, what differs may be that",
            "records were lost while it was made: if they said what sessions watched, what differs may be that",
        ),
    ];
    let reasons = reasons.into_iter().filter(|(count, ..)| *count > 0);
    reasons
        .map(|(count, one, many)| counted(count, one, many))
        .collect()
}

impl DifferenceReport {
    fn of(difference: &Difference, exposure: &Exposure) -> DifferenceReport {
        let word = |telling: Telling| word(telling).to_owned();
        DifferenceReport {
            update: difference.number,
            session: difference.session.to_string(),
            object: name_of(exposure, &difference.object),
            was: difference.was.map(word),
            would: difference.would.map(word),
        }
    }
}

fn word(telling: Telling) -> &'static str {
    match (telling.row, telling.kind) {
        (false, _) => "again",
        (true, UpdateKind::Create) => "create",
        (true, UpdateKind::Update) => "update",
        (true, UpdateKind::Delete) => "delete",
    }
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", plural(count as usize, one, many))
}
