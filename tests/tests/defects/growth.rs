//! What a client leaves behind, and what many clients at once cost each other.

use blazelink::codes::limits;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::Client;
use futures_util::future::join_all;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn answers_to_pings_take_no_room_among_what_waits_for_a_confirmation() {
    let app = TestApp::fixture().await;
    let sql = app.sql().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    let rename = "UPDATE team SET name = 'unconfirmed' WHERE id = 1";
    sql.batch_execute(rename).await.expect("the row is there");
    let told = client.frame().await;
    for number in 0..=limits::UNCONFIRMED_FRAMES {
        let ping = json!({"type": "PingEvent", "data": {"ping_id": number}});
        client.send(&ping.to_string()).await;
        assert_eq!(client.frame().await["data"]["ping_id"], number);
    }
    client.cut();
    client.open().await;
    let again = client.frames_so_far().await;
    let again: Vec<&Value> = again.iter().map(|frame| &frame["data"]).collect();
    assert_eq!(again, [&told["data"]]);
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
