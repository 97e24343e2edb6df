//! Which changes are told, under which name, and with which values.

use std::time::Duration;

use blazelink_migrations::PUBLICATION;
use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use serde_json::{Value, json};

/// How long a burst may take. The server asks for a sign of life every few seconds, so a reader
/// that took one message per awakening would not be at its end by then.
const BURST_PATIENCE: Duration = Duration::from_secs(60);

async fn run(app: &TestApp, sql: &str) {
    let done = app.sql().await.batch_execute(sql).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// What the client is told of its objects by this statement and no other, sorted by key.
async fn told(app: &TestApp, client: &mut Client, sql: &str) -> Vec<Value> {
    run(app, sql).await;
    app.catch_up().await;
    let mut updates: Vec<Value> = client
        .frames_so_far()
        .await
        .into_iter()
        .map(|mut frame| frame["data"].take())
        .collect();
    updates.sort_by_key(|update| update["identifier"]["obj_id"].as_i64());
    updates
}

fn update(kind: &str, entity: &str, obj_id: i64, changes: Value) -> Value {
    json!({
        "update_type": kind,
        "identifier": {"obj_id": obj_id, "entity": entity},
        "changes": changes,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_tables_without_a_column_id_or_a_key_stop_nothing() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    let changes = "INSERT INTO compkey VALUES (1, 2, 3); UPDATE compkey SET v = 4; \
         INSERT INTO nopk VALUES (1, 1); DELETE FROM compkey";
    run(&app, changes).await;
    // Somebody publishes a table that the app does not know.
    run(
        &app,
        &format!("ALTER PUBLICATION {PUBLICATION} ADD TABLE compkey"),
    )
    .await;
    run(&app, "INSERT INTO compkey VALUES (1, 2, 3)").await;
    run(&app, "UPDATE team SET name = 'after' WHERE id = 1").await;
    let frame = client.frame().await;
    assert_eq!(frame["data"]["changes"]["name"], "after", "{frame}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_burst_of_commits_arrives_to_its_end_without_further_traffic() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    client
        .read("{ team(identifier: {obj_id: 1}) { id } }")
        .await;
    let burst = "DO $$ BEGIN FOR number IN 1..500 LOOP \
         UPDATE team SET name = number::text WHERE id = 1; COMMIT; END LOOP; END $$";
    run(&app, burst).await;
    let last = client.frames_until(|frame| frame["data"]["changes"]["name"] == "500");
    let before = tokio::time::timeout(BURST_PATIENCE, last).await;
    let before = before.expect("the last commit is told");
    assert!(before.iter().all(|frame| tells_of(frame, "Team", 1)));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_row_is_told_when_it_appears() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    let document = "{ matchResult(identifier: {obj_id: 7}) { score } }";
    let (_, answer) = client.ask(document, json!({})).await;
    assert!(answer["data"]["matchResult"].is_null(), "{answer}");
    assert_eq!(
        told(&app, &mut client, "INSERT INTO match_result VALUES (7, 70)").await,
        [update(
            "Create",
            "MatchResult",
            7,
            json!({"id": 7, "score": 70})
        )]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletes_tell_the_row_as_it_was_moves_both_keys_and_truncate_is_told() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    for key in [1, 7] {
        let document = format!("{{ matchResult(identifier: {{obj_id: {key}}}) {{ score }} }}");
        client.ask(&document, json!({})).await;
    }
    let row = |id: i64| json!({"id": id, "score": 10});
    let moved = "UPDATE match_result SET id = 7 WHERE id = 1";
    assert_eq!(
        told(&app, &mut client, moved).await,
        [
            update("Delete", "MatchResult", 1, row(1)),
            update("Create", "MatchResult", 7, row(7)),
        ]
    );
    assert_eq!(
        told(&app, &mut client, "DELETE FROM match_result").await,
        [update("Delete", "MatchResult", 7, row(7))]
    );
    assert_eq!(
        told(&app, &mut client, "TRUNCATE match_result").await,
        [1, 7].map(|key| update("Update", "MatchResult", key, json!({})))
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_told_under_the_name_of_their_type_and_of_their_schema() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    for document in [
        "{ person(identifier: {obj_id: 1, entity: \"Person\"}) { name } }",
        "{ playerMatchResult(identifier: {obj_id: 1}) { score } }",
        "{ user(identifier: {obj_id: 1}) { name } }",
    ] {
        client.read(document).await;
    }
    assert_eq!(
        told(&app, &mut client, "UPDATE people SET name = 'zoe'").await,
        [update(
            "Update",
            "Person",
            1,
            json!({"id": 1, "name": "zoe"})
        )]
    );
    let scored = told(
        &app,
        &mut client,
        "UPDATE player_match_result SET score = 5",
    )
    .await;
    assert_eq!(
        scored,
        [update(
            "Update",
            "PlayerMatchResult",
            1,
            json!({"id": 1, "score": 5})
        )]
    );
    let namesake = "INSERT INTO other.\"user\" VALUES (1, 'intruder', 'pw'); \
         UPDATE other.\"user\" SET name = 'again'; DELETE FROM other.\"user\"";
    assert_eq!(told(&app, &mut client, namesake).await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_names_other_dependencies_is_still_told_of_itself() {
    let app = TestApp::fixture().await;
    let mut client = Client::connect(app.address()).await;
    let game = "{entity: \"Game\", obj_id: 1}";
    let document =
        format!("{{ team(identifier: {{obj_id: 1, dependencies: [{game}]}}) {{ name }} }}");
    client.read(&document).await;
    assert_eq!(
        told(
            &app,
            &mut client,
            "UPDATE team SET name = 'own' WHERE id = 1"
        )
        .await,
        [update("Update", "Team", 1, json!({"id": 1, "name": "own"}))]
    );
    assert_eq!(
        told(
            &app,
            &mut client,
            "UPDATE game SET name = 'named' WHERE id = 1"
        )
        .await,
        [update(
            "Update",
            "Game",
            1,
            json!({"id": 1, "name": "named"})
        )]
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_argument_of_a_computed_field_chooses_among_the_rows() {
    let app = TestApp::fixture().await;
    let client = Client::without_socket(app.address());
    let count = |kind: &str| {
        format!(
            "{{ user(identifier: {{obj_id: 1}}) {{ latest_events(kind: {kind}) {{ count }} }} }}"
        )
    };
    for (kind, expected) in [("\"kill\"", 4), ("\"death\"", 8), ("\"none\"", 0)] {
        let answer = client.read(&count(kind)).await;
        assert_eq!(answer["user"]["latest_events"]["count"], expected, "{kind}");
    }
    app.stop().await;
}
