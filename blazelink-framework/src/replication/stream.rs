//! The replication stream: batches of messages in, confirmed positions out.
//!
//! The reader calls [`ReplicationStream::next`] again and again and never leaves the socket
//! unread for long: a reader that stops can block the server's checkpoints.

use std::io;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::{BufMut, Bytes, BytesMut};
use postgres_protocol::message::{backend, frontend};
use tokio::time::{Instant, Sleep};

use super::pgoutput::Timestamp;
use super::server_error::{ServerError, broken, protocol};
use super::wire::{Wire, frame_length};
use crate::change::Lsn;
use crate::error::{Error, Result};

/// How often the server is told what is confirmed, besides when it asks; each time it is asked
/// for a sign of life.
const STATUS_EVERY: Duration = Duration::from_secs(10);

/// Status intervals without a byte from the server after which the connection is given up.
const SILENT_STATUSES: u32 = 3;

/// How long an orderly end may take.
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection that streams.
#[derive(Debug)]
pub struct ReplicationStream {
    wire: Wire,
    /// The furthest position seen.
    received: Lsn,
    confirmed: Lsn,
    /// The server waits for this position to be confirmed: it wants to shut down.
    asked: Option<Lsn>,
    status_due: Pin<Box<Sleep>>,
    silent_statuses: u32,
    /// What ended the stream, behind the messages that came before it.
    ended: Option<Error>,
}

/// Messages that were received together.
#[derive(Clone, Debug)]
pub struct Frames {
    bytes: Bytes,
}

/// One message of a [`Frames`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<'a> {
    /// One message of the output plugin.
    Message {
        /// When the server sent it, by its clock.
        sent: Timestamp,
        /// For [`Decoder::decode`](super::Decoder::decode).
        data: &'a [u8],
    },
    /// The server has read its log up to here. Between transactions, everything before it has
    /// been told.
    Keepalive(Lsn),
    /// The server has something to say.
    Notice(ServerError),
}

impl ReplicationStream {
    /// Waits for the answer to START_REPLICATION.
    pub(super) async fn begin(wire: Wire) -> Result<ReplicationStream> {
        let mut stream = ReplicationStream {
            wire,
            received: Lsn(0),
            confirmed: Lsn(0),
            asked: None,
            status_due: Box::pin(tokio::time::sleep(STATUS_EVERY)),
            silent_statuses: 0,
            ended: None,
        };
        loop {
            while let Some(length) = frame_length(&stream.wire.input).map_err(broken)? {
                if stream.wire.input.len() < length {
                    break;
                }
                let frame = stream.wire.input.split_to(length).freeze();
                match frame[0] {
                    b'W' => return Ok(stream),
                    b'E' => return Err(server_error(&frame).into_error()),
                    _ => {}
                }
            }
            stream.wire.fill().await.map_err(broken)?;
        }
    }

    /// All messages that have arrived, waiting for the first. Cancel-safe. Meanwhile the server
    /// is told what is confirmed when that is due.
    ///
    /// # Errors
    ///
    /// When the stream has ended, after the messages before its end were given.
    pub async fn next(&mut self) -> Result<Frames> {
        loop {
            if let Some(error) = self.ended.take() {
                return Err(error);
            }
            if let Some(bytes) = self.wire.take_frames().map_err(broken)? {
                self.silent_statuses = 0;
                let bytes = self.survey(bytes)?;
                if !bytes.is_empty() {
                    return Ok(Frames { bytes });
                }
                continue;
            }
            tokio::select! {
                biased;
                filled = self.wire.fill() => filled.map_err(broken)?,
                () = &mut self.status_due => self.status_is_due()?,
            }
        }
    }

    /// Everything before this position was handed on and need not be told again. Told to the
    /// server with the next status, or at once if it waits for it.
    pub fn confirm(&mut self, position: Lsn) {
        self.confirmed = self.confirmed.max(position);
        if self.asked.is_some_and(|asked| asked <= self.confirmed) {
            self.asked = None;
            self.queue_status(false);
        }
    }

    /// Whether the server waits for a confirmation now.
    pub fn is_asked(&self) -> bool {
        self.asked.is_some()
    }

    /// Ends the stream and the connection in order. When this returns the server has let go of
    /// the slot, and a temporary one is gone.
    pub async fn stop(mut self) {
        let end = async {
            self.queue_status(false);
            frontend::copy_done(&mut self.wire.output);
            frontend::terminate(&mut self.wire.output);
            // What still comes is read and dropped, so that the server can finish.
            loop {
                self.wire.fill().await?;
                self.wire.input.clear();
            }
        };
        let ended: Result<io::Result<()>, _> = tokio::time::timeout(STOP_TIMEOUT, end).await;
        if ended.is_err() {
            tracing::warn!("the server did not end the replication connection in time");
        }
    }

    /// Walks over new frames: notes positions, answers when asked, and cuts off at the end.
    fn survey(&mut self, bytes: Bytes) -> Result<Bytes> {
        let mut at = 0;
        while let Some(length) = frame_length(&bytes[at..]).map_err(broken)? {
            let frame = &bytes[at..at + length];
            match frame[0] {
                b'd' => self.survey_data(&frame[5..])?,
                b'E' => {
                    self.ended = Some(server_error(frame).into_error());
                    return Ok(bytes.slice(..at));
                }
                b'c' => {
                    let end = io::Error::from(io::ErrorKind::UnexpectedEof);
                    self.ended = Some(broken(end));
                    return Ok(bytes.slice(..at));
                }
                _ => {}
            }
            at += length;
        }
        Ok(bytes)
    }

    fn survey_data(&mut self, data: &[u8]) -> Result<()> {
        match Data::parse(data) {
            Some(Data::Message { start, .. }) => self.received = self.received.max(start),
            Some(Data::Keepalive { end, reply }) => {
                self.received = self.received.max(end);
                if reply {
                    self.asked = Some(end).filter(|&end| end > self.confirmed);
                    self.queue_status(false);
                }
            }
            None => return Err(protocol("a message of the stream is of no known kind")),
        }
        Ok(())
    }

    fn status_is_due(&mut self) -> Result<()> {
        self.silent_statuses += 1;
        if self.silent_statuses > SILENT_STATUSES {
            return Err(broken(io::Error::from(io::ErrorKind::TimedOut)));
        }
        self.queue_status(true);
        Ok(())
    }

    /// Standby status update. `ask` wants a keepalive in return.
    fn queue_status(&mut self, ask: bool) {
        let mut status = BytesMut::with_capacity(34);
        status.put_u8(b'r');
        status.put_u64(self.received.0.max(self.confirmed.0));
        status.put_u64(self.confirmed.0);
        status.put_u64(self.confirmed.0);
        status.put_i64(now());
        status.put_u8(u8::from(ask));
        if let Ok(message) = frontend::CopyData::new(status) {
            message.write(&mut self.wire.output);
        }
        self.status_due
            .as_mut()
            .reset(Instant::now() + STATUS_EVERY);
    }
}

impl Frames {
    /// The messages, in the order in which the server sent them.
    pub fn frames(&self) -> impl Iterator<Item = Frame<'_>> {
        let mut rest = &self.bytes[..];
        std::iter::from_fn(move || {
            loop {
                let length = frame_length(rest).ok().flatten()?;
                let (frame, behind) = rest.split_at_checked(length)?;
                rest = behind;
                match frame[0] {
                    b'd' => return Data::parse(&frame[5..]).map(Data::frame),
                    b'N' => return Some(Frame::Notice(server_error(frame))),
                    _ => {}
                }
            }
        })
    }
}

/// What a CopyData frame carries.
enum Data<'a> {
    Message {
        start: Lsn,
        sent: Timestamp,
        data: &'a [u8],
    },
    Keepalive {
        end: Lsn,
        reply: bool,
    },
}

impl<'a> Data<'a> {
    fn parse(bytes: &'a [u8]) -> Option<Data<'a>> {
        let (&kind, rest) = bytes.split_first()?;
        match kind {
            b'w' => {
                let (start, rest) = rest.split_first_chunk()?;
                let (_end, rest) = rest.split_first_chunk::<8>()?;
                let (sent, data) = rest.split_first_chunk()?;
                Some(Data::Message {
                    start: Lsn(u64::from_be_bytes(*start)),
                    sent: Timestamp(i64::from_be_bytes(*sent)),
                    data,
                })
            }
            b'k' => {
                let (end, rest) = rest.split_first_chunk()?;
                let (_sent, rest) = rest.split_first_chunk::<8>()?;
                Some(Data::Keepalive {
                    end: Lsn(u64::from_be_bytes(*end)),
                    reply: *rest.first()? == 1,
                })
            }
            _ => None,
        }
    }

    fn frame(self) -> Frame<'a> {
        match self {
            Data::Message { sent, data, .. } => Frame::Message { sent, data },
            Data::Keepalive { end, .. } => Frame::Keepalive(end),
        }
    }
}

/// Reads an ErrorResponse or a NoticeResponse, which have the same fields.
fn server_error(frame: &[u8]) -> ServerError {
    match backend::Message::parse(&mut BytesMut::from(frame)) {
        Ok(Some(backend::Message::ErrorResponse(body))) => ServerError::read(body.fields()),
        Ok(Some(backend::Message::NoticeResponse(body))) => ServerError::read(body.fields()),
        _ => ServerError::default(),
    }
}

/// Microseconds since 2000-01-01, for the server's statistics.
fn now() -> i64 {
    let epoch = SystemTime::UNIX_EPOCH + super::decoder::POSTGRES_EPOCH;
    SystemTime::now()
        .duration_since(epoch)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(0))
}
