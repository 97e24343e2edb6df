//! Conversations of the recordings: clients, requests and statements in their order, held again
//! with an app.
//!
//! Read by the walk of the recordings. Nothing is timed: after each step everything that is
//! committed has been handed on, and every open client is asked by a ping whether all of it has
//! come.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::recordings::{Request, Response};

/// A recorded conversation.
#[derive(Clone, Debug, Deserialize)]
pub struct Conversation {
    /// What it shows, in a sentence.
    pub scenario: String,
    /// What happened, in order.
    pub conversation: Vec<Step>,
}

/// One thing that happened. Which fields are there says what.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    who: String,
    event: Option<String>,
    /// Of a websocket that is opened.
    path: Option<String>,
    /// Of a handshake that is refused.
    status: Option<u16>,
    /// Of a websocket that has ended.
    code: Option<u16>,
    dir: Option<String>,
    text: Option<String>,
    binary: Option<String>,
    sql: Option<String>,
    request: Option<Request>,
    response: Option<Response>,
}

/// What clients make of a conversation, by the steps (counted from 1) that it comes from.
#[derive(Debug, Default, PartialEq)]
pub struct Outcome {
    /// Answers over HTTP, refused handshakes among them.
    pub answers: BTreeMap<usize, Response>,
    /// Frames without their ids, by step and client.
    pub frames: BTreeMap<(usize, String), Vec<Value>>,
    /// How sockets were when they had ended: the server's code, or none if it had left them open.
    pub ends: BTreeMap<usize, Option<u16>>,
}

impl Step {
    fn is_from_server(&self) -> bool {
        self.dir.as_deref() == Some("server->client")
    }

    fn is_confirmation(&self) -> bool {
        let text = self.text.as_deref().unwrap_or_default();
        !self.is_from_server() && text.contains("ConfirmEvent")
    }
}

impl Conversation {
    /// What was recorded.
    pub fn recorded(&self) -> Outcome {
        let mut outcome = Outcome::default();
        let mut cause = 0;
        for (at, step) in (1..).zip(&self.conversation) {
            if step.is_from_server() {
                let heard = outcome.frames.entry((cause, step.who.clone()));
                heard.or_default().push(without_id(frame(step)));
                continue;
            }
            if !step.is_confirmation() {
                cause = at;
            }
            match step.event.as_deref() {
                Some("handshake refused") => {
                    let status = step.status.expect("it was refused with a status");
                    outcome.answers.insert(at, refusal(status));
                }
                // 1006 is what a client sees where the server breaks off; it closes with 1000.
                Some("closed") => {
                    let code = step.code.filter(|&code| code != 1000);
                    outcome.ends.insert(at, code);
                }
                _ => {}
            }
            if let Some(response) = &step.response {
                outcome.answers.insert(at, response.clone());
            }
        }
        outcome
    }

    /// Holds it again, with the app at this address and its database.
    pub async fn held(&self, address: SocketAddr, sql: &tokio_postgres::Client) -> Outcome {
        let mut outcome = Outcome::default();
        let mut clients: BTreeMap<&str, Client> = BTreeMap::new();
        for (at, step) in (1..).zip(&self.conversation) {
            let who = step.who.as_str();
            if step.is_from_server() {
                if let Some(client) = clients.get_mut(who) {
                    client.recorded.push(frame(step)["msg_id"].clone());
                }
                continue;
            }
            match (step.event.as_deref(), &step.path) {
                (Some("open"), Some(path)) => {
                    let client = Client::open(address, path).await;
                    clients.insert(who, client.expect("the handshake succeeds"));
                }
                (Some("handshake refused"), Some(path)) => {
                    let status = match Client::open(address, path).await {
                        Ok(_) => StatusCode::SWITCHING_PROTOCOLS.as_u16(),
                        Err(status) => status,
                    };
                    outcome.answers.insert(at, refusal(status));
                }
                (Some("closed"), _) => {
                    let client = clients.get_mut(who).expect("it was opened");
                    if step.code == Some(1000) {
                        outcome.ends.insert(at, client.closed);
                        clients.remove(who);
                    } else {
                        let heard = client.hear().await;
                        assert!(heard.is_empty(), "nothing has happened since");
                        outcome.ends.insert(at, client.closed);
                    }
                }
                _ => {}
            }
            if let Some(statement) = &step.sql {
                let run = sql.batch_execute(statement).await;
                run.unwrap_or_else(|error| panic!("{statement}: {error}"));
                hand_on(address, sql).await;
            }
            if let Some(request) = &step.request {
                outcome.answers.insert(at, request.send(address).await);
            }
            if step.dir.is_some()
                && let Some(client) = clients.get_mut(who)
            {
                client.send(step).await;
            }
            if step.is_confirmation() {
                continue;
            }
            for (who, client) in &mut clients {
                let heard = client.hear().await;
                if !heard.is_empty() {
                    outcome.frames.insert((at, (*who).to_owned()), heard);
                }
            }
        }
        outcome
    }
}

/// One websocket of the conversation.
struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The ids of the frames that were recorded, and of those that have come.
    recorded: Vec<Value>,
    come: Vec<Value>,
    /// The code with which the server has closed it.
    closed: Option<u16>,
}

impl Client {
    /// # Errors
    ///
    /// The status with which the handshake is refused.
    async fn open(address: SocketAddr, path: &str) -> Result<Client, u16> {
        let opened = tokio_tungstenite::connect_async(format!("ws://{address}{path}")).await;
        match opened {
            Ok((socket, _)) => Ok(Client {
                socket,
                recorded: Vec::new(),
                come: Vec::new(),
                closed: None,
            }),
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
    }

    /// Sends what was sent; a confirmation of the frame that has come in the place of the recorded
    /// one. What a closed socket does not take is not sent.
    async fn send(&mut self, step: &Step) {
        let message = match (&step.text, &step.binary) {
            (Some(text), _) if step.is_confirmation() => self.confirmation(text),
            (Some(text), _) => Message::text(text.clone()),
            (None, Some(bytes)) => Message::binary(bytes.clone().into_bytes()),
            (None, None) => return,
        };
        let _ = self.socket.send(message).await;
    }

    fn confirmation(&self, text: &str) -> Message {
        let mut confirmation: Value = match serde_json::from_str(text) {
            Ok(confirmation) => confirmation,
            Err(_) => return Message::text(text),
        };
        let id = &mut confirmation["data"]["confirm_message_id"];
        let at = self.recorded.iter().position(|recorded| recorded == id);
        if let Some(come) = at.and_then(|at| self.come.get(at)) {
            *id = come.clone();
            return Message::text(confirmation.to_string());
        }
        Message::text(text)
    }

    /// Everything that has been sent to it since, without ids.
    async fn hear(&mut self) -> Vec<Value> {
        let mut heard = Vec::new();
        if self.closed.is_some() {
            return heard;
        }
        let number = rand::random::<u32>();
        let ping = json!({"type": "PingEvent", "data": {"ping_id": number}});
        // A socket that the server has closed still says so when it is read.
        let _ = self.socket.send(Message::text(ping.to_string())).await;
        while self.closed.is_none() {
            let frame: Value = match self.socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    serde_json::from_str(&text).expect("every frame is JSON")
                }
                Some(Ok(Message::Close(frame))) => {
                    self.closed = Some(frame.map_or(1005, |frame| frame.code.into()));
                    continue;
                }
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => {
                    self.closed = Some(1006);
                    continue;
                }
            };
            if frame["type"] == "PingInEvent" && frame["data"]["ping_id"] == number {
                break;
            }
            self.come.push(frame["msg_id"].clone());
            heard.push(without_id(frame));
        }
        heard
    }
}

/// Waits until the app has handed on everything that is committed now: a client of this function
/// is told of a row that nobody else watches.
async fn hand_on(address: SocketAddr, sql: &tokio_postgres::Client) {
    let id = rand::random_range(1_000_000..i32::MAX);
    let mut probe = crate::client::Client::connect(address).await;
    let document = format!("{{ matchResult(identifier: {{obj_id: {id}}}) {{ id }} }}");
    probe.ask(&document, json!({})).await;
    for statement in [
        "INSERT INTO match_result (id, score) VALUES ($1, 0)",
        "DELETE FROM match_result WHERE id = $1",
    ] {
        let run = sql.execute(statement, &[&id]).await;
        run.expect("nobody else uses the row");
        let told = probe.frame().await;
        assert!(crate::client::tells_of(&told, "MatchResult", id), "{told}");
    }
}

fn frame(step: &Step) -> Value {
    let text = step.text.as_deref().expect("frames are texts");
    serde_json::from_str(text).expect("every frame is JSON")
}

fn without_id(mut frame: Value) -> Value {
    if let Some(frame) = frame.as_object_mut() {
        frame.remove("msg_id");
    }
    frame
}

fn refusal(status: u16) -> Response {
    Response {
        status,
        headers: BTreeMap::new(),
        body: None,
    }
}
