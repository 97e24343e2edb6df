//! Accepts connections for poem's server, each set up for small frames that matter at once.
//!
//! poem's own acceptor leaves Nagle's algorithm on: a frame then waits for the acknowledgement of
//! the one before it, up to 40 ms behind a client that acknowledges late and says nothing itself.

use std::io;
use std::time::Duration;

use poem::http::uri::Scheme;
use poem::listener::{Acceptor, TcpAcceptor};
use poem::web::{LocalAddr, RemoteAddr};
use tokio::net::{TcpListener, TcpStream};

/// How long to wait before the next try when the system cannot give us a connection, for want of
/// file descriptors or memory: the server would spin otherwise, for poem tries again at once.
const PAUSE: Duration = Duration::from_millis(100);

/// A TCP acceptor whose connections send without delay.
///
/// For `poem::Server::new_with_acceptor`.
pub struct PromptAcceptor(TcpAcceptor);

impl PromptAcceptor {
    /// Accepts from a listener that is already bound.
    ///
    /// # Errors
    ///
    /// If the listener does not know its address.
    pub fn new(listener: TcpListener) -> io::Result<PromptAcceptor> {
        TcpAcceptor::from_tokio(listener).map(PromptAcceptor)
    }
}

impl std::fmt::Debug for PromptAcceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("PromptAcceptor")
            .field(&self.0.local_addr())
            .finish()
    }
}

impl Acceptor for PromptAcceptor {
    type Io = TcpStream;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(&mut self) -> io::Result<(TcpStream, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            match self.0.accept().await {
                Ok(accepted) => {
                    // A connection that is gone already says so when it is read.
                    let _ = accepted.0.set_nodelay(true);
                    return Ok(accepted);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    tracing::warn!(error = %error, "cannot accept connections");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Whether only the connection that was being accepted is lost.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn connections_send_without_delay() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut acceptor = PromptAcceptor::new(listener).unwrap();
        let (accepted, client) = tokio::join!(acceptor.accept(), TcpStream::connect(address));
        assert!(accepted.unwrap().0.nodelay().unwrap());
        drop(client.unwrap());
    }
}
