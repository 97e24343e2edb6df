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
    /// Appends an update. Ignored while a reset is due.
    pub(crate) fn push(&mut self, kind: UpdateKind, update: &Arc<Update>) {
        if self.reset_due {
            return;
        }
        if self.waiting() < limits::OUTBOX_MERGE_FROM {
            self.waiting = None;
            self.append(kind, Arc::clone(update));
        } else {
            self.merge(kind, update);
        }
        self.keep_bounds();
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

    fn keep_bounds(&mut self) {
        let bytes = limits::OUTBOX_BYTES + self.refilled.bytes;
        while self.bytes > bytes && self.unconfirmed > 0 {
            self.let_go();
        }
        let entries = limits::OUTBOX_ENTRIES + self.refilled.entries;
        if self.bytes > bytes || self.waiting() > entries {
            self.reset();
        }
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
mod tests {
    use super::*;
    use crate::object_id::{Key, TableId};
    use crate::session::open;

    fn object(key: i64) -> ObjectId {
        ObjectId::row(TableId(0), Key::from(key))
    }

    fn update(key: i64) -> Arc<Update> {
        Arc::new(Update::again(object(key)))
    }

    fn filled(entries: i64) -> Outbox {
        let mut outbox = Outbox::default();
        for key in 0..entries {
            outbox.push(UpdateKind::Update, &update(key));
        }
        outbox
    }

    fn take_all(outbox: &mut Outbox) -> Vec<Entry> {
        let mut out = Vec::new();
        outbox.take(usize::MAX, &mut out);
        out
    }

    fn ids(entries: &[Entry]) -> Vec<u64> {
        entries.iter().map(|entry| entry.msg_id).collect()
    }

    const FROM: i64 = limits::OUTBOX_MERGE_FROM as i64;

    #[test]
    fn updates_are_sent_one_by_one_while_few_wait() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            outbox.push(UpdateKind::Update, &update(1));
        }
        assert_eq!(ids(&take_all(&mut outbox)), [1, 2, 3]);
        assert_eq!(outbox.waiting(), 0);
    }

    #[test]
    fn updates_of_one_object_merge_at_the_end_once_many_wait() {
        use UpdateKind::{Create, Delete, Update};
        let cases = [
            (Create, Update, Create),
            (Create, Delete, Delete),
            (Update, Update, Update),
            (Update, Delete, Delete),
            (Delete, Create, Update),
            (Delete, Update, Update),
        ];
        for (first, second, expected) in cases {
            let mut outbox = Outbox::default();
            outbox.push(first, &update(-1));
            for key in 1..FROM {
                outbox.push(Update, &update(key));
            }
            outbox.push(second, &update(-1));
            assert_eq!(outbox.waiting(), FROM as usize);
            let entries = take_all(&mut outbox);
            let last = &entries[entries.len() - 1];
            assert_eq!((last.kind, &last.update.object), (expected, &object(-1)));
            assert!(ids(&entries).is_sorted());
        }
    }

    #[test]
    fn merging_takes_hold_of_what_waited_before_it_began() {
        let mut outbox = Outbox::default();
        for at in 0..FROM {
            outbox.push(UpdateKind::Update, &update(at % 10));
        }
        outbox.push(UpdateKind::Update, &update(0));
        let keys: Vec<ObjectId> = take_all(&mut outbox)
            .into_iter()
            .map(|entry| entry.update.object.clone())
            .collect();
        // The last ten before the merge were 4, .., 9, 0, .., 3.
        let expected = [4, 5, 6, 7, 8, 9, 1, 2, 3, 0];
        assert_eq!(keys, expected.map(object));
    }

    #[test]
    fn merging_that_has_ended_begins_anew() {
        let mut outbox = Outbox::default();
        for _ in 0..3 {
            for at in 0..FROM + 10 {
                outbox.push(UpdateKind::Update, &update(at % 10));
            }
            assert!(outbox.waiting() < 100);
        }
    }

    #[test]
    fn a_row_named_earlier_survives_a_request_to_read_again_and_the_end_of_one_does_not() {
        let table = crate::exposure::ExposedTable {
            id: TableId(0),
            schema: "public".into(),
            table: "t".into(),
            entity: "T".into(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        let named = Arc::new(Update::row(&table, &Key::from(1), open(None)));
        let again = || (UpdateKind::Update, update(1));
        for kind in [UpdateKind::Create, UpdateKind::Update] {
            let merged = merged((kind, Arc::clone(&named)), again());
            assert_eq!(merged, (kind, Arc::clone(&named)));
        }
        // Many rows at once may have brought it back, and who drops a deleted row asks no more.
        assert_eq!(merged((UpdateKind::Delete, named), again()), again());
    }

    #[test]
    fn a_confirmation_covers_what_was_sent_before_it_and_nothing_else() {
        let mut outbox = filled(5);
        let mut out = Vec::new();
        outbox.take(1, &mut out);
        outbox.take(1, &mut out);
        outbox.confirm(5);
        outbox.confirm(99);
        assert_eq!((outbox.unconfirmed, outbox.waiting()), (2, 3));
        outbox.confirm(2);
        assert_eq!((outbox.unconfirmed, outbox.waiting()), (0, 3));
    }

    #[test]
    fn a_new_socket_gets_the_unconfirmed_then_the_missed() {
        let mut outbox = filled(3);
        take_all(&mut outbox);
        outbox.confirm(1);
        outbox.push(UpdateKind::Update, &update(9));
        outbox.rewind();
        assert_eq!(ids(&take_all(&mut outbox)), [2, 3, 4]);
        outbox.confirm(4);
        outbox.rewind();
        assert!(take_all(&mut outbox).is_empty());
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_client_that_never_confirms_costs_bounded_memory_and_is_reset_when_it_returns() {
        let mut outbox = Outbox::default();
        for key in 0..100_000 {
            outbox.push(UpdateKind::Update, &update(key));
            take_all(&mut outbox);
        }
        assert_eq!(outbox.entries.len(), limits::UNCONFIRMED_FRAMES);
        assert!(!outbox.reset_due);
        outbox.rewind();
        assert!(outbox.reset_due);
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_late_confirmation_makes_up_for_what_was_let_go() {
        let mut outbox = filled(limits::UNCONFIRMED_FRAMES as i64 + 10);
        take_all(&mut outbox);
        outbox.confirm(9);
        outbox.rewind();
        assert!(outbox.reset_due, "message 10 was let go unconfirmed");

        let mut outbox = filled(limits::UNCONFIRMED_FRAMES as i64 + 10);
        take_all(&mut outbox);
        outbox.confirm(10);
        outbox.rewind();
        assert!(!outbox.reset_due);
    }

    #[test]
    fn a_client_that_never_reads_is_owed_a_reset() {
        let mut outbox = Outbox::default();
        let mut most = 0;
        for key in 0..100_000 {
            outbox.push(UpdateKind::Update, &update(key));
            most = most.max(outbox.bytes());
        }
        assert!(most <= limits::OUTBOX_BYTES);
        assert!(outbox.reset_due);
        assert_eq!((outbox.bytes(), outbox.waiting()), (0, 0));
        assert!(outbox.begin_reset());
        outbox.refill(vec![object(1), object(2)]);
        let entries = take_all(&mut outbox);
        assert_eq!(entries.len(), 2);
        assert!(
            entries[0].msg_id > limits::OUTBOX_ENTRIES as u64,
            "ids only grow"
        );
    }

    #[test]
    fn a_reset_larger_than_the_outbox_is_not_reset_again() {
        let mut outbox = Outbox::default();
        outbox.reset();
        assert!(outbox.begin_reset());
        let objects = limits::OUTBOX_ENTRIES as i64 * 3;
        outbox.refill((0..objects).map(object).collect());
        outbox.push(UpdateKind::Update, &update(-1));
        assert!(!outbox.reset_due);
        assert_eq!(take_all(&mut outbox).len(), objects as usize + 1);
        assert_eq!(outbox.refilled.entries, 0);
    }
}
