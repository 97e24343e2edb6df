//! All sessions of the process, by id and by number, and the count of their sockets.
//!
//! Sessions begin with a request or a websocket, whichever comes first, and end when they have
//! had neither for the grace time. A session's number stays reserved until the subscription index
//! has forgotten it, so that no update reaches a session that took over a number.
//!
//! What must stay true: whatever a client sends begins a session through
//! [`ConnectionManager::admit`], which counts it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use blazelink_codes::close::CloseCode;
use hashbrown::HashMap;
use slab::Slab;
use tokio::sync::watch;

use super::admission::{Admission, SessionLimits};
use super::id::{SessionId, SessionLabel};
use super::peer::Peer;
use super::state::{Session, Socket};
use crate::error::Result;

/// Owners of a session that nobody uses: the map by id and the slab by number.
const IDLE_OWNERS: usize = 2;

/// The registry of sessions.
#[derive(Debug)]
pub struct ConnectionManager {
    connections: Mutex<Connections>,
    sockets: watch::Sender<usize>,
}

#[derive(Debug, Default)]
struct Connections {
    by_id: HashMap<SessionId, Arc<Session>>,
    by_number: Slab<Arc<Session>>,
    admission: Admission,
    stopping: bool,
}

/// One open socket of a session. Dropped, the socket has ended.
#[derive(Debug)]
pub struct Attached {
    manager: Arc<ConnectionManager>,
    session: Arc<Session>,
    socket: Arc<Socket>,
}

impl Default for ConnectionManager {
    fn default() -> Self {
        ConnectionManager::new(SessionLimits::default())
    }
}

impl ConnectionManager {
    /// Without any session, for at most so many.
    pub fn new(limits: SessionLimits) -> ConnectionManager {
        let connections = Connections {
            admission: Admission::new(limits),
            ..Connections::default()
        };
        ConnectionManager {
            connections: Mutex::new(connections),
            sockets: watch::Sender::new(0),
        }
    }

    /// The session with this id, for a client from there; a new one if there is none. Counts as
    /// activity, and as long as the caller holds it the session does not end.
    ///
    /// # Errors
    ///
    /// [`Code::TooManySessions`](blazelink_codes::Code::TooManySessions) if it would be one session
    /// too many, worded for the client. A session that exists is always given.
    pub fn admit(&self, id: &SessionId, peer: Peer, now: Instant) -> Result<Arc<Session>> {
        let mut connections = self.lock();
        if let Some(session) = connections.find(id, now) {
            return Ok(session);
        }
        if let Err(full) = connections.admission.check(peer) {
            if connections.admission.tells(now) {
                tracing::warn!(reason = %full, "sessions refused; see [limits] in the settings");
            }
            return Err(full);
        }
        Ok(connections.begin(id, Some(peer), now))
    }

    /// The same for what no client asked for: counted, but never refused.
    pub fn open(&self, id: &SessionId, now: Instant) -> Arc<Session> {
        let mut connections = self.lock();
        let found = connections.find(id, now);
        found.unwrap_or_else(|| connections.begin(id, None, now))
    }

    /// Whether there is a session with this id. Counts as no activity.
    pub fn has(&self, id: &SessionId) -> bool {
        self.lock().by_id.contains_key(id)
    }

    /// What logs show of the session with this id, if there is one. Counts as no activity.
    pub(crate) fn label(&self, id: &SessionId) -> Option<SessionLabel> {
        let connections = self.lock();
        connections.by_id.get(id).map(|session| session.label())
    }

    /// Gives a session a new socket. While the server stops, the socket is told to close at once.
    pub fn attach(self: &Arc<Self>, session: &Arc<Session>, now: Instant) -> Attached {
        self.sockets.send_modify(|count| *count += 1);
        let attached = Attached {
            manager: Arc::clone(self),
            session: Arc::clone(session),
            socket: session.attach(now),
        };
        if self.lock().stopping {
            attached.socket.close(CloseCode::GoingAway);
        }
        attached
    }

    /// The sessions with these numbers, in this order.
    pub fn by_numbers(&self, numbers: impl Iterator<Item = u32>) -> Vec<Option<Arc<Session>>> {
        let connections = self.lock();
        numbers
            .map(|number| connections.by_number.get(number as usize).cloned())
            .collect()
    }

    /// All sessions.
    pub fn all(&self) -> Vec<Arc<Session>> {
        self.lock().by_id.values().cloned().collect()
    }

    /// Takes out the sessions that have been idle for `grace` and that nobody holds. Their
    /// numbers stay reserved until [`ConnectionManager::release`].
    pub fn expire(&self, now: Instant, grace: Duration) -> Vec<Arc<Session>> {
        let mut connections = self.lock();
        let ends = |session: &mut Arc<Session>| {
            Arc::strong_count(session) == IDLE_OWNERS && session.idle(now, grace)
        };
        let ended = connections.by_id.extract_if(|_, session| ends(session));
        let ended: Vec<Arc<Session>> = ended.map(|(_, session)| session).collect();
        for session in &ended {
            connections.admission.ended(session.peer());
        }
        ended
    }

    /// Gives back the number of a session that has ended and that the index has forgotten.
    pub fn release(&self, session: &Session) {
        let mut connections = self.lock();
        connections.by_number.try_remove(session.number() as usize);
    }

    /// Closes every socket with [`CloseCode::GoingAway`], and every new one too.
    pub fn stop(&self) {
        let mut connections = self.lock();
        connections.stopping = true;
        for session in connections.by_id.values() {
            session.order_close(CloseCode::GoingAway);
        }
    }

    /// Waits until no socket is open.
    pub async fn sockets_closed(&self) {
        let mut sockets = self.sockets.subscribe();
        // The sender lives as long as `self`.
        let _ = sockets.wait_for(|count| *count == 0).await;
    }

    /// Number of open sockets.
    pub fn sockets(&self) -> usize {
        *self.sockets.borrow()
    }

    /// Number of sessions.
    pub fn len(&self) -> usize {
        self.lock().by_id.len()
    }

    /// Whether there is no session.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Connections> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn find(&self, id: &SessionId, now: Instant) -> Option<Arc<Session>> {
        let session = self.by_id.get(id)?;
        session.touch(now);
        Some(Arc::clone(session))
    }

    fn begin(&mut self, id: &SessionId, peer: Option<Peer>, now: Instant) -> Arc<Session> {
        let entry = self.by_number.vacant_entry();
        let number = entry.key() as u32;
        let session = Arc::new(Session::new(id.clone(), number, peer, now));
        entry.insert(Arc::clone(&session));
        self.by_id.insert(id.clone(), Arc::clone(&session));
        self.admission.began(peer);
        session
    }
}

impl Attached {
    /// The session.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// The session's end of the socket.
    pub fn socket(&self) -> &Arc<Socket> {
        &self.socket
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.session.detach(&self.socket, Instant::now());
        self.manager.sockets.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::object_id::{ObjectId, TableId};

    const GRACE: Duration = Duration::from_secs(120);

    fn id(text: &str) -> SessionId {
        SessionId::new(text).unwrap()
    }

    #[test]
    fn a_session_ends_when_nobody_used_it_for_the_grace_time() {
        let manager = ConnectionManager::default();
        let start = Instant::now();
        manager.open(&id("a"), start);
        manager.open(&id("b"), start + GRACE / 2);
        let ended = manager.expire(start + GRACE, GRACE);
        assert_eq!(ended.len(), 1);
        assert_eq!(ended[0].id(), &id("a"));
        assert_eq!(manager.len(), 1);
    }

    #[test]
    fn a_full_address_keeps_its_sessions_and_begins_one_when_another_has_ended() {
        let manager = ConnectionManager::new(SessionLimits {
            total: 10,
            per_address: 1,
        });
        let peer = Peer::new([192, 0, 2, 1].into());
        let start = Instant::now();
        manager.admit(&id("a"), peer, start).unwrap();
        assert!(manager.admit(&id("a"), peer, start).is_ok());
        assert!(manager.admit(&id("b"), peer, start).is_err());
        assert_eq!(manager.len(), 1);
        let other = Peer::new([192, 0, 2, 2].into());
        assert!(manager.admit(&id("c"), other, start + GRACE).is_ok());
        assert_eq!(manager.expire(start + GRACE, GRACE).len(), 1);
        assert!(manager.admit(&id("b"), peer, start + GRACE).is_ok());
    }

    #[test]
    fn a_number_is_reserved_until_it_is_released() {
        let manager = ConnectionManager::default();
        let start = Instant::now();
        let number = manager.open(&id("a"), start).number();
        let ended = manager.expire(start + GRACE, GRACE);
        let during = manager.open(&id("b"), start).number();
        assert_ne!(during, number);
        manager.release(&ended[0]);
        assert_eq!(manager.open(&id("c"), start).number(), number);
    }

    #[test]
    fn a_session_in_use_or_with_a_socket_does_not_end() {
        let manager = Arc::new(ConnectionManager::default());
        let start = Instant::now();
        let request = manager.open(&id("a"), start);
        let late = start + GRACE * 10;
        assert!(manager.expire(late, GRACE).is_empty());
        let attached = manager.attach(&request, start);
        drop(request);
        assert!(manager.expire(late, GRACE).is_empty());
        assert_eq!(manager.sockets(), 1);
        drop(attached);
        assert_eq!(manager.sockets(), 0);
        assert!(manager.expire(start + GRACE / 2, GRACE).is_empty());
        assert_eq!(manager.expire(late, GRACE).len(), 1);
    }

    #[test]
    fn closing_the_older_socket_leaves_the_newer_one_registered() {
        let manager = Arc::new(ConnectionManager::default());
        let now = Instant::now();
        let session = manager.open(&id("a"), now);
        let older = manager.attach(&session, now);
        let newer = manager.attach(&session, now);
        assert_eq!(older.socket().order(), Some(CloseCode::Replaced));
        drop(older);
        let mut out = Vec::new();
        let taken = session.take(newer.socket(), 1, &mut out);
        assert_eq!(taken, super::super::Taken::Entries);
        assert_eq!(newer.socket().order(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_reset_that_the_older_socket_began_wakes_the_newer_one() {
        let manager = Arc::new(ConnectionManager::default());
        let now = Instant::now();
        let session = manager.open(&id("a"), now);
        let older = manager.attach(&session, now);
        session.reset();
        let mut out = Vec::new();
        let begun = session.take(older.socket(), 1, &mut out);
        assert_eq!(begun, super::super::Taken::Reset);
        let newer = manager.attach(&session, now);
        newer.socket().woken().await;
        session.refill(vec![ObjectId::table(TableId(0))]);
        let woken = tokio::time::timeout(GRACE, newer.socket().woken());
        woken.await.unwrap();
    }

    #[test]
    fn a_stopping_server_closes_old_and_new_sockets() {
        let manager = Arc::new(ConnectionManager::default());
        let now = Instant::now();
        let session = manager.open(&id("a"), now);
        let before = manager.attach(&session, now);
        manager.stop();
        let other = manager.open(&id("b"), now);
        let after = manager.attach(&other, now);
        assert_eq!(before.socket().order(), Some(CloseCode::GoingAway));
        assert_eq!(after.socket().order(), Some(CloseCode::GoingAway));
    }
}
