//! `Trace`: a transaction and what has become of it, session by session. Pure; the picture keeps many.

use super::filter::Outcome;
use super::record::{Commit, Delivery, Moment};
use super::writers::Writer;
use crate::session::Pushed;

/// A transaction on its way to everybody who was told of it.
#[derive(Debug)]
pub(crate) struct Trace {
    /// Names it within a process, growing by one.
    pub(crate) number: u64,
    /// The transaction and whom it was told.
    pub(crate) commit: Box<Commit>,
    /// How far each delivery got.
    reached: Vec<Reached>,
    sent: u32,
    confirmed: u32,
    /// Deliveries that an outbox did not take as they were.
    changed: u32,
    /// Whether somebody wants it to be kept.
    pub(crate) pinned: bool,
    /// Who has written it, if it does not say so itself and Postgres can tell.
    pub(crate) writer: Option<Writer>,
}

/// How far one delivery got, in microseconds after it was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    sent: u32,
    confirmed: u32,
}

/// A delivery has not got there.
const NOT_YET: u32 = u32::MAX;

/// A confirmation that takes longer makes a trace worth keeping, in microseconds.
const SLOW: u32 = 250_000;

impl Reached {
    const NOWHERE: Reached = Reached {
        sent: NOT_YET,
        confirmed: NOT_YET,
    };

    /// A delivery that got so far, in microseconds after it was told.
    pub(crate) fn after(sent: Option<u32>, confirmed: Option<u32>) -> Reached {
        Reached {
            sent: sent.unwrap_or(NOT_YET),
            confirmed: confirmed.unwrap_or(NOT_YET),
        }
    }

    /// Microseconds until it was written to a socket; nothing if it was not yet.
    pub(crate) fn sent(self) -> Option<u32> {
        (self.sent != NOT_YET).then_some(self.sent)
    }

    /// Microseconds until its client had handled it; nothing if it has not yet.
    pub(crate) fn confirmed(self) -> Option<u32> {
        (self.confirmed != NOT_YET).then_some(self.confirmed)
    }
}

/// How many got how far, from the rows that changed to clients that have handled them. Sessions are
/// counted once for each transaction, except where an update was none of their viewer's business.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Funnel {
    /// Rows that changed.
    pub(crate) changed: usize,
    /// Tables that count as changed as a whole.
    pub(crate) whole: usize,
    /// Subscriptions that were looked at.
    pub(crate) candidates: usize,
    /// Times that a session was not told because its viewer sees no difference.
    pub(crate) denied: usize,
    /// Sessions that were told, and are followed.
    pub(crate) told: usize,
    /// Sessions that were told as usual, and are not followed.
    pub(crate) others: usize,
    /// Of these, those whose outbox merged it with others or was owed a reset instead.
    pub(crate) changed_in_outbox: usize,
    /// Of these, those to whose socket it was written.
    pub(crate) sent: usize,
    /// Of these, those whose client has handled it.
    pub(crate) confirmed: usize,
}

impl Trace {
    /// Of a transaction that was published just now.
    pub(crate) fn new(number: u64, commit: Box<Commit>) -> Trace {
        let changed = commit.deliveries.iter();
        let changed = changed.filter(|it| it.pushed != Pushed::Appended).count();
        Trace {
            number,
            reached: vec![Reached::NOWHERE; commit.deliveries.len()],
            sent: 0,
            confirmed: 0,
            changed: changed as u32,
            pinned: false,
            writer: None,
            commit,
        }
    }

    /// Of a transaction that was published earlier, of which it is known how far each delivery got.
    pub(crate) fn recorded(number: u64, commit: Box<Commit>, reached: Vec<Reached>) -> Trace {
        let count = |got: fn(Reached) -> Option<u32>| {
            reached.iter().filter(|it| got(**it).is_some()).count() as u32
        };
        Trace {
            sent: count(Reached::sent),
            confirmed: count(Reached::confirmed),
            reached,
            ..Trace::new(number, commit)
        }
    }

    /// A delivery was written to its socket. How long that took, in microseconds; nothing if it is
    /// known already.
    pub(crate) fn sent(&mut self, delivery: u32, at: Moment) -> Option<u32> {
        let after = self.after(at);
        let reached = self.reached.get_mut(delivery as usize)?;
        if reached.sent != NOT_YET {
            return None;
        }
        reached.sent = after;
        self.sent += 1;
        Some(after)
    }

    /// The client of a delivery has handled it. How long that took from the sending on, in
    /// microseconds; nothing if it is known already.
    pub(crate) fn confirmed(&mut self, delivery: u32, at: Moment) -> Option<u32> {
        let after = self.after(at);
        let reached = self.reached.get_mut(delivery as usize)?;
        if reached.confirmed != NOT_YET {
            return None;
        }
        reached.confirmed = after;
        self.confirmed += 1;
        Some(after.saturating_sub(reached.sent().unwrap_or(after)))
    }

    fn after(&self, at: Moment) -> u32 {
        let after = at.since(self.commit.times.told);
        u32::try_from(after).unwrap_or(NOT_YET).min(NOT_YET - 1)
    }

    /// The deliveries, and how far each got.
    pub(crate) fn deliveries(&self) -> impl Iterator<Item = (&Delivery, Reached)> {
        let reached = self.reached.iter().copied();
        self.commit.deliveries.iter().zip(reached)
    }

    /// How many got how far.
    pub(crate) fn funnel(&self) -> Funnel {
        Funnel {
            changed: self.commit.transaction.changes.len(),
            whole: self.commit.transaction.whole.len(),
            candidates: self.commit.candidates as usize,
            denied: self.commit.denied as usize,
            told: self.reached.len(),
            others: self.commit.others as usize,
            changed_in_outbox: self.changed as usize,
            sent: self.sent as usize,
            confirmed: self.confirmed as usize,
        }
    }

    /// The longest time until a client had handled it, in microseconds; nothing if none has.
    pub(crate) fn slowest(&self) -> Option<u32> {
        let reached = self.reached.iter();
        reached.filter_map(|reached| reached.confirmed()).max()
    }

    /// Whether this became of it for some session.
    pub(crate) fn has(&self, outcome: Outcome) -> bool {
        let pushed = |is: fn(Pushed) -> bool| {
            let mut deliveries = self.commit.deliveries.iter();
            deliveries.any(|delivery| is(delivery.pushed))
        };
        let told = self.reached.len();
        match outcome {
            Outcome::Denied => self.commit.denied > 0,
            Outcome::Merged => pushed(|pushed| pushed == Pushed::Merged),
            Outcome::Reset => pushed(|pushed| matches!(pushed, Pushed::Owed | Pushed::Emptied)),
            Outcome::Slow => self.slowest().is_some_and(|slowest| slowest > SLOW),
            Outcome::Waiting => self.deliveries().any(|(delivery, reached)| {
                let in_outbox = matches!(delivery.pushed, Pushed::Appended | Pushed::Merged);
                in_outbox && reached.confirmed().is_none()
            }),
            Outcome::Confirmed => told > 0 && self.confirmed as usize == told,
            Outcome::Nobody => told == 0 && self.commit.others == 0,
        }
    }

    /// Whether something about it is out of the ordinary: not everybody has handled it, and at once,
    /// and as it was.
    pub(crate) fn is_notable(&self) -> bool {
        self.pinned
            || self.commit.denied > 0
            || self.changed > 0
            || (self.confirmed as usize) < self.reached.len()
            || self.slowest().is_some_and(|slowest| slowest > SLOW)
    }

    /// Bytes that it keeps alive, here and in the books of its sessions.
    pub(crate) fn weight(&self) -> usize {
        let of_delivery = size_of::<Reached>() + size_of::<super::course::Pending>();
        size_of::<Trace>() + self.commit.weight() + self.reached.len() * of_delivery
    }
}
