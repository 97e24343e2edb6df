//! `Verdict`: one sentence that says why a session did, or did not, hear of a row. Pure: chosen from
//! what the inspector has found out.
//!
//! What must stay true: there is a verdict for everything that can happen, and none says that it is
//! not known why. What was not recorded is said with the limit that let it go.

use super::trace::Reached;
use crate::change::Lsn;
use crate::session::Pushed;

/// Why a session did, or did not, hear of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Its client has handled it.
    Confirmed {
        /// Microseconds after it was told.
        after: u32,
    },
    /// It was written to its socket, and its client has not said yet that it has handled it.
    Sent {
        /// Microseconds since then.
        ago: u64,
    },
    /// It waits in its outbox.
    Waiting {
        /// Deliveries that wait with it.
        waiting: usize,
    },
    /// So much waited that it became one with a later update of the same object.
    Merged {
        /// The later transaction.
        into: Lsn,
    },
    /// Its outbox was full: it is told to read everything anew instead.
    Reset,
    /// It is told when its client comes back.
    Offline {
        /// Microseconds since its client is gone.
        ago: u64,
    },
    /// It did not watch the row then.
    NotSubscribed {
        /// Microseconds from the commit until it began to.
        later: Option<u64>,
    },
    /// It watches the table, and what it watches was not met.
    Filtered {
        /// What it watches, in words.
        watches: Vec<String>,
        /// The columns by which, and whether the row has left or entered nothing.
        columns: Vec<String>,
    },
    /// Its viewer does not see the row.
    Denied {
        /// The entity.
        entity: String,
    },
    /// Its viewer sees the row, and nothing of what has changed.
    NothingVisible {
        /// The columns that have changed.
        columns: Vec<String>,
    },
    /// Nothing of the table reaches any session.
    NotPublished {
        /// The name that was asked for.
        name: String,
    },
    /// It was told to be safe: the log does not tell what the row was before.
    IdentityTooWeak {
        /// The entity.
        entity: String,
    },
    /// The commit has not come out of the log yet.
    NotReached {
        /// What is wrong, or how far it is.
        because: String,
    },
    /// It was not recorded, or is not kept any more.
    NotRecorded {
        /// The limit that let it go.
        limit: String,
    },
    /// The commit that is asked about has not changed the row.
    Untouched,
    /// No commit has changed the row.
    Unchanged {
        /// Microseconds since the recorder began.
        since: u64,
    },
}

/// How far a delivery got, and what stands in its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered {
    /// What became of it in the outbox.
    pub(crate) pushed: Pushed,
    /// How far it got.
    pub(crate) reached: Reached,
    /// The later transaction with which it was sent as one.
    pub(crate) merged: Option<Lsn>,
    /// Microseconds since it was told.
    pub(crate) age: u64,
    /// Deliveries of its session that wait.
    pub(crate) waiting: usize,
    /// Microseconds since its client is gone, if it is.
    pub(crate) gone: Option<u64>,
}

impl Verdict {
    /// Of a session that was told.
    pub(crate) fn of_delivery(delivered: Delivered) -> Verdict {
        let reached = delivered.reached;
        match delivered.pushed {
            Pushed::Owed | Pushed::Emptied => return Verdict::Reset,
            Pushed::Appended | Pushed::Merged => {}
        }
        if let Some(into) = delivered.merged {
            return Verdict::Merged { into };
        }
        if let Some(after) = reached.confirmed() {
            return Verdict::Confirmed { after };
        }
        if let Some(ago) = delivered.gone {
            return Verdict::Offline { ago };
        }
        match reached.sent() {
            Some(sent) => Verdict::Sent {
                ago: delivered.age.saturating_sub(u64::from(sent)),
            },
            None => Verdict::Waiting {
                waiting: delivered.waiting,
            },
        }
    }

    /// A word for scripts; it does not change.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Verdict::Confirmed { .. } => "confirmed",
            Verdict::Sent { .. } => "sent",
            Verdict::Waiting { .. } => "waiting",
            Verdict::Merged { .. } => "merged",
            Verdict::Reset => "reset",
            Verdict::Offline { .. } => "offline",
            Verdict::NotSubscribed { .. } => "not-subscribed",
            Verdict::Filtered { .. } => "filtered",
            Verdict::Denied { .. } => "denied",
            Verdict::NothingVisible { .. } => "nothing-visible",
            Verdict::NotPublished { .. } => "not-published",
            Verdict::IdentityTooWeak { .. } => "identity-too-weak",
            Verdict::NotReached { .. } => "not-reached",
            Verdict::NotRecorded { .. } => "not-recorded",
            Verdict::Untouched | Verdict::Unchanged { .. } => "unchanged",
        }
    }

    /// The sentence.
    pub(crate) fn sentence(&self) -> String {
        match self {
            Verdict::Confirmed { after } => {
                format!(
                    "Delivered: its client had handled it {} later",
                    span(u64::from(*after))
                )
            }
            Verdict::Sent { ago } => format!(
                "Written to its socket {} ago; its client has not said yet that it has handled it",
                span(*ago)
            ),
            Verdict::Waiting { waiting } => format!(
                "It waits in the session's outbox, with {waiting} {} that its client takes slowly",
                plural(*waiting, "update", "updates")
            ),
            Verdict::Merged { into } => format!(
                "Its client was slow, so it was merged into the update of commit {into}, which says \
                 it all"
            ),
            Verdict::Reset => "The session is told to read everything that it watches anew, this \
                 too: its outbox was full, or commits may have been missed before"
                .to_owned(),
            Verdict::Offline { ago } => format!(
                "The session has been offline for {}; it is told when its client comes back",
                span(*ago)
            ),
            Verdict::NotSubscribed { later: Some(later) } => format!(
                "It was not subscribed at that commit: it began {} later, and what it read then \
                 holds the commit already",
                span(*later)
            ),
            Verdict::NotSubscribed { later: None } => {
                "It is not subscribed: nothing that it watches is of this table".to_owned()
            }
            Verdict::Filtered { watches, columns } => {
                let watched = watches.join("; ");
                match columns.is_empty() {
                    true => format!("It watches {watched}, and the row is none of that"),
                    false => format!(
                        "It watches {watched}, and the row had another {}",
                        columns.join(" and ")
                    ),
                }
            }
            Verdict::Denied { entity } => format!(
                "The policy of `{entity}` does not let its viewer see this row, neither before nor \
                 after the commit"
            ),
            Verdict::NothingVisible { columns } => match columns.is_empty() {
                true => "Nothing that its viewer sees of the row has changed".to_owned(),
                false => format!(
                    "Only {} changed, of which its viewer sees nothing",
                    columns.join(", ")
                ),
            },
            Verdict::NotPublished { name } => format!(
                "`{name}` is no table that the app exposes, so nothing of it is in the publication \
                 and no session hears of it"
            ),
            Verdict::IdentityTooWeak { entity } => format!(
                "It was told to be safe: without REPLICA IDENTITY FULL the log does not say what \
                 the row of `{entity}` was before, so it may have left what the session watches"
            ),
            Verdict::NotReached { because } => {
                format!("The commit has not reached the app: {because}")
            }
            Verdict::NotRecorded { limit } => format!("It is not recorded: {limit}"),
            Verdict::Untouched => "That commit did not change it".to_owned(),
            Verdict::Unchanged { since } => format!(
                "No commit has changed it since the debugger began {} ago",
                span(*since)
            ),
        }
    }
}

/// A time span as people say it.
pub(crate) fn span(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{} ms", micros / 1_000),
        1_000_000..120_000_000 => format!("{:.1} s", micros as f64 / 1e6),
        _ => format!("{} min", micros / 60_000_000),
    }
}

/// What so many of a thing are called.
pub(crate) fn plural<'a>(count: usize, one: &'a str, many: &'a str) -> &'a str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delivered(pushed: Pushed, reached: Reached) -> Delivered {
        Delivered {
            pushed,
            reached,
            merged: None,
            age: 5_000_000,
            waiting: 3,
            gone: None,
        }
    }

    fn said(delivered: Delivered) -> (&'static str, String) {
        let verdict = Verdict::of_delivery(delivered);
        (verdict.word(), verdict.sentence())
    }

    #[test]
    fn what_stands_in_the_way_of_a_delivery_is_said() {
        let (nowhere, sent, confirmed) = (
            Reached::after(None, None),
            Reached::after(Some(1_000_000), None),
            Reached::after(Some(100), Some(2_000)),
        );
        let appended = |reached| delivered(Pushed::Appended, reached);
        for (delivered, word, part) in [
            (
                appended(confirmed),
                "confirmed",
                "had handled it 2 ms later",
            ),
            (appended(sent), "sent", "Written to its socket 4.0 s ago"),
            (
                appended(nowhere),
                "waiting",
                "with 3 updates that its client takes slowly",
            ),
            (
                Delivered {
                    gone: Some(90_000_000),
                    ..appended(sent)
                },
                "offline",
                "offline for 90.0 s; it is told when its client comes back",
            ),
            (
                Delivered {
                    merged: Some(Lsn(0x1_0000_00FF)),
                    ..delivered(Pushed::Merged, confirmed)
                },
                "merged",
                "into the update of commit 1/FF",
            ),
            (delivered(Pushed::Merged, nowhere), "waiting", "waits"),
            (
                delivered(Pushed::Emptied, nowhere),
                "reset",
                "read everything",
            ),
            (delivered(Pushed::Owed, nowhere), "reset", "read everything"),
        ] {
            let (said, sentence) = said(delivered);
            assert_eq!(said, word, "{sentence}");
            assert!(sentence.contains(part), "{sentence}");
        }
    }

    #[test]
    fn spans_are_told_as_people_say_them() {
        let told = [999, 1_500, 1_500_000, 180_000_000].map(span);
        assert_eq!(told, ["999 µs", "1 ms", "1.5 s", "3 min"]);
    }
}
