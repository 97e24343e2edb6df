//! `Course`: how far one session got with what it was told. Pure; the picture keeps one per session.

use std::collections::VecDeque;

use blazelink_codes::limits;

use super::record::{Moment, What};

/// Deliveries of traces that are gone are looked for when so many more are pending: to look each time
/// costs more than to keep a few of them.
const FORGET_EVERY: usize = 16;

/// A delivery that a session's client has not handled yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The message id of its last update.
    pub(crate) last: u64,
    /// The trace.
    pub(crate) trace: u64,
    /// Which of its deliveries.
    pub(crate) delivery: u32,
}

/// How far a delivery got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Milestone {
    /// It was written to a socket.
    Sent,
    /// Its client has handled it.
    Confirmed,
}

/// When a delivery got further than the recorder knew of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Early {
    /// When it was written to a socket.
    pub(crate) sent: Option<Moment>,
    /// When its client had handled it.
    pub(crate) confirmed: Option<Moment>,
}

/// What is known of one session.
#[derive(Debug, Default)]
pub(crate) struct Course {
    /// Deliveries in the order of their message ids: first those that were sent.
    pending: VecDeque<Pending>,
    /// Number of those that were sent.
    sent: usize,
    /// The message id up to which everything was written to its present socket.
    sent_up_to: u64,
    /// Whether its client has a socket, as far as that was seen; and since when that is so.
    pub(crate) attached: Option<bool>,
    /// When that has changed, or when the session was seen first.
    pub(crate) since: Moment,
    /// Its reads, and when each began to watch something else than before; the newest last.
    watched: VecDeque<(u64, Moment)>,
    /// The message id up to which its client has handled what it was told.
    pub(crate) confirmed_up_to: u64,
    /// When it last did.
    pub(crate) confirmed_at: Option<Moment>,
    /// When something was written to its socket.
    pub(crate) sent_at: Option<Moment>,
    /// Updates that were written to its socket.
    pub(crate) updates: u64,
    /// Bytes of their frames.
    pub(crate) bytes: u64,
    /// Times that it was owed a reset.
    pub(crate) resets: u64,
}

impl Course {
    /// Of a session that is seen for the first time.
    pub(crate) fn begin(at: Moment) -> Course {
        Course {
            since: at,
            ..Course::default()
        }
    }

    /// It was told something. Deliveries of traces that `kept` does not know are forgotten.
    ///
    /// Sockets do not wait until the recorder has heard of the transaction: when a delivery was written
    /// or handled by then, that is returned.
    pub(crate) fn told(&mut self, pending: Pending, kept: impl Fn(u64) -> bool) -> Early {
        if self.pending.len().is_multiple_of(FORGET_EVERY) {
            while self.pending.front().is_some_and(|it| !kept(it.trace)) {
                self.pending.pop_front();
                self.sent = self.sent.saturating_sub(1);
            }
        }
        let (sent, confirmed) = (
            pending.last <= self.sent_up_to,
            pending.last <= self.confirmed_up_to,
        );
        if !confirmed {
            self.sent += usize::from(sent);
            self.pending.push_back(pending);
        }
        Early {
            sent: self.sent_at.filter(|_| sent || confirmed),
            confirmed: self.confirmed_at.filter(|_| confirmed),
        }
    }

    /// It went on. The deliveries that were written to its socket with this step, and those that its
    /// client has handled with it, are handed to `reached`.
    pub(crate) fn step(
        &mut self,
        at: Moment,
        what: What,
        reached: &mut dyn FnMut(Pending, Milestone),
    ) {
        match what {
            What::Attached => {
                self.attached = Some(true);
                self.since = at;
                // What the last socket may have lost is written again.
                self.sent = 0;
                self.sent_up_to = self.confirmed_up_to;
            }
            What::Detached => {
                self.attached = Some(false);
                self.since = at;
            }
            What::Sent {
                up_to,
                updates,
                bytes,
            } => {
                self.sent_at = Some(at);
                self.sent_up_to = self.sent_up_to.max(up_to);
                self.updates += u64::from(updates);
                self.bytes += u64::from(bytes);
                while let Some(pending) = self.pending.get(self.sent).filter(|it| it.last <= up_to)
                {
                    reached(*pending, Milestone::Sent);
                    self.sent += 1;
                }
            }
            What::Confirmed { up_to } => {
                self.confirmed_at = Some(at);
                self.confirmed_up_to = self.confirmed_up_to.max(up_to);
                while let Some(pending) = self.pending.front().filter(|it| it.last <= up_to) {
                    reached(*pending, Milestone::Confirmed);
                    self.pending.pop_front();
                    self.sent = self.sent.saturating_sub(1);
                }
            }
            What::Reset => self.resets += 1,
            What::Watched { read } => {
                self.watched.retain(|(other, _)| *other != read);
                if self.watched.len() == limits::DEBUGGER_READS {
                    self.watched.pop_front();
                }
                self.watched.push_back((read, at));
            }
            What::Ended => self.attached = Some(false),
        }
    }

    /// When a read began to watch something else than before, if that was seen.
    pub(crate) fn watched(&self, read: u64) -> Option<Moment> {
        let found = self.watched.iter().find(|(other, _)| *other == read);
        found.map(|(_, at)| *at)
    }

    /// Number of deliveries that wait to be written.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        self.pending.len() - self.sent
    }

    /// Number of deliveries that were written, and that its client has not handled yet.
    #[cfg(test)]
    pub(crate) fn unconfirmed(&self) -> usize {
        self.sent
    }
}
