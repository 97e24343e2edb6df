//! Whatever one client sends, it gets an error or a close code, and everyone else is served.

use blazelink::codes::close::CloseCode;
use blazelink::codes::limits;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, Received};
use blazelink_tests::rows;
use blazelink_tests::witness::Witness;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(flavor = "multi_thread")]
async fn fatal_frames_close_their_own_socket_with_a_code_of_the_list() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let fatal: [(Message, CloseCode); 8] = [
        (Message::text("no json"), CloseCode::NotJson),
        (Message::text("[1]"), CloseCode::NotAnObject),
        (Message::text("7"), CloseCode::NotAnObject),
        (
            Message::text(r#"{"type":"PingEvent","data":{}}"#),
            CloseCode::BadMessage,
        ),
        (
            Message::text(r#"{"type":"ConfirmEvent","data":{"confirm_message_id":1}}"#),
            CloseCode::BadMessage,
        ),
        (Message::binary(b"{}".to_vec()), CloseCode::Binary),
        (
            Message::text("x".repeat(limits::FRAME_BYTES + 1)),
            CloseCode::TooBig,
        ),
        (
            Message::text(format!("{}1", "[".repeat(60_000))),
            CloseCode::NotJson,
        ),
    ];
    for (message, code) in fatal {
        let mut client = Client::connect(app.address()).await;
        client.send_message(message.clone()).await;
        assert_eq!(
            client.receive().await,
            Received::Closed(code.number()),
            "{code:?}"
        );
        witness.is_served().await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_bad_input_has_ended_stands_in_nobodys_way() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, 1).await;
    app.catch_up().await;
    // All watch the same row, and the middle one is gone before it changes.
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = Client::connect(app.address()).await;
        client
            .read("{ user(identifier: {obj_id: 1}) { name } }")
            .await;
        clients.push(client);
    }
    let mut ended = clients.remove(1);
    ended.send("no json").await;
    let code = CloseCode::NotJson.number();
    assert_eq!(ended.receive().await, Received::Closed(code));
    for name in ["1", "2"] {
        sql.execute("UPDATE \"user\" SET name = $1", &[&name])
            .await
            .expect("the row is there");
        for client in &mut clients {
            assert_eq!(client.frame().await["data"]["changes"]["name"], name);
        }
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_frames_are_ignored_and_the_socket_stays() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let odd = [
        "{}",
        r#"{"type":"PingEvent"}"#,
        r#"{"data":{}}"#,
        r#"{"type":"NoSuchEvent","data":{}}"#,
        r#"{"type":"PingEvent","data":[]}"#,
        r#"{"type":7,"data":{}}"#,
        r#"{"type":"ConfirmEvent","data":{"confirm_message_id":99999999,"payload":{}}}"#,
        r#"{"type":"ModelUpdateEvent","data":{}}"#,
        r#"{"type":"AuthorizeEvent","data":{"secret":"s","handle":"h"}}"#,
    ];
    for frame in odd {
        witness.client.send(frame).await;
    }
    assert_eq!(witness.client.frames_so_far().await, Vec::<Value>::new());
    witness.is_served().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_on_a_websocket_end_that_socket_only() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let mut random = SmallRng::seed_from_u64(7);
    for _ in 0..50 {
        let mut socket = tokio::net::TcpStream::connect(app.address())
            .await
            .expect("it listens");
        let open = "GET /ws/connect?session_id=noise HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\n\
                    Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                    Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        socket
            .write_all(open.as_bytes())
            .await
            .expect("the socket is open");
        let noise: Vec<u8> = (0..random.random_range(1..2_000))
            .map(|_| random.random())
            .collect();
        // The server may have closed the socket in the middle: that is an answer, too.
        let _ = socket.write_all(&noise).await;
    }
    witness.is_served().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_documents_and_identifiers_are_answered_with_errors() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let client = Client::without_socket(app.address());
    let refused = [
        "{",
        "{ user(identifier: {obj_id: 1}) { nothing } }",
        "{ nothing { id } }",
        "query { user(identifier: 7) { id } }",
        "{ user(identifier: {unknown: 1}) { id } }",
    ];
    for document in refused {
        let (status, answer) = client.ask(document, json!({})).await;
        assert_eq!(status, 400, "{document}");
        assert!(
            answer["errors"][0]["message"].is_string(),
            "{document}: {answer}"
        );
        assert_eq!(answer.get("data"), None, "{document}");
    }
    let null_with_error = [
        "{ user(identifier: {obj_id: 4711}) { id } }",
        "{ user(identifier: {entity: \"Team\", obj_id: 1}) { id } }",
        "{ user(identifier: {obj_id: \"x\"}) { id } }",
        "{ user(identifier: {obj_id: 99999999999999999999}) { id } }",
        "{ user(identifier: {obj_id: [1, 2]}) { id } }",
        "{ user { id } }",
        "{ user(identifier: {obj_id: 1, dependencies: [{entity: \"Nothing\"}]}) { id } }",
        "{ user(identifier: {obj_id: 1, dependencies: [{obj_id: 1}]}) { id } }",
    ];
    for document in null_with_error {
        let (_, answer) = client.ask(document, json!({})).await;
        assert!(answer["data"]["user"].is_null(), "{document}: {answer}");
        assert!(
            answer["errors"][0]["message"].is_string(),
            "{document}: {answer}"
        );
    }
    let nested = "{ users { items { row { ".repeat(2_000);
    let (status, answer) = client.ask(&nested, json!({})).await;
    assert_eq!(status, 400);
    assert!(answer["errors"][0]["message"].is_string());
    witness.is_served().await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_requests_are_refused_with_a_status() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let http = reqwest::Client::new();
    let url = format!("http://{}/graphql/", app.address());
    let post = |body: Vec<u8>, kind: &'static str| {
        let request = http.post(&url).header("content-type", kind).body(body);
        async move {
            request
                .send()
                .await
                .expect("the server answers")
                .status()
                .as_u16()
        }
    };
    let json = "application/json";
    assert_eq!(post(b"{\"query\":".to_vec(), json).await, 400);
    assert_eq!(post(b"[]".to_vec(), json).await, 400);
    assert_eq!(post(b"{}".to_vec(), json).await, 400);
    assert_eq!(post(vec![0xFF, 0xFE], json).await, 400);
    assert_eq!(
        post(b"{\"query\":\"{__typename}\"}".to_vec(), "text/plain").await,
        400
    );
    assert_eq!(post(vec![b' '; limits::BODY_BYTES + 1], json).await, 413);

    let long = "s".repeat(limits::SESSION_ID_BYTES + 1);
    let request = http.post(&url).header("session_id", long.as_str());
    let answer = request.json(&json!({"query": "{__typename}"})).send().await;
    assert_eq!(answer.expect("the server answers").status().as_u16(), 400);

    let websocket = |query: &str| format!("ws://{}/ws/connect{query}", app.address());
    for query in ["", &format!("?session_id={long}")] {
        let refused = tokio_tungstenite::connect_async(websocket(query)).await;
        let text = refused.expect_err("the handshake is refused").to_string();
        assert!(text.contains("403"), "{text}");
    }
    witness.is_served().await;
    app.stop().await;
}
