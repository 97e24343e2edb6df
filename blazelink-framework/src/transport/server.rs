//! The HTTP server: accepts connections and has hyper serve poem's endpoint over each of them.
//!
//! poem's own server waits for ever for the rest of a request, and for a client to read its answer;
//! and it leaves Nagle's algorithm on, so that a frame waits for the acknowledgement of the one
//! before it, up to 40 ms behind a client that acknowledges late and says nothing itself.
//!
//! What must stay true: a client that goes silent in the middle of anything costs a connection for
//! a time that [`limits`] names, and nobody waits for it. Bodies are read by the endpoints, each of
//! which has a limit of its own for that. An endpoint that panics costs its own request only.
//! A server that stops breaks no request: whoever takes its place accepts on the same socket, and
//! clients that keep connections are asked to open new ones before theirs are closed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::limits;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::unstalled::Unstalled;

/// How long to wait before the next try when the system cannot give us a connection, for want of
/// file descriptors or memory.
const PAUSE: Duration = Duration::from_millis(100);

/// A server that is bound to its address.
#[derive(Debug)]
pub struct HttpServer {
    listener: TcpListener,
    address: SocketAddr,
}

impl HttpServer {
    /// Binds a server to an address.
    ///
    /// # Errors
    ///
    /// If the address is taken, or not of this machine.
    pub async fn bind(address: SocketAddr) -> io::Result<HttpServer> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        Ok(HttpServer { listener, address })
    }

    /// A server on a socket that listens already, such as one that another process holds too.
    ///
    /// # Errors
    ///
    /// If the system does not let us use it.
    pub fn on(listener: std::net::TcpListener) -> io::Result<HttpServer> {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let address = listener.local_addr()?;
        Ok(HttpServer { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stop` completes, and accepts nothing from then on. What `stop` gives is how long
    /// kept connections stay open for one more request each, whose answer ends them; after that they
    /// are closed where they are idle, and open requests may end, for `drain` at most.
    pub async fn serve(
        self,
        endpoint: impl Endpoint<Output = Response> + 'static,
        stop: impl Future<Output = Duration>,
        drain: Duration,
    ) {
        let endpoint = Arc::new(endpoint);
        let (stopping, _) = watch::channel(Stopping::No);
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        let linger = loop {
            let (stream, peer) = tokio::select! {
                linger = &mut stop => break linger,
                accepted = self.accept() => accepted,
                Some(_) = connections.join_next() => continue,
            };
            let addresses = (self.address, peer);
            let endpoint = Arc::clone(&endpoint);
            connections.spawn(serve(stream, addresses, endpoint, stopping.subscribe()));
        };
        drop(self.listener);
        if !linger.is_zero() {
            stopping.send_replace(Stopping::Lingering);
            let _ = tokio::time::timeout(linger, ended(&mut connections)).await;
        }
        stopping.send_replace(Stopping::Now);
        // Who has not ended by then is cut off with the set.
        let _ = tokio::time::timeout(drain, ended(&mut connections)).await;
    }

    async fn accept(&self) -> (TcpStream, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // A connection that is gone already says so when it is read.
                    let _ = stream.set_nodelay(true);
                    return (stream, peer);
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

/// What a connection knows of the server's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stopping {
    No,
    /// The next answer of each connection is its last.
    Lingering,
    /// Idle connections end.
    Now,
}

async fn ended(connections: &mut JoinSet<()>) {
    while connections.join_next().await.is_some() {}
}

/// Serves one connection, from `peer` to us, until it ends or becomes a websocket; once the server
/// stops, until the open request is answered.
async fn serve<E: Endpoint<Output = Response> + 'static>(
    stream: TcpStream,
    (local, peer): (SocketAddr, SocketAddr),
    endpoint: Arc<E>,
    mut stopping: watch::Receiver<Stopping>,
) {
    let asked = stopping.clone();
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let asked = asked.clone();
        let endpoint = Arc::clone(&endpoint);
        let (local, peer) = (LocalAddr(local.into()), RemoteAddr(peer.into()));
        let request = Request::from((request, local, peer, Scheme::HTTP));
        async move {
            let answered = AssertUnwindSafe(endpoint.get_response(request));
            let mut response = answered.catch_unwind().await.unwrap_or_else(|_| failed());
            let upgrades = response.status() == StatusCode::SWITCHING_PROTOCOLS;
            if *asked.borrow() != Stopping::No && !upgrades {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(header::CONNECTION, close);
            }
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits::HEAD_TIMEOUT)
        .max_buf_size(limits::HEAD_BYTES)
        .serve_connection(TokioIo::new(Unstalled::new(stream)), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    // What breaks a connection is its client's affair.
    tokio::select! {
        _ = &mut connection => return,
        _ = stopping.wait_for(|stopping| *stopping == Stopping::Now) => {}
    }
    connection.as_mut().graceful_shutdown();
    let _ = connection.await;
}

/// The answer where the app's code, or ours, panicked. What it said stands in the process' own
/// error output, for it may hold values.
fn failed() -> Response {
    tracing::error!("a request was not answered: the code that answers it panicked");
    Response::builder()
        .status(StatusCode::INTERNAL_SERVER_ERROR)
        .content_type("text/plain; charset=utf-8")
        .body("The request cannot be answered: the server failed")
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
    use std::net::{IpAddr, Ipv4Addr};

    use poem::endpoint::{make, make_sync};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::sync::{Notify, oneshot};
    use tokio::time::Instant;

    use super::*;

    const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n";

    /// A client of a server that answers every request with this body.
    async fn client(body: Vec<u8>) -> TcpStream {
        let server = HttpServer::bind(LOOPBACK).await.unwrap();
        let address = server.address();
        let endpoint = make_sync(move |_| Response::builder().body(body.clone()));
        tokio::spawn(server.serve(endpoint, std::future::pending(), Duration::ZERO));
        TcpStream::connect(address).await.unwrap()
    }

    /// Everything until the server ends the connection, and the status that it begins with.
    async fn rest(client: &mut TcpStream) -> (usize, String) {
        let mut bytes = Vec::new();
        // The server may cut it off instead of ending it.
        let _ = client.read_to_end(&mut bytes).await;
        let status = bytes.get(9..12).unwrap_or_default();
        (bytes.len(), String::from_utf8_lossy(status).into())
    }

    #[tokio::test]
    async fn connections_send_without_delay() {
        let server = HttpServer::bind(LOOPBACK).await.unwrap();
        let address = server.address();
        let (accepted, client) = tokio::join!(server.accept(), TcpStream::connect(address));
        assert!(accepted.0.nodelay().unwrap());
        drop(client.unwrap());
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_asks_nothing_or_half_of_it_is_let_go() {
        for asked in [&b""[..], b"G", &GET[..GET.len() - 1]] {
            let mut client = client(Vec::new()).await;
            let begun = Instant::now();
            client.write_all(asked).await.unwrap();
            assert_eq!(rest(&mut client).await.0, 0);
            assert!(begun.elapsed() >= limits::HEAD_TIMEOUT);
        }
        // The same after an answer.
        let mut client = client(Vec::new()).await;
        let begun = Instant::now();
        client.write_all(GET).await.unwrap();
        client.write_all(b"GET").await.unwrap();
        assert_eq!(rest(&mut client).await.1, "200");
        assert!(begun.elapsed() >= limits::HEAD_TIMEOUT);
    }

    #[tokio::test]
    async fn a_head_beyond_the_limit_is_refused() {
        let long = "x".repeat(limits::HEAD_BYTES * 4);
        for (head, status) in [
            (
                format!("GET / HTTP/1.1\r\nsession_id: {long}\r\n\r\n"),
                "431",
            ),
            (format!("GET /?session_id={long} HTTP/1.1\r\n\r\n"), "431"),
        ] {
            let mut client = client(Vec::new()).await;
            // The server may have answered before the last byte.
            let _ = client.write_all(head.as_bytes()).await;
            assert_eq!(rest(&mut client).await.1, status);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_is_let_go() {
        let size = 64 << 20;
        let mut client = client(vec![b'x'; size]).await;
        client.write_all(GET).await.unwrap();
        tokio::time::sleep(limits::STALL_TIMEOUT * 2).await;
        let (received, status) = rest(&mut client).await;
        assert_eq!(status, "200");
        assert!(received < size, "the whole answer came");
    }

    #[tokio::test]
    async fn a_server_that_stops_answers_the_open_request_and_ends_idle_connections() {
        let server = HttpServer::bind(LOOPBACK).await.unwrap();
        let address = server.address();
        let (asked, answer) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let endpoint = make({
            let (asked, answer) = (asked.clone(), answer.clone());
            move |_| {
                let (asked, answer) = (asked.clone(), answer.clone());
                async move {
                    asked.notify_one();
                    answer.notified().await;
                    Ok::<_, poem::Error>(Response::from("done"))
                }
            }
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_asked = async move {
            drop(stopped.await);
            Duration::ZERO
        };
        let serving = tokio::spawn(server.serve(endpoint, stop_asked, limits::HEAD_TIMEOUT));
        let mut idle = TcpStream::connect(address).await.unwrap();
        let mut busy = TcpStream::connect(address).await.unwrap();
        busy.write_all(GET).await.unwrap();
        asked.notified().await;
        stop.send(()).unwrap();
        assert_eq!(rest(&mut idle).await.0, 0);
        answer.notify_one();
        assert_eq!(rest(&mut busy).await.1, "200");
        serving.await.unwrap();
        assert!(TcpStream::connect(address).await.is_err());
    }

    #[tokio::test]
    async fn a_server_that_hands_over_answers_kept_connections_once_more() {
        let socket = std::net::TcpListener::bind(LOOPBACK).unwrap();
        let server = HttpServer::on(socket.try_clone().unwrap()).unwrap();
        let address = server.address();
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_asked = async move {
            drop(stopped.await);
            limits::HEAD_TIMEOUT
        };
        let endpoint = make_sync(|_| Response::from("done"));
        let serving = tokio::spawn(server.serve(endpoint, stop_asked, limits::HEAD_TIMEOUT));
        let mut kept = TcpStream::connect(address).await.unwrap();
        kept.write_all(GET).await.unwrap();
        let mut answer = [0; 256];
        let read = kept.read(&mut answer).await.unwrap();
        let text = String::from_utf8_lossy(&answer[..read]).into_owned();
        assert!(text.ends_with("done") && !text.contains("close"), "{text}");

        stop.send(()).unwrap();
        // Nobody accepts any more, and who connects waits for whoever holds the socket next.
        let mut next = TcpStream::connect(address).await.unwrap();
        next.write_all(GET).await.unwrap();
        kept.write_all(GET).await.unwrap();
        let mut rest = String::new();
        kept.read_to_string(&mut rest).await.unwrap();
        assert!(
            rest.contains("connection: close") && rest.ends_with("done"),
            "{rest}"
        );
        serving.await.unwrap();

        let server = HttpServer::on(socket).unwrap();
        let endpoint = make_sync(|_| Response::from("next"));
        tokio::spawn(server.serve(endpoint, std::future::pending(), Duration::ZERO));
        let read = next.read(&mut answer).await.unwrap();
        assert!(String::from_utf8_lossy(&answer[..read]).ends_with("next"));
    }
}
