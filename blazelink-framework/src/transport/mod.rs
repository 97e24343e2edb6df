//! What travels over a socket, and the sockets themselves.

mod acceptor;
mod allowance;
mod doors;
mod doorway;
mod original;
mod protocol;
mod websocket;

pub use acceptor::PromptAcceptor;
pub use allowance::Allowance;
pub use doors::{Doors, Refusal, Verdict};
pub use doorway::Doorway;
pub use websocket::WebSocketTransport;
