//! Clients that lie about what they were told, and two that are one session: nothing that another
//! one is owed is lost.

use blazelink::codes::close::CloseCode;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, Received, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};

const NOTHING: [Value; 0] = [];

/// An app with players 1 and 2.
async fn start() -> (TestApp, tokio_postgres::Client) {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, 2).await;
    app.catch_up().await;
    (app, sql)
}

/// A client that watches player 1.
async fn watching(app: &TestApp) -> Client {
    let client = Client::connect(app.address()).await;
    let document = "{ user(identifier: {obj_id: 1}) { name } }";
    client.read(document).await;
    client
}

async fn rename(sql: &tokio_postgres::Client, name: &str) {
    let statement = format!("UPDATE \"user\" SET name = '{name}' WHERE id = 1");
    sql.batch_execute(&statement)
        .await
        .expect("the row is there");
}

fn confirmation(id: &Value) -> String {
    json!({"type": "ConfirmEvent", "data": {"confirm_message_id": id, "payload": {}}}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_of_what_was_never_sent_lose_nothing() {
    let (app, sql) = start().await;
    let (mut good, mut liar) = (watching(&app).await, watching(&app).await);
    rename(&sql, "owed").await;
    let (frame, own) = (good.frame().await, liar.frame().await);
    let sent = own["msg_id"].as_i64().expect("an id is a number");
    let ids = [
        json!(0),
        json!(-1),
        json!(-sent),
        json!(sent + 1),
        json!(sent + 1_000_000),
        json!(i64::MAX),
        json!(u64::MAX),
        json!(1e300),
        json!(format!(" {} ", sent + 7)),
        json!("99999999999999999999999999"),
    ];
    for id in &ids {
        liar.send(&confirmation(id)).await;
        assert_eq!(liar.frames_so_far().await, NOTHING, "{id}");
    }
    for (client, first) in [(&mut good, &frame), (&mut liar, &own)] {
        client.cut();
        client.open().await;
        let again = client.frame().await;
        assert_eq!(again["data"], first["data"]);
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_of_anothers_frames_leave_it_what_it_is_owed() {
    let (app, sql) = start().await;
    let (mut good, mut liar) = (watching(&app).await, watching(&app).await);
    for name in ["a", "b", "c"] {
        rename(&sql, name).await;
        let frame = good.frame().await;
        liar.send(&confirmation(&frame["msg_id"])).await;
    }
    liar.frames_so_far().await;
    good.cut();
    good.open().await;
    for name in ["a", "b", "c"] {
        let frame = good.frame().await;
        assert_eq!(frame["data"]["changes"]["name"], name);
        good.confirm(&frame).await;
    }
    assert_eq!(good.frames_so_far().await, NOTHING);
    good.cut();
    good.open().await;
    assert_eq!(good.frames_so_far().await, NOTHING, "all was confirmed");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmations_that_name_no_id_close_their_own_socket() {
    let (app, sql) = start().await;
    let mut good = watching(&app).await;
    let ids = [
        json!(1.5),
        json!(-0.5),
        json!("x"),
        json!(""),
        json!("NaN"),
        json!("1.5"),
        json!(true),
        json!(null),
        json!([1]),
        json!({"id": 1}),
    ];
    for (at, id) in ids.iter().enumerate() {
        let mut liar = watching(&app).await;
        liar.send(&confirmation(id)).await;
        let code = CloseCode::BadMessage.number();
        assert_eq!(liar.receive().await, Received::Closed(code), "{id}");
        rename(&sql, &at.to_string()).await;
        let frame = good.frame().await;
        assert!(tells_of(&frame, "User", 1), "{frame}");
        assert_eq!(frame["data"]["changes"]["name"], at.to_string());
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_socket_of_a_session_replaces_the_first_and_misses_nothing() {
    let (app, sql) = start().await;
    let mut first = watching(&app).await;
    rename(&sql, "unconfirmed").await;
    first.frame().await;
    let mut second = first.thief();
    second.open().await;
    let code = CloseCode::Replaced.number();
    assert_eq!(first.receive().await, Received::Closed(code));
    let frame = second.frame().await;
    assert_eq!(frame["data"]["changes"]["name"], "unconfirmed");
    first.cut();
    rename(&sql, "next").await;
    let frame = second.frame().await;
    assert_eq!(frame["data"]["changes"]["name"], "next");
    assert_eq!(second.frames_so_far().await, NOTHING);
    app.stop().await;
}
