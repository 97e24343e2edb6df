//! What waits for one session: updates in commit order, and those sent but not yet confirmed.
//!
//! Pure: the session holds one behind its mutex; publishing pushes, the socket's task takes. An
//! update gets its message id when it is pushed; ids only grow. Sent entries stay until the client
//! confirms them or a newer one, so that a socket that broke loses nothing; a confirmation is a
//! hint and nobody waits for it.
//!
//! Bounded, whatever the client does: beyond [`limits::OUTBOX_MERGE_FROM`] waiting entries,
//! updates of one object merge; beyond [`limits::UNCONFIRMED_FRAMES`] the oldest sent entry is let
//! go; beyond [`limits::OUTBOX_ENTRIES`] or [`limits::OUTBOX_BYTES`] the outbox is emptied and
//! owes its session a reset: one update per object that the session watches when its socket is
//! next written. Until then it takes nothing more, since the reset will say it all.

use std::collections::BTreeMap;
use std::sync::Arc;

use blazelink_codes::limits;
use hashbrown::HashMap;

use super::update::{Update, UpdateKind};
use crate::object_id::ObjectId;

/// Bytes that an entry costs besides its update.
const ENTRY_WEIGHT: usize = 64;

/// One update for one session.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The message id, growing within a session.
    pub(crate) msg_id: u64,
    /// What happened to the object, merged over everything the entry stands for.
    pub(crate) kind: UpdateKind,
    /// The object and its columns.
    pub(crate) update: Arc<Update>,
}

/// What became of an update that was put into an outbox; of several, the worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Pushed {
    /// It waits behind those before it.
    Appended,
    /// So much waits that updates of one object are merged: it has taken the place of one before, if
    /// there was one.
    Merged,
    /// It was ignored: the session is owed a reset, which will say it all.
    Owed,
    /// The outbox was full and was emptied for it: the session is owed a reset.
    Emptied,
}

/// What became of updates that were put into a session's outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delivered {
    /// The message id of the first, which those of the others follow; of no meaning if the outbox
    /// did not take all of them.
    pub(crate) first: u64,
    /// What became of them, at worst.
    pub(crate) pushed: Pushed,
}

/// The waiting and the unconfirmed updates of one session.
#[derive(Debug, Default)]
pub(crate) struct Outbox {
    /// By message id: first the unconfirmed ones, then the waiting ones.
    entries: BTreeMap<u64, (UpdateKind, Arc<Update>)>,
    /// The last message id given.
    last: u64,
    /// The last message id that was taken.
    sent: u64,
    /// Entries up to `sent`.
    unconfirmed: usize,
    /// The last message id that was let go although unconfirmed; 0 if a confirmation made up for
    /// it.
    lost: u64,
    bytes: usize,
    /// What the last reset put in, exempt from the limits until it is taken.
    refilled: Refilled,
    reset_due: bool,
    /// While merging: the message id of each waiting object.
    waiting: Option<Box<HashMap<ObjectId, u64>>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Refilled {
    entries: usize,
    bytes: usize,
}

impl Outbox {
    /// Appends an update, which then has the message id after [`Outbox::last`]; or, while a reset is
    /// due, ignores it.
    pub(crate) fn push(&mut self, kind: UpdateKind, update: &Arc<Update>) -> Pushed {
        if self.reset_due {
            return Pushed::Owed;
        }
        let pushed = if self.waiting() < limits::OUTBOX_MERGE_FROM {
            self.waiting = None;
            self.append(kind, Arc::clone(update));
            Pushed::Appended
        } else {
            self.merge(kind, update);
            Pushed::Merged
        };
        match self.keep_bounds() {
            true => Pushed::Emptied,
            false => pushed,
        }
    }

    /// The last message id given.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// Takes waiting entries in order, until none is left or their updates weigh `bytes`; at least
    /// one if there is one. They count as sent.
    pub(crate) fn take(&mut self, bytes: usize, out: &mut Vec<Entry>) {
        let mut taken = 0;
        for (&msg_id, (kind, update)) in self.entries.range(self.sent + 1..) {
            if taken >= bytes {
                break;
            }
            taken += update.weight();
            self.sent = msg_id;
            self.unconfirmed += 1;
            if let Some(waiting) = &mut self.waiting {
                waiting.remove(&update.object);
            }
            out.push(Entry {
                msg_id,
                kind: *kind,
                update: Arc::clone(update),
            });
        }
        if self.waiting() < limits::OUTBOX_MERGE_FROM {
            self.waiting = None;
        }
        if self.waiting() == 0 {
            self.refilled = Refilled::default();
        }
        while self.unconfirmed > limits::UNCONFIRMED_FRAMES {
            self.let_go();
        }
    }

    /// The client says that it has handled a message, and so every message before it. An id that
    /// was never sent is ignored.
    pub(crate) fn confirm(&mut self, msg_id: u64) {
        if msg_id > self.sent {
            return;
        }
        while let Some(first) = self.entries.first_entry() {
            if *first.key() > msg_id {
                break;
            }
            let (_, update) = first.remove();
            self.bytes -= weight(&update);
            self.unconfirmed -= 1;
        }
        if self.lost <= msg_id {
            self.lost = 0;
        }
    }

    /// A new socket begins: what the last one may have lost waits again, under its old ids. If
    /// some of that was let go, a reset is due.
    pub(crate) fn rewind(&mut self) {
        if self.lost > 0 {
            self.reset();
            return;
        }
        self.unconfirmed = 0;
        self.sent = self
            .entries
            .first_key_value()
            .map_or(self.last, |(id, _)| id - 1);
        self.waiting = None;
    }

    /// Empties the outbox; a reset is due.
    pub(crate) fn reset(&mut self) {
        *self = Outbox {
            last: self.last,
            sent: self.last,
            reset_due: true,
            ..Outbox::default()
        };
    }

    /// Whether a reset was due. The caller now owes [`Outbox::refill`] what the session watches
    /// from here on; updates are accepted again.
    pub(crate) fn begin_reset(&mut self) -> bool {
        std::mem::take(&mut self.reset_due)
    }

    /// Appends the updates of a reset, beyond every limit: as many as the session has
    /// dependencies, and those are limited.
    pub(crate) fn refill(&mut self, objects: Vec<ObjectId>) {
        self.waiting = None;
        for object in objects {
            let update = Arc::new(Update::again(object));
            self.refilled.entries += 1;
            self.refilled.bytes += weight(&update);
            self.append(UpdateKind::Update, update);
        }
    }

    /// An id for a message that is sent now and not kept, such as an answer to a ping.
    pub(crate) fn passing_id(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// Number of entries that were taken, and are not confirmed.
    pub(crate) fn unconfirmed(&self) -> usize {
        self.unconfirmed
    }

    /// Number of entries that were not taken yet.
    pub(crate) fn waiting(&self) -> usize {
        self.entries.len() - self.unconfirmed
    }

    /// Bytes that the entries keep alive, sent and waiting.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Number of entries, sent and waiting.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// What [`Outbox::bytes`] must be.
    #[cfg(test)]
    pub(super) fn weigh(&self) -> usize {
        self.entries
            .values()
            .map(|(_, update)| weight(update))
            .sum()
    }

    fn append(&mut self, kind: UpdateKind, update: Arc<Update>) {
        self.last += 1;
        self.bytes += weight(&update);
        self.entries.insert(self.last, (kind, update));
    }

    /// Appends an update in the place of a waiting one of the same object.
    fn merge(&mut self, kind: UpdateKind, update: &Arc<Update>) {
        let mut waiting = self.waiting.take().unwrap_or_else(|| self.merge_all());
        let before = waiting.get(&update.object).and_then(|id| self.remove(*id));
        let (kind, update) = match before {
            Some(before) => merged(before, (kind, Arc::clone(update))),
            None => (kind, Arc::clone(update)),
        };
        self.append(kind, update.clone());
        waiting.insert(update.object.clone(), self.last);
        self.waiting = Some(waiting);
    }

    /// Merges everything that waits, leaving each object's entry where its last one was.
    fn merge_all(&mut self) -> Box<HashMap<ObjectId, u64>> {
        let mut waiting: Box<HashMap<ObjectId, u64>> = Box::default();
        let ids: Vec<u64> = self
            .entries
            .range(self.sent + 1..)
            .map(|(id, _)| *id)
            .collect();
        for id in ids {
            let Some(object) = self
                .entries
                .get(&id)
                .map(|(_, update)| update.object.clone())
            else {
                continue;
            };
            let Some(earlier) = waiting.insert(object, id) else {
                continue;
            };
            if let (Some(before), Some(after)) = (self.remove(earlier), self.remove(id)) {
                let (kind, update) = merged(before, after);
                self.bytes += weight(&update);
                self.entries.insert(id, (kind, update));
            }
        }
        waiting
    }

    fn remove(&mut self, id: u64) -> Option<(UpdateKind, Arc<Update>)> {
        let entry = self.entries.remove(&id)?;
        self.bytes -= weight(&entry.1);
        Some(entry)
    }

    /// Whether it had to be emptied.
    fn keep_bounds(&mut self) -> bool {
        let bytes = limits::OUTBOX_BYTES + self.refilled.bytes;
        while self.bytes > bytes && self.unconfirmed > 0 {
            self.let_go();
        }
        let entries = limits::OUTBOX_ENTRIES + self.refilled.entries;
        let full = self.bytes > bytes || self.waiting() > entries;
        if full {
            self.reset();
        }
        full
    }

    /// Forgets the oldest sent entry.
    fn let_go(&mut self) {
        if let Some((id, (_, update))) = self.entries.pop_first() {
            self.bytes -= weight(&update);
            self.unconfirmed -= 1;
            self.lost = id;
        }
    }
}

fn weight(update: &Update) -> usize {
    update.weight() + ENTRY_WEIGHT
}

/// Two updates of one object as one.
fn merged(
    before: (UpdateKind, Arc<Update>),
    after: (UpdateKind, Arc<Update>),
) -> (UpdateKind, Arc<Update>) {
    use UpdateKind::{Create, Delete, Update};
    let kind = match (before.0, after.0) {
        (_, Delete) => Delete,
        (Create, _) => Create,
        // Where it is only said to read the object again, a row may be there once more.
        (Delete | Update, Create | Update) => Update,
    };
    // "Read it again" adds nothing to what names columns, unless those are of a row that was gone.
    let update = match after.1.tells_row() || before.0 == Delete {
        true => after.1,
        false => before.1,
    };
    (kind, update)
}

#[cfg(test)]
mod tests;
