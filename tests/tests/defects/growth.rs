//! What a client leaves behind, and what many clients at once cost each other.

use blazelink_tests::app::TestApp;
use blazelink_tests::client::Client;
use futures_util::future::join_all;
use serde_json::{Value, json};

const PINGS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_pings_are_not_kept_for_a_confirmation() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    for number in 0..PINGS {
        let ping = json!({"type": "PingEvent", "data": {"ping_id": number}});
        client.send(&ping.to_string()).await;
        assert_eq!(client.frame().await["data"]["ping_id"], number);
    }
    client.cut();
    client.open().await;
    assert_eq!(client.frames_so_far().await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_requests_at_once_than_connections_to_the_database_are_all_answered() {
    let app = TestApp::fixture().await;
    let clients: Vec<Client> = (0..200)
        .map(|_| Client::without_socket(app.address()))
        .collect();
    let document = "{ user(identifier: {obj_id: 1}) { events(size: 5) { items { obj_id } } } }";
    let answers = join_all(clients.iter().map(|client| client.read(document))).await;
    for answer in answers {
        let items = answer["user"]["events"]["items"].as_array();
        assert_eq!(items.map(Vec::len), Some(5), "{answer}");
    }
    app.stop().await;
}
