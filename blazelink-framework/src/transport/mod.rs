//! What travels over a socket, and the sockets themselves.

mod allowance;
mod debug_message;
mod doors;
mod doorway;
mod frames;
mod journal;
mod original;
mod protocol;
mod server;
mod socket;
mod unsaid;
mod unstalled;
mod websocket;

pub use allowance::Allowance;
pub use doors::{Doors, Refusal, Verdict};
pub use doorway::Doorway;
pub use journal::{Journal, Sessions};
pub use server::HttpServer;
pub use websocket::WebSocketTransport;
