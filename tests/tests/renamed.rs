//! What a block of fields says beside its methods, over the whole app: columns of other names,
//! computed fields that declare what they depend on, and a table that refuses to be watched.

use blazelink::object_id::{Key, ObjectId, Scope};
use blazelink::table::Writes;
use blazelink::{BlazeContext, Builder, FieldError, FieldResult, WriteAccess, fields};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use sea_orm::prelude::*;
use serde_json::{Value, json};
use shooter::entities::{game, game_event, team, user};

#[fields(rename(name = "nick", team_id = "side"))]
impl RenamedFields for user::Model {
    #[computed(name = "told_kills", on = "game_event(player_id = id, kind = 'kill')")]
    async fn declared(&self, cx: &BlazeContext) -> FieldResult<u64> {
        // Reads more than it says: what it says is what counts.
        let events = game_event::Entity::find().all(cx).await?;
        let own = |event: &&game_event::Model| event.player_id == self.id && event.kind == "kill";
        Ok(events.iter().filter(own).count() as u64)
    }
}

#[fields(on_subscribe = red_only)]
impl GuardedFields for team::Model {}

async fn red_only(_: &BlazeContext, object: &ObjectId) -> FieldResult<()> {
    tokio::task::yield_now().await;
    if object.scope == Scope::Row(Key::from(1)) {
        return Ok(());
    }
    Err(FieldError::new("Only the red team may be watched"))
}

fn declared(blaze: Builder) -> Builder {
    blaze
        .extend(RenamedFields)
        .extend(GuardedFields)
        .writes::<user::Entity>(Writes::all().allow(|_| WriteAccess::all()))
        .writes::<game::Entity>(Writes::all().allow(|_| WriteAccess::all()))
}

async fn start() -> TestApp {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declared).await;
    rows::players(&app.sql().await, 2).await;
    app.catch_up().await;
    app
}

async fn commit(app: &TestApp, sql: &str) {
    let done = app.sql().await.batch_execute(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_column_has_its_new_name_in_answers_pages_and_pushes() {
    let app = start().await;
    commit(&app, "UPDATE \"user\" SET name = 'ann' WHERE id = 1").await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    let answer = client
        .read("{ user(identifier: {obj_id: 1}) { nick side } }")
        .await;
    assert_eq!(answer["user"]["nick"], "ann");
    assert!(answer["user"]["side"].is_i64(), "{answer}");
    let page = "{ users(where: {nick: {eq: \"ann\"}}, orderBy: [{nick: DESC}]) { count items { row { nick } } } }";
    let answer = client.read(page).await;
    assert_eq!(
        answer["users"],
        json!({"count": 1, "items": [{"row": {"nick": "ann"}}]})
    );
    for old in [
        "{ user(identifier: {obj_id: 1}) { name } }",
        "{ users(where: {name: {eq: \"ann\"}}) { count } }",
        "{ users(orderBy: [{name: ASC}]) { count } }",
    ] {
        let (_, answer) = client.ask(old, json!({})).await;
        assert!(answer["errors"].is_array(), "{old}: {answer}");
    }

    commit(&app, "UPDATE \"user\" SET name = 'bob' WHERE id = 1").await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    let changes = &frame["data"]["changes"];
    assert_eq!(changes["nick"], "bob", "{frame}");
    assert!(changes["side"].is_i64(), "{frame}");
    assert_eq!(
        (changes.get("name"), changes.get("team_id")),
        (None, None),
        "{frame}"
    );
    assert_eq!(client.read(page).await["users"]["count"], 0);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_column_is_written_by_its_new_name() {
    let app = start().await;
    commit(
        &app,
        "SELECT setval(pg_get_serial_sequence('\"user\"', 'id'), 100)",
    )
    .await;
    let client = Client::connect(app.address()).await;
    let write =
        "mutation { updateUser(identifier: {obj_id: 2}, input: {nick: \"eve\"}) { row { nick } } }";
    let answer = client.read(write).await;
    assert_eq!(answer["updateUser"], json!({"row": {"nick": "eve"}}));
    let create = "mutation { createUser(input: {nick: \"new\", side: 1}) { row { nick side } } }";
    let answer = client.read(create).await;
    assert_eq!(
        answer["createUser"],
        json!({"row": {"nick": "new", "side": 1}})
    );
    let old = "mutation { updateUser(identifier: {obj_id: 2}, input: {name: \"x\"}) { version } }";
    let (_, answer) = client.ask(old, json!({})).await;
    assert!(answer["errors"].is_array(), "{answer}");
    let missing = "mutation { createUser(input: {nick: \"lost\", side: 999}) { version } }";
    let (_, answer) = client.ask(missing, json!({})).await;
    let told = answer["errors"].to_string();
    assert!(
        told.contains("side") && !told.contains("team_id"),
        "an error names the column as its client does: {answer}"
    );
    let sql = app.sql().await;
    let row = sql.query_one("SELECT name FROM \"user\" WHERE id = 2", &[]);
    assert_eq!(
        row.await.expect("the row is there").get::<_, &str>(0),
        "eve"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_that_says_what_it_depends_on_is_not_woken_by_what_else_it_reads() {
    let app = start().await;
    commit(&app, "INSERT INTO game (id, name) VALUES (1, 'first')").await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    let document = "{ user(identifier: {obj_id: 1}) { told_kills } }";
    assert_eq!(client.read(document).await["user"]["told_kills"], 0);
    commit(
        &app,
        "INSERT INTO game_event (kind, game_id, player_id) VALUES ('kill', 1, 2), ('death', 1, 1)",
    )
    .await;
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, [Value::Null; 0]);
    commit(
        &app,
        "INSERT INTO game_event (kind, game_id, player_id) VALUES ('kill', 1, 1)",
    )
    .await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}), "{frame}");
    assert_eq!(client.read(document).await["user"]["told_kills"], 1);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_on_subscribe_refuses_is_neither_answered_nor_told() {
    let app = start().await;
    commit(
        &app,
        "INSERT INTO team (id, name, color) VALUES (1, 'red', '#f00'), (7, 'blue', '#00f') \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name",
    )
    .await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    let document = "{ blue: team(identifier: {obj_id: 7}) { name } \
                      red: team(identifier: {obj_id: 1}) { name } }";
    let (status, answer) = client.ask(document, json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(
        answer["data"],
        json!({"blue": null, "red": {"name": "red"}}),
        "{answer}"
    );
    assert_eq!(
        answer["errors"][0]["message"], "Only the red team may be watched",
        "{answer}"
    );
    assert_eq!(answer["errors"][0]["path"], json!(["blue"]), "{answer}");
    commit(&app, "UPDATE team SET name = 'indigo' WHERE id = 7").await;
    commit(&app, "UPDATE team SET name = 'rose' WHERE id = 1").await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "Team", 1), "{frame}");
    assert_eq!(frame["data"]["changes"]["name"], "rose");
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, [Value::Null; 0]);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn on_subscribe_is_asked_of_what_a_client_names_and_of_nothing_else() {
    let app = start().await;
    commit(
        &app,
        "INSERT INTO team (id, name, color) VALUES (1, 'red', '#f00'), (7, 'blue', '#00f') \
         ON CONFLICT (id) DO UPDATE SET name = excluded.name; \
         UPDATE \"user\" SET team_id = 7 WHERE id = 1",
    )
    .await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    let blue = "{entity: \"Team\", obj_id: 7}";
    for dependency in [
        blue.to_owned(),
        "{entity: \"Team\"}".to_owned(),
        format!("{{entity: \"User\", obj_id: 2, dependencies: [{blue}]}}"),
    ] {
        let document = format!(
            "{{ user(identifier: {{obj_id: 1, dependencies: [{dependency}]}}) {{ nick }} }}"
        );
        let (_, answer) = client.ask(&document, json!({})).await;
        assert_eq!(answer["data"], json!({"user": null}), "{document}");
        assert_eq!(
            answer["errors"][0]["message"], "Only the red team may be watched",
            "{answer}"
        );
    }
    commit(&app, "UPDATE \"user\" SET name = 'ann' WHERE id = 1").await;
    commit(&app, "UPDATE team SET name = 'azure' WHERE id = 7").await;
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, [Value::Null; 0]);

    // The row that a relation leads to is read; of its change only the root is told.
    let document = "{ user(identifier: {obj_id: 1, dependencies: [{entity: \"Team\", obj_id: 1}]}) \
                     { team { row { name } } } }";
    let answer = client.read(document).await;
    assert_eq!(answer["user"]["team"]["row"]["name"], "azure");
    commit(&app, "UPDATE team SET name = 'navy' WHERE id = 7").await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}));
    commit(&app, "UPDATE team SET name = 'rose' WHERE id = 1").await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "Team", 1), "{frame}");
    app.stop().await;
}
