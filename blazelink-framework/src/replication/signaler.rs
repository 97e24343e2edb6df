//! The loop from the log to the sessions: takes what the reader has queued, waits until it is
//! visible, publishes it, confirms it.
//!
//! `app` starts one per process. Reader, gate and loop share one thread with a runtime of its
//! own, so that nothing else delays a commit on its way; everything they hand over is handed over
//! without waiting. What must stay true: only this loop publishes, one transaction at a time.

use std::sync::Arc;
use std::thread::JoinHandle;

use blazelink_codes::Code;
use sea_orm::DatabaseConnection;
use tokio::sync::watch;

use super::following::Following;
use super::gate::Gate;
use super::ordinary::OrdinaryConnection;
use super::preflight;
use super::queue::{self, Batch, Queue};
use super::reader::{Reader, ReaderConfig, on_own_thread};
use super::slot::SlotPlan;
use super::url::DatabaseUrl;
use crate::bus::{ChangeBus, InMemoryBus, Start};
use crate::change::Lsn;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::exposure::Exposure;
use crate::spans;
use crate::subscription::SubscriptionManager;

/// Changes from which on a transaction counts as large: telling many sessions of them takes a
/// while.
const LARGE: usize = 32;

/// What the replication thread tells of itself; it ends with the thread.
#[derive(Debug, Default)]
pub(crate) struct Tells {
    /// Whether commits arrive.
    pub(crate) following: watch::Sender<Following>,
    /// Up to here, every commit has been handed to whoever watches what it changed.
    pub(crate) handed_on: watch::Sender<Lsn>,
    /// Whether commits are held back: somebody wants to see how clients bear that.
    pub(crate) held: watch::Sender<bool>,
}

/// Everything that is needed to follow the log, checked and not yet started.
#[derive(Debug)]
pub(crate) struct Signaler {
    reader: ReaderConfig,
    gate: Gate,
    exposure: Arc<Exposure>,
    subscriptions: Arc<SubscriptionManager>,
}

impl Signaler {
    /// Checks the server, the publication and the tables.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached, or replication cannot work on it as it is: the error
    /// names everything that is wrong, with the SQL that mends it.
    pub(crate) async fn prepare(
        config: &Config,
        pool: &DatabaseConnection,
        subscriptions: Arc<SubscriptionManager>,
    ) -> Result<Signaler> {
        let exposure = Arc::clone(subscriptions.exposure());
        let reads = DatabaseUrl::parse(&config.database_url)?;
        let url = DatabaseUrl::of_replication(config)?;
        let application = format!("blazelink {}", config.app);
        let mut server = OrdinaryConnection::connect(&url, &application).await?;
        let slot = SlotPlan::of(config, &mut server).await?;
        preflight::run(&mut server, pool, &exposure, &slot, config.environment).await?;

        let gate = Gate::new(reads, application.clone());
        let gate = if config.visibility_gate {
            gate
        } else {
            gate.always_open()
        };
        let reader = ReaderConfig {
            url,
            slot,
            application,
        };
        Ok(Signaler {
            reader,
            gate,
            exposure,
            subscriptions,
        })
    }

    /// Follows the log on a thread of its own until `stop` is true. The thread ends once the server
    /// has let go of the slot.
    ///
    /// # Errors
    ///
    /// If the machine has no thread or no descriptors left.
    pub(crate) fn spawn(self, stop: watch::Receiver<bool>, tells: Tells) -> Result<JoinHandle<()>> {
        let Signaler {
            reader,
            gate,
            exposure,
            subscriptions,
        } = self;
        let thread = on_own_thread("blazelink-replication", move || async move {
            let (writer, queue) = queue::queue();
            let seal = subscriptions.recorder().seal().clone();
            let reader = Reader::new(reader, exposure, writer, stop).with_seal(seal);
            let publisher = Publisher::new(queue, gate, subscriptions, tells);
            // The reader ends when it is stopped; the publisher goes on until then.
            tokio::select! {
                () = reader.run() => {}
                () = publisher.run() => {}
            }
        });
        thread.map_err(|error| {
            let sentence = "The replication thread cannot be started";
            Error::new(ErrorKind::Setup, Code::System, sentence).with_source(error)
        })
    }
}

/// The loop itself.
struct Publisher {
    queue: Queue,
    gate: Gate,
    bus: InMemoryBus,
    subscriptions: Arc<SubscriptionManager>,
    tells: Tells,
}

impl Publisher {
    fn new(
        queue: Queue,
        gate: Gate,
        subscriptions: Arc<SubscriptionManager>,
        tells: Tells,
    ) -> Publisher {
        Publisher {
            queue,
            gate,
            bus: InMemoryBus::default(),
            subscriptions,
            tells,
        }
    }

    async fn run(mut self) {
        let subscriptions = Arc::clone(&self.subscriptions);
        let sink = Box::new(move |_, transaction: &Arc<_>| subscriptions.publish(transaction));
        // Nothing was published yet, so what comes next is always within reach.
        let _consumption = self.bus.consume(Start::Next, sink);
        loop {
            let batch = self.queue.next_batch().await;
            self.hand_on(batch).await;
        }
    }

    async fn hand_on(&mut self, batch: Batch) {
        let Batch {
            reset,
            transactions,
            xids,
            progress,
            mut statuses,
        } = batch;
        // A reset waits at the gate like everything else: who starts over reads anew.
        let subscriptions = Arc::clone(&self.subscriptions);
        let meters = subscriptions.meters();
        let waiting = meters.timer();
        let (queue, following) = (&self.queue, &self.tells.following);
        let visible = tokio::select! {
            () = self.gate.pass(&xids) => true,
            () = queue.until_reset(|newer| {
                report(following, std::mem::take(&mut statuses));
                report(following, newer);
            }) => false,
        };
        if !visible {
            // The reset that is waiting covers these transactions, and any reset of this batch.
            self.queue.put_back(xids);
            report(&self.tells.following, statuses);
            return;
        }
        if !xids.is_empty() {
            meters.visible_after(waiting);
        }
        subscriptions.recorder().visible();
        if let Some(reset) = &reset {
            meters.started_over();
            let sessions = self.subscriptions.connections().len();
            if sessions > 0 {
                tracing::warn!(%reset, sessions, "every session is told to start over");
            }
            self.subscriptions.reset_all();
        }
        report(&self.tells.following, statuses);
        for transaction in transactions {
            let changes = transaction.changes.len();
            let large = changes >= LARGE;
            let transaction = Arc::new(transaction);
            if *self.tells.held.borrow() {
                // It ends with whoever could let go.
                let _ = self.tells.held.subscribe().wait_for(|held| !held).await;
            }
            let handing_on = async {
                subscriptions.judge(&transaction).await;
                self.bus.publish(Arc::clone(&transaction));
            };
            spans::commit(changes).around(handing_on).await;
            meters.committed(changes);
            // Under load the reader must get its turn, and at once after a large transaction.
            if large {
                tokio::task::yield_now().await;
            } else {
                tokio::task::consume_budget().await;
            }
        }
        self.queue.confirm(progress);
        self.tells.handed_on.send_replace(progress);
    }
}

fn report(following: &watch::Sender<Following>, statuses: Vec<queue::Status>) {
    for status in statuses {
        following.send_replace(match status {
            queue::Status::Connected { .. } => Following::Live,
            queue::Status::Waiting { .. } => Following::Starting,
            queue::Status::Disconnected(error) => Following::Down(error.to_string()),
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::{Instant, SystemTime};

    use super::queue::{QueueWriter, Reset, Status};
    use super::*;
    use crate::change::Transaction;
    use crate::session::{ConnectionManager, SessionId, Taken};

    /// A publisher whose gate never lets anything pass, for its server does not exist.
    fn shut() -> (
        Publisher,
        QueueWriter,
        Arc<SubscriptionManager>,
        watch::Receiver<Following>,
    ) {
        let exposure = Arc::new(Exposure::new(Vec::new()));
        let connections = Arc::new(ConnectionManager::default());
        let subscriptions = Arc::new(SubscriptionManager::new(exposure, connections));
        let nowhere = DatabaseUrl::parse("postgres://me@localhost/db?host=/nowhere").unwrap();
        let tells = Tells::default();
        let status = tells.following.subscribe();
        let (writer, queue) = queue::queue();
        let gate = Gate::new(nowhere, "test");
        let subscribed = Arc::clone(&subscriptions);
        let publisher = Publisher::new(queue, gate, subscribed, tells);
        (publisher, writer, subscriptions, status)
    }

    fn transaction(xid: u32) -> Transaction {
        Transaction {
            xid,
            commit_lsn: Lsn(1),
            end_lsn: Lsn(2),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: Instant::now(),
            cause: None,
            changes: Vec::new(),
            whole: Vec::new(),
        }
    }

    async fn a_while() {
        for _ in 0..64 {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn reset_is_not_told_before_what_it_replaces_is_visible() {
        let (publisher, writer, subscriptions, _status) = shut();
        let connections = subscriptions.connections();
        let session = connections.open(&SessionId::new("a").unwrap(), Instant::now());
        let attached = connections.attach(&session, Instant::now());
        let due = || session.take(attached.socket(), 1, &mut Vec::new());
        let telling = async {
            writer.push(transaction(7));
            a_while().await;
            writer.reset(Reset::PublicationSkipped);
            a_while().await;
            assert_eq!(due(), Taken::Entries, "transaction 7 is not visible yet");
            writer.reset(Reset::ServerChanged);
            a_while().await;
            assert_eq!(due(), Taken::Reset, "another server knows no transaction 7");
        };
        tokio::select! {
            () = publisher.run() => {}
            () = telling => {}
        }
    }

    #[tokio::test(start_paused = true)]
    async fn lost_connection_is_told_while_the_gate_is_shut() {
        let (publisher, writer, _subscriptions, mut status) = shut();
        let telling = async {
            writer.status(Status::Connected { slot: "s".into() });
            writer.push(transaction(7));
            a_while().await;
            let ended = Error::new(ErrorKind::Unavailable, Code::ReplicationConnection, "Gone");
            writer.status(Status::Disconnected(ended));
            let down = status.wait_for(|status| matches!(status, Following::Down(_)));
            down.await.unwrap();
        };
        let told = async {
            tokio::select! {
                () = publisher.run() => {}
                () = telling => {}
            }
        };
        let patience = std::time::Duration::from_secs(60);
        tokio::time::timeout(patience, told).await.unwrap();
    }
}
