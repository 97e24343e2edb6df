//! One session: a client across its sockets.
//!
//! A session outlives its sockets and may begin before the first of them. It has at most one
//! socket; a newer one takes the place of the older, whose end then changes nothing. Publishing,
//! requests and the socket's task meet behind one std mutex that is held for a few lines and never
//! across an await.

use std::fmt;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use blazelink_codes::close::CloseCode;
use tokio::sync::Notify;

use super::id::{SessionId, SessionLabel};
use super::mischief::Mischief;
use super::outbox::{Delivered, Entry, Outbox, Pushed};
use super::peer::Peer;
use super::update::{Update, UpdateKind};
use crate::object_id::ObjectId;
use crate::viewer::Viewer;

/// A client, known by its session id.
///
/// A session is anonymous until a request, or a grant on its websocket, says who its viewer is.
/// From then on it belongs to that viewer: requests of anyone else, anonymous ones included, are
/// refused, so a stolen id alone asks nothing in the viewer's name. The websocket of the original
/// carries nothing but the id: whoever knows the id receives what the session is told, which is why
/// ids are secrets.
///
/// What a session is told is what its viewer may see at that moment. So one that was restored
/// after a restart is anonymous until its client asks again, whoever it belonged to before. When
/// an anonymous session gets its viewer, it is owed one update for everything that it watches by
/// then, since its viewer may see more than nobody does.
#[derive(Debug)]
pub struct Session {
    id: SessionId,
    label: SessionLabel,
    number: u32,
    peer: Option<Peer>,
    /// A [`Mischief`].
    mischief: AtomicU32,
    /// The message id of the last update whose way is followed.
    followed: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    outbox: Outbox,
    socket: Option<Arc<Socket>>,
    last_seen: Instant,
    viewer: Viewer,
}

/// The session's end of one socket; its task holds the other.
#[derive(Debug, Default)]
pub struct Socket {
    notify: Notify,
    order: OnceLock<CloseCode>,
}

impl Socket {
    /// Orders the socket's task to close it. The first order stands.
    pub fn close(&self, code: CloseCode) {
        if self.order.set(code).is_ok() {
            self.notify.notify_one();
        }
    }

    /// The code with which the socket is to be closed, once somebody ordered it.
    pub fn order(&self) -> Option<CloseCode> {
        self.order.get().copied()
    }

    /// Waits until there is something to take or an order to close. A wake-up before the call
    /// counts; several count as one.
    pub async fn woken(&self) {
        self.notify.notified().await;
    }
}

/// What a socket's task finds in its session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    /// Entries were taken, or nothing waits.
    Entries,
    /// The session is owed a reset: read what it watches, call [`Session::refill`], take again.
    Reset,
    /// The socket is no longer the session's.
    Detached,
}

/// Since when a session belongs to a viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// It has before.
    Before,
    /// It was anonymous until now.
    Now,
}

/// The session belongs to another viewer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnotherViewer;

impl fmt::Display for AnotherViewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("The session belongs to somebody else; begin another with a new session id")
    }
}

impl Session {
    pub(super) fn new(id: SessionId, number: u32, peer: Option<Peer>, now: Instant) -> Session {
        Session {
            id,
            label: SessionLabel::fresh(),
            number,
            peer,
            mischief: AtomicU32::new(0),
            followed: AtomicU64::new(0),
            state: Mutex::new(State {
                outbox: Outbox::default(),
                socket: None,
                last_seen: now,
                viewer: Viewer::anonymous(),
            }),
        }
    }

    /// The secret that names the session to its client.
    pub fn id(&self) -> &SessionId {
        &self.id
    }

    /// What people may see of it.
    pub fn label(&self) -> SessionLabel {
        self.label
    }

    /// The session's number in the subscription index.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// What is done to it, to see how its client bears it.
    #[inline]
    pub(crate) fn mischief(&self) -> Mischief {
        Mischief::of_word(self.mischief.load(Ordering::Relaxed))
    }

    /// From now on this is done to it.
    pub(crate) fn suffer(&self, mischief: Mischief) {
        self.mischief.store(mischief.to_word(), Ordering::Relaxed);
    }

    /// Closes its socket, if it has one, as if the server went away.
    pub(crate) fn cut(&self) {
        if let Some(socket) = &self.lock().socket {
            socket.close(CloseCode::GoingAway);
        }
    }

    /// To whom the session belongs: anonymous until somebody was known.
    pub fn viewer(&self) -> Viewer {
        self.lock().viewer.clone()
    }

    /// Lets the session belong to this viewer, or says whether it does.
    ///
    /// # Errors
    ///
    /// If it belongs to another.
    pub(crate) fn bind(&self, viewer: &Viewer) -> Result<Bound, AnotherViewer> {
        let mut state = self.lock();
        if state.viewer == *viewer {
            return Ok(Bound::Before);
        }
        if !state.viewer.is_anonymous() {
            return Err(AnotherViewer);
        }
        state.viewer = viewer.clone();
        Ok(Bound::Now)
    }

    /// Where the client was that began it; nothing if no client did.
    pub(super) fn peer(&self) -> Option<Peer> {
        self.peer
    }

    /// Appends updates in order and wakes the socket, if there is one, once. If they are `followed`, or
    /// do not stay as they are, the socket tells the recorder of them at once.
    pub(crate) fn deliver<'a>(
        &self,
        updates: impl Iterator<Item = (UpdateKind, &'a Arc<Update>)>,
        followed: bool,
    ) -> Delivered {
        let mut state = self.lock();
        let mut delivered = Delivered {
            first: state.outbox.last() + 1,
            pushed: Pushed::Appended,
        };
        for (kind, update) in updates {
            delivered.pushed = delivered.pushed.max(state.outbox.push(kind, update));
        }
        // Before the socket can take them.
        if followed || delivered.pushed != Pushed::Appended {
            self.followed.store(state.outbox.last(), Ordering::Relaxed);
        }
        state.wake();
        delivered
    }

    /// The message id of the last update whose way is followed.
    pub(crate) fn followed(&self) -> u64 {
        self.followed.load(Ordering::Relaxed)
    }

    /// Owes the session one update per object that it watches.
    pub(crate) fn reset(&self) {
        let mut state = self.lock();
        state.outbox.reset();
        state.wake();
    }

    /// Gives the session a new socket. An older one is closed as replaced; what it may have lost
    /// waits again.
    pub(crate) fn attach(&self, now: Instant) -> Arc<Socket> {
        let socket = Arc::new(Socket::default());
        let mut state = self.lock();
        state.last_seen = now;
        state.outbox.rewind();
        if let Some(older) = state.socket.replace(Arc::clone(&socket)) {
            older.close(CloseCode::Replaced);
        }
        state.wake();
        socket
    }

    /// The socket has ended. Changes nothing if a newer one has taken its place.
    pub(crate) fn detach(&self, socket: &Arc<Socket>, now: Instant) {
        let mut state = self.lock();
        if state.has(socket) {
            state.socket = None;
            state.last_seen = now;
        }
    }

    /// Takes waiting entries for the socket, about `bytes` of them.
    pub(crate) fn take(&self, socket: &Arc<Socket>, bytes: usize, out: &mut Vec<Entry>) -> Taken {
        let mut state = self.lock();
        if !state.has(socket) {
            return Taken::Detached;
        }
        if state.outbox.begin_reset() {
            return Taken::Reset;
        }
        state.outbox.take(bytes, out);
        Taken::Entries
    }

    /// Pays a reset that [`Session::take`] reported: `objects` must have been read after that.
    /// Wakes the socket, for it may have been replaced since.
    pub(crate) fn refill(&self, objects: Vec<ObjectId>) {
        let mut state = self.lock();
        state.outbox.refill(objects);
        state.wake();
    }

    /// The client has handled a message that came over this socket.
    pub(crate) fn confirm(&self, socket: &Arc<Socket>, msg_id: u64) {
        let mut state = self.lock();
        if state.has(socket) {
            state.outbox.confirm(msg_id);
        }
    }

    /// An id for a message that is sent now and not kept.
    pub(crate) fn passing_id(&self) -> u64 {
        self.lock().outbox.passing_id()
    }

    /// Whether its client has a socket.
    pub(crate) fn is_attached(&self) -> bool {
        self.lock().socket.is_some()
    }

    /// Number of updates that wait to be written to its socket.
    pub(crate) fn outbox_waiting(&self) -> usize {
        self.lock().outbox.waiting()
    }

    /// Number of updates that were written to a socket, and that its client has not confirmed.
    pub(crate) fn outbox_unconfirmed(&self) -> usize {
        self.lock().outbox.unconfirmed()
    }

    /// Bytes that wait for the client or for its confirmation.
    pub fn outbox_bytes(&self) -> usize {
        self.lock().outbox.bytes()
    }

    pub(super) fn touch(&self, now: Instant) {
        self.lock().last_seen = now;
    }

    /// Whether the session has had neither socket nor request for `grace`.
    pub(super) fn idle(&self, now: Instant, grace: Duration) -> bool {
        let state = self.lock();
        state.socket.is_none() && now.saturating_duration_since(state.last_seen) >= grace
    }

    pub(super) fn order_close(&self, code: CloseCode) {
        if let Some(socket) = &self.lock().socket {
            socket.close(code);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn has(&self, socket: &Arc<Socket>) -> bool {
        self.socket
            .as_ref()
            .is_some_and(|current| Arc::ptr_eq(current, socket))
    }

    fn wake(&self) {
        if let Some(socket) = &self.socket {
            socket.notify.notify_one();
        }
    }
}
