//! Pages that are narrowed and ordered are live: whoever reads one is told of what moves a row in,
//! out and within it, and of nothing else.

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};

/// The names in a page of users.
fn names(page: &Value) -> Vec<&str> {
    let items = page["items"].as_array().expect("pages have items");
    items
        .iter()
        .filter_map(|item| item["row"]["name"].as_str())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_and_ordered_root_is_told_of_rows_that_move_in_out_and_within() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    let fill = "INSERT INTO team (id, name, color) VALUES (1, 'red', '#f00'), (2, 'blue', '#00f'); \
                INSERT INTO \"user\" (id, name, team_id) VALUES \
                (1, 'b', 1), (2, 'd', 1), (3, 'f', 1), (4, 'c', 2), (5, 'e', 2)";
    sql.batch_execute(fill).await.expect("the rows are new");
    app.catch_up().await;
    let page = "{ users(where: {team_id: {eq: 1}, name: {lt: \"x\"}}, orderBy: [{name: DESC}], size: 2) \
                { count next items { row { name } } } }";
    let mut client = Client::connect(app.address()).await;
    let first = client.read(page).await["users"].clone();
    assert_eq!(
        (names(&first), &first["count"]),
        (vec!["f", "d"], &json!(3))
    );
    assert!(first["next"].is_string());

    let changes = [
        (
            "UPDATE \"user\" SET team_id = 1 WHERE id = 5",
            5,
            vec!["f", "e"],
        ),
        (
            "UPDATE \"user\" SET team_id = 2 WHERE id = 3",
            3,
            vec!["e", "d"],
        ),
        (
            "UPDATE \"user\" SET name = 'a' WHERE id = 5",
            5,
            vec!["d", "b"],
        ),
        (
            "UPDATE \"user\" SET name = 'z' WHERE id = 2",
            2,
            vec!["b", "a"],
        ),
        (
            "INSERT INTO \"user\" (id, name, team_id) VALUES (6, 'g', 1)",
            6,
            vec!["g", "b"],
        ),
        ("DELETE FROM \"user\" WHERE id = 1", 1, vec!["g", "a"]),
    ];
    for (change, row, expected) in changes {
        // Nobody asked for the other team.
        let elsewhere = "UPDATE \"user\" SET name = name || '.' WHERE id = 4";
        sql.batch_execute(elsewhere)
            .await
            .expect("the row is there");
        sql.batch_execute(change)
            .await
            .expect("the change is sound");
        let frame = client.frame().await;
        assert!(tells_of(&frame, "User", row), "{change}: {frame}");
        client.confirm(&frame).await;
        let now = client.read(page).await["users"].clone();
        assert_eq!(names(&now), expected, "{change}");
    }
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_narrowed_and_ordered_relation_is_told_of_rows_that_move_in_out_and_within() {
    let app = TestApp::start().await;
    let sql = app.sql().await;
    rows::players(&sql, 2).await;
    rows::game(&sql).await;
    let fill = "INSERT INTO game_event (id, kind, game_id, player_id) VALUES \
                (1, 'kill', 1, 1), (2, 'join', 1, 1), (3, 'kill', 1, 1), (4, 'kill', 1, 2)";
    sql.batch_execute(fill).await.expect("the rows are new");
    app.catch_up().await;
    let page = "{ user(identifier: {obj_id: 1}) { events(where: {kind: {eq: \"kill\"}}, \
                orderBy: [{victim_id: DESC_NULLS_LAST}, {id: DESC}], size: 2) { items { obj_id } } } }";
    let mut client = Client::connect(app.address()).await;
    let keys = |answer: &Value| -> Vec<Value> {
        let items = answer["user"]["events"]["items"].as_array().cloned();
        let items = items.unwrap_or_default();
        items.iter().map(|item| item["obj_id"].clone()).collect()
    };
    assert_eq!(keys(&client.read(page).await), [3, 1]);
    let changes = [
        ("UPDATE game_event SET player_id = 1 WHERE id = 4", [4, 3]),
        ("UPDATE game_event SET victim_id = 2 WHERE id = 1", [1, 4]),
        ("UPDATE game_event SET kind = 'kill' WHERE id = 2", [1, 4]),
        ("UPDATE game_event SET kind = 'join' WHERE id = 4", [1, 3]),
        ("UPDATE game_event SET player_id = 2 WHERE id = 1", [3, 2]),
    ];
    for (change, expected) in changes {
        sql.batch_execute(change)
            .await
            .expect("the change is sound");
        let frame = client.frame().await;
        assert!(tells_of(&frame, "User", 1), "{change}: {frame}");
        client.confirm(&frame).await;
        assert_eq!(keys(&client.read(page).await), expected, "{change}");
    }
    sql.batch_execute("UPDATE game_event SET kind = 'x' WHERE id = 1")
        .await
        .expect("the change is sound");
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, Vec::<Value>::new());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_queries_of_the_guide_are_answered() {
    let page = include_str!("../../docs/pages.md");
    let app = TestApp::start().await;
    let client = Client::connect(app.address()).await;
    let snippets = page.split("```graphql\n").skip(1);
    let mut asked = 0;
    for snippet in snippets.filter_map(|rest| rest.split("```").next()) {
        let (status, answer) = client.ask(snippet, json!({})).await;
        assert!(
            status == 200 && answer["errors"].is_null(),
            "{snippet}\n{answer}"
        );
        asked += 1;
    }
    assert!(asked > 0);
    app.stop().await;
}
