//! The original's monitor: what it is told, in which order, and that it harms nobody.

use blazelink::{Authenticator, AuthorizeEvent, Grant};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, number, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};

/// Lets one handle monitor.
struct Operators;

impl Authenticator for Operators {
    async fn authenticate(&self, event: &AuthorizeEvent) -> Option<Grant> {
        (event.secret == "x").then(|| match event.handle.as_str() {
            "debugger" => Grant::monitor(),
            handle => Grant::viewer(handle.to_owned()),
        })
    }
}

async fn start() -> TestApp {
    let declare = |blaze: blazelink::Builder| blaze.authenticator(Operators);
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declare).await;
    let sql = app.sql().await;
    rows::players(&sql, 1).await;
    rows::game(&sql).await;
    app.catch_up().await;
    app
}

/// A client that has said that it is this one, and was heard.
async fn authorized(app: &TestApp, handle: &str) -> Client {
    let mut client = Client::connect(app.address()).await;
    let said = json!({"type": "AuthorizeEvent", "data": {"secret": "x", "handle": handle}});
    client.send(&said.to_string()).await;
    assert_eq!(client.frames_so_far().await, [json!(null); 0]);
    client
}

/// The next debug messages, as (action, payload), that are about this session or about none; and
/// the id of the change that all of them name. Other sessions are compared with each change too.
async fn hear(monitor: &mut Client, session: &Value, count: usize) -> (Value, Vec<(Value, Value)>) {
    let mut heard = Vec::new();
    let mut ids = Vec::new();
    while heard.len() < count {
        let mut frame = monitor.frame().await;
        assert_eq!(frame["type"], "DebugMessage", "{frame}");
        let data = &mut frame["data"];
        if data["connection_id"].is_null() || data["connection_id"] == *session {
            ids.push(data["update_id"].take());
            heard.push((data["action"].take(), data["payload"].take()));
        }
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "one change: {heard:?}");
    (ids.remove(0), heard)
}

fn identifier(obj_id: Value, entity: &str, dependencies: &[Value]) -> Value {
    json!({
        "obj_id": obj_id, "entity": entity, "modifiers": "[]", "dependencies": dependencies,
    })
}

fn said(action: &str, payload: Value) -> (Value, Value) {
    (json!(action), payload)
}

/// What is told of a change of which a client hears, up to its message.
fn found(kind: &str) -> [(Value, Value); 3] {
    let row = json!({"object_id": identifier(json!(13), "GameEvent", &[])});
    [
        said(
            "log_update",
            json!({"cause_id": null, "table": "game_event", "pk": 13, "kind": kind}),
        ),
        said("record_connection_check", json!({})),
        said("record_subscription_found", row),
    ]
}

fn sent() -> (Value, Value) {
    let row = json!({"object_id": identifier(json!(13), "GameEvent", &[])});
    said("message_sent", row)
}

/// The original's story: a subscription, a change that meets it, one that does not, and one while
/// the client is away. There, the session of a client that is away lost all that it watched.
#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_follows_a_subscription_and_each_change_to_its_message() {
    let app = start().await;
    let sql = app.sql().await;
    let run = async |statement| sql.batch_execute(statement).await.expect("it is sound");
    let mut monitor = authorized(&app, "debugger").await;
    let mut client = Client::connect(app.address()).await;

    client
        .read(
            "{ game(identifier: {obj_id: 1, entity: \"Game\", dependencies: [\
             {entity: \"Game\", obj_id: 1}, {entity: \"GameEvent\", obj_id: null}]}) { id } }",
        )
        .await;
    let game = identifier(json!(1), "Game", &[]);
    let events = identifier(Value::Null, "GameEvent", &[]);
    let read = identifier(json!(1), "Game", &[game.clone(), events.clone()]);
    let first = monitor.frame().await["data"].take();
    let label = first["connection_id"].clone();
    assert_ne!(label, client.session(), "the id is a secret");
    assert_eq!(first["payload"], json!({"object_id": read}));
    let (id, heard) = hear(&mut monitor, &label, 3).await;
    assert_eq!(id, Value::Null);
    assert_eq!(
        heard,
        [
            said("add_subscription", json!({"object_id": game})),
            said("add_subscription", json!({"object_id": events})),
            said(
                "sync_subscriptions",
                json!({"object_ids": [read, game, events]})
            ),
        ]
    );

    run("INSERT INTO game_event (id, kind, game_id, player_id) VALUES (13, 'kill', 1, 1)").await;
    let (inserted, heard) = hear(&mut monitor, &label, 4).await;
    let [logged, checked, matched] = found("insert");
    assert_eq!(heard, [logged, checked, matched, sent()]);
    let frame = client.frame().await;
    assert!(tells_of(&frame, "GameEvent", 13), "{frame}");
    client.confirm(&frame).await;

    run("UPDATE team SET name = 'blue' WHERE id = 1").await;
    let (updated, heard) = hear(&mut monitor, &label, 3).await;
    let team = json!({"object_id": identifier(json!(1), "Team", &[])});
    assert_eq!(
        heard,
        [
            said(
                "log_update",
                json!({"cause_id": null, "table": "team", "pk": 1, "kind": "update"})
            ),
            said("record_connection_check", json!({})),
            said("record_subscription_not_found", team),
        ]
    );

    // Once the ping is answered, the confirmation before it has arrived.
    assert_eq!(client.frames_so_far().await, [json!(null); 0]);
    client.cut();
    run("DELETE FROM game_event WHERE id = 13").await;
    // Whether the server has noticed yet that the client is away decides about a first message.
    let (deleted, heard) = hear(&mut monitor, &label, 3).await;
    assert_eq!(heard, found("delete"));
    client.open().await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "GameEvent", 13), "{frame}");
    assert_eq!(frame["data"]["update_type"], "Delete");
    let (again, heard) = hear(&mut monitor, &label, 1).await;
    assert_eq!((&again, heard), (&deleted, vec![sent()]));
    assert!(inserted.as_u64() < updated.as_u64() && updated.as_u64() < deleted.as_u64());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_leaves_changes_nothing_for_others() {
    let app = start().await;
    let sql = app.sql().await;
    let mut monitor = authorized(&app, "debugger").await;
    let mut another = authorized(&app, "debugger").await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    for hears in [&mut monitor, &mut another] {
        assert_eq!(hears.frame().await["data"]["action"], "add_subscription");
    }
    monitor.cut();
    for name in ["1", "2"] {
        let rename = format!("UPDATE team SET name = '{name}' WHERE id = 1");
        sql.batch_execute(&rename).await.expect("the row is there");
        let frame = client.frame().await;
        assert_eq!(frame["data"]["changes"]["name"], name);
    }
    client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let heard = another.frames_so_far().await;
    let sent = heard
        .iter()
        .filter(|frame| frame["data"]["action"] == "message_sent");
    assert_eq!(sent.count(), 2, "the other monitor goes on");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_monitor_that_does_not_read_changes_nothing_for_a_client() {
    const CHANGES: usize = 1_000;
    let app = start().await;
    let sql = app.sql().await;
    let mut monitor = authorized(&app, "debugger").await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    let rename = sql.prepare("UPDATE team SET name = $1 WHERE id = 1").await;
    let rename = rename.expect("the table is there");
    for at in 0..CHANGES {
        let renamed = sql.execute(&rename, &[&at.to_string()]).await;
        renamed.expect("the row is there");
        let frame = client.frame().await;
        assert_eq!(number(&frame["data"]["changes"]["name"]), at);
        client.confirm(&frame).await;
    }
    // Then it reads, and has missed nothing.
    for _ in 0..CHANGES {
        monitor
            .frames_until(|frame| frame["data"]["action"] == "message_sent")
            .await;
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_granted_no_monitoring_hears_of_nobody_else() {
    let app = start().await;
    let mut curious = authorized(&app, "ann").await;
    let client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    assert_eq!(curious.frames_so_far().await, [json!(null); 0]);
    app.stop().await;
}
