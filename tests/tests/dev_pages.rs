//! What `blazelink dev` adds to the pages of the app that it runs, and that nobody else adds it.
#![allow(clippy::unwrap_used)]

use std::time::Duration;

use blazelink::dev::DevChannel;
use blazelink_tests::app::{TestApp, shooter_database};
use futures_util::StreamExt;
use reqwest::{Method, StatusCode};

const SCRIPT: &str = "/blazelink/dev/overlay.js";
const EVENTS: &str = "/blazelink/dev/events";

#[tokio::test]
async fn without_dev_no_page_holds_its_script_and_nothing_is_served() {
    let app = TestApp::start().await;
    let page = reqwest::get(format!("http://{}/", app.address()))
        .await
        .unwrap();
    assert!(!page.text().await.unwrap().contains(SCRIPT));
    for path in [SCRIPT, EVENTS] {
        let answer = reqwest::get(format!("http://{}{path}", app.address())).await;
        assert_eq!(answer.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn pages_hear_what_dev_says_until_the_app_gives_way_and_pages_from_elsewhere_do_not() {
    let channel = DevChannel::default();
    let dev = channel.clone();
    let app = TestApp::start_on(shooter_database().await, |config| config.dev = Some(dev)).await;
    let address = app.address();
    let page = reqwest::get(format!("http://{address}/")).await.unwrap();
    assert_eq!(page.text().await.unwrap().matches(SCRIPT).count(), 1);

    let client = reqwest::Client::new();
    let ask = |method, name: &'static str, value: &str| {
        let request = client.request(method, format!("http://{address}{EVENTS}"));
        request.header(name, value).send()
    };
    let foreign = ask(Method::GET, "origin", "http://evil.example").await;
    let allowed = foreign.unwrap();
    let shared = allowed.headers().get("access-control-allow-origin");
    assert_eq!(shared, None, "a foreign page reads nothing");
    drop(allowed);
    let posted = ask(Method::POST, "origin", "http://evil.example").await;
    assert_eq!(posted.unwrap().status(), StatusCode::FORBIDDEN);
    let rebound = ask(Method::GET, "host", "evil.example").await;
    assert_eq!(rebound.unwrap().status(), StatusCode::MISDIRECTED_REQUEST);

    let stream = reqwest::get(format!("http://{address}{EVENTS}"))
        .await
        .unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let mut chunks = stream.bytes_stream();
    let state = chunks.next().await.unwrap().unwrap();
    assert!(
        state.starts_with(b"data: {\"event\":\"state\""),
        "{state:?}"
    );
    channel.tell("{\"event\":\"reload\"}");
    let reload = chunks.next().await.unwrap().unwrap();
    assert_eq!(reload, "data: {\"event\":\"reload\"}\n\n");
    let ends = async {
        app.stop().await;
        chunks.next().await.is_none()
    };
    let ended = tokio::time::timeout(Duration::from_secs(30), ends).await;
    assert!(
        ended.unwrap(),
        "a stream that is open keeps no app from ending"
    );
}
