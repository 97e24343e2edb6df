//! Websockets over a real server: what a client may do wrong, and what it is owed.

#![allow(clippy::unwrap_used)]

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use blazelink::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use blazelink::codes::close::CloseCode;
use blazelink::codes::limits;
use blazelink::exposure::{ExposedColumn, ExposedTable, Exposure};
use blazelink::object_id::{Key, ObjectId, TableId};
use blazelink::session::{ConnectionManager, Session, SessionId};
use blazelink::subscription::{Dependency, Role, SubscriptionManager, Watch};
use blazelink::transport::{HttpServer, WebSocketTransport};
use blazelink::value::Kind;
use futures_util::{SinkExt, StreamExt};
use poem::{Route, get};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

const USER: TableId = TableId(0);

/// A server of one exposed table `User`, with columns `id` and `name`.
struct App {
    address: SocketAddr,
    manager: Arc<SubscriptionManager>,
}

impl App {
    async fn start() -> App {
        let column = |name: &str, kind| ExposedColumn {
            renamed: None,
            name: name.into(),
            kind,
        };
        let exposure = Exposure::new(vec![ExposedTable {
            id: USER,
            schema: "public".into(),
            table: "user".into(),
            entity: "User".into(),
            columns: vec![column("id", Kind::Int), column("name", Kind::Text)],
            key: vec![0],
        }]);
        let connections = Arc::new(ConnectionManager::default());
        let manager = Arc::new(SubscriptionManager::new(Arc::new(exposure), connections));
        let transport = WebSocketTransport::new(Arc::clone(&manager));
        let routes = Route::new().at("/ws/connect", get(transport));
        let server = HttpServer::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = server.address();
        tokio::spawn(server.serve(routes, std::future::pending(), Duration::ZERO));
        App { address, manager }
    }

    fn session(&self, id: &str) -> Arc<Session> {
        let id = SessionId::new(id).unwrap();
        self.manager.connections().open(&id, Instant::now())
    }

    /// Declares a row, or the whole table, for a session.
    fn declare(&self, id: &str, key: Option<i64>) {
        let (object, dependency) = match key {
            Some(key) => (
                ObjectId::row(USER, Key::from(key)),
                Dependency::Row(USER, Key::from(key)),
            ),
            None => (ObjectId::table(USER), Dependency::Table(USER)),
        };
        let session = self.session(id);
        let watch = self.manager.watch_for(&session);
        let reading = watch.begin(object, 0);
        reading.depend(Role::Declared, dependency).unwrap();
        reading.finish();
    }

    /// Commits one new name per key.
    fn publish(&self, keys: impl Iterator<Item = i64>, name: &str) {
        let row = |key: i64, name: &str| Row::from_texts(&[Some(&key.to_string()), Some(name)]);
        let changes = keys.map(|key| Change {
            table: USER,
            kind: ChangeKind::Update,
            key: Key::from(key),
            moved: None,
            old: Old::Full(row(key, "before")),
            new: Some(row(key, name)),
        });
        self.manager.publish(&Arc::new(Transaction {
            xid: 1,
            commit_lsn: Lsn(1),
            end_lsn: Lsn(2),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: std::time::Instant::now(),
            cause: None,
            changes: changes.collect(),
            whole: Vec::new(),
        }));
    }

    async fn connect(&self, id: &str) -> Client {
        Client::connect(self.address, &format!("/ws/connect?session_id={id}"))
            .await
            .unwrap()
    }
}

struct Client(WebSocketStream<TcpStream>);

impl Client {
    async fn connect(address: SocketAddr, path: &str) -> Result<Client, Error> {
        let stream = TcpStream::connect(address).await.unwrap();
        let url = format!("ws://{address}{path}");
        let (socket, _) = client_async(url, stream).await?;
        Ok(Client(socket))
    }

    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text)).await.unwrap();
    }

    async fn raw(&mut self, bytes: &[u8]) {
        // The server may have closed before the last byte.
        let _ = self.0.get_mut().write_all(bytes).await;
    }

    /// The next text frame.
    async fn next(&mut self) -> Value {
        loop {
            let message = soon(self.0.next()).await.unwrap().unwrap();
            if let Message::Text(text) = message {
                return serde_json::from_str(&text).unwrap();
            }
        }
    }

    /// The code with which the server closes the socket; 1006 if it just ends.
    async fn close_code(&mut self) -> u16 {
        loop {
            match soon(self.0.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return frame.code.into(),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return 1006,
            }
        }
    }

    async fn confirm(&mut self, frame: &Value) {
        let data = json!({"confirm_message_id": frame["msg_id"], "payload": {}});
        let confirm = json!({"type": "ConfirmEvent", "data": data});
        self.send(&confirm.to_string()).await;
    }

    /// Everything that the server had to say before it answers a ping.
    async fn until_ping(&mut self) -> Vec<Value> {
        self.send(r#"{"type":"PingEvent","data":{"ping_id":7}}"#)
            .await;
        let mut frames = Vec::new();
        loop {
            let frame = self.next().await;
            if frame["type"] == "PingInEvent" {
                assert_eq!(frame["data"], json!({"ping_id": 7}));
                return frames;
            }
            frames.push(frame);
        }
    }
}

/// A deadline far beyond what any of these tests needs.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    let deadline = Duration::from_secs(60);
    tokio::time::timeout(deadline, future).await.unwrap()
}

/// (key, name) of each frame.
fn names(frames: &[Value]) -> Vec<(i64, String)> {
    let name = |frame: &Value| {
        let data = &frame["data"];
        let key = data["identifier"]["obj_id"].as_i64().unwrap();
        let name = data["changes"]["name"].as_str().unwrap().to_owned();
        (key, name)
    };
    frames.iter().map(name).collect()
}

fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first, 0x80 | payload.len() as u8, 0, 0, 0, 0];
    frame.extend_from_slice(payload);
    frame
}

#[tokio::test]
async fn requests_that_are_no_sound_handshake_are_refused() {
    let app = App::start().await;
    let long = format!(
        "/ws/connect?session_id={}",
        "x".repeat(limits::SESSION_ID_BYTES + 1)
    );
    for (path, expected) in [
        ("/ws/connect", 403),
        ("/ws/connect?session_id=", 403),
        (long.as_str(), 403),
        ("/ws/other?session_id=a", 404),
    ] {
        let Err(Error::Http(response)) = Client::connect(app.address, path).await else {
            panic!("{path} was accepted");
        };
        assert_eq!(response.status(), expected, "{path}");
    }
    let upgrade = "connection: upgrade\r\nupgrade: websocket\r\n";
    for (headers, expected) in [("", "404"), (upgrade, "400")] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let request = format!("GET /ws/connect?session_id=a HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut status = [0; 12];
        soon(stream.read_exact(&mut status)).await.unwrap();
        assert_eq!(&status[9..], expected.as_bytes());
    }
}

#[tokio::test]
async fn listed_frames_are_ignored_or_close_with_their_code_and_harm_nobody() {
    let app = App::start().await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol/refused.json");
    let listed: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    app.declare("good", Some(1));
    let mut good = app.connect("good").await;

    let mut client = app.connect("bad").await;
    for frame in listed["ignored"].as_array().unwrap() {
        client.send(frame.as_str().unwrap()).await;
    }
    assert!(client.until_ping().await.is_empty());
    for case in listed["fatal"].as_array().unwrap() {
        let mut client = app.connect("bad").await;
        client.send(case["frame"].as_str().unwrap()).await;
        assert_eq!(case["close"], client.close_code().await, "{case}");
    }

    app.publish(1..2, "still served");
    assert_eq!(names(&[good.next().await]), [(1, "still served".into())]);
}

#[tokio::test]
async fn what_is_no_text_frame_closes_with_its_code() {
    let app = App::start().await;
    let big = {
        let mut frame = vec![0x81, 0xFF];
        frame.extend_from_slice(&(1_u64 << 40).to_be_bytes());
        frame.resize(1 << 20, b'x');
        frame
    };
    let fragments = {
        // A text frame and continuations, each within the limit and together beyond it.
        let mut frames = Vec::new();
        for at in 0..1_000 {
            frames.extend(masked(u8::from(at == 0), &[b'x'; 100]));
        }
        frames
    };
    for (bytes, code) in [
        (masked(0x82, b"{}"), CloseCode::Binary),
        (masked(0x81, &[0xFF, 0xFE]), CloseCode::NotUtf8),
        (big, CloseCode::TooBig),
        (fragments, CloseCode::TooBig),
        (vec![0x81, 0x02, b'{', b'}'], CloseCode::NotAFrame),
        (masked(0xF1, b"{}"), CloseCode::NotAFrame),
        (masked(0x83, b"{}"), CloseCode::NotAFrame),
        (masked(0x80, b"{}"), CloseCode::NotAFrame),
    ] {
        let mut client = app.connect("a").await;
        client.raw(&bytes).await;
        assert_eq!(client.close_code().await, code.number());
    }
}

#[tokio::test]
async fn random_bytes_end_a_socket_and_harm_nobody() {
    let app = App::start().await;
    app.declare("good", Some(1));
    let mut good = app.connect("good").await;
    let mut random = StdRng::seed_from_u64(3);
    for _ in 0..100 {
        let mut client = app.connect("bad").await;
        let mut bytes = vec![0; random.random_range(1..3_000)];
        random.fill(&mut bytes[..]);
        client.raw(&bytes).await;
        // Bytes that happen to begin a frame wait for its end.
        let _ = client.0.get_mut().shutdown().await;
        let code = client.close_code().await;
        assert!([1002, 1003, 1006, 1007, 1009].contains(&code), "{code}");
    }
    app.publish(1..2, "still served");
    assert_eq!(names(&[good.next().await]), [(1, "still served".into())]);
    assert_eq!(app.manager.connections().len(), 2);
}

#[tokio::test]
async fn updates_of_a_commit_arrive_in_its_order_with_growing_ids() {
    let app = App::start().await;
    app.declare("a", None);
    let mut client = app.connect("a").await;
    app.publish([3, 1, 2].into_iter(), "x");
    let frames = [
        client.next().await,
        client.next().await,
        client.next().await,
    ];
    let keys: Vec<i64> = names(&frames).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [3, 1, 2]);
    assert!(frames.is_sorted_by_key(|frame| frame["msg_id"].as_u64()));
}

#[tokio::test]
async fn a_subscription_made_before_the_websocket_is_kept() {
    let app = App::start().await;
    app.declare("a", Some(1));
    app.publish(1..3, "x");
    let mut client = app.connect("a").await;
    assert_eq!(names(&client.until_ping().await), [(1, "x".into())]);
}

#[tokio::test]
async fn a_client_that_reconnects_gets_the_unconfirmed_and_the_missed() {
    let app = App::start().await;
    app.declare("a", None);
    let mut client = app.connect("a").await;
    app.publish(1..2, "confirmed");
    let frame = client.next().await;
    client.confirm(&frame).await;
    app.publish(2..3, "unconfirmed");
    // Once the ping is answered, the confirmation before it has arrived.
    client.until_ping().await;
    drop(client);
    app.publish(3..4, "missed");
    let mut client = app.connect("a").await;
    assert_eq!(
        names(&client.until_ping().await),
        [(2, "unconfirmed".into()), (3, "missed".into())]
    );
}

#[tokio::test]
async fn a_newer_socket_replaces_the_older_whose_end_changes_nothing() {
    let app = App::start().await;
    app.declare("a", Some(1));
    let mut older = app.connect("a").await;
    older.until_ping().await;
    let mut newer = app.connect("a").await;
    newer.until_ping().await;
    assert_eq!(older.close_code().await, CloseCode::Replaced.number());
    drop(older);
    soon(async {
        while app.manager.connections().sockets() > 1 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    app.publish(1..2, "x");
    assert_eq!(names(&[newer.next().await]), [(1, "x".into())]);
}

#[tokio::test]
async fn a_forged_confirmation_loses_nothing() {
    let app = App::start().await;
    app.declare("a", Some(1));
    let mut client = app.connect("a").await;
    client.confirm(&json!({"msg_id": 1_000_000})).await;
    client.until_ping().await;
    app.publish(1..2, "x");
    client.next().await;
    client.confirm(&json!({"msg_id": 1_000_000})).await;
    client.until_ping().await;
    drop(client);
    let mut client = app.connect("a").await;
    assert_eq!(names(&client.until_ping().await), [(1, "x".into())]);
}

#[tokio::test]
async fn a_client_that_does_not_read_delays_nobody_and_its_memory_is_bounded() {
    let app = App::start().await;
    app.declare("slow", None);
    app.declare("good", None);
    let mut slow = app.connect("slow").await;
    slow.until_ping().await;
    let mut good = app.connect("good").await;
    let session = app.session("slow");
    let name = "x".repeat(1_000);
    let mut reset = false;
    for round in 0..60 {
        let keys = round * 500..(round + 1) * 500;
        app.publish(keys.clone(), &name);
        for key in keys {
            let frame = good.next().await;
            assert_eq!(frame["data"]["identifier"]["obj_id"], key);
            if key % 100 == 99 {
                good.confirm(&frame).await;
            }
        }
        reset |= round > 5 && session.outbox_bytes() == 0;
        assert!(session.outbox_bytes() <= limits::OUTBOX_BYTES);
    }
    assert!(reset, "the outbox of the slow client never overflowed");
    // Once it reads again, it is told that anything may have changed.
    let told = slow.until_ping().await;
    let whole = told
        .iter()
        .find(|frame| frame["data"]["identifier"]["obj_id"].is_null());
    assert_eq!(whole.unwrap()["data"]["changes"], json!({}));
}

#[tokio::test]
async fn a_stopping_server_says_so_and_waits_for_its_sockets() {
    let app = App::start().await;
    let mut client = app.connect("a").await;
    client.until_ping().await;
    app.manager.connections().stop();
    assert_eq!(client.close_code().await, CloseCode::GoingAway.number());
    drop(client);
    soon(app.manager.connections().sockets_closed()).await;
}
