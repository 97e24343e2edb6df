//! Between the reader, which never stops, and the signaler, which may have to wait.
//!
//! One end pushes, the other takes everything that waits at once. Bounded: beyond
//! [`limits::WAITING_CHANGES`] or [`limits::WAITING_BYTES`] the waiting transactions become one
//! whose tables are whole. The lock is held for a few lines, never across an await.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::limits;
use tokio::sync::Notify;

use crate::change::{Change, Lsn, Transaction};
use crate::error::Error;

/// Why every session has to start over: the log no longer tells what it may have missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reset {
    /// The slot is new: what was committed before it is not told.
    NewSlot,
    /// The durable slot was unusable and was made anew.
    SlotLost {
        /// Postgres' word for the cause, such as `wal_removed`.
        reason: String,
    },
    /// Something else has moved the durable slot on, or has made it anew: another process read from
    /// it, or its making went on after our connection broke.
    SlotMoved,
    /// The server is another one, or has another history: a failover or a restored backup.
    ServerChanged,
    /// The server left out changes because the publication did not exist when they were made.
    PublicationSkipped,
}

impl fmt::Display for Reset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reset::NewSlot => f.write_str("the slot is new"),
            Reset::SlotLost { reason } => write!(f, "the slot was lost ({reason})"),
            Reset::SlotMoved => f.write_str("something else has moved the slot on"),
            Reset::ServerChanged => f.write_str("the server has another history"),
            Reset::PublicationSkipped => f.write_str("the publication was missing for a while"),
        }
    }
}

/// What happened to the replication connection.
#[derive(Debug)]
pub enum Status {
    /// It streams from this slot.
    Connected {
        /// The slot's name.
        slot: String,
    },
    /// Its slot is being made, which waits for transactions that are open: those of these server
    /// processes, as `pg_stat_activity` names them.
    Waiting {
        /// The processes' ids.
        processes: Vec<i32>,
    },
    /// It failed and will be tried again; the error says what to mend, if that is needed.
    Disconnected(Error),
}

/// Everything that waited.
#[derive(Debug, Default)]
pub struct Batch {
    /// Tell every session to start over, before any of [`Batch::transactions`].
    pub reset: Option<Reset>,
    /// In commit order.
    pub transactions: Vec<Transaction>,
    /// All transactions that must be visible before anything of this batch is handed on. More
    /// than those of [`Batch::transactions`], where these were merged.
    pub xids: Vec<u32>,
    /// Once the batch is handed on, everything before this position is.
    pub progress: Lsn,
    /// Since the last batch, oldest first.
    pub statuses: Vec<Status>,
}

/// A new queue's two ends.
pub fn queue() -> (QueueWriter, Queue) {
    queue_with(limits::WAITING_CHANGES, limits::WAITING_BYTES)
}

fn queue_with(most_changes: usize, most_bytes: usize) -> (QueueWriter, Queue) {
    let shared = Arc::new(Shared {
        waiting: Mutex::default(),
        arrived: Notify::new(),
        confirmed: AtomicU64::new(0),
        most_changes,
        most_bytes,
    });
    (
        QueueWriter {
            shared: shared.clone(),
        },
        Queue { shared },
    )
}

#[derive(Debug)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Something waits.
    arrived: Notify,
    /// The position that the signaler has confirmed.
    confirmed: AtomicU64,
    most_changes: usize,
    most_bytes: usize,
}

impl Shared {
    /// Every change of the state is complete before anything in it can panic, so that a poisoned
    /// lock protects nothing.
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Waiting {
    reset: Option<Reset>,
    transactions: Vec<Transaction>,
    xids: Vec<u32>,
    statuses: VecDeque<Status>,
    progress: Lsn,
    taken: Lsn,
    changes: usize,
    bytes: usize,
}

impl Waiting {
    fn is_empty(&self) -> bool {
        self.reset.is_none()
            && self.transactions.is_empty()
            && self.statuses.is_empty()
            && self.progress == self.taken
    }

    fn take(&mut self) -> Batch {
        self.changes = 0;
        self.bytes = 0;
        self.taken = self.progress;
        Batch {
            reset: self.reset.take(),
            transactions: std::mem::take(&mut self.transactions),
            xids: std::mem::take(&mut self.xids),
            progress: self.progress,
            statuses: std::mem::take(&mut self.statuses).into(),
        }
    }

    /// Makes one of all waiting transactions, with all of their tables whole.
    fn merge(&mut self) {
        let mut whole: Vec<_> = self
            .transactions
            .iter()
            .flat_map(|transaction| {
                let changed = transaction.changes.iter().map(|change| change.table);
                changed.chain(transaction.whole.iter().copied())
            })
            .collect();
        whole.sort_unstable();
        whole.dedup();
        self.changes = 1;
        self.bytes = 0;
        if let Some(mut last) = self.transactions.pop() {
            last.changes = Vec::new();
            last.whole = whole;
            self.transactions.clear();
            self.transactions.push(last);
        }
    }
}

/// The reader's end.
#[derive(Debug)]
pub struct QueueWriter {
    shared: Arc<Shared>,
}

impl QueueWriter {
    /// Adds a transaction; its end becomes the progress.
    pub(super) fn push(&self, transaction: Transaction) {
        let mut waiting = self.shared.waiting();
        waiting.progress = waiting.progress.max(transaction.end_lsn);
        waiting.changes += 1 + transaction.changes.len();
        waiting.bytes += transaction
            .changes
            .iter()
            .map(Change::weight)
            .sum::<usize>();
        if waiting.xids.len() >= limits::WAITING_XIDS {
            waiting.xids.drain(..limits::WAITING_XIDS / 2);
        }
        waiting.xids.push(transaction.xid);
        waiting.transactions.push(transaction);
        let over =
            waiting.changes > self.shared.most_changes || waiting.bytes > self.shared.most_bytes;
        if over && waiting.transactions.len() > 1 {
            tracing::warn!("the reader is far ahead; waiting transactions become whole tables");
            waiting.merge();
        }
        drop(waiting);
        self.shared.arrived.notify_one();
    }

    /// Nothing of interest lies before this position that was not pushed.
    pub(super) fn progress(&self, position: Lsn) {
        let mut waiting = self.shared.waiting();
        if position > waiting.progress {
            waiting.progress = position;
            drop(waiting);
            self.shared.arrived.notify_one();
        }
    }

    /// Drops what waits and has everyone start over. Positions of a changed server do not compare
    /// with those before, nor do its transactions; a later reset does not take that back.
    pub(super) fn reset(&self, reset: Reset) {
        let mut waiting = self.shared.waiting();
        waiting.transactions = Vec::new();
        waiting.changes = 0;
        waiting.bytes = 0;
        if reset == Reset::ServerChanged {
            waiting.xids = Vec::new();
            waiting.progress = Lsn(0);
            waiting.taken = Lsn(0);
            self.shared.confirmed.store(0, Ordering::Release);
        }
        if waiting.reset != Some(Reset::ServerChanged) {
            waiting.reset = Some(reset);
        }
        drop(waiting);
        self.shared.arrived.notify_one();
    }

    /// Tells the signaler how the connection fares.
    pub(super) fn status(&self, status: Status) {
        let mut waiting = self.shared.waiting();
        if waiting.statuses.len() >= limits::WAITING_STATUSES {
            waiting.statuses.pop_front();
        }
        waiting.statuses.push_back(status);
        drop(waiting);
        self.shared.arrived.notify_one();
    }

    /// The position that the signaler has confirmed.
    pub(super) fn confirmed(&self) -> Lsn {
        Lsn(self.shared.confirmed.load(Ordering::Acquire))
    }
}

/// The signaler's end.
#[derive(Debug)]
pub struct Queue {
    shared: Arc<Shared>,
}

impl Queue {
    /// Everything that waits; waits for something. Cancel-safe.
    pub async fn next_batch(&self) -> Batch {
        loop {
            {
                let mut waiting = self.shared.waiting();
                if !waiting.is_empty() {
                    return waiting.take();
                }
            }
            self.shared.arrived.notified().await;
        }
    }

    /// Waits until a reset is in the queue, without taking it: what is being waited for on behalf
    /// of the batch before may never come. Gives `told` the statuses that arrive meanwhile, for
    /// they are news at once. Cancel-safe.
    pub async fn until_reset(&self, mut told: impl FnMut(Vec<Status>)) {
        loop {
            let (statuses, reset) = {
                let mut waiting = self.shared.waiting();
                let statuses = std::mem::take(&mut waiting.statuses);
                (statuses, waiting.reset.is_some())
            };
            if !statuses.is_empty() {
                told(statuses.into());
            }
            if reset {
                break;
            }
            self.shared.arrived.notified().await;
        }
        // What was heard here is still to be taken.
        self.shared.arrived.notify_one();
    }

    /// Gives back the transactions that a batch was still waiting for when a reset arrived: the
    /// reset replaces what they changed, so it must not be told before they are visible either.
    /// Without effect if the reset is one of a changed server, which never knew them.
    pub fn put_back(&self, mut xids: Vec<u32>) {
        let mut waiting = self.shared.waiting();
        if waiting.reset == Some(Reset::ServerChanged) {
            return;
        }
        xids.append(&mut waiting.xids);
        if xids.len() > limits::WAITING_XIDS {
            xids.drain(..limits::WAITING_XIDS / 2);
        }
        waiting.xids = xids;
    }

    /// Everything before this position was handed on: the server may forget it. Without effect
    /// while a reset waits that makes positions incomparable.
    pub fn confirm(&self, position: Lsn) {
        let waiting = self.shared.waiting();
        if waiting.reset == Some(Reset::ServerChanged) {
            return;
        }
        self.shared
            .confirmed
            .fetch_max(position.0, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::change::{ChangeKind, Old};
    use crate::object_id::{Key, TableId};

    fn transaction(xid: u32, tables: &[u32]) -> Transaction {
        let change = |&table: &u32| Change {
            table: TableId(table),
            kind: ChangeKind::Delete,
            key: Key::from(1),
            moved: None,
            old: Old::None,
            new: None,
        };
        Transaction {
            xid,
            commit_lsn: Lsn(u64::from(xid) * 10),
            end_lsn: Lsn(u64::from(xid) * 10 + 5),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: std::time::Instant::now(),
            cause: None,
            changes: tables.iter().map(change).collect(),
            whole: Vec::new(),
        }
    }

    #[tokio::test]
    async fn waiting_transactions_come_in_order_and_with_their_progress() {
        let (writer, queue) = queue();
        writer.push(transaction(1, &[0]));
        writer.push(transaction(2, &[0]));
        writer.progress(Lsn(40));
        let batch = queue.next_batch().await;
        assert_eq!(batch.xids, [1, 2]);
        assert_eq!(batch.progress, Lsn(40));
        assert_eq!(batch.transactions.len(), 2);
    }

    #[tokio::test]
    async fn queue_over_its_limit_becomes_one_transaction_of_whole_tables() {
        let (writer, queue) = queue_with(8, usize::MAX);
        for xid in 1..=4 {
            writer.push(transaction(xid, &[xid % 2, 7]));
        }
        let batch = queue.next_batch().await;
        let [merged, last] = &batch.transactions[..] else {
            panic!("{} transactions wait", batch.transactions.len());
        };
        assert!(merged.changes.is_empty());
        assert_eq!(merged.whole, [TableId(0), TableId(1), TableId(7)]);
        assert_eq!(merged.end_lsn, Lsn(35));
        assert_eq!(last.changes.len(), 2);
        assert_eq!(batch.xids, [1, 2, 3, 4]);
    }

    #[tokio::test]
    async fn queue_over_its_bytes_is_merged_too() {
        let one = transaction(1, &[0]).changes[0].weight();
        let (writer, queue) = queue_with(usize::MAX, one);
        writer.push(transaction(1, &[0]));
        writer.push(transaction(2, &[1]));
        let batch = queue.next_batch().await;
        assert_eq!(batch.transactions.len(), 1);
        assert_eq!(batch.transactions[0].whole, [TableId(0), TableId(1)]);
    }

    #[tokio::test]
    async fn reset_drops_what_waited_before_it_and_keeps_what_comes_after() {
        let (writer, queue) = queue();
        writer.push(transaction(1, &[0]));
        writer.reset(Reset::NewSlot);
        writer.push(transaction(2, &[0]));
        queue.until_reset(|_| {}).await;
        let batch = queue.next_batch().await;
        assert_eq!(batch.reset, Some(Reset::NewSlot));
        assert_eq!(batch.transactions.len(), 1);
        assert_eq!(batch.xids, [1, 2]);
    }

    #[tokio::test]
    async fn reset_waits_for_what_the_batch_before_it_waited_for() {
        let (writer, queue) = queue();
        writer.push(transaction(1, &[0]));
        let before = queue.next_batch().await;
        writer.reset(Reset::PublicationSkipped);
        writer.push(transaction(2, &[0]));
        queue.put_back(before.xids);
        let batch = queue.next_batch().await;
        assert_eq!(batch.reset, Some(Reset::PublicationSkipped));
        assert_eq!(batch.xids, [1, 2]);

        writer.reset(Reset::ServerChanged);
        queue.put_back(batch.xids);
        assert!(queue.next_batch().await.xids.is_empty());
    }

    #[tokio::test]
    async fn change_of_the_server_is_not_forgotten_over_a_later_reset() {
        let (writer, queue) = queue();
        writer.reset(Reset::ServerChanged);
        writer.reset(Reset::NewSlot);
        queue.confirm(Lsn(1005));
        assert_eq!(writer.confirmed(), Lsn(0));
        assert_eq!(queue.next_batch().await.reset, Some(Reset::ServerChanged));
    }

    #[tokio::test]
    async fn another_servers_positions_and_transactions_are_not_compared() {
        let (writer, queue) = queue();
        writer.push(transaction(100, &[0]));
        queue.confirm(Lsn(1005));
        writer.reset(Reset::ServerChanged);
        queue.confirm(Lsn(1005));
        assert_eq!(writer.confirmed(), Lsn(0));
        writer.push(transaction(1, &[0]));
        let batch = queue.next_batch().await;
        assert_eq!((batch.progress, &batch.xids[..]), (Lsn(15), &[1][..]));
    }
}
