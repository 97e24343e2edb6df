//! Ends what a connection waits for, from beside it.
//!
//! Making a slot waits for every open transaction, and goes on waiting, slot and all, when its
//! connection is closed: only a cancel request ends it.

use std::path::PathBuf;
use std::time::Duration;

use bytes::BytesMut;
use postgres_protocol::message::{backend, frontend};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};

/// How long to try.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Where a connection leads to.
#[derive(Clone, Debug)]
pub(super) enum Endpoint {
    /// A socket's file.
    Unix(PathBuf),
    /// A host and a port.
    Tcp(String, u16),
}

/// What a cancel request needs.
#[derive(Clone, Debug)]
pub(super) struct Cancel {
    endpoint: Endpoint,
    process: i32,
    secret: i32,
}

impl Cancel {
    pub(super) fn new(endpoint: Endpoint, key: &backend::BackendKeyDataBody) -> Cancel {
        Cancel {
            endpoint,
            process: key.process_id(),
            secret: key.secret_key(),
        }
    }

    /// The server process of the connection.
    pub(super) fn process(&self) -> i32 {
        self.process
    }

    /// Asks the server to end what the connection runs, as far as that goes. The request holds
    /// nothing worth encrypting but its key, which is of no use to anyone afterwards.
    pub(super) async fn send(&self) {
        let mut request = BytesMut::new();
        frontend::cancel_request(self.process, self.secret, &mut request);
        let sent = tokio::time::timeout(TIMEOUT, async {
            match &self.endpoint {
                Endpoint::Unix(file) => deliver(UnixStream::connect(file).await?, &request).await,
                Endpoint::Tcp(host, port) => {
                    let socket = TcpStream::connect((host.as_str(), *port)).await?;
                    deliver(socket, &request).await
                }
            }
        });
        match sent.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!(%error, "the cancel request was not delivered"),
            Err(_) => tracing::debug!("the cancel request was not delivered in time"),
        }
    }
}

/// The server answers by closing.
async fn deliver(
    mut socket: impl AsyncReadExt + AsyncWriteExt + Unpin,
    request: &[u8],
) -> std::io::Result<()> {
    socket.write_all(request).await?;
    socket.read_to_end(&mut Vec::new()).await.map(|_| ())
}
