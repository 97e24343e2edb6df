//! Whether the app can do its work right now, and if not, why, in one word.
//!
//! Pure: `pulse` gathers what is judged here, `endpoint` tells the verdict.

use std::time::{Duration, Instant};

use blazelink_codes::limits;

use super::lag::Lag;
use crate::replication::Following;

/// Why clients had better ask another server. Whoever asks is told the word and nothing else; the
/// log has the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unready {
    /// It has not found out yet whether it is.
    Starting,
    /// It answers what is open and ends.
    Stopping,
    /// The database does not answer queries.
    Database,
    /// Commits do not arrive.
    Replication,
    /// Commits are told too late.
    Lag,
}

impl Unready {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Unready::Starting => "starting",
            Unready::Stopping => "stopping",
            Unready::Database => "database",
            Unready::Replication => "replication",
            Unready::Lag => "lag",
        }
    }
}

/// What is known of the app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) stopping: bool,
    pub(crate) following: Following,
    /// When the database has last answered; nothing if it never has, or has failed to since.
    pub(crate) answered: Answered,
    /// How far behind telling is; nothing before anything is handed on.
    pub(crate) lag: Option<Lag>,
    /// How late commits may be told.
    pub(crate) bound: Duration,
}

/// Whether the database answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answered {
    /// It was not asked yet.
    Never,
    At(Instant),
    Failed,
}

/// Whether the app can do its work.
pub(crate) fn judge(facts: &Facts, now: Instant) -> Result<(), Unready> {
    if facts.stopping {
        return Err(Unready::Stopping);
    }
    match facts.answered {
        Answered::Never => return Err(Unready::Starting),
        Answered::Failed => return Err(Unready::Database),
        Answered::At(then) => {
            if now.saturating_duration_since(then) > limits::PULSE_STALE {
                return Err(Unready::Database);
            }
        }
    }
    match facts.following {
        Following::Starting => return Err(Unready::Starting),
        Following::Down(_) => return Err(Unready::Replication),
        Following::Live => {}
    }
    match facts.lag {
        None => Err(Unready::Starting),
        Some(lag) if lag.time > facts.bound => Err(Unready::Lag),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_is_ready_when_the_database_answers_and_commits_arrive_in_time() {
        let now = Instant::now();
        let late = |seconds| {
            Some(Lag {
                bytes: 1,
                time: Duration::from_secs(seconds),
            })
        };
        let well = Facts {
            stopping: false,
            following: Following::Live,
            answered: Answered::At(now),
            lag: late(30),
            bound: Duration::from_secs(30),
        };
        type Change = fn(&mut Facts, Instant);
        let cases: [(Change, Result<(), Unready>); 9] = [
            (|_, _| {}, Ok(())),
            (|facts, _| facts.stopping = true, Err(Unready::Stopping)),
            (
                |facts, _| facts.answered = Answered::Never,
                Err(Unready::Starting),
            ),
            (
                |facts, _| facts.answered = Answered::Failed,
                Err(Unready::Database),
            ),
            (
                |facts, now| facts.answered = Answered::At(now - limits::PULSE_STALE * 2),
                Err(Unready::Database),
            ),
            (
                |facts, _| facts.following = Following::Starting,
                Err(Unready::Starting),
            ),
            (
                |facts, _| facts.following = Following::Down("secret".to_owned()),
                Err(Unready::Replication),
            ),
            (|facts, _| facts.lag = None, Err(Unready::Starting)),
            (
                |facts, _| facts.bound = Duration::from_secs(29),
                Err(Unready::Lag),
            ),
        ];
        let now = now + limits::PULSE_STALE;
        for (change, verdict) in cases {
            let mut facts = Facts {
                answered: Answered::At(now),
                ..well.clone()
            };
            change(&mut facts, now);
            assert_eq!(judge(&facts, now), verdict, "{facts:?}");
        }
    }
}
