//! Who may see what: two viewers with rules of their own, what they can read, and what they are
//! told of random writes.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};

use blazelink::config::Config;
use blazelink::{Access, Builder, ContextFactory, ContextRequest, Refused, Rule, Viewer};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::rows;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::ColumnTrait;
use serde_json::{Value, json};
use shooter::entities::{game_event, user};

const NOTHING: [Value; 0] = [];

/// A key is the number of a player.
struct Players;

impl ContextFactory for Players {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        let key = request.authorization().map(str::parse).transpose();
        key.map_err(|_| Refused::new("The key is no number"))
    }
}

/// A player sees what it did, but not to whom; nobody in particular sees nothing.
fn events(viewer: &Viewer) -> Access {
    viewer.get().map_or_else(Access::none, |&player: &i32| {
        Access::rows(Rule::eq(game_event::Column::PlayerId, player))
            .hide(game_event::Column::VictimId)
    })
}

/// The same, as only Postgres can judge it.
fn events_by_sql(viewer: &Viewer) -> Access {
    viewer.get().map_or_else(Access::none, |&player: &i32| {
        Access::sql(game_event::Column::PlayerId.eq(player)).hide(game_event::Column::VictimId)
    })
}

fn guarded_by_sql(blaze: Builder) -> Builder {
    blaze
        .context(Players)
        .visible::<game_event::Entity>(events_by_sql)
}

fn guarded(blaze: Builder) -> Builder {
    blaze.context(Players).visible::<game_event::Entity>(events)
}

async fn start() -> TestApp {
    start_guarded(guarded).await
}

async fn start_guarded(guarded: fn(Builder) -> Builder) -> TestApp {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, guarded).await;
    let sql = app.sql().await;
    rows::players(&sql, 3).await;
    rows::game(&sql).await;
    app
}

async fn player(app: &TestApp, number: i32) -> Client {
    let mut client = Client::connect(app.address()).await;
    client.set_key(&number.to_string());
    client
}

async fn run(app: &TestApp, statement: &str) {
    let done = app.sql().await.batch_execute(statement).await;
    done.expect("the statement fits the tables");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_viewer_may_not_see_is_not_there() {
    let app = start().await;
    run(
        &app,
        "INSERT INTO game_event (id, kind, game_id, player_id, victim_id) VALUES \
         (1, 'kill', 1, 1, 3), (2, 'kill', 1, 2, 3), (3, 'kill', 1, 2, 1)",
    )
    .await;
    let two = player(&app, 2).await;
    let (status, answer) = two
        .ask(
            "{ game(identifier: {obj_id: 1}) { events(page: 0, size: 9) { count items { obj_id } } } \
             all: gameEvents(page: 0, size: 9) { count items { row { id player { obj_id } } } } \
             hers: gameEvent(identifier: {obj_id: 1}) { id } \
             none: gameEvent(identifier: {obj_id: 99}) { id } \
             own: gameEvent(identifier: {obj_id: 2}) { id victim_id victim { obj_id } } \
             user(identifier: {obj_id: 3}) { deaths(page: 0, size: 9) { count } } }",
            json!({}),
        )
        .await;
    assert_eq!(status, 200);
    let item = |id| json!({"row": {"id": id, "player": {"obj_id": 2}}});
    assert_eq!(
        answer["data"],
        json!({
            "game": {"events": {"count": 2, "items": [{"obj_id": 2}, {"obj_id": 3}]}},
            "all": {"count": 2, "items": [item(2), item(3)]},
            "hers": null,
            "none": null,
            "own": {"id": 2, "victim_id": null, "victim": null},
            "user": {"deaths": null},
        })
    );
    let errors = answer["errors"].as_array().expect("what is hidden says so");
    let message = |path: Value| {
        let error = errors.iter().find(|error| error["path"] == path);
        error.expect("an error at the path")["message"].clone()
    };
    assert_eq!(message(json!(["hers"])), message(json!(["none"])));
    assert_eq!(
        message(json!(["own", "victim_id"])),
        "The field is hidden from whoever asks"
    );
    assert_eq!(errors.len(), 5);

    let nobody = Client::connect(app.address()).await;
    let data = nobody
        .read("{ gameEvents(page: 0, size: 9) { count } }")
        .await;
    assert_eq!(data["gameEvents"]["count"], 0);
    drop((two, nobody));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_hears_that_something_happened_of_which_nothing_is_seen() {
    let app = start().await;
    run(
        &app,
        "INSERT INTO game_event (id, kind, game_id, player_id) VALUES (1, 'kill', 1, 1)",
    )
    .await;
    app.catch_up().await;
    let mut two = player(&app, 2).await;
    two.ask("{ gameEvent(identifier: {obj_id: 1}) { id } }", json!({}))
        .await;
    two.read(
        "{ game(identifier: {obj_id: 1}) { events(page: 0, size: 9) { count } } \
         user(identifier: {obj_id: 1}) { events(page: 0, size: 9) { count } } \
         gameEvents(page: 0, size: 9) { count } }",
    )
    .await;
    run(&app, "UPDATE game_event SET kind = 'fall'").await;
    run(&app, "UPDATE game_event SET id = 5").await;
    run(&app, "UPDATE game_event SET player_id = 3").await;
    run(&app, "DELETE FROM game_event").await;
    app.catch_up().await;
    assert_eq!(two.frames_so_far().await, NOTHING);

    // One invisible change and one visible in the same commit: told once, to be read again.
    run(
        &app,
        "INSERT INTO game_event (id, kind, game_id, player_id) \
         VALUES (6, 'kill', 1, 1), (7, 'kill', 1, 2)",
    )
    .await;
    app.catch_up().await;
    let told = two.frames_so_far().await;
    let mut told: Vec<String> = told
        .iter()
        .map(|frame| frame["data"]["identifier"].to_string())
        .collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            r#"{"entity":"Game","obj_id":1}"#,
            r#"{"entity":"GameEvent","obj_id":7}"#
        ]
    );
    run(&app, "UPDATE game_event SET victim_id = 3").await;
    app.catch_up().await;
    assert_eq!(two.frames_so_far().await, NOTHING, "a hidden column");
    drop(two);
    app.stop().await;
}

/// The events by key, as Postgres has them.
async fn stored(sql: &tokio_postgres::Client) -> BTreeMap<i64, Value> {
    let select = "SELECT id::bigint, (to_jsonb(e) - 'created_at')::text FROM game_event AS e";
    let rows = sql.query(select, &[]).await.expect("the table exists");
    let parse = |text: &str| serde_json::from_str(text).expect("Postgres prints JSON");
    rows.iter()
        .map(|row| (row.get(0), parse(row.get(1))))
        .collect()
}

/// The event as a player can read it, if it can.
fn seen(row: Option<&Value>, player: i64) -> Option<Value> {
    let mut row = row.filter(|row| row["player_id"] == player)?.clone();
    row.as_object_mut()?.remove("victim_id");
    Some(row)
}

/// What a player must be told of one commit.
fn expected(
    before: &BTreeMap<i64, Value>,
    after: &BTreeMap<i64, Value>,
    player: i64,
) -> Vec<Value> {
    let mut told = Vec::new();
    let told_of = |key: i64, kind: &str, changes: Value| json!([kind, key, changes]);
    for &key in before
        .keys()
        .chain(after.keys().filter(|key| !before.contains_key(key)))
    {
        let (old, new) = (
            seen(before.get(&key), player),
            seen(after.get(&key), player),
        );
        told.push(match (old, new) {
            (Some(old), Some(new)) if old != new => told_of(key, "Update", new),
            (None, Some(new)) => told_of(key, "Create", new),
            (Some(_), None) if after.contains_key(&key) => told_of(key, "Delete", Value::Null),
            (Some(old), None) => told_of(key, "Delete", old),
            _ => continue,
        });
    }
    told.sort_by_key(ToString::to_string);
    told
}

/// The same from a frame.
fn told(mut frame: Value) -> Value {
    if let Some(changes) = frame["data"]["changes"].as_object_mut() {
        changes.remove("created_at");
    }
    let data = &frame["data"];
    json!([
        data["update_type"],
        data["identifier"]["obj_id"],
        data["changes"]
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_viewer_is_told_of_random_writes_what_it_could_read_before_and_after() {
    random_writes(start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_in_sql_tells_of_random_writes_what_a_rule_would() {
    random_writes(start_guarded(guarded_by_sql).await).await;
}

async fn random_writes(app: TestApp) {
    app.catch_up().await;
    let sql = app.sql().await;
    let mut clients = Vec::new();
    for number in [1, 2] {
        let client = player(&app, number).await;
        client
            .read("{ gameEvents(page: 0, size: 9) { count } }")
            .await;
        clients.push((i64::from(number), client, 0));
    }
    let mut random = StdRng::seed_from_u64(11);
    for _ in 0..120 {
        let (id, other) = (random.random_range(1..7), random.random_range(1..7));
        let by = random.random_range(1..4);
        let statement = match random.random_range(0..7) {
            0 | 1 => format!(
                "INSERT INTO game_event (id, kind, game_id, player_id, victim_id) \
                 VALUES ({id}, 'kill', 1, {by}, {by}) ON CONFLICT DO NOTHING"
            ),
            2 => format!("UPDATE game_event SET player_id = {by} WHERE id = {id}"),
            3 => format!("UPDATE game_event SET victim_id = {by} WHERE id IN ({id}, {other})"),
            4 => format!("UPDATE game_event SET kind = 'k{by}' WHERE id IN ({id}, {other})"),
            5 => format!("DELETE FROM game_event WHERE id = {id}"),
            _ => {
                format!("UPDATE game_event SET player_id = {by}, kind = 'k{id}', victim_id = NULL")
            }
        };
        let before = stored(&sql).await;
        sql.batch_execute(&statement)
            .await
            .expect("it fits the table");
        let after = stored(&sql).await;
        app.catch_up().await;
        for (player, client, count) in &mut clients {
            let frames = client.frames_so_far().await;
            let mut frames: Vec<Value> = frames.into_iter().map(told).collect();
            frames.sort_by_key(ToString::to_string);
            assert_eq!(
                frames,
                expected(&before, &after, *player),
                "{player}: {statement}"
            );
            *count += frames.len();
        }
    }
    assert!(
        clients.iter().all(|(_, _, count)| *count > 20),
        "too little was seen"
    );
    drop(clients);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restored_session_hears_as_nobody_until_its_viewer_asks_again() {
    const EVENTS: &str = "{ gameEvents(page: 0, size: 9) { count } }";
    let folder = tempfile::tempdir().expect("a folder can be made");
    let state = |config: &mut Config| config.state = Some(folder.path().to_owned());
    let app = TestApp::start_declared(shooter_database().await, state, guarded).await;
    let sql = app.sql().await;
    rows::players(&sql, 3).await;
    rows::game(&sql).await;
    let mut two = player(&app, 2).await;
    two.read(EVENTS).await;
    two.cut();
    let database = app.stop().await;

    let app = TestApp::start_declared(database, state, guarded).await;
    two.move_to(app.address());
    two.open().await;
    let owed = two.frames_so_far().await;
    assert_eq!(owed.len(), 1, "what it watches is to be read again");
    rows::events(&app.sql().await, 2, 1).await;
    app.catch_up().await;
    assert_eq!(two.frames_so_far().await, NOTHING);

    assert_eq!(two.read(EVENTS).await["gameEvents"]["count"], 1);
    let owed = two.frames_so_far().await;
    assert_eq!(owed.len(), 1, "its viewer sees more than nobody");
    rows::events(&app.sql().await, 2, 1).await;
    app.catch_up().await;
    let told = two.frames_so_far().await;
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["data"]["update_type"], "Create");
    drop(two);
    app.stop().await;
}

/// How often the app was asked what nobody in particular sees.
static ASKED: AtomicUsize = AtomicUsize::new(0);

fn counted(viewer: &Viewer) -> Access {
    if viewer.is_anonymous() {
        ASKED.fetch_add(1, Ordering::Relaxed);
    }
    Access::rows(Rule::eq(user::Column::Id, 1))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_asks_the_app_once_for_all_who_are_nobody_in_particular() {
    let declare = |blaze: Builder| blaze.context(Players).visible::<user::Entity>(counted);
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declare).await;
    rows::players(&app.sql().await, 2).await;
    app.catch_up().await;
    let mut clients = Vec::new();
    for key in ["undefined", "undefined", "undefined", "2"] {
        let mut client = Client::connect(app.address()).await;
        client.set_key(key);
        client.read("{ users(page: 0, size: 9) { count } }").await;
        clients.push(client);
    }
    let before = ASKED.load(Ordering::Relaxed);
    run(&app, "UPDATE \"user\" SET name = 'x'").await;
    for client in &mut clients {
        let frame = client.frame().await;
        assert_eq!(frame["data"]["changes"]["name"], "x", "{frame}");
        assert_eq!(client.frames_so_far().await, NOTHING, "of the other row");
    }
    assert_eq!(ASKED.load(Ordering::Relaxed) - before, 1);
    drop(clients);
    app.stop().await;
}
