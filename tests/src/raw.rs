//! A client that keeps to no rule: a TCP connection over which a test sends and reads what it likes.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Bytes that the system keeps for a client that does not read; the smallest buffer there is.
const RECEIVE_BUFFER: u32 = 1 << 10;

/// A connection.
#[derive(Debug)]
pub struct Raw(TcpStream);

impl Raw {
    /// Connects with a small buffer for what is not read.
    pub async fn connect(address: SocketAddr) -> Raw {
        let socket = TcpSocket::new_v4().expect("there are sockets");
        socket
            .set_recv_buffer_size(RECEIVE_BUFFER)
            .expect("the system takes any size");
        Raw(socket.connect(address).await.expect("the server listens"))
    }

    /// The same, and opens the websocket of a session.
    pub async fn websocket(address: SocketAddr, session: &str) -> Raw {
        let mut raw = Raw::connect(address).await;
        raw.send(Raw::handshake(session)).await;
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(raw.byte().await.expect("the server answers"));
        }
        assert!(answer.starts_with(b"HTTP/1.1 101 "));
        raw
    }

    /// A request for the websocket of a session.
    pub fn handshake(session: &str) -> String {
        format!(
            "GET /ws/connect?session_id={session} HTTP/1.1\r\nHost: localhost\r\n\
             Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
    }

    /// Sends bytes. The server may have closed the connection in the middle: that is an answer, too.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// The next byte; nothing at the end.
    pub async fn byte(&mut self) -> Option<u8> {
        self.0.read_u8().await.ok()
    }

    /// The status of an HTTP answer; nothing if the server ends the connection without one.
    pub async fn status(&mut self) -> Option<u16> {
        let mut line = [0; 12];
        self.0.read_exact(&mut line).await.ok()?;
        std::str::from_utf8(&line[9..]).ok()?.parse().ok()
    }
}
