//! Each session gets exactly the frames that a model computed from SELECTs predicts.

use std::collections::HashSet;

use blazelink_tests::app::TestApp;
use blazelink_tests::client::Client;
use blazelink_tests::model::{Rows, View};
use blazelink_tests::rows;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::Value;
use tokio::task::JoinSet;

const SESSIONS: usize = 100;
const PLAYERS: i64 = 40;
const TEAMS: i64 = 5;
const WRITES: usize = 1_000;
const SEED: u64 = 20_261_125;

/// A random transaction's statements, none of which changes a row that another one changes.
fn statements(random: &mut SmallRng, events: &[i64], number: usize) -> Vec<String> {
    let mut touched = HashSet::new();
    let mut statements = Vec::new();
    for step in 0..random.random_range(1..=4) {
        let player = random.random_range(1..=PLAYERS);
        let other = random.random_range(1..=PLAYERS);
        let team = random.random_range(1..=TEAMS);
        let event = events.choose(random).copied().unwrap_or(0);
        let name = format!("{number}.{step}");
        let (row, statement) = match random.random_range(0..8) {
            0 => (
                ("user", player),
                format!("UPDATE \"user\" SET name = '{name}' WHERE id = {player}"),
            ),
            1 => (
                ("user", player),
                format!(
                    "UPDATE \"user\" SET team_id = {team} WHERE id = {player} AND team_id <> {team}"
                ),
            ),
            2 => (
                ("team", team),
                format!("UPDATE team SET name = '{name}' WHERE id = {team}"),
            ),
            3 => (
                ("game_event", event),
                format!("UPDATE game_event SET kind = '{name}' WHERE id = {event}"),
            ),
            4 => (
                ("game_event", event),
                format!(
                    "UPDATE game_event SET player_id = {player}, kind = '{name}' WHERE id = {event}"
                ),
            ),
            5 => (
                ("game_event", event),
                format!("DELETE FROM game_event WHERE id = {event}"),
            ),
            _ => (
                ("new", step),
                format!(
                    "INSERT INTO game_event (kind, game_id, player_id, victim_id) \
                     VALUES ('{name}', 1, {player}, {other})"
                ),
            ),
        };
        if touched.insert(row) {
            statements.push(statement);
        }
    }
    statements
}

/// The transaction around the statements: mostly committed, sometimes rolled back, sometimes with
/// a part that is rolled back to a savepoint.
fn transaction(random: &mut SmallRng, statements: &[String]) -> String {
    let body = statements.join("; ");
    match random.random_range(0..10) {
        0 => format!("BEGIN; {body}; ROLLBACK"),
        1 => format!(
            "BEGIN; SAVEPOINT s; DELETE FROM game_event WHERE player_id = 1; \
             ROLLBACK TO SAVEPOINT s; {body}; COMMIT"
        ),
        _ => format!("BEGIN; {body}; COMMIT"),
    }
}

/// Everything that a session is told up to the last rename, and a little longer.
async fn listen(mut client: Client) -> Vec<Value> {
    let is_last = |frame: &Value| frame["data"]["changes"]["name"] == "last";
    let frames = client.frames_until(is_last).await;
    assert_eq!(
        client.frames_so_far().await,
        Vec::<Value>::new(),
        "more than was predicted"
    );
    frames
        .into_iter()
        .map(|mut frame| frame["data"].take())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn each_session_gets_exactly_the_frames_that_the_model_predicts() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::game(&sql).await;
    let fill = format!(
        "INSERT INTO team (id, name, color) SELECT n, n, '#000' FROM generate_series(1, {TEAMS}) n; \
         INSERT INTO \"user\" (id, name, team_id) \
         SELECT n, n, 1 + n % {TEAMS} FROM generate_series(1, {PLAYERS}) n; \
         INSERT INTO game_event (kind, game_id, player_id) \
         SELECT 'kill', 1, 1 + n % {PLAYERS} FROM generate_series(1, 200) n"
    );
    sql.batch_execute(&fill).await.expect("the rows are new");

    println!("seed {SEED}");
    let mut random = SmallRng::seed_from_u64(SEED);
    let mut stored = Rows::select(&sql).await;
    let mut views = Vec::new();
    let mut predicted = vec![Vec::new(); SESSIONS];
    let mut listeners = JoinSet::new();
    for session in 0..SESSIONS {
        let player = random.random_range(1..=PLAYERS);
        let client = Client::connect(app.address()).await;
        client.read(&View::document(player)).await;
        views.push(View::of(player, &stored));
        listeners.spawn(async move { (session, listen(client).await) });
    }

    for number in 0..WRITES {
        let statements = statements(&mut random, &stored.events(), number);
        let transaction = transaction(&mut random, &statements);
        sql.batch_execute(&transaction)
            .await
            .expect("the statements are sound");
        let after = Rows::select(&sql).await;
        for (view, frames) in views.iter().zip(&mut predicted) {
            frames.extend(view.frame(&stored, &after));
        }
        stored = after;
    }
    sql.batch_execute("UPDATE \"user\" SET name = 'last'")
        .await
        .expect("there are players");

    let total: usize = predicted.iter().map(Vec::len).sum();
    println!("{WRITES} writes, {SESSIONS} sessions, {total} frames predicted");
    assert!(
        total > WRITES,
        "the writes concern too few of the sessions to prove anything"
    );
    while let Some(heard) = listeners.join_next().await {
        let (session, frames) = heard.expect("the session hears the last rename");
        for (at, (told, expected)) in frames.iter().zip(&predicted[session]).enumerate() {
            assert_eq!(told, expected, "session {session}, frame {at}");
        }
        assert_eq!(frames.len(), predicted[session].len(), "session {session}");
    }
    app.stop().await;
}
