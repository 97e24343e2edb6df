//! Who may ask: names, origins, and how many sessions and messages, over the whole app.

use std::collections::HashMap;

use blazelink::config::{Config, Environment};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, Received};
use blazelink_tests::rows;
use reqwest::{Method, Response};
use serde_json::json;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// One path of each kind that the app answers, and one that it does not.
const PATHS: [&str; 7] = [
    "/graphql/",
    "/graphql",
    "/ws/connect?session_id=a",
    "/blazelink/client.js",
    "/",
    "/static/app.js",
    "/nothing",
];

const FOREIGN: &str = "https://evil.example";

/// A page on another port of the machine, as a development server of the frontend has.
const LOCAL: &str = "http://localhost:5173";

async fn app(change: impl FnOnce(&mut Config)) -> TestApp {
    TestApp::start_on(shooter_database().await, change).await
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> Response {
    let policy = reqwest::redirect::Policy::none();
    let client = reqwest::Client::builder().redirect(policy).build();
    let url = format!("http://{}{path}", app.address());
    let mut request = client.expect("it needs nothing").request(method, url);
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    request.body(body).send().await.expect("the server answers")
}

/// The status of a websocket's handshake from a page of this origin, and what is said beside it.
async fn open(app: &TestApp, session: &str, headers: &[(&'static str, &str)]) -> (u16, String) {
    let url = format!("ws://{}/ws/connect?session_id={session}", app.address());
    let mut request = url.into_client_request().expect("an address");
    for (name, value) in headers {
        let value = value.parse().expect("a header");
        request.headers_mut().insert(*name, value);
    }
    match tokio_tungstenite::connect_async(request).await {
        Ok((_, answer)) => (answer.status().as_u16(), String::new()),
        Err(Error::Http(answer)) => {
            let said = answer.body().clone().unwrap_or_default();
            (
                answer.status().as_u16(),
                String::from_utf8_lossy(&said).into(),
            )
        }
        Err(error) => panic!("no answer to the handshake: {error}"),
    }
}

fn cors(answer: &Response) -> HashMap<&str, &str> {
    let headers = answer.headers().iter();
    headers
        .filter_map(|(name, value)| {
            let name = name.as_str().strip_prefix("access-control-")?;
            Some((name, value.to_str().expect("a text")))
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_refuses_names_that_are_not_listed() {
    let app = app(|config| config.hosts = vec!["app.example.com".to_owned()]).await;
    for path in PATHS {
        for host in ["evil.example", "localhost.evil.example:8000"] {
            let answer = send(&app, Method::GET, path, &[("host", host)], "").await;
            assert_eq!(answer.status(), 421, "{path} as {host}");
            let said = answer.text().await.expect("a sentence");
            assert!(said.contains("[server] hosts"), "{said}");
        }
        for host in ["localhost", "127.0.0.1:1", "app.example.com"] {
            let answer = send(&app, Method::GET, path, &[("host", host)], "").await;
            assert_ne!(answer.status(), 421, "{path} as {host}");
        }
    }
    let rebound = [("host", "evil.example"), ("origin", "http://evil.example")];
    assert_eq!(open(&app, "a", &rebound).await.0, 421);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_path_refuses_what_unlisted_pages_send_in_development_too() {
    let app = app(|_| {}).await;
    for path in PATHS {
        for origin in [FOREIGN, "null", "http://localhost.evil.example"] {
            let origin = ("origin", origin);
            let post = send(&app, Method::POST, path, &[origin], "{}").await;
            assert_eq!(
                (post.status().as_u16(), cors(&post).len()),
                (403, 0),
                "{path}"
            );
            let said = post.text().await.expect("a sentence");
            assert!(said.contains("[server] origins"), "{said}");
            let upgrade = [origin, ("connection", "upgrade"), ("upgrade", "websocket")];
            let socket = send(&app, Method::GET, path, &upgrade, "").await;
            assert_eq!(socket.status(), 403, "{path}");
            let first = [origin, ("access-control-request-method", "POST")];
            let asked = send(&app, Method::OPTIONS, path, &first, "").await;
            assert_eq!((asked.status().as_u16(), cors(&asked).len()), (403, 0));
            let read = send(&app, Method::GET, path, &[origin], "").await;
            assert!(cors(&read).is_empty(), "{path}: the page can read it");
        }
    }
    let (status, said) = open(&app, "a", &[("origin", FOREIGN)]).await;
    assert_eq!(status, 403);
    assert!(said.contains("[server] origins"), "{said}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_another_local_port_work_in_development() {
    let app = app(|_| {}).await;
    for origin in [LOCAL, "http://127.0.0.1:3000", "http://[::1]:3000"] {
        let asked = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "content-type,session_id"),
        ];
        let answer = send(&app, Method::OPTIONS, "/graphql/", &asked, "").await;
        assert_eq!(answer.status(), 200);
        let told = cors(&answer);
        assert_eq!(told["allow-origin"], origin);
        assert_eq!(
            told["allow-headers"],
            "authorization,content-type,session_id"
        );
        assert!(told["allow-methods"].split(',').any(|it| it == "POST"));

        let headers = [
            ("origin", origin),
            ("content-type", "application/json"),
            ("session_id", "page"),
        ];
        let document = r#"{"query": "{ users(page: 0, size: 1) { count } }"}"#;
        let answer = send(&app, Method::POST, "/graphql/", &headers, document).await;
        assert_eq!(cors(&answer)["allow-origin"], origin);
        assert_eq!(answer.headers()["vary"], "Origin");
        let text = answer.text().await.expect("an answer");
        assert_eq!(text, r#"{"data":{"users":{"count":0}}}"#);
        assert_eq!(open(&app, "page", &[("origin", origin)]).await.0, 101);
    }
    let missing = send(&app, Method::GET, "/nothing", &[("origin", LOCAL)], "").await;
    assert_eq!(missing.status(), 404);
    assert_eq!(cors(&missing)["allow-origin"], LOCAL, "errors can be read");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn production_admits_its_own_and_listed_origins_and_clients_without_one() {
    let app = app(|config| {
        config.environment = Environment::Production;
        config.hosts = vec!["app.example.com".to_owned()];
        config.origins = vec!["https://www.example.com".to_owned()];
    })
    .await;
    let post = async |headers: &[(&str, &str)]| {
        let answer = send(&app, Method::POST, "/graphql/", headers, "{}").await;
        (answer.status().as_u16(), cors(&answer).len())
    };
    assert_eq!(post(&[("origin", LOCAL)]).await, (403, 0));
    assert_eq!(open(&app, "a", &[("origin", LOCAL)]).await.0, 403);

    let (malformed, _) = post(&[]).await;
    assert_eq!(malformed, 400, "the document is refused, not who asks");
    let own = format!("http://{}", app.address());
    assert_eq!(post(&[("origin", own.as_str())]).await, (malformed, 0));
    let proxied = [
        ("host", "app.example.com"),
        ("origin", "https://app.example.com"),
    ];
    assert_eq!(post(&proxied).await, (malformed, 0));
    let listed = [("origin", "https://www.example.com")];
    assert_eq!(post(&listed).await, (malformed, 1));
    // What a browser asks first, because of the headers that the original's client sends.
    let names = "authorization,content-type,session_id";
    let preflight = [
        listed[0],
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", names),
    ];
    let answer = send(&app, Method::OPTIONS, "/graphql/", &preflight, "").await;
    assert_eq!(answer.status(), 200);
    let told = cors(&answer);
    assert_eq!(told["allow-origin"], "https://www.example.com");
    assert_eq!(told["allow-headers"], names);
    assert!(told["allow-methods"].split(',').any(|it| it == "POST"));
    assert_eq!(open(&app, "a", &listed).await.0, 101);
    assert_eq!(open(&app, "b", &[]).await.0, 101);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_too_many_is_refused_and_those_that_exist_are_served() {
    for of_address in [true, false] {
        let app = app(|config| {
            if of_address {
                config.limits.sessions_per_address = 2;
            } else {
                config.limits.sessions = 2;
            }
        })
        .await;
        let first = Client::connect(app.address()).await;
        let second = Client::without_socket(app.address());
        let document = "{ users(page: 0, size: 1) { count } }";
        assert_eq!(second.ask(document, json!({})).await.0, 200);

        let headers = [
            ("content-type", "application/json"),
            ("session_id", "third"),
        ];
        let body = r#"{"query": "{ users(page: 0, size: 1) { count } }"}"#;
        let refused = send(&app, Method::POST, "/graphql/", &headers, body).await;
        assert_eq!(refused.status(), 429);
        let said = refused.text().await.expect("a sentence");
        let expected = if of_address {
            "this address"
        } else {
            "The server"
        };
        assert!(
            said.contains(expected) && said.contains("BLZ6004"),
            "{said}"
        );
        let (status, socket) = open(&app, "third", &[]).await;
        assert_eq!((status, socket), (429, said));

        let without = send(&app, Method::POST, "/graphql/", &headers[..1], body).await;
        assert_eq!(without.status(), 200, "it begins no session");
        first.read(document).await;
        assert_eq!(open(&app, second.session(), &[]).await.0, 101);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_without_end_is_closed_and_one_that_confirms_is_not() {
    let app = app(|config| config.limits.messages_per_second = 1).await;
    let sql = app.sql().await;
    rows::players(&sql, 1).await;
    app.catch_up().await;
    let mut good = Client::connect(app.address()).await;
    good.read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let mut bad = Client::connect(app.address()).await;
    for _ in 0..11 {
        bad.send("{}").await;
    }
    assert_eq!(bad.receive().await, Received::Closed(4429));

    for number in 0..100 {
        let name = number.to_string();
        sql.execute("UPDATE \"user\" SET name = $1", &[&name])
            .await
            .expect("the row is there");
        let frame = good.frame().await;
        good.confirm(&frame).await;
    }
    let ping = json!({"type": "PingEvent", "data": {"ping_id": 1}});
    good.send(&ping.to_string()).await;
    assert_eq!(good.frame().await["type"], "PingInEvent");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_subscriptions_are_bounded_as_the_settings_say() {
    let app = app(|config| {
        config.limits.frame_bytes = 200;
        config.limits.body_bytes = 300;
        config.limits.subscriptions_per_session = 2;
    })
    .await;
    let mut client = Client::connect(app.address()).await;
    let watch = |player: i32| format!("{{ user(identifier: {{obj_id: {player}}}) {{ id }} }}");
    for player in [1, 2] {
        let (_, answer) = client.ask(&watch(player), json!({})).await;
        assert!(!answer.to_string().contains("the most it may"), "{answer}");
    }
    let (status, answer) = client.ask(&watch(3), json!({})).await;
    assert_eq!(status, 200);
    let message = answer["errors"][0]["message"].as_str();
    let message = message.expect("the third player is one too many");
    assert!(message.contains("watches 2 dependencies"), "{message}");

    let post = async |bytes: usize| {
        let request = reqwest::Client::new().post(format!("http://{}/graphql/", app.address()));
        let request = request.header("content-type", "application/json");
        let answer = request.body(" ".repeat(bytes)).send().await;
        answer.expect("the server answers").status().as_u16()
    };
    assert_eq!((post(300).await, post(301).await), (400, 413));

    client.send(&"x".repeat(201)).await;
    assert_eq!(client.receive().await, Received::Closed(1009));
    app.stop().await;
}
