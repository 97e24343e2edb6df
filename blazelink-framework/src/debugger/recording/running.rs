//! `Running`: a recording while it is made: since when, and what sessions watched meanwhile. Pure; the
//! inspector holds it and feeds it what the recorder says. The transactions stay where they are, in the
//! debugger's memory, and are written when the recording ends.
//!
//! What must stay true: it takes no more room than [`limits::RECORDING_DEPENDENCIES`] allow. A session of
//! which something found no room is left out from then on, and the recording says so: what is known of
//! it would be wrong.

use std::collections::HashSet;
use std::time::SystemTime;

use blazelink_codes::limits;

use crate::debugger::record::{Moment, Watching};
use crate::session::SessionLabel;

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Running {
    /// What it is called.
    pub(crate) name: String,
    /// Whether values, viewers and what sessions watch are left out.
    pub(crate) redacted: bool,
    /// The server's clock when it began.
    pub(crate) began: SystemTime,
    /// When it began: transactions that became visible before are none of it.
    pub(crate) from: Moment,
    /// Transactions that were remembered ever, and records that were lost, until then.
    pub(crate) before: Counted,
    log: Vec<Noted>,
    dependencies: usize,
    left_out: HashSet<SessionLabel>,
}

/// What is counted from the beginning of the process on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counted {
    /// Transactions that were remembered.
    pub(crate) updates: u64,
    /// Records that found no room.
    pub(crate) lost: u64,
}

/// One entry of the log.
#[derive(Debug)]
pub(crate) enum Noted {
    /// A session watches something else, or is another viewer's.
    Watching(Watching),
    /// A session has ended.
    Ended {
        /// The session.
        session: SessionLabel,
        /// When.
        at: Moment,
    },
    /// What a session watches from then on found no room.
    LeftOut {
        /// The session.
        session: SessionLabel,
        /// Since when.
        at: Moment,
    },
}

impl Noted {
    /// When it was so.
    pub(crate) fn at(&self) -> Moment {
        match self {
            Noted::Watching(watching) => watching.at,
            Noted::Ended { at, .. } | Noted::LeftOut { at, .. } => *at,
        }
    }

    fn session(&self) -> SessionLabel {
        match self {
            Noted::Watching(watching) => watching.session,
            Noted::Ended { session, .. } | Noted::LeftOut { session, .. } => *session,
        }
    }
}

impl Running {
    /// One that begins now, by both clocks.
    pub(crate) fn begin(
        name: String,
        redacted: bool,
        (from, began): (Moment, SystemTime),
        before: Counted,
    ) -> Running {
        Running {
            name,
            redacted,
            began,
            from,
            before,
            log: Vec::new(),
            dependencies: 0,
            left_out: HashSet::new(),
        }
    }

    /// Notes something.
    pub(crate) fn note(&mut self, noted: Noted) {
        let session = noted.session();
        if self.left_out.contains(&session) {
            return;
        }
        let more = match &noted {
            Noted::Watching(watching) => 1 + watching.view.as_ref().map_or(0, |(_, it)| it.len()),
            Noted::Ended { .. } | Noted::LeftOut { .. } => 1,
        };
        if self.dependencies + more > limits::RECORDING_DEPENDENCIES {
            let at = noted.at();
            self.left_out.insert(session);
            self.log.push(Noted::LeftOut { session, at });
            return;
        }
        self.dependencies += more;
        self.log.push(noted);
    }

    /// How many sessions are left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out.len() as u64
    }

    /// Its log, in the order of time.
    pub(crate) fn log(&self) -> Vec<&Noted> {
        let mut log: Vec<&Noted> = self.log.iter().collect();
        log.sort_by_key(|noted| noted.at());
        log
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_which_something_finds_no_room_is_left_out_from_then_on() {
        let began = (Moment(0), SystemTime::UNIX_EPOCH);
        let mut running = Running::begin("a".to_owned(), false, began, Counted::default());
        let ended = |session, at| Noted::Ended {
            session,
            at: Moment(at),
        };
        let [one, other] = [SessionLabel::fresh(), SessionLabel::fresh()];
        for at in (0..limits::RECORDING_DEPENDENCIES as u64).rev() {
            running.note(ended(one, at));
        }
        let late = limits::RECORDING_DEPENDENCIES as u64;
        for at in [late, late + 1] {
            running.note(ended(other, at));
        }
        assert_eq!(running.left_out(), 1);
        let log = running.log();
        assert_eq!(log.len(), limits::RECORDING_DEPENDENCIES + 1);
        assert!(log.is_sorted_by_key(|noted| noted.at()));
        let last = log.last().unwrap();
        assert!(
            matches!(last, Noted::LeftOut { session, at } if *session == other && at.0 == late)
        );
    }
}
