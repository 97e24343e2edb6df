//! A client's session and its websocket: confirms every frame, and keeps what it was told.
//!
//! What must stay true: what was told is kept before anybody learns that a later ping was answered,
//! so whoever has waited for [`Link::drained`] sees all of it.

use std::net::SocketAddr;

use blazelink_codes::Code;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};
use tokio_tungstenite::connect_async_with_config;
use tokio_tungstenite::tungstenite::{self, Message};

use super::in_time;
use super::update::Update;
use crate::error::{Error, ErrorKind, Result};

/// Pings that wait to be sent. Whoever asks for one more waits.
const PINGS_WAITING: usize = 16;

/// What has been heard so far.
#[derive(Debug, Default)]
struct Heard {
    /// Since the client has read last.
    updates: Vec<Update>,
    /// Frames that told of an object, ever.
    told: usize,
    /// The last ping that was answered.
    pong: i64,
    /// Why the socket has ended, if it has.
    ended: Option<String>,
}

/// One session, and the task that serves its websocket until this is dropped.
#[derive(Debug)]
pub(super) struct Link {
    session: String,
    pings: mpsc::Sender<i64>,
    heard: watch::Sender<Heard>,
}

impl Link {
    /// A new session of the app at this address.
    pub(super) async fn open(address: SocketAddr) -> Result<Link> {
        let session = format!("{:032x}", rand::random::<u128>());
        let url = format!("ws://{address}/ws/connect?session_id={session}");
        let opened = connect_async_with_config(url, None, true);
        let opened = in_time(|| "A websocket".to_owned(), opened).await?;
        let (socket, _) = opened.map_err(|error| {
            let sentence = "The app did not open a websocket";
            Error::new(ErrorKind::Unavailable, Code::TestSocket, sentence).with_source(error)
        })?;
        let (pings, asked) = mpsc::channel(PINGS_WAITING);
        let heard = watch::Sender::new(Heard::default());
        tokio::spawn(serve(socket, asked, heard.clone()));
        Ok(Link {
            session,
            pings,
            heard,
        })
    }

    /// The id of the session.
    pub(super) fn session(&self) -> &str {
        &self.session
    }

    /// What was told since [`Link::forget`].
    pub(super) fn updates(&self) -> Vec<Update> {
        self.heard.borrow().updates.clone()
    }

    /// Whether anything was.
    pub(super) fn is_told(&self) -> bool {
        !self.heard.borrow().updates.is_empty()
    }

    /// From now on only counts what is told later.
    pub(super) fn forget(&self) {
        self.heard.send_modify(|heard| heard.updates.clear());
    }

    /// Waits until everything has come that the server has for this session now.
    ///
    /// The server writes some of what waits, then answers a ping. So once nothing has come before
    /// an answer, nothing waited.
    pub(super) async fn drained(&self) -> Result<()> {
        loop {
            let told = self.heard.borrow().told;
            self.ping().await?;
            if self.heard.borrow().told == told {
                return Ok(());
            }
        }
    }

    async fn ping(&self) -> Result<()> {
        let id = rand::random_range(1..i64::MAX);
        let answered = async {
            // A task that has ended says why.
            let _ = self.pings.send(id).await;
            let mut heard = self.heard.subscribe();
            let heard = heard.wait_for(|heard| heard.pong == id || heard.ended.is_some());
            // This end keeps a sender, so that waiting cannot fail.
            heard.await.ok().and_then(|heard| heard.ended.clone())
        };
        match in_time(|| "The answer to a ping".to_owned(), answered).await? {
            None => Ok(()),
            Some(why) => {
                let sentence = format!("The websocket of a client has ended: {why}");
                Err(Error::new(
                    ErrorKind::Unavailable,
                    Code::TestSocket,
                    sentence,
                ))
            }
        }
    }
}

/// Serves the socket until the link is dropped or the server ends it.
async fn serve<S>(mut socket: S, mut pings: mpsc::Receiver<i64>, heard: watch::Sender<Heard>)
where
    S: Stream<Item = tungstenite::Result<Message>> + Sink<Message, Error = tungstenite::Error>,
    S: Unpin,
{
    let why = loop {
        let reply = tokio::select! {
            frame = socket.next() => match frame {
                Some(Ok(Message::Text(text))) => hear(text.as_str(), &heard),
                Some(Ok(Message::Close(Some(frame)))) => {
                    break format!("the server closed it with {}", u16::from(frame.code));
                }
                Some(Ok(_)) => None,
                Some(Err(error)) => break error.to_string(),
                None => break "the server closed it".to_owned(),
            },
            ping = pings.recv() => match ping {
                Some(id) => Some(json!({"type": "PingEvent", "data": {"ping_id": id}})),
                None => {
                    // The client is gone; whether the server hears of it is all the same.
                    let _ = socket.close().await;
                    return;
                }
            },
        };
        if let Some(reply) = reply
            && let Err(error) = socket.send(Message::text(reply.to_string())).await
        {
            break error.to_string();
        }
    };
    heard.send_modify(|heard| heard.ended = Some(why));
}

/// Keeps what a frame tells. Gives what is to be replied.
fn hear(text: &str, heard: &watch::Sender<Heard>) -> Option<Value> {
    let mut frame: Value = serde_json::from_str(text).ok()?;
    if frame["type"] == "PingInEvent" {
        let pong = frame["data"]["ping_id"].as_i64()?;
        heard.send_modify(|heard| heard.pong = pong);
        return None;
    }
    let confirmation = json!({
        "type": "ConfirmEvent",
        "data": {"confirm_message_id": frame["msg_id"], "payload": {}},
    });
    if let Some(update) = Update::read(&mut frame) {
        heard.send_modify(|heard| {
            heard.told += 1;
            heard.updates.push(update);
        });
    }
    Some(confirmation)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    /// A server that tells of one row before the answer to each of the first `rows` pings, and then
    /// closes the socket if `closes`. It expects a confirmation of each.
    async fn server(rows: i64, closes: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let mut row = 0;
            while let Some(Ok(Message::Text(text))) = socket.next().await {
                let frame: Value = serde_json::from_str(text.as_str()).unwrap();
                if frame["type"] == "ConfirmEvent" {
                    assert_eq!(frame["data"]["confirm_message_id"], row);
                    continue;
                }
                if row < rows {
                    row += 1;
                    let told = json!({"type": "ModelUpdateEvent", "msg_id": row, "data": {
                        "update_type": "Update", "changes": {},
                        "identifier": {"obj_id": row, "entity": "User"},
                    }});
                    socket.send(Message::text(told.to_string())).await.unwrap();
                } else if closes {
                    return;
                }
                let answer = json!({"type": "PingInEvent", "msg_id": 0, "data": frame["data"]});
                socket
                    .send(Message::text(answer.to_string()))
                    .await
                    .unwrap();
            }
        });
        address
    }

    #[tokio::test]
    async fn link_is_drained_once_nothing_comes_before_an_answer() {
        let link = Link::open(server(3, false).await).await.unwrap();
        link.drained().await.unwrap();
        assert_eq!(
            link.updates(),
            ["Update User 1", "Update User 2", "Update User 3"]
        );
        link.forget();
        link.drained().await.unwrap();
        assert!(!link.is_told());
    }

    #[tokio::test]
    async fn socket_that_ends_is_an_error_and_loses_nothing_that_was_told() {
        let link = Link::open(server(1, true).await).await.unwrap();
        let ended = link.drained().await.unwrap_err();
        assert_eq!(ended.code(), Code::TestSocket);
        assert_eq!(link.updates(), ["Update User 1"]);
    }
}
