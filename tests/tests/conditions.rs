//! Policies that ask Postgres, and rules of the app that take their time: what is told meanwhile.

use std::sync::{Condvar, Mutex, PoisonError};

use blazelink::{Access, Builder, ContextFactory, ContextRequest, Refused, Viewer};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use sea_orm::sea_query::Expr;
use serde_json::{Value, json};
use shooter::entities::game_event;

const NOTHING: [Value; 0] = [];
const EVENTS: &str = "{ gameEvents(page: 0, size: 9) { count } }";

/// A key is the number of a player.
struct Players;

impl ContextFactory for Players {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        let key = request.authorization().map(str::parse).transpose();
        key.map_err(|_| Refused::new("The key is no number"))
    }
}

/// The events of one's own team.
fn of_team(viewer: &Viewer) -> Access {
    let mates = "game_event.player_id IN (SELECT m.id FROM \"user\" AS m JOIN \"user\" AS me \
                 ON m.team_id = me.team_id WHERE me.id = $1)";
    viewer.get().map_or_else(Access::none, |&player: &i32| {
        Access::sql(Expr::cust_with_values(mates, [player]))
    })
}

async fn start(declare: impl FnOnce(Builder) -> Builder) -> TestApp {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declare).await;
    let sql = app.sql().await;
    rows::players(&sql, 3).await;
    rows::game(&sql).await;
    app.catch_up().await;
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
    app.catch_up().await;
}

async fn told(client: &mut Client) -> Vec<Value> {
    let frames = client.frames_so_far().await;
    let data = frames.iter().map(|frame| &frame["data"]);
    data.map(|data| {
        let id = &data["identifier"];
        json!([
            data["update_type"],
            id["entity"],
            id["obj_id"],
            data["changes"]["kind"]
        ])
    })
    .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_in_sql_decides_on_rows_before_and_after_and_on_what_it_reads() {
    let app = start(|blaze| {
        blaze
            .context(Players)
            .visible::<game_event::Entity>(of_team)
    })
    .await;
    run(
        &app,
        "INSERT INTO team (id, name, color) VALUES (2, 'blue', '#0000ff'); \
         UPDATE \"user\" SET team_id = 2 WHERE id = 3",
    )
    .await;
    let mut one = player(&app, 1).await;
    assert_eq!(one.read(EVENTS).await["gameEvents"]["count"], 0);

    let insert = "INSERT INTO game_event (id, kind, game_id, player_id) VALUES";
    run(&app, &format!("{insert} (1, 'a', 1, 2), (2, 'b', 1, 3)")).await;
    assert_eq!(
        told(&mut one).await,
        [json!(["Create", "GameEvent", 1, "a"])]
    );
    run(&app, "UPDATE game_event SET kind = 'c'").await;
    assert_eq!(
        told(&mut one).await,
        [json!(["Update", "GameEvent", 1, "c"])]
    );
    run(&app, "UPDATE game_event SET player_id = 5 - player_id").await;
    let moved = [
        json!(["Create", "GameEvent", 2, "c"]),
        json!(["Delete", "GameEvent", 1, null]),
    ];
    let mut frames = told(&mut one).await;
    frames.sort_by_key(ToString::to_string);
    assert_eq!(frames, moved);

    // Whose events are seen changes without any change of an event.
    run(&app, "UPDATE \"user\" SET team_id = 2 WHERE id = 1").await;
    let frames = one.frames_so_far().await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(frames[0]["data"]["identifier"]["entity"], "GameEvent");
    assert_eq!(frames[0]["data"]["changes"], json!({}));
    let answer = one
        .read("{ gameEvents(page: 0, size: 9) { items { obj_id } } }")
        .await;
    assert_eq!(answer["gameEvents"]["items"], json!([{"obj_id": 1}]));
    run(&app, "UPDATE game_event SET kind = 'd'").await;
    assert_eq!(
        told(&mut one).await,
        [json!(["Update", "GameEvent", 1, "d"])]
    );
    run(&app, "DELETE FROM game_event").await;
    assert_eq!(
        told(&mut one).await,
        [json!(["Delete", "GameEvent", 1, "d"])]
    );
    drop(one);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_that_postgres_refuses_shows_nothing_and_has_its_watchers_read_again() {
    let broken = |_: &Viewer| Access::sql(Expr::cust("1 / (game_event.id - game_event.id) = 1"));
    let app = start(|blaze| blaze.context(Players).visible::<game_event::Entity>(broken)).await;
    let mut one = player(&app, 1).await;
    // Without rows nothing is divided yet.
    one.read(EVENTS).await;
    run(
        &app,
        "INSERT INTO game_event (id, kind, game_id, player_id) VALUES (1, 'a', 1, 1)",
    )
    .await;
    let frames = one.frames_so_far().await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(frames[0]["data"]["changes"], json!({}));
    assert_eq!(frames[0]["data"]["identifier"]["obj_id"], Value::Null);
    let (_, answer) = one.ask(EVENTS, json!({})).await;
    assert_eq!(answer["data"]["gameEvents"], Value::Null);
    assert!(
        !answer.to_string().contains("divi"),
        "no words of Postgres: {answer}"
    );
    drop(one);
    app.stop().await;
}

/// Whether the rule below does not come back.
static STUCK: Mutex<bool> = Mutex::new(false);
static FREED: Condvar = Condvar::new();

fn set_stuck(stuck: bool) {
    *STUCK.lock().unwrap_or_else(PoisonError::into_inner) = stuck;
    FREED.notify_all();
}

fn sometimes_stuck(_: &Viewer) -> Access {
    let stuck = STUCK.lock().unwrap_or_else(PoisonError::into_inner);
    drop(FREED.wait_while(stuck, |stuck| *stuck));
    Access::all()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_does_not_come_back_costs_its_own_table_only() {
    let declare = |blaze: Builder| {
        blaze
            .context(Players)
            .visible::<game_event::Entity>(sometimes_stuck)
    };
    let app = start(declare).await;
    let (mut of_events, mut of_users) = (player(&app, 1).await, player(&app, 2).await);
    of_events.read(EVENTS).await;
    of_users
        .read("{ user(identifier: {obj_id: 2}) { name } }")
        .await;
    let insert = "INSERT INTO game_event (kind, game_id, player_id) VALUES ('a', 1, 1)";

    set_stuck(true);
    for name in ["x", "y"] {
        run(&app, insert).await;
        let frames = of_events.frames_so_far().await;
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert_eq!(frames[0]["data"]["changes"], json!({}), "to be read again");
        assert_eq!(frames[0]["data"]["identifier"]["obj_id"], Value::Null);
        run(
            &app,
            &format!("UPDATE \"user\" SET name = '{name}' WHERE id = 2"),
        )
        .await;
        let frame = of_users.frame().await;
        assert!(tells_of(&frame, "User", 2), "{frame}");
        assert_eq!(frame["data"]["changes"]["name"], name);
    }
    set_stuck(false);
    loop {
        run(&app, insert).await;
        let frames = of_events.frames_so_far().await;
        if frames[0]["data"]["changes"]["kind"] == "a" {
            break;
        }
    }
    assert_eq!(of_users.frames_so_far().await, NOTHING);
    drop((of_events, of_users));
    app.stop().await;
}
