//! Conversations of the recordings: clients, requests and statements in their order, held again
//! with an app.
//!
//! Read by the walk of the recordings. Nothing is timed: after each step everything that is
//! committed has been handed on, and every open client is asked by a ping whether all of it has
//! come.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Error, Message};

use crate::app::{Probe, catch_up_by};
use crate::client::{Client, Received};
use crate::recordings::{Request, Response};

/// No conversation is about all match results.
const MATCH_RESULTS: Probe = Probe {
    entity: "MatchResult",
    insert: "INSERT INTO match_result (id, score) VALUES ($1, 0)",
    delete: "DELETE FROM match_result WHERE id = $1",
};

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

    /// What the client sends, if it does.
    fn message(&self) -> Option<Message> {
        self.dir.as_ref()?;
        match (&self.text, &self.binary) {
            (Some(text), _) => Some(Message::text(text.clone())),
            (None, Some(bytes)) => Some(Message::binary(bytes.clone().into_bytes())),
            (None, None) => None,
        }
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
        let mut parties = Parties::default();
        for (at, step) in (1..).zip(&self.conversation) {
            let who = step.who.as_str();
            if step.is_from_server() {
                let id = frame(step)["msg_id"].to_string();
                parties.receivers.insert(id, who);
                continue;
            }
            if step.is_confirmation() {
                parties.confirm(step).await;
                continue;
            }
            match (step.event.as_deref(), &step.path) {
                (Some("open"), Some(path)) => {
                    let party = Party::open(address, path).await;
                    let party = party.expect("the handshake succeeds");
                    parties.open.insert(who, party);
                }
                (Some("handshake refused"), Some(path)) => {
                    let status = match Party::open(address, path).await {
                        Ok(_) => StatusCode::SWITCHING_PROTOCOLS.as_u16(),
                        Err(status) => status,
                    };
                    outcome.answers.insert(at, refusal(status));
                }
                (Some("closed"), _) => {
                    let party = parties.open.get_mut(who).expect("it was opened");
                    let heard = party.hear().await;
                    assert!(heard.is_empty(), "nothing has happened since");
                    outcome.ends.insert(at, party.closed);
                    if step.code == Some(1000) {
                        parties.open.remove(who);
                    }
                }
                _ => {}
            }
            if let Some(statement) = &step.sql {
                let run = sql.batch_execute(statement).await;
                run.unwrap_or_else(|error| panic!("{statement}: {error}"));
                catch_up_by(MATCH_RESULTS, address, sql).await;
            }
            if let Some(request) = &step.request {
                outcome.answers.insert(at, request.send(address).await);
            }
            if let Some(message) = step.message()
                && let Some(party) = parties.open.get_mut(who)
            {
                party.client.try_send(message).await;
            }
            for (who, party) in &mut parties.open {
                let heard = party.hear().await;
                if !heard.is_empty() {
                    outcome.frames.insert((at, (*who).to_owned()), heard);
                }
            }
        }
        outcome
    }
}

/// Who has a websocket.
#[derive(Default)]
struct Parties<'a> {
    open: BTreeMap<&'a str, Party>,
    /// Who was sent the recorded frames, by their ids.
    receivers: BTreeMap<String, &'a str>,
}

impl Parties<'_> {
    /// Confirms what has come in the place of the recorded frame: all that its receiver, mostly who
    /// confirms, has not confirmed. An id that nobody was sent stays as it is.
    async fn confirm(&mut self, step: &Step) {
        let who = step.who.as_str();
        let text = step.text.as_deref().expect("confirmations are texts");
        let mut confirmation: Value = serde_json::from_str(text).expect("they are JSON");
        let id = confirmation["data"]["confirm_message_id"].to_string();
        let Some(&receiver) = self.receivers.get(&id) else {
            let party = self.open.get_mut(who).expect("it has a websocket");
            return party.client.try_send(Message::text(text)).await;
        };
        let come = self.open[receiver].unconfirmed.clone();
        let party = self.open.get_mut(who).expect("it has a websocket");
        if receiver == who {
            party.unconfirmed.clear();
        }
        for id in come {
            confirmation["data"]["confirm_message_id"] = id;
            let message = Message::text(confirmation.to_string());
            party.client.try_send(message).await;
        }
    }
}

/// One websocket of the conversation.
struct Party {
    client: Client,
    /// The ids of the updates that have come and are not confirmed.
    unconfirmed: Vec<Value>,
    /// The code with which the server has closed it.
    closed: Option<u16>,
}

impl Party {
    /// # Errors
    ///
    /// The status with which the handshake is refused.
    async fn open(address: SocketAddr, path: &str) -> Result<Party, u16> {
        let mut client = Client::without_socket(address);
        match client.open_path(path).await {
            Ok(()) => Ok(Party {
                client,
                unconfirmed: Vec::new(),
                closed: None,
            }),
            Err(Error::Http(refused)) => Err(refused.status().as_u16()),
            Err(error) => panic!("{path}: {error}"),
        }
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
        self.client.try_send(Message::text(ping.to_string())).await;
        loop {
            match self.client.receive().await {
                Received::Frame(frame)
                    if frame["type"] == "PingInEvent" && frame["data"]["ping_id"] == number =>
                {
                    return heard;
                }
                Received::Frame(frame) => {
                    if frame["type"] == "ModelUpdateEvent" {
                        self.unconfirmed.push(frame["msg_id"].clone());
                    }
                    heard.push(without_id(frame));
                }
                Received::Closed(code) => {
                    self.closed = Some(code);
                    return heard;
                }
            }
        }
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
