//! The baseline: the least that tells the same on the same libraries.
//!
//! A hash map from the player's key to the sockets that watch it; a task and a channel for each
//! socket; tokio-tungstenite without poem. A change is encoded once into a frame that all its
//! sockets share, so all clients are given the same message id; what a socket has waiting is
//! written at once; confirmations are read and discarded. No sessions, no outboxes that are
//! bounded or survive a socket, no time limits, no pings.

use std::collections::HashMap;
use std::io::Write;
use std::net::Ipv4Addr;
use std::sync::Arc;

use blazelink::change::{Change, Transaction};
use blazelink::object_id::Key;
use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};

use super::publisher::{Scene, obey, say_address};
use crate::commits;

/// Frames that a socket's task takes from its channel at once.
const AT_ONCE: usize = 128;

/// Read buffer of a socket: a confirmation has 80 bytes, and small buffers stay in the processor's
/// caches.
const READ_BUFFER: usize = 1 << 10;

/// Who watches each player.
type Watchers = HashMap<Key, Vec<UnboundedSender<Utf8Bytes>>>;

pub(super) fn run(scene: Scene) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("the machine has threads");
    let watchers = runtime.block_on(accept(scene));
    let mut encoder = Encoder::default();
    let publish = |transaction: &Arc<Transaction>| {
        for change in &transaction.changes {
            let Some(sockets) = watchers.get(&change.key) else {
                continue;
            };
            let frame = encoder.frame(change);
            for socket in sockets {
                // A client that has gone is told nothing.
                let _ = socket.send(frame.clone());
            }
        }
    };
    obey(scene, publish, || {});
}

/// Takes the sockets of all clients.
async fn accept(scene: Scene) -> Watchers {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a port is free");
    say_address(listener.local_addr().expect("it is bound"));
    let mut watchers = Watchers::new();
    for client in 0..scene.clients {
        let (stream, _) = listener.accept().await.expect("the clients come");
        stream.set_nodelay(true).expect("the socket is open");
        let (sender, frames) = unbounded_channel();
        for player in scene.watched_by(client) {
            let watching = watchers.entry(commits::key(player)).or_default();
            watching.push(sender.clone());
        }
        let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
        let socket = tokio_tungstenite::accept_async_with_config(stream, Some(config)).await;
        tokio::spawn(serve(socket.expect("clients speak websocket"), frames));
    }
    watchers
}

/// Writes what comes and discards what the client says, until it is gone.
async fn serve(mut socket: WebSocketStream<TcpStream>, mut frames: UnboundedReceiver<Utf8Bytes>) {
    let mut waiting = Vec::with_capacity(AT_ONCE);
    loop {
        tokio::select! {
            biased;
            message = socket.next() => match message {
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            _ = frames.recv_many(&mut waiting, AT_ONCE) => {
                if write(&mut socket, &mut waiting).await.is_err() {
                    return;
                }
            }
        }
    }
}

async fn write(
    socket: &mut WebSocketStream<TcpStream>,
    frames: &mut Vec<Utf8Bytes>,
) -> Result<(), tokio_tungstenite::tungstenite::Error> {
    for frame in frames.drain(..) {
        socket.feed(Message::Text(frame)).await?;
    }
    socket.flush().await
}

/// Makes frames from changes.
#[derive(Default)]
pub(super) struct Encoder {
    last: u64,
}

impl Encoder {
    /// The frame of a renamed player, as the original dialect has it.
    pub(super) fn frame(&mut self, change: &Change) -> Utf8Bytes {
        self.last += 1;
        let row = change.new.as_ref();
        let text = |column| row.and_then(|row| row.text(column)).unwrap_or("null");
        let (msg_id, entity, id, name) = (self.last, commits::ENTITY, text(0), text(1));
        let mut frame = Vec::with_capacity(192);
        let written = write!(
            frame,
            r#"{{"type":"ModelUpdateEvent","msg_id":{msg_id},"data":{{"update_type":"Update","identifier":{{"obj_id":{id},"entity":"{entity}"}},"changes":{{"id":{id},"name":"{name}"}}}}}}"#,
        );
        written.expect("memory takes everything");
        Utf8Bytes::try_from(frame).expect("it was a text")
    }
}
