//! A client of the original dialect: one session, its requests and its websocket.
//!
//! It does nothing by itself: frames are confirmed and refetched when a test says so.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

/// How long a frame may take before a test fails. No test waits this long when it passes.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client with its own session.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    session: String,
    key: Option<String>,
    http: reqwest::Client,
    socket: Option<WebSocketStream<MaybeTlsStream<TcpStream>>>,
}

/// What a client received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A text frame, parsed.
    Frame(Value),
    /// The server closed the socket with this code.
    Closed(u16),
}

impl Client {
    /// A client of the server at `address` with a random session id and an open websocket.
    pub async fn connect(address: SocketAddr) -> Client {
        let mut client = Client::without_socket(address);
        client.open().await;
        client
    }

    /// A client that has not opened its websocket.
    pub fn without_socket(address: SocketAddr) -> Client {
        Client {
            address,
            session: format!("{:032x}", rand::random::<u128>()),
            key: None,
            http: reqwest::Client::new(),
            socket: None,
        }
    }

    /// A client with a session of its own that asks over this one's connections.
    pub fn companion(&self) -> Client {
        Client {
            http: self.http.clone(),
            ..Client::without_socket(self.address)
        }
    }

    /// The client's session id.
    pub fn session(&self) -> &str {
        &self.session
    }

    /// Another client that knows this one's session id, without socket or key.
    pub fn thief(&self) -> Client {
        let mut thief = Client::without_socket(self.address);
        thief.session.clone_from(&self.session);
        thief
    }

    /// From now on sends this as `Authorization`.
    pub fn set_key(&mut self, key: &str) {
        self.key = Some(key.to_owned());
    }

    /// From now on asks and connects at another address.
    pub fn move_to(&mut self, address: SocketAddr) {
        self.address = address;
    }

    /// Opens the websocket, or opens it again; the former one is dropped without a word.
    pub async fn open(&mut self) {
        assert!(
            self.try_open().await,
            "the server accepts the session's websocket"
        );
    }

    /// The same where the server may be gone. Whether it worked.
    pub async fn try_open(&mut self) -> bool {
        let path = format!("/ws/connect?session_id={}", self.session);
        self.open_path(&path).await.is_ok()
    }

    /// The same with another path.
    ///
    /// # Errors
    ///
    /// Why the websocket is not open.
    pub async fn open_path(&mut self, path: &str) -> Result<(), Error> {
        self.socket = None;
        let url = format!("ws://{}{path}", self.address);
        let (socket, _) = tokio_tungstenite::connect_async_with_config(url, None, true).await?;
        self.socket = Some(socket);
        Ok(())
    }

    /// Drops the websocket as a lost connection does: without a closing frame.
    pub fn cut(&mut self) {
        self.socket = None;
    }

    /// Asks; gives the status and the parsed answer.
    pub async fn ask(&self, document: &str, variables: Value) -> (u16, Value) {
        let answer = self.request(document, variables).send().await;
        let answer = answer.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.json().await.expect("the answer is JSON"))
    }

    /// The `data` of an answer without errors; nothing if the server is gone before it has answered.
    pub async fn try_read(&self, document: &str) -> Option<Value> {
        let answer = self.request(document, json!({})).send().await.ok()?;
        let mut answer: Value = answer.json().await.ok()?;
        assert_eq!(answer.get("errors"), None, "{document}");
        Some(answer["data"].take())
    }

    fn request(&self, document: &str, variables: Value) -> reqwest::RequestBuilder {
        let request = self
            .http
            .post(format!("http://{}/graphql/", self.address))
            .header("session_id", &self.session)
            .json(&json!({"query": document, "variables": variables}));
        match &self.key {
            Some(key) => request.header("authorization", key),
            None => request,
        }
    }

    /// Asks, and expects an answer without errors; gives its `data`.
    pub async fn read(&self, document: &str) -> Value {
        let (status, mut answer) = self.ask(document, json!({})).await;
        assert_eq!((status, answer.get("errors")), (200, None), "{document}");
        answer["data"].take()
    }

    /// Sends a text frame.
    pub async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await;
    }

    /// Sends any frame.
    pub async fn send_message(&mut self, message: Message) {
        let socket = self.socket.as_mut().expect("the websocket is open");
        socket
            .send(message)
            .await
            .expect("the websocket takes the frame");
    }

    /// Sends any frame. A socket that is gone is left for [`Client::receive`] to find out.
    pub async fn try_send(&mut self, message: Message) {
        let socket = self.socket.as_mut().expect("the websocket is open");
        let _ = socket.send(message).await;
    }

    /// Confirms a frame, as the original client does for each, if the socket is not gone.
    pub async fn confirm(&mut self, frame: &Value) {
        let confirm = json!({
            "type": "ConfirmEvent",
            "data": {"confirm_message_id": frame["msg_id"], "payload": {}},
        });
        self.try_send(Message::text(confirm.to_string())).await;
    }

    /// The next frame, or the end of the socket.
    ///
    /// # Panics
    ///
    /// If there is neither for a minute.
    pub async fn receive(&mut self) -> Received {
        // Pings of the server do not prolong it.
        tokio::time::timeout(PATIENCE, self.listen())
            .await
            .expect("the server sends within the patience of a test")
    }

    /// The next frame, or the end of the socket, however long that takes.
    pub async fn listen(&mut self) -> Received {
        let socket = self.socket.as_mut().expect("the websocket is open");
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => {
                    let frame = serde_json::from_str(text.as_str());
                    return Received::Frame(frame.expect("every frame is JSON"));
                }
                Some(Ok(Message::Close(frame))) => {
                    return Received::Closed(
                        frame.map_or(1005, |CloseFrame { code, .. }| code.into()),
                    );
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Received::Closed(1006),
            }
        }
    }

    /// The next frame.
    ///
    /// # Panics
    ///
    /// If the server closes the socket instead.
    pub async fn frame(&mut self) -> Value {
        match self.receive().await {
            Received::Frame(frame) => frame,
            Received::Closed(code) => panic!("the server closed the socket with {code}"),
        }
    }

    /// All frames up to, and without, the first that satisfies `last`.
    pub async fn frames_until(&mut self, mut last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            if last(&frame) {
                return frames;
            }
            frames.push(frame);
        }
    }

    /// All frames that are already on their way. Sends a ping to find their end: the server answers
    /// in order, so nothing older is missing.
    pub async fn frames_so_far(&mut self) -> Vec<Value> {
        let id = i64::from(rand::random::<i32>());
        self.send(&json!({"type": "PingEvent", "data": {"ping_id": id}}).to_string())
            .await;
        self.frames_until(|frame| frame["type"] == "PingInEvent" && frame["data"]["ping_id"] == id)
            .await
    }
}

/// Whether a frame tells of this object.
pub fn tells_of(frame: &Value, entity: &str, obj_id: impl Into<Value>) -> bool {
    let identifier = &frame["data"]["identifier"];
    frame["type"] == "ModelUpdateEvent"
        && identifier["entity"] == entity
        && identifier["obj_id"] == obj_id.into()
}

/// The number that a test wrote as a name.
pub fn number(name: &Value) -> usize {
    name.as_str()
        .and_then(|name| name.parse().ok())
        .expect("the test's writers write numbers")
}
