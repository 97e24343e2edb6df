//! The change bus: where the reader of the log hands over transactions, and whence they are read.
//!
//! The Signaler publishes, one transaction at a time and in commit order; every consumer gets
//! each transaction from its starting position on, once, in that order. One process needs no more
//! than [`InMemoryBus`]; several nodes put an engine with a replayable stream behind the trait.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::limits;

use crate::change::Transaction;

/// A place in the stream of transactions: how many came before. Growing by one per transaction,
/// and of no meaning beyond the bus that gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position(pub u64);

/// Where a consumer starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the next transaction to be published.
    Next,
    /// With the transaction at this position.
    At(Position),
}

/// The bus no longer, or not yet, holds the position asked for: what lies between is not known,
/// and whoever depends on it must start over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OutOfReach;

/// What a consumer does with a transaction. Called in commit order, by the publisher's thread: it
/// must not wait, and must not publish or consume itself.
pub type Sink = Box<dyn FnMut(Position, &Arc<Transaction>) + Send>;

/// A consumer's hold on the bus; dropped, its sink is not called again.
pub struct Consumption {
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Drop for Consumption {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

impl fmt::Debug for Consumption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Consumption")
    }
}

/// Publish a transaction; consume from a position.
pub trait ChangeBus: Send + Sync {
    /// Hands a transaction to every consumer. To be called by one thread, in commit order.
    fn publish(&self, transaction: Arc<Transaction>) -> Position;

    /// Calls `sink` with every transaction from `start` on: first, before this returns, with
    /// those that were published already.
    ///
    /// # Errors
    ///
    /// If the bus does not hold the position.
    fn consume(&self, start: Start, sink: Sink) -> Result<Consumption, OutOfReach>;
}

/// The bus of one process: calls its consumers inline and keeps the last
/// [`limits::BUS_TRANSACTIONS`] transactions, but no more than [`limits::BUS_BYTES`] of them, for
/// those that come back.
#[derive(Clone, Default)]
pub struct InMemoryBus {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    kept: VecDeque<Arc<Transaction>>,
    /// Weight of what is kept.
    bytes: usize,
    /// Position of the next transaction.
    next: u64,
    sinks: Vec<(u64, Sink)>,
    next_sink: u64,
}

impl ChangeBus for InMemoryBus {
    fn publish(&self, transaction: Arc<Transaction>) -> Position {
        let mut inner = self.lock();
        let position = Position(inner.next);
        inner.next += 1;
        for (_, sink) in &mut inner.sinks {
            sink(position, &transaction);
        }
        inner.keep(transaction);
        position
    }

    fn consume(&self, start: Start, mut sink: Sink) -> Result<Consumption, OutOfReach> {
        let mut inner = self.lock();
        if let Start::At(Position(at)) = start {
            let first = inner.next - inner.kept.len() as u64;
            if at < first || at > inner.next {
                return Err(OutOfReach);
            }
            let kept = inner.kept.iter().zip(first..);
            for (transaction, position) in kept.skip((at - first) as usize) {
                sink(Position(position), transaction);
            }
        }
        let number = inner.next_sink;
        inner.next_sink += 1;
        inner.sinks.push((number, sink));
        drop(inner);
        let bus = self.clone();
        let stop = move || bus.lock().sinks.retain(|(other, _)| *other != number);
        Ok(Consumption {
            stop: Some(Box::new(stop)),
        })
    }
}

impl Inner {
    fn keep(&mut self, transaction: Arc<Transaction>) {
        self.bytes += transaction.weight();
        self.kept.push_back(transaction);
        while self.kept.len() > limits::BUS_TRANSACTIONS || self.bytes > limits::BUS_BYTES {
            let Some(oldest) = self.kept.pop_front() else {
                return;
            };
            self.bytes -= oldest.weight();
        }
    }
}

impl InMemoryBus {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for InMemoryBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.lock();
        f.debug_struct("InMemoryBus")
            .field("next", &inner.next)
            .field("consumers", &inner.sinks.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::change::{Change, ChangeKind, Lsn, Old, Row};
    use crate::object_id::{Key, TableId};

    fn publish(bus: &InMemoryBus, xids: std::ops::Range<u32>) {
        for xid in xids {
            bus.publish(Arc::new(empty(xid)));
        }
    }

    fn empty(xid: u32) -> Transaction {
        Transaction {
            xid,
            commit_lsn: Lsn(u64::from(xid)),
            end_lsn: Lsn(u64::from(xid) + 1),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: std::time::Instant::now(),
            cause: None,
            changes: Vec::new(),
            whole: Vec::new(),
        }
    }

    fn collector() -> (Arc<Mutex<Vec<u32>>>, Sink) {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&seen);
        let sink: Sink = Box::new(move |_, transaction| sink.lock().unwrap().push(transaction.xid));
        (seen, sink)
    }

    #[test]
    fn a_consumer_gets_everything_from_its_position_on_once_and_in_order() {
        let bus = InMemoryBus::default();
        publish(&bus, 0..5);
        let (seen, sink) = collector();
        let consumption = bus.consume(Start::At(Position(3)), sink).unwrap();
        publish(&bus, 5..7);
        assert_eq!(*seen.lock().unwrap(), [3, 4, 5, 6]);
        drop(consumption);
        publish(&bus, 7..8);
        assert_eq!(seen.lock().unwrap().len(), 4);
    }

    #[test]
    fn a_consumer_may_start_with_what_comes_next() {
        let bus = InMemoryBus::default();
        publish(&bus, 0..2);
        let (seen, sink) = collector();
        let _held = bus.consume(Start::Next, sink).unwrap();
        publish(&bus, 2..3);
        assert_eq!(*seen.lock().unwrap(), [2]);
    }

    #[test]
    fn a_position_that_is_not_held_is_refused() {
        let bus = InMemoryBus::default();
        let all = limits::BUS_TRANSACTIONS as u32 + 10;
        publish(&bus, 0..all);
        let start = |position| bus.consume(Start::At(Position(position)), collector().1);
        assert_eq!(start(9).unwrap_err(), OutOfReach);
        assert_eq!(start(u64::from(all) + 1).unwrap_err(), OutOfReach);
        assert!(start(10).is_ok());
        assert!(start(u64::from(all)).is_ok());
    }

    #[test]
    fn large_transactions_are_kept_only_within_the_bytes() {
        let bus = InMemoryBus::default();
        let value = "x".repeat(limits::BUS_BYTES / 4);
        for xid in 0..8 {
            bus.publish(Arc::new(Transaction {
                changes: vec![Change {
                    table: TableId(0),
                    kind: ChangeKind::Insert,
                    key: Key::from(1),
                    moved: None,
                    old: Old::None,
                    new: Some(Row::from_texts(&[Some(&value)])),
                }],
                ..empty(xid)
            }));
        }
        let inner = bus.lock();
        assert_eq!(inner.kept.len(), 3);
        assert!(inner.bytes <= limits::BUS_BYTES);
    }
}
