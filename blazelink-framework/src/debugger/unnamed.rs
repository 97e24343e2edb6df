//! Transactions that do not say what has made them: has Postgres asked for its connections as soon as one
//! was told, and notes whose it was, if that can be told.
//!
//! The debugger's thread runs it. What must stay true: Postgres is asked at most so often, and only when
//! there is such a transaction.

use std::time::{Duration, SystemTime};

use super::inspector::Inspector;
use super::trace::Trace;
use super::writers::writer;

/// How often Postgres is asked at most.
const EVERY: Duration = Duration::from_millis(100);

/// Transactions of which it is found out at once; of more, the newest.
const AT_ONCE: usize = 32;

/// Finds out who has written what does not say so, for ever.
pub(super) async fn name_writers(inspector: &Inspector) {
    let mut ticks = tokio::time::interval(EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut after = 0;
    loop {
        ticks.tick().await;
        after = inspector.name_writers(after).await;
    }
}

impl Inspector {
    /// The same of the transactions that came after this one. The number of the last of them.
    async fn name_writers(&self, after: u64) -> u64 {
        let (came, unnamed) = self.unnamed(after);
        if unnamed.is_empty() {
            return came;
        }
        let backends = self.subject.postgres.backends(&self.subject.app).await;
        let mut picture = self.picture();
        for (number, committed_at) in unnamed {
            if let Some(trace) = picture.traces.get_mut(number) {
                trace.writer = writer(committed_at, &backends).cloned();
            }
        }
        came
    }

    /// The number of the last transaction, and those after this one that do not say what has made them,
    /// with when they were committed.
    fn unnamed(&self, after: u64) -> (u64, Vec<(u64, SystemTime)>) {
        let picture = self.picture();
        let traces = picture.traces.newest_first();
        let traces = traces.take_while(|trace| trace.number > after);
        let unnamed = traces.filter(|trace| trace.commit.transaction.cause.is_none());
        let committed = |trace: &Trace| (trace.number, trace.commit.transaction.committed_at);
        let unnamed = unnamed.take(AT_ONCE).map(committed).collect();
        (picture.traces.came(), unnamed)
    }
}
