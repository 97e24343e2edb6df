//! `WebSocketTransport`: the endpoint that takes websockets. Each one that it lets in becomes a task
//! of its own (`socket`).

use std::sync::Arc;
use std::time::Instant;

use blazelink_codes::limits;
use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::socket;
use crate::auth::Authority;
use crate::session::{Peer, SessionId};
use crate::subscription::SubscriptionManager;

/// The endpoint `/ws/connect?session_id=..`.
///
/// Answers 404 to what asks for no websocket, 403 without a sound session id, 400 to a broken
/// handshake, 429 to one session too many.
#[derive(Clone, Debug)]
pub struct WebSocketTransport {
    pub(super) manager: Arc<SubscriptionManager>,
    pub(super) authority: Arc<Authority>,
    pub(super) messages_per_second: u32,
    pub(super) frame_bytes: usize,
}

impl WebSocketTransport {
    /// The endpoint for the sessions of this manager.
    pub fn new(manager: Arc<SubscriptionManager>) -> WebSocketTransport {
        WebSocketTransport {
            manager,
            authority: Arc::default(),
            messages_per_second: limits::MESSAGES_PER_SECOND,
            frame_bytes: limits::FRAME_BYTES,
        }
    }

    /// Has clients judged by this authority, instead of by nobody.
    #[must_use]
    pub fn authority(mut self, authority: Arc<Authority>) -> WebSocketTransport {
        self.authority = authority;
        self
    }

    /// Takes so many messages per second from each client, instead of
    /// [`limits::MESSAGES_PER_SECOND`].
    #[must_use]
    pub fn messages_per_second(mut self, count: u32) -> WebSocketTransport {
        self.messages_per_second = count;
        self
    }

    /// Takes frames of so many bytes, instead of [`limits::FRAME_BYTES`].
    #[must_use]
    pub fn frame_bytes(mut self, bytes: usize) -> WebSocketTransport {
        self.frame_bytes = bytes;
        self
    }
}

impl Endpoint for WebSocketTransport {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let Handshake { accept, id } = match handshake(&request) {
            Ok(handshake) => handshake,
            Err(StatusCode::NOT_FOUND) => return Ok(not_found()),
            Err(status) => return Ok(status.into()),
        };
        let peer = Peer::of(request.remote_addr());
        let Ok(upgrade) = request.take_upgrade() else {
            return Ok(StatusCode::BAD_REQUEST.into());
        };
        let now = Instant::now();
        let session = match self.manager.connections().admit(&id, peer, now) {
            Ok(session) => session,
            Err(full) => {
                let refused = Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
                return Ok(refused.body(full.to_string()));
            }
        };
        let transport = self.clone();
        tokio::spawn(async move {
            if let Ok(stream) = upgrade.await {
                socket::serve(transport, session, stream).await;
            }
        });
        Ok(Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header(header::CONNECTION, "upgrade")
            .header(header::UPGRADE, "websocket")
            .header(header::SEC_WEBSOCKET_ACCEPT, accept)
            .finish())
    }
}

/// The original's answer to what asks for no websocket.
fn not_found() -> Response {
    Response::builder()
        .status(StatusCode::NOT_FOUND)
        .content_type("application/json")
        .body(r#"{"detail":"Not Found"}"#)
}

/// A sound request for a websocket.
struct Handshake {
    /// The value of `Sec-WebSocket-Accept`.
    accept: String,
    id: SessionId,
}

fn handshake(request: &Request) -> Result<Handshake, StatusCode> {
    let has = |name, word: &str| {
        let values = request.headers().get_all(name).into_iter();
        values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    if request.method() != Method::GET
        || !has(header::UPGRADE, "websocket")
        || !has(header::CONNECTION, "upgrade")
    {
        return Err(StatusCode::NOT_FOUND);
    }
    let query = request.uri().query().unwrap_or_default();
    let id = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "session_id")
        .and_then(|(_, id)| SessionId::new(&id))
        .ok_or(StatusCode::FORBIDDEN)?;
    let key = request.headers().get(header::SEC_WEBSOCKET_KEY);
    let key = key.filter(|_| has(header::SEC_WEBSOCKET_VERSION, "13"));
    let accept = derive_accept_key(key.ok_or(StatusCode::BAD_REQUEST)?.as_bytes());
    Ok(Handshake { accept, id })
}
