//! What is known of a transaction before it commits, within bounds.
//!
//! The decoder keeps one [`Pending`] for the transaction that is being told and one for each
//! that is streamed before its end. Per table it holds changes, or that anything may have
//! changed and which subtransactions say so: a rolled back one takes back what it said, and
//! nothing that another one said. Pure.

use std::sync::Arc;

use blazelink_codes::limits;
use hashbrown::{HashMap, HashSet};

use crate::change::{Cause, Change, Lsn, Transaction};
use crate::object_id::TableId;

/// How much of a transaction is kept.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// See [`limits::CHANGES_PER_TABLE`].
    pub changes_per_table: usize,
    /// See [`limits::TRANSACTION_BYTES`].
    pub transaction_bytes: usize,
    /// See [`limits::OPEN_BYTES`].
    pub open_bytes: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            changes_per_table: limits::CHANGES_PER_TABLE,
            transaction_bytes: limits::TRANSACTION_BYTES,
            open_bytes: limits::OPEN_BYTES,
        }
    }
}

/// An uncommitted transaction. A transaction's own id stands for the part of it that is outside
/// of any subtransaction; what is not streamed is committed, and is all told under that id.
#[derive(Debug)]
pub(super) struct Pending {
    /// The transaction.
    pub(super) xid: u32,
    changes: Vec<Change>,
    /// The subtransaction of each change.
    subxids: Vec<u32>,
    tables: HashMap<TableId, Part>,
    bytes: usize,
    /// What it says has made it, and the subtransaction in which it says so.
    cause: Option<(u32, Cause)>,
}

/// One table of a transaction.
#[derive(Debug, Default)]
struct Part {
    /// Changes kept.
    kept: usize,
    /// The subtransactions because of which the table is whole.
    whole_by: HashSet<u32>,
    /// Whether so many subtransactions made it whole that they are not listed any more; then it
    /// stays so.
    whole: bool,
    /// Whether changes were let go, so that none are kept from here on.
    lossy: bool,
}

impl Part {
    fn is_whole(&self) -> bool {
        self.whole || !self.whole_by.is_empty()
    }

    fn make_whole(&mut self, subxid: u32) {
        if self.whole_by.len() < limits::SUBTRANSACTIONS_PER_TABLE {
            self.whole_by.insert(subxid);
        } else if !self.whole_by.contains(&subxid) {
            self.whole = true;
        }
    }
}

impl Pending {
    pub(super) fn new(xid: u32) -> Pending {
        Pending {
            xid,
            changes: Vec::new(),
            subxids: Vec::new(),
            tables: HashMap::new(),
            bytes: 0,
            cause: None,
        }
    }

    /// What has made the transaction; the first such word counts.
    pub(super) fn caused_by(&mut self, cause: Cause, subxid: u32) {
        self.cause.get_or_insert((subxid, cause));
    }

    /// Bytes that the kept changes take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether changes of this table need no reading any more. Says for this subtransaction that
    /// the table changed, if so.
    pub(super) fn skips(&mut self, table: TableId, subxid: u32) -> bool {
        match self.tables.get_mut(&table) {
            Some(part) if part.lossy => {
                part.make_whole(subxid);
                true
            }
            _ => false,
        }
    }

    /// Anything in this table may have changed.
    pub(super) fn make_whole(&mut self, table: TableId, subxid: u32) {
        self.tables.entry(table).or_default().make_whole(subxid);
    }

    /// Keeps one change. `room` is what other transactions leave of [`Limits::open_bytes`].
    pub(super) fn push(&mut self, change: Change, subxid: u32, limits: &Limits, room: usize) {
        let table = change.table;
        let part = self.tables.entry(table).or_default();
        part.kept += 1;
        let overflows = part.kept > limits.changes_per_table;
        self.bytes += change.weight();
        self.changes.push(change);
        self.subxids.push(subxid);
        if overflows {
            self.let_go(Some(table));
        } else if self.bytes > limits.transaction_bytes.min(room) {
            self.let_go(None);
        }
    }

    /// Lets go of the kept changes of one table, or of all: these tables are whole.
    fn let_go(&mut self, table: Option<TableId>) {
        let mut kept = Vec::new();
        let mut subxids = Vec::new();
        self.bytes = 0;
        for (change, subxid) in self.changes.drain(..).zip(self.subxids.drain(..)) {
            if table.is_some_and(|table| table != change.table) {
                self.bytes += change.weight();
                kept.push(change);
                subxids.push(subxid);
                continue;
            }
            let part = self.tables.entry(change.table).or_default();
            part.make_whole(subxid);
            part.lossy = true;
            part.kept = 0;
        }
        self.changes = kept;
        self.subxids = subxids;
    }

    /// A subtransaction was rolled back: what it changed did not happen.
    pub(super) fn roll_back(&mut self, subxid: u32) {
        // What follows the savepoint was rolled back with it, so that only the end is looked at.
        let mut from = self.subxids.len();
        let mut left = self.subxids.iter().filter(|&&by| by == subxid).count();
        while left > 0 {
            from -= 1;
            left -= usize::from(self.subxids[from] == subxid);
        }
        self.cause.take_if(|(by, _)| *by == subxid);
        let changes = self.changes.split_off(from);
        let subxids = self.subxids.split_off(from);
        for (change, by) in changes.into_iter().zip(subxids) {
            if by == subxid {
                self.bytes -= change.weight();
                if let Some(part) = self.tables.get_mut(&change.table) {
                    part.kept -= 1;
                }
            } else {
                self.changes.push(change);
                self.subxids.push(by);
            }
        }
        for part in self.tables.values_mut() {
            part.whole_by.remove(&subxid);
            part.lossy &= part.is_whole();
        }
    }

    /// The transaction, committed.
    pub(super) fn commit(
        self,
        commit_lsn: Lsn,
        end_lsn: Lsn,
        committed_at: std::time::SystemTime,
        read_at: std::time::Instant,
    ) -> Transaction {
        let mut whole: Vec<TableId> = self
            .tables
            .iter()
            .filter_map(|(&table, part)| part.is_whole().then_some(table))
            .collect();
        whole.sort_unstable();
        let mut changes = self.changes;
        if !whole.is_empty() {
            changes.retain(|change| whole.binary_search(&change.table).is_err());
        }
        Transaction {
            xid: self.xid,
            commit_lsn,
            end_lsn,
            committed_at,
            read_at,
            cause: self.cause.map(|(_, cause)| Arc::new(cause)),
            changes,
            whole,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{ChangeKind, Old, Row};
    use crate::object_id::Key;

    const USERS: TableId = TableId(0);
    const GAMES: TableId = TableId(1);

    fn limits(changes_per_table: usize, transaction_bytes: usize) -> Limits {
        Limits {
            changes_per_table,
            transaction_bytes,
            open_bytes: usize::MAX,
        }
    }

    fn change(table: TableId, key: i64) -> Change {
        Change {
            table,
            kind: ChangeKind::Insert,
            key: Key::from(key),
            moved: None,
            old: Old::None,
            new: Some(Row::from_texts(&[Some("text")])),
        }
    }

    /// Pushes (table, key, subtransaction) as the decoder does.
    fn push(pending: &mut Pending, limits: &Limits, table: TableId, key: i64, subxid: u32) {
        if !pending.skips(table, subxid) {
            pending.push(change(table, key), subxid, limits, usize::MAX);
        }
    }

    fn commit(pending: Pending) -> (Vec<(u32, Key)>, Vec<TableId>) {
        let transaction = pending.commit(
            Lsn(1),
            Lsn(2),
            std::time::UNIX_EPOCH,
            std::time::Instant::now(),
        );
        let changes = transaction.changes.into_iter();
        (
            changes.map(|change| (change.table.0, change.key)).collect(),
            transaction.whole,
        )
    }

    #[test]
    fn table_over_its_limit_is_whole_and_the_others_are_not() {
        let limits = limits(3, usize::MAX);
        let mut pending = Pending::new(7);
        push(&mut pending, &limits, GAMES, 100, 7);
        for key in 0..10 {
            push(&mut pending, &limits, USERS, key, 7);
        }
        assert_eq!(pending.bytes(), change(GAMES, 100).weight());
        assert_eq!(commit(pending), (vec![(1, Key::from(100))], vec![USERS]));
    }

    #[test]
    fn transaction_over_its_bytes_makes_every_table_so_far_whole() {
        let limits = limits(100, change(USERS, 1).weight() * 2);
        let mut pending = Pending::new(7);
        push(&mut pending, &limits, USERS, 1, 7);
        push(&mut pending, &limits, GAMES, 2, 7);
        push(&mut pending, &limits, GAMES, 3, 7);
        assert_eq!(pending.bytes(), 0);
        assert_eq!(commit(pending), (vec![], vec![USERS, GAMES]));
    }

    #[test]
    fn rolled_back_subtransaction_takes_back_only_its_own_changes() {
        let limits = limits(100, usize::MAX);
        let mut pending = Pending::new(7);
        push(&mut pending, &limits, USERS, 1, 7);
        push(&mut pending, &limits, USERS, 2, 8);
        push(&mut pending, &limits, USERS, 3, 9);
        push(&mut pending, &limits, USERS, 4, 8);
        pending.roll_back(8);
        push(&mut pending, &limits, USERS, 5, 7);
        assert_eq!(pending.bytes(), 3 * change(USERS, 1).weight());
        let keys = [1, 3, 5].map(|key| (0, Key::from(key))).to_vec();
        assert_eq!(commit(pending), (keys, vec![]));
    }

    #[test]
    fn rolled_back_subtransaction_does_not_unmake_what_others_made_whole() {
        let limits = limits(2, usize::MAX);
        let mut pending = Pending::new(7);
        push(&mut pending, &limits, USERS, 1, 7);
        for key in 2..9 {
            push(&mut pending, &limits, USERS, key, 8);
        }
        pending.make_whole(GAMES, 8);
        pending.roll_back(8);
        assert_eq!(commit(pending), (vec![], vec![USERS]));
    }

    #[test]
    fn table_that_only_rolled_back_work_made_whole_is_kept_again() {
        let limits = limits(2, usize::MAX);
        let mut pending = Pending::new(7);
        for key in 2..9 {
            push(&mut pending, &limits, USERS, key, 8);
        }
        pending.roll_back(8);
        push(&mut pending, &limits, USERS, 1, 7);
        assert_eq!(commit(pending), (vec![(0, Key::from(1))], vec![]));
    }

    #[test]
    fn table_made_whole_by_too_many_subtransactions_stays_whole() {
        let mut pending = Pending::new(7);
        let many = limits::SUBTRANSACTIONS_PER_TABLE as u32 + 1;
        for subxid in 0..many {
            pending.make_whole(USERS, 100 + subxid);
        }
        for subxid in 0..many {
            pending.roll_back(100 + subxid);
        }
        assert_eq!(commit(pending), (vec![], vec![USERS]));
    }
}
