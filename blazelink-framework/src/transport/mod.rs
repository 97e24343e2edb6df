//! What travels over a socket, and the sockets themselves.

mod acceptor;
mod journal;
mod original;
mod protocol;
mod websocket;

pub use acceptor::PromptAcceptor;
pub use journal::{Journal, Sessions};
pub use original::{Received, receive, write_frame};
pub use protocol::{Authorize, ClientMessage, parse};
pub use websocket::WebSocketTransport;
