//! The deepest, the longest and the unfinished: each is answered or let go, no stack overflows,
//! memory stays bounded, and a good client beside is told of everything.

use blazelink::codes::limits;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::memory;
use blazelink_tests::raw::Raw;
use blazelink_tests::witness::Witness;
use serde_json::{Value, json};

/// Bytes by which one request of [`limits::BODY_BYTES`] and everything made of it may make the
/// process grow.
const MEMORY: usize = 192 << 20;

const BY_VARIABLE: &str = "query($i: ObjectIdInput) { user(identifier: $i) { name } }";

/// Requests by what they are, with the status of their answers.
fn requests() -> Vec<(&'static str, String, u16)> {
    let document = |text: String| json!({"query": text}).to_string();
    let named = |count: usize, each: fn(usize) -> String| (0..count).map(each).collect::<String>();
    let with = |identifier: Value| {
        json!({"query": BY_VARIABLE, "variables": {"i": identifier}}).to_string()
    };
    let depending =
        |dependencies: Vec<Value>| with(json!({"obj_id": 1, "dependencies": dependencies}));
    let player = |key: usize| json!({"entity": "User", "obj_id": key});
    let deep = |depth: usize| {
        let (open, close) = ("{entity: \"User\", dependencies: [", "]}");
        let nested = open.repeat(depth) + &close.repeat(depth);
        document(format!(
            "{{ user(identifier: {{obj_id: 1, dependencies: [{nested}]}}) {{ name }} }}"
        ))
    };
    let deep_variable = |depth: usize| {
        let nested = "{\"dependencies\":[".repeat(depth) + &"]}".repeat(depth);
        format!("{{\"query\":\"{BY_VARIABLE}\",\"variables\":{{\"i\":{nested}}}}}")
    };
    let literal = named(30_000, |key| format!("{{entity:\"User\",obj_id:{key}}},"));
    let spreads = named(20_000, |at| {
        format!("fragment f{at} on Query {{...f{}}} ", at + 1)
    });
    vec![
        ("50 dependencies in each other", deep(50), 200),
        ("10,000 dependencies in each other", deep(10_000), 400),
        ("50 in a variable", deep_variable(50), 200),
        ("10,000 in a variable", deep_variable(10_000), 400),
        (
            "as many dependencies as fit",
            depending((0..30_000).map(player).collect()),
            200,
        ),
        (
            "more than fit",
            depending((0..100_000).map(player).collect()),
            413,
        ),
        (
            "the same, written out",
            document(format!(
                "{{ user(identifier: {{obj_id: 1, dependencies: [{literal}]}}) {{ name }} }}"
            )),
            200,
        ),
        (
            "empty dependencies",
            depending(vec![json!({}); 300_000]),
            200,
        ),
        (
            "null dependencies",
            depending(vec![Value::Null; 200_000]),
            200,
        ),
        (
            "a key of very many parts",
            with(json!({"obj_id": vec![1; 300_000]})),
            200,
        ),
        (
            "a very long name",
            with(json!({"obj_id": 1, "entity": "x".repeat(1_000_000)})),
            200,
        ),
        (
            "a very long number",
            document(format!(
                "{{ user(identifier: {{obj_id: {}}}) {{ name }} }}",
                "9".repeat(1_000_000)
            )),
            400,
        ),
        (
            "a type of very many lists",
            document(format!(
                "query($i: {}Int{}) {{ __typename }}",
                "[".repeat(10_000),
                "]".repeat(10_000)
            )),
            400,
        ),
        (
            "objects that do not end",
            document("{ user(identifier: ".to_owned() + &"{a:".repeat(240)),
            400,
        ),
        (
            "one name again and again",
            document(format!("{{ {} }}", "users { count } ".repeat(2_400))),
            200,
        ),
        (
            "very many directives",
            document(format!(
                "{{ __typename {} }}",
                "@skip(if:true) ".repeat(40_000)
            )),
            200,
        ),
        (
            "very many variables",
            document(format!(
                "query({}) {{ __typename }}",
                named(40_000, |at| format!("$a{at}: Int "))
            )),
            400,
        ),
        (
            "very many wrong arguments",
            document(format!(
                "{{ users({}) {{ count }} }}",
                named(40_000, |at| format!("a{at}: 1 "))
            )),
            400,
        ),
        (
            "fragments in each other",
            document(format!("{{ ...f0 }} {spreads}")),
            400,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deepest_and_longest_requests_are_answered_within_bounded_memory() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let http = reqwest::Client::new();
    for (what, body, status) in requests() {
        let before = memory::resident();
        memory::forget_peak();
        let request = http
            .post(format!("http://{}/graphql/", app.address()))
            .header("session_id", "heavy")
            .header("content-type", "application/json")
            .body(body);
        let answer = request.send().await.expect("the server answers");
        assert_eq!(answer.status().as_u16(), status, "{what}");
        let body = answer.bytes().await.expect("the whole answer comes");
        let parsed: Value = serde_json::from_slice(&body).unwrap_or_default();
        if let Some(errors) = parsed["errors"].as_array() {
            assert!(errors.len() <= limits::ANSWER_ERRORS, "{what}");
        }
        let grown = memory::peak().saturating_sub(before);
        assert!(grown <= MEMORY, "{what}: grown by {grown} bytes");
        witness.hears(what).await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ids_of_megabytes_are_refused_on_both_paths() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let id = "s".repeat(10 << 20);
    let post = format!("POST /graphql/ HTTP/1.1\r\nHost: localhost\r\nsession_id: {id}\r\n\r\n");
    for request in [post, Raw::handshake(&id)] {
        let mut client = Raw::connect(app.address()).await;
        client.send(request).await;
        // Who sends on while the answer comes may see its connection reset instead.
        let status = client.status().await;
        assert!(matches!(status, None | Some(431)), "{status:?}");
        witness.hears("served").await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_requests_and_sockets_that_read_byte_by_byte_delay_nobody() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let handshake = Raw::handshake("half");
    let body = "POST /graphql/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 1000\r\n\r\n{\"query\":";
    let mut unfinished = Vec::new();
    for half in ["", "G", &handshake[..handshake.len() / 2], body] {
        for _ in 0..25 {
            let mut client = Raw::connect(app.address()).await;
            client.send(half).await;
            unfinished.push(client);
        }
    }
    let reader = Client::without_socket(app.address());
    reader
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let mut slow = Raw::websocket(app.address(), reader.session()).await;
    for number in 0..500 {
        witness
            .hears(&format!("{number} {}", "x".repeat(2_000)))
            .await;
        assert!(
            slow.byte().await.is_some(),
            "the slow client is still served"
        );
    }
    for session in app.app().connections().all() {
        assert!(session.outbox_bytes() <= limits::OUTBOX_BYTES);
    }
    drop(unfinished);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_too_large_to_be_told_is_told_without_its_values() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let large = "UPDATE \"user\" SET name = repeat('x', 400000) WHERE id = 1";
    witness
        .sql
        .batch_execute(large)
        .await
        .expect("the row is there");
    let frame = witness.client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}));
    let data = witness
        .client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    assert_eq!(data["user"]["name"].as_str().map(str::len), Some(400_000));
    witness.hears("small").await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_name_is_not_repeated_by_every_error_about_it() {
    let app = TestApp::start().await;
    let mut witness = Witness::of(&app).await;
    let roots = (0..limits::ANSWER_ERRORS).map(|n| format!("r{n}: user(identifier: $i) {{ id }} "));
    let document = format!(
        "query($i: ObjectIdInput) {{ {} }}",
        roots.collect::<String>()
    );
    let name = "\u{1f680}".repeat(limits::BODY_BYTES / 8);
    for identifier in [
        json!({"obj_id": 1, "entity": name}),
        json!({"obj_id": 1, "dependencies": [{"entity": name}]}),
        json!({"obj_id": name}),
        json!({"obj_id": 1, "unknown": name}),
        json!({"obj_id": 1, name.as_str(): 1}),
    ] {
        let (_, answer) = witness
            .client
            .ask(&document, json!({"i": identifier}))
            .await;
        assert!(answer["errors"][0]["message"].is_string());
        assert!(answer.to_string().len() < limits::BODY_BYTES);
    }
    witness.hears("still").await;
    app.stop().await;
}
