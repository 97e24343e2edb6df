//! The clients of a broadcast: each reads its frames and confirms each one, as a client of the
//! original dialect does. The same for whoever tells them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt, stream};
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;

/// Handshakes at a time.
const AT_ONCE: usize = 64;

/// How long the slowest of the clients may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Clients that are connected.
pub(super) struct Crowd {
    count: Arc<Count>,
}

/// What all clients together have heard.
#[derive(Default)]
struct Count {
    heard: AtomicUsize,
    expected: AtomicUsize,
    all: Notify,
}

impl Crowd {
    /// Connects so many clients; over plain sockets, if the server asks for no handshake.
    pub(super) async fn join(address: SocketAddr, clients: usize, plain: bool) -> Crowd {
        let count = Arc::new(Count::default());
        let joined = stream::iter(0..clients).map(|client| {
            let count = Arc::clone(&count);
            async move {
                let socket = connect(address, client, plain).await;
                tokio::spawn(attend(socket, count));
            }
        });
        joined.buffer_unordered(AT_ONCE).collect::<()>().await;
        Crowd { count }
    }

    /// So many more messages are coming.
    pub(super) fn expect(&self, messages: usize) {
        self.count.expected.fetch_add(messages, Ordering::SeqCst);
    }

    /// Waits until all of them have come.
    pub(super) async fn heard(&self) {
        let heard = tokio::time::timeout(PATIENCE, self.count.all.notified()).await;
        heard.expect("every message reaches its client");
    }
}

async fn connect(address: SocketAddr, client: usize, plain: bool) -> WebSocketStream<TcpStream> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("the socket is open");
    if plain {
        return WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
    }
    let url = format!("ws://{address}/ws/connect?session_id={client}");
    let opened = tokio_tungstenite::client_async(url, stream).await;
    opened.expect("the server takes websockets").0
}

/// Confirms every update until the server ends.
async fn attend(mut socket: WebSocketStream<TcpStream>, count: Arc<Count>) {
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else {
            continue;
        };
        let confirm = confirmation(&text);
        if socket.send(Message::text(confirm)).await.is_err() {
            return;
        }
        let heard = count.heard.fetch_add(1, Ordering::SeqCst) + 1;
        if heard == count.expected.load(Ordering::SeqCst) {
            count.all.notify_one();
        }
    }
}

fn confirmation(frame: &str) -> String {
    let (_, rest) = frame.split_once(r#""msg_id":"#).expect("updates have one");
    let end = rest.find(',').expect("something follows");
    let id = &rest[..end];
    format!(r#"{{"type":"ConfirmEvent","data":{{"confirm_message_id":{id},"payload":{{}}}}}}"#)
}
