//! The reader: owns the replication connection, keeps it open, and never stops reading it.
//!
//! One task, on the thread of the signaler and nobody else ([`on_own_thread`]), so that nothing
//! delays it. It decodes, pushes into the queue, and passes confirmations back. When the
//! connection fails it comes back by itself; what cannot be continued without a gap is said as a
//! reset, before anything that follows.

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink_codes::Code;
use blazelink_migrations::Execute;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::watch;

use super::backoff::Backoff;
use super::cancel::Cancel;
use super::connection::{CONNECT_TIMEOUT, Identity, ReplicationConnection};
use super::decoder::{Arrival, Decoded, Decoder, Limits};
use super::ordinary::OrdinaryConnection;
use super::pgoutput::Malformed;
use super::queue::{QueueWriter, Reset, Status};
use super::server_error::ServerError;
use super::slot::{self, OpenSlot, SlotPlan};
use super::stream::{Frame, Frames, ReplicationStream};
use super::url::DatabaseUrl;
use crate::cause::Seal;
use crate::change::Lsn;
use crate::error::{Error, ErrorKind, Result};
use crate::exposure::Exposure;

/// How long making a slot takes before it is looked what it waits for.
const SLOW_SLOT: Duration = Duration::from_secs(2);

/// How often a slot that another process reads is asked for again soon: that process may be about to
/// hand over to this one. Beyond it the pauses grow as for any other failure.
const SOON: u32 = 256;

/// The pause in between.
const SOON_PAUSE: Duration = Duration::from_millis(20);

/// What version 18 says instead of ending the stream when a publication is missing.
const SKIPPED: &str = "skipped loading publication";

/// What a reader reads.
#[derive(Clone, Debug)]
pub struct ReaderConfig {
    /// The server, by a role that may replicate.
    pub url: DatabaseUrl,
    /// Which slot.
    pub slot: SlotPlan,
    /// How the connection is called in `pg_stat_activity`.
    pub application: String,
}

/// The task that reads the log.
#[derive(Debug)]
pub struct Reader {
    config: ReaderConfig,
    decoder: Decoder,
    queue: QueueWriter,
    /// True ends the reader.
    stop: watch::Receiver<bool>,
    rng: StdRng,
    backoff: Backoff,
    /// The server of the last connection.
    identity: Option<Identity>,
    /// Where the last transaction ended: after a crash the server tells some again.
    last: Lsn,
    /// Up to where the durable slot may have been moved without this process missing anything;
    /// nothing before the first look at it.
    known: Option<Lsn>,
    /// Ends the making of a slot, while that goes on.
    waiting: Option<Cancel>,
    /// The slot holds what cannot be read; it has to be made anew.
    discard: bool,
}

/// How a connection ended without an error.
struct Stopped;

impl Reader {
    /// A reader that pushes into `queue` until `stop` is true.
    pub fn new(
        config: ReaderConfig,
        exposure: Arc<Exposure>,
        queue: QueueWriter,
        stop: watch::Receiver<bool>,
    ) -> Reader {
        Reader {
            config,
            decoder: Decoder::new(exposure, Limits::default()),
            queue,
            stop,
            rng: StdRng::from_rng(&mut rand::rng()),
            backoff: Backoff::default(),
            identity: None,
            last: Lsn(0),
            known: None,
            waiting: None,
            discard: false,
        }
    }

    /// The same, which believes what transactions say of themselves if it was sealed with this.
    #[must_use]
    pub(crate) fn with_seal(mut self, seal: Seal) -> Reader {
        self.decoder = self.decoder.with_seal(seal);
        self
    }

    /// Reads until it is stopped. When it returns the server has let go of the slot.
    pub async fn run(mut self) {
        let mut taken = 0;
        loop {
            let error = match self.connect_and_read().await {
                Ok(Stopped) => return,
                Err(error) => error,
            };
            if error.code() == Code::SlotActive && taken < SOON {
                if taken == 0 {
                    tracing::info!("another process reads from the slot; waiting for it");
                    self.queue.status(Status::Disconnected(error));
                }
                taken += 1;
                tokio::select! {
                    () = stopped(&mut self.stop) => return,
                    () = tokio::time::sleep(SOON_PAUSE) => continue,
                }
            }
            let refused = ServerError::of(&error);
            self.discard |= error.kind() == ErrorKind::Protocol
                || refused.is_some_and(ServerError::lacks_publication);
            // Once it was ours, whoever takes it next is somebody else.
            if error.code() != Code::SlotActive {
                taken = 0;
            }
            tracing::warn!(%error, "replication ended; trying again");
            self.queue.status(Status::Disconnected(error));
            let pause = self.backoff.next(&mut self.rng);
            tokio::select! {
                () = stopped(&mut self.stop) => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    async fn connect_and_read(&mut self) -> Result<Stopped> {
        self.decoder.restart();
        let mut stop = self.stop.clone();
        let stream = tokio::select! {
            () = stopped(&mut stop) => None,
            stream = self.connect() => Some(stream?),
        };
        match (stream, self.waiting.take()) {
            (Some(stream), _) => self.read(stream).await,
            (None, waiting) => {
                if let Some(waiting) = waiting {
                    waiting.send().await;
                }
                Ok(Stopped)
            }
        }
    }

    /// Opens connection and slot, and says what was lost in between.
    async fn connect(&mut self) -> Result<ReplicationStream> {
        let url = &self.config.url;
        let mut connection = ReplicationConnection::connect(url, &self.config.application).await?;
        let identity = connection.identify().await?;
        if self.discard {
            slot::discard(&self.config.slot, &mut connection).await?;
            self.discard = false;
        }
        let opened = self.open_slot(&mut connection).await?;
        let stream = connection.start(&opened.name, Lsn(0)).await?;
        self.known = Some(opened.position);
        let reset = match self.identity.replace(identity) {
            Some(known) if !self.continues(&known) => Some(Reset::ServerChanged),
            _ => opened.reset,
        };
        if let Some(reset) = reset {
            self.last = Lsn(0);
            tracing::info!(slot = %opened.name, %reset, "every session starts over");
            self.queue.reset(reset);
        }
        tracing::info!(slot = %opened.name, "replication streams");
        self.queue.status(Status::Connected { slot: opened.name });
        Ok(stream)
    }

    /// Opens the slot, and says who keeps it waiting if that takes long.
    async fn open_slot(&mut self, connection: &mut ReplicationConnection) -> Result<OpenSlot> {
        self.waiting = connection.cancel();
        let own = self.waiting.as_ref().map(Cancel::process);
        if let Some(known) = &mut self.known {
            *known = self.queue.confirmed().max(*known);
        }
        let mut opening = pin!(slot::open(
            &self.config.slot,
            connection,
            &mut self.known,
            &mut self.rng
        ));
        tokio::select! {
            opened = &mut opening => return opened,
            () = tokio::time::sleep(SLOW_SLOT) => {}
        }
        let asked = open_transactions(&self.config, own);
        match tokio::time::timeout(CONNECT_TIMEOUT, asked).await {
            Ok(Ok(processes)) => {
                tracing::warn!(?processes, "the slot waits for open transactions");
                self.queue.status(Status::Waiting { processes });
            }
            Ok(Err(error)) => tracing::debug!(%error, "cannot ask what the slot waits for"),
            Err(_) => tracing::debug!("no answer to what the slot waits for"),
        }
        opening.await
    }

    /// Whether the server is the one of before, and its log goes on from where it was.
    fn continues(&self, known: &Identity) -> bool {
        self.identity.as_ref().is_some_and(|now| {
            (&now.system, &now.timeline) == (&known.system, &known.timeline)
                && now.flushed >= self.last
        })
    }

    async fn read(&mut self, mut stream: ReplicationStream) -> Result<Stopped> {
        loop {
            stream.confirm(self.queue.confirmed());
            tokio::select! {
                biased;
                () = stopped(&mut self.stop) => {
                    stream.confirm(self.queue.confirmed());
                    stream.stop().await;
                    return Ok(Stopped);
                }
                frames = stream.next() => {
                    self.take(&frames?)?;
                    self.backoff.reset();
                    // The signaler shares this thread, and under load the socket is never empty.
                    tokio::task::yield_now().await;
                }
            }
        }
    }

    fn take(&mut self, frames: &Frames) -> Result<()> {
        let read_at = Instant::now();
        for frame in frames.frames() {
            match frame {
                Frame::Message { sent, data } => {
                    let arrival = Arrival { sent, read_at };
                    match self.decoder.decode(data, arrival).map_err(malformed)? {
                        None => {}
                        Some(Decoded::Progress(position)) => self.queue.progress(position),
                        // Told again after a crash of the server.
                        Some(Decoded::Transaction(again)) if again.end_lsn <= self.last => {}
                        Some(Decoded::Transaction(transaction)) => {
                            self.last = transaction.end_lsn;
                            self.queue.push(transaction);
                        }
                    }
                }
                Frame::Keepalive(end) => {
                    if self.decoder.is_between_transactions() {
                        self.queue.progress(end);
                    }
                }
                Frame::Notice(notice) => {
                    tracing::warn!(%notice, "the server says");
                    if notice.message.starts_with(SKIPPED) {
                        self.queue.reset(Reset::PublicationSkipped);
                    }
                }
            }
        }
        Ok(())
    }
}

/// The other server processes that have a transaction open which has written.
async fn open_transactions(config: &ReaderConfig, own: Option<i32>) -> Result<Vec<i32>> {
    let mut db = OrdinaryConnection::connect(&config.url, &config.application).await?;
    let sql = "SELECT pid::text FROM pg_catalog.pg_stat_activity \
               WHERE backend_xid IS NOT NULL ORDER BY xact_start";
    let rows = db.rows(sql).await?;
    let processes = rows.into_iter().flatten().flatten();
    let processes = processes.filter_map(|process| process.parse().ok());
    Ok(processes.filter(|&process| Some(process) != own).collect())
}

fn malformed(error: Malformed) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Code::ReplicationProtocol,
        "The replication stream holds what pgoutput does not define",
    )
    .with_source(error)
}

/// Waits until the reader shall stop, or nobody is left who could say so. Cancel-safe.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the other end is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// Runs a future to its end on a thread of its own, with a runtime of its own.
///
/// # Errors
///
/// If the machine has no thread or no descriptors left.
pub fn on_own_thread<F>(
    name: &str,
    make: impl FnOnce() -> F + Send + 'static,
) -> std::io::Result<std::thread::JoinHandle<F::Output>>
where
    F: Future + 'static,
    F::Output: Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            let output = runtime.block_on(make());
            // Code of the app that never answers is left behind.
            runtime.shutdown_background();
            output
        })
}
