//! What travels over a socket, and the sockets themselves.

mod acceptor;
mod original;
mod protocol;
mod websocket;

pub use acceptor::PromptAcceptor;
pub use websocket::WebSocketTransport;
