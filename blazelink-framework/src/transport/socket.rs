//! The task that serves one websocket. Spawned by the endpoint (`websocket`).
//!
//! It waits for three things: a frame from the client, a wake-up from the
//! session (updates to write, or an order to close), and the time for the next ping. On each
//! wake-up it takes all that waits, in batches, and flushes once per batch. Nobody waits for it:
//! what it has not taken stays in the outbox, where it merges.
//!
//! What must stay true: an idle socket costs a few kilobytes (small buffers, a small task), and
//! whatever a client sends ends in an answer, in nothing, or in a documented close code.

use std::future::{pending, ready};
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink_codes::close::CloseCode;
use blazelink_codes::limits;
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::frame::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message, Utf8Bytes};

use super::allowance::Allowance;
use super::debug_message::DebugMessages;
use super::frames::Frames;
use super::original::{self, Received};
use super::protocol;
use super::unsaid::Unsaid;
use super::websocket::WebSocketTransport;
use crate::auth::{Authority, AuthorizeEvent, Authorized, Monitoring};
use crate::debugger::What;
use crate::monitor::TooManyMonitors;
use crate::session::{Attached, Entry, Mischief, Session, Socket};
use crate::subscription::SubscriptionManager;

/// Read buffer of a socket; a larger frame grows it up to [`limits::FRAME_BYTES`].
const READ_BUFFER: usize = 1 << 10;

/// Bytes that frames may gather before they are written; the buffer grows as it is needed.
const WRITE_BUFFER: usize = 16 << 10;

/// Pings without any sign of the client after which its socket is closed.
const UNANSWERED_PINGS: u8 = 2;

/// Serves a socket until it ends.
pub(super) async fn serve<S>(transport: WebSocketTransport, session: Arc<Session>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut connection = Connection::open(transport, session, stream).await;
    let label = connection.attached.session().label();
    tracing::debug!(session = %label, "socket opened");
    let recorder = Arc::clone(connection.manager.recorder());
    recorder.step(label, What::Attached);
    let end = connection.run().await;
    connection.record_rest();
    recorder.step(label, What::Detached);
    tracing::debug!(session = %label, ?end, "socket ended");
    if let End::Close(code) = end {
        // Whether or not the client hears it, the socket is over.
        let _ = timeout(limits::CLOSE_TIMEOUT, close(&mut connection.stream, code)).await;
    }
}

/// Why a socket ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The server closes it.
    Close(CloseCode),
    /// The client closed it, or the connection broke.
    Gone,
}

/// Whether something waited to be written; then there may be more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrote {
    Batch,
    Nothing,
}

/// Everything that can make the task go on.
enum Event {
    Frame(Option<tungstenite::Result<Message>>),
    Woken,
    PingDue,
    /// The client has said for now what it had to say.
    Quiet,
}

struct Connection<S> {
    stream: WebSocketStream<S>,
    manager: Arc<SubscriptionManager>,
    authority: Arc<Authority>,
    attached: Attached,
    allowance: Allowance,
    unanswered: u8,
    /// What the recorder was not told yet.
    unsaid: Unsaid,
    /// If the client is a monitor.
    debug_messages: Option<DebugMessages>,
}

impl<S> Connection<S>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    async fn open(transport: WebSocketTransport, session: Arc<Session>, stream: S) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .write_buffer_size(WRITE_BUFFER)
            .max_message_size(Some(transport.frame_bytes))
            .max_frame_size(Some(transport.frame_bytes));
        let stream = WebSocketStream::from_raw_socket(stream, Role::Server, Some(config)).await;
        let WebSocketTransport {
            manager,
            authority,
            messages_per_second,
            frame_bytes: _,
        } = transport;
        let now = Instant::now();
        Connection {
            stream,
            attached: manager.connections().attach(&session, now),
            manager,
            authority,
            allowance: Allowance::new(messages_per_second, now),
            unanswered: 0,
            unsaid: Unsaid::default(),
            debug_messages: None,
        }
    }

    async fn run(&mut self) -> End {
        let ping = sleep(limits::PING_EVERY);
        tokio::pin!(ping);
        loop {
            // One batch between looks at the client, so that a busy outbox cannot deafen us.
            let wrote = match self.write_batch().await {
                ControlFlow::Continue(wrote) => wrote,
                ControlFlow::Break(end) => return end,
            };
            let flow = match self.next_event(ping.as_mut(), wrote).await {
                Event::Frame(frame) => self.receive(frame).await,
                Event::Woken => ControlFlow::Continue(()),
                Event::Quiet => {
                    self.record_confirmed();
                    ControlFlow::Continue(())
                }
                Event::PingDue => {
                    let next = tokio::time::Instant::now() + limits::PING_EVERY;
                    ping.as_mut().reset(next);
                    self.record_rest();
                    self.ping().await
                }
            };
            if let ControlFlow::Break(end) = flow {
                return end;
            }
        }
    }

    /// Waits for the next event; while more may wait to be written, only looks for one.
    async fn next_event(&mut self, ping: Pin<&mut Sleep>, wrote: Wrote) -> Event {
        tokio::select! {
            biased;
            frame = self.stream.next() => Event::Frame(frame),
            () = ready(()), if self.unsaid.has_confirmed() => Event::Quiet,
            () = ping => Event::PingDue,
            () = self.attached.socket().woken() => Event::Woken,
            () = told(self.debug_messages.as_ref()) => Event::Woken,
            () = ready(()), if wrote == Wrote::Batch => Event::Woken,
        }
    }

    /// Writes the next batch of what waits for the client.
    async fn write_batch(&mut self) -> ControlFlow<End, Wrote> {
        if let Some(code) = self.attached.socket().order() {
            return ControlFlow::Break(End::Close(code));
        }
        let (mut batch, last) = self.next_batch();
        if batch.is_empty() {
            return ControlFlow::Continue(Wrote::Nothing);
        }
        let mischief = self.attached.session().mischief();
        if mischief != Mischief::default() {
            self.delay(mischief.delay_ms).await?;
            if mischief.duplicate {
                let twice = batch.into_iter().flat_map(|frame| [frame.clone(), frame]);
                batch = twice.collect();
            }
        }
        self.write(batch).await?;
        if let Some((up_to, updates, bytes)) = last
            && self.manager.recorder().is_on()
        {
            self.unsaid.sent(up_to, updates, bytes);
            let sent = self.unsaid.take_sent(self.followed());
            self.record(sent);
        }
        ControlFlow::Continue(Wrote::Batch)
    }

    /// Waits so long, or until the socket is to be closed.
    async fn delay(&mut self, millis: u16) -> ControlFlow<End> {
        tokio::select! {
            biased;
            code = ordered(self.attached.socket()) => ControlFlow::Break(End::Close(code)),
            () = sleep(Duration::from_millis(millis.into())) => ControlFlow::Continue(()),
        }
    }

    /// The next frames: what a monitor is told, and the session's updates. With the last message id of
    /// these, their number and their bytes.
    fn next_batch(&mut self) -> (Vec<Message>, Option<(u64, u32, u32)>) {
        let session = self.attached.session();
        let mut entries: Vec<Entry> = Vec::new();
        let socket = self.attached.socket();
        self.manager
            .take(session, socket, limits::WRITE_BATCH, &mut entries);
        self.manager.tell_sent(session, &entries);
        let mut frames = Frames::with_room(entries.len());
        let exposure = self.manager.exposure();
        if let Some(messages) = &mut self.debug_messages {
            messages.take(exposure, limits::WRITE_BATCH, &mut frames);
        }
        let before = frames.bytes();
        for entry in &entries {
            frames.push(|out| original::write_frame(exposure, entry, out));
        }
        let bytes = frames.bytes() - before;
        let last = entries.last();
        let last = last.map(|last| (last.msg_id, entries.len() as u32, bytes as u32));
        (frames.into_messages(), last)
    }

    /// Writes messages and flushes once. An order to close ends the wait for a slow client.
    async fn write(&mut self, messages: Vec<Message>) -> ControlFlow<End> {
        self.allowance.sent(messages.len());
        let stream = &mut self.stream;
        let written = timeout(limits::WRITE_TIMEOUT, async {
            for message in messages {
                stream.feed(message).await?;
            }
            stream.flush().await
        });
        tokio::select! {
            biased;
            written = written => match written {
                Ok(Ok(())) => ControlFlow::Continue(()),
                Ok(Err(_)) => ControlFlow::Break(End::Gone),
                Err(_) => ControlFlow::Break(End::Close(CloseCode::TooSlow)),
            },
            code = ordered(self.attached.socket()) => ControlFlow::Break(End::Close(code)),
        }
    }

    async fn receive(&mut self, frame: Option<tungstenite::Result<Message>>) -> ControlFlow<End> {
        self.unanswered = 0;
        let text = match frame {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Binary(_))) => {
                return ControlFlow::Break(End::Close(CloseCode::Binary));
            }
            // The library has queued the pong and sends it when it is polled next.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                return within(self.allowance.take(Instant::now()));
            }
            Some(Ok(Message::Close(_))) => {
                // Sends the library's answer; what comes of it is the client's affair.
                let _ = timeout(limits::CLOSE_TIMEOUT, self.stream.flush()).await;
                return ControlFlow::Break(End::Gone);
            }
            Some(Err(error)) => return ControlFlow::Break(end_of(&error)),
            None => return ControlFlow::Break(End::Gone),
        };
        let now = Instant::now();
        match original::receive(&text) {
            Ok(Received::Nothing) => within(self.allowance.take(now)),
            Ok(Received::Confirmed(msg_id)) => {
                within(self.allowance.take_confirm(now))?;
                let socket = self.attached.socket();
                let session = self.attached.session();
                if session.mischief().freeze {
                    return ControlFlow::Continue(());
                }
                session.confirm(socket, msg_id);
                if self.manager.recorder().is_on() {
                    let followed = self.followed();
                    self.unsaid.confirmed(msg_id, now, followed);
                }
                ControlFlow::Continue(())
            }
            Ok(Received::Ping(ping_id)) => {
                within(self.allowance.take(now))?;
                self.answer_ping(ping_id).await
            }
            Ok(Received::Authorize(event)) => {
                within(self.allowance.take(now))?;
                self.authorize(&event).await
            }
            Err(code) => ControlFlow::Break(End::Close(code)),
        }
    }

    /// Tells the recorder what the client has confirmed.
    fn record_confirmed(&mut self) {
        if let Some((what, at)) = self.unsaid.take_confirmed() {
            let session = self.attached.session().label();
            self.manager.recorder().step_at(at, session, what);
        }
    }

    /// Tells the recorder what it was not told yet.
    fn record_rest(&mut self) {
        let sent = self.unsaid.take_sent(u64::MAX);
        self.record(sent);
        self.record_confirmed();
    }

    /// The last message id whose way the recorder wants to know.
    fn followed(&self) -> u64 {
        match self.manager.recorder().sample() {
            1 => u64::MAX,
            _ => self.attached.session().followed(),
        }
    }

    fn record(&self, what: Option<What>) {
        if let Some(what) = what {
            let session = self.attached.session().label();
            self.manager.recorder().step(session, what);
        }
    }

    /// Asks the app what the client is granted. Meanwhile updates wait in the outbox.
    async fn authorize(&mut self, event: &AuthorizeEvent) -> ControlFlow<End> {
        let authorized = tokio::select! {
            biased;
            authorized = self.authority.authorize(event) => authorized,
            code = ordered(self.attached.socket()) => return ControlFlow::Break(End::Close(code)),
        };
        let session = self.attached.session();
        let refused = ControlFlow::Break(End::Close(CloseCode::Refused));
        let grant = match authorized {
            Authorized::Ignored => return ControlFlow::Continue(()),
            Authorized::Refused => return refused,
            Authorized::Granted(grant) => grant,
        };
        if let Some(viewer) = &grant.viewer
            && self.manager.bind(session, viewer).is_err()
        {
            return refused;
        }
        tracing::debug!(session = %session.label(), monitoring = ?grant.monitoring, "authorized");
        if grant.monitoring == Monitoring::Allowed {
            self.monitor();
        }
        ControlFlow::Continue(())
    }

    /// From now on the client is told what the server does for all others.
    fn monitor(&mut self) {
        if self.debug_messages.is_some() {
            return;
        }
        match self.manager.monitors().attach() {
            Ok(monitor) => self.debug_messages = Some(DebugMessages::new(monitor)),
            Err(TooManyMonitors) => tracing::warn!(
                session = %self.attached.session().label(),
                most = limits::MONITORS,
                "client is told nothing: there are as many monitors as there may be"
            ),
        }
    }

    /// Answers a client's ping, behind the updates that wait.
    async fn answer_ping(&mut self, ping_id: i64) -> ControlFlow<End> {
        self.write_batch().await?;
        let msg_id = self.attached.session().passing_id();
        let mut frames = Frames::default();
        frames.push(|out| protocol::write_ping_in(msg_id, ping_id, out));
        self.write(frames.into_messages()).await
    }

    async fn ping(&mut self) -> ControlFlow<End> {
        if self.unanswered == UNANSWERED_PINGS {
            return ControlFlow::Break(End::Close(CloseCode::Silent));
        }
        self.unanswered += 1;
        self.write(vec![Message::Ping(Bytes::new())]).await
    }
}

/// Waits for an order to close. Updates that wake the socket meanwhile are taken afterwards.
async fn ordered(socket: &Socket) -> CloseCode {
    loop {
        if let Some(code) = socket.order() {
            return code;
        }
        socket.woken().await;
    }
}

/// Waits until a monitor is to be told something; without end if the client is none.
async fn told(messages: Option<&DebugMessages>) {
    match messages {
        Some(messages) => messages.woken().await,
        None => pending().await,
    }
}

/// Goes on with a client that keeps within its allowance.
fn within(allowed: bool) -> ControlFlow<End> {
    if allowed {
        ControlFlow::Continue(())
    } else {
        ControlFlow::Break(End::Close(CloseCode::TooMany))
    }
}

fn end_of(error: &tungstenite::Error) -> End {
    use tungstenite::error::ProtocolError;
    match error {
        tungstenite::Error::Capacity(_) => End::Close(CloseCode::TooBig),
        tungstenite::Error::Utf8(_) => End::Close(CloseCode::NotUtf8),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Gone,
        tungstenite::Error::Protocol(_) => End::Close(CloseCode::NotAFrame),
        _ => End::Gone,
    }
}

/// Sends the close frame, ends our side, and reads until the client ends its own: with unread
/// bytes in its buffer the kernel would reset the connection, and the client might never see the
/// code.
async fn close<S>(stream: &mut WebSocketStream<S>, code: CloseCode) -> std::io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let frame = CloseFrame {
        code: code.number().into(),
        reason: Utf8Bytes::from_static(code.reason()),
    };
    // A client that is gone hears nothing; reading will find that out.
    let _ = stream.close(Some(frame)).await;
    let stream = stream.get_mut();
    stream.shutdown().await?;
    let mut discarded = [0; 1024];
    while stream.read(&mut discarded).await? > 0 {}
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::io::{DuplexStream, duplex};

    use super::*;
    use crate::change::Transaction;
    use crate::object_id::ObjectId;
    use crate::subscription::testing::{USER, manager, open};
    use crate::subscription::{Dependency, Role as Watching, Watch};

    /// What the endpoint gives to a socket's task.
    fn admitted(manager: &Arc<SubscriptionManager>) -> (WebSocketTransport, Arc<Session>) {
        let session = open(manager, "a");
        let transport = WebSocketTransport::new(Arc::clone(manager));
        (transport.messages_per_second(10), session)
    }

    async fn connect(
        manager: &Arc<SubscriptionManager>,
    ) -> (Connection<DuplexStream>, DuplexStream) {
        let (server, client) = duplex(16);
        let (transport, session) = admitted(manager);
        (Connection::open(transport, session, server).await, client)
    }

    fn publish_whole_table(
        manager: &Arc<SubscriptionManager>,
        connection: &Connection<DuplexStream>,
    ) {
        let watch = manager.watch_for(connection.attached.session());
        let reading = watch.begin(ObjectId::table(USER), 0);
        let whole = Dependency::Table(USER);
        reading.depend(Watching::Declared, whole).unwrap();
        reading.finish();
        manager.publish(&Arc::new(Transaction::of(Vec::new(), vec![USER])));
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_no_ping_is_closed_as_silent() {
        let manager = manager();
        let (mut connection, _client) = connect(&manager).await;
        let start = tokio::time::Instant::now();
        assert_eq!(connection.run().await, End::Close(CloseCode::Silent));
        assert_eq!(start.elapsed().as_secs(), limits::PING_EVERY.as_secs() * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_answers_pings_stays() {
        let manager = manager();
        let (mut connection, client) = connect(&manager).await;
        let mut client = WebSocketStream::from_raw_socket(client, Role::Client, None).await;
        let answers = async move {
            for _ in 0..5 {
                let ping = client.next().await.unwrap().unwrap();
                assert!(ping.is_ping());
                client.flush().await.unwrap();
            }
        };
        let (end, ()) = tokio::join!(connection.run(), answers);
        assert_eq!(end, End::Gone, "the client hung up after five pings");
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_is_closed_as_too_slow() {
        let manager = manager();
        let (mut connection, _client) = connect(&manager).await;
        publish_whole_table(&manager, &connection);
        let start = tokio::time::Instant::now();
        assert_eq!(connection.run().await, End::Close(CloseCode::TooSlow));
        assert_eq!(start.elapsed(), limits::WRITE_TIMEOUT);
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_to_close_does_not_wait_for_a_slow_client() {
        let manager = manager();
        let (mut connection, _client) = connect(&manager).await;
        publish_whole_table(&manager, &connection);
        let start = tokio::time::Instant::now();
        let stop = async {
            tokio::task::yield_now().await;
            manager.connections().stop();
        };
        let (end, ()) = tokio::join!(connection.run(), stop);
        assert_eq!(end, End::Close(CloseCode::GoingAway));
        assert!(start.elapsed().is_zero());
    }

    #[tokio::test(start_paused = true)]
    async fn a_socket_that_nobody_ends_is_let_go() {
        let manager = manager();
        let (transport, session) = admitted(&manager);
        let (server, client) = duplex(1024);
        manager.connections().stop();
        serve(transport, session, server).await;
        assert_eq!(manager.connections().sockets(), 0);
        drop(client);
    }

    #[test]
    fn the_task_of_an_idle_socket_is_small() {
        let manager = manager();
        let (transport, session) = admitted(&manager);
        let (server, _client) = duplex(16);
        let size = size_of_val(&serve(transport, session, server));
        assert!(size < 3 << 10, "{size} bytes");
    }
}
