//! Who asks: eight connections that stay open, each with one request at a time and a session of
//! its own. As little as can be done for a request, since it shares the machine with the server.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONNECTIONS: usize = 8;

/// Requests that a connection numbers before another one's begin.
const STRIDE: usize = 7_919;

pub(super) struct Load {
    connections: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    session: String,
    received: Vec<u8>,
    asked: usize,
}

impl Load {
    pub(super) async fn connect(address: SocketAddr) -> Load {
        let mut connections = Vec::new();
        for number in 0..CONNECTIONS {
            let stream = TcpStream::connect(address).await;
            let stream = stream.expect("the server listens");
            stream.set_nodelay(true).expect("the socket is open");
            connections.push(Connection {
                stream,
                session: format!("{:032x}", rand::random::<u128>()),
                received: Vec::new(),
                asked: number * STRIDE,
            });
        }
        Load { connections }
    }

    /// Asks for so long, and gives the answers per second.
    pub(super) async fn run(&mut self, document: fn(usize) -> String, time: Duration) -> f64 {
        let begun = Instant::now();
        let mut asking = Vec::new();
        for mut connection in self.connections.drain(..) {
            asking.push(tokio::spawn(async move {
                let mut answers = 0;
                while begun.elapsed() < time {
                    connection.asked += 1;
                    connection.ask(&document(connection.asked)).await;
                    answers += 1;
                }
                (connection, answers)
            }));
        }
        let mut answers = 0;
        for asking in asking {
            let (connection, answered) = asking.await.expect("the server answers");
            self.connections.push(connection);
            answers += answered;
        }
        f64::from(answers) / begun.elapsed().as_secs_f64()
    }

    pub(super) async fn answer(&mut self, document: &str) -> Vec<u8> {
        let connection = self.connections.first_mut().expect("there are some");
        connection.ask(document).await
    }
}

impl Connection {
    /// The body of the answer.
    async fn ask(&mut self, document: &str) -> Vec<u8> {
        let body = serde_json::json!({"query": document}).to_string();
        let request = format!(
            "POST /graphql/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             session_id: {}\r\nContent-Length: {}\r\n\r\n{body}",
            self.session,
            body.len()
        );
        let sent = self.stream.write_all(request.as_bytes()).await;
        sent.expect("the server reads");
        self.received.clear();
        loop {
            let read = self.stream.read_buf(&mut self.received).await;
            assert!(read.expect("the server writes") > 0, "the server stays");
            if let Some(body) = body_of(&self.received) {
                assert!(self.received.starts_with(b"HTTP/1.1 200 "), "{document}");
                return self.received[body..].to_vec();
            }
        }
    }
}

/// Where the body begins, once all of it is there.
fn body_of(received: &[u8]) -> Option<usize> {
    let end = received.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&received[..end]).expect("heads are text");
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then_some(value)
    });
    let length = length.expect("answers say their length").trim();
    let length: usize = length.parse().expect("it is a number");
    (received.len() >= end + 4 + length).then_some(end + 4)
}
