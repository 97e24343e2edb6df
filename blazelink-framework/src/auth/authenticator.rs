//! `Authenticator`: the app's own code that judges what a client says of itself on its websocket.

use std::fmt;

use crate::viewer::Viewer;

/// Judges an `AuthorizeEvent`. Given to [`Builder::authenticator`](crate::Builder::authenticator);
/// without one the event is ignored.
///
/// A client guesses at most as often as it may send messages (`[limits] messages_per_second`), and
/// every wrong guess costs it its socket; compare secrets in constant time all the same.
pub trait Authenticator: Send + Sync + 'static {
    /// What the client is granted; nothing closes its socket with 4403.
    fn authenticate(&self, event: &AuthorizeEvent) -> impl Future<Output = Option<Grant>> + Send;
}

/// What a client says of itself. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizeEvent {
    /// The client's proof.
    pub secret: String,
    /// The name that it claims.
    pub handle: String,
}

impl fmt::Debug for AuthorizeEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuthorizeEvent(..)")
    }
}

/// What an authenticated client is granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub(crate) viewer: Option<Viewer>,
    pub(crate) monitoring: Monitoring,
}

/// Whether a client may watch what the server does for all others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Monitoring {
    /// It may not.
    Denied,
    /// It may.
    Allowed,
}

impl Grant {
    /// The session belongs to the viewer that this value stands for, as if a request had said so.
    pub fn viewer<T>(value: T) -> Grant
    where
        T: Clone + Eq + Send + Sync + 'static,
    {
        Grant {
            viewer: Some(Viewer::new(value)),
            monitoring: Monitoring::Denied,
        }
    }

    /// The socket is a monitor: for operators only. It is told of every session, whoever its
    /// viewer is. The session's viewer stays who it is.
    pub fn monitor() -> Grant {
        Grant {
            viewer: None,
            monitoring: Monitoring::Allowed,
        }
    }

    /// The same, and the socket is a monitor.
    #[must_use]
    pub fn with_monitor(mut self) -> Grant {
        self.monitoring = Monitoring::Allowed;
        self
    }
}
