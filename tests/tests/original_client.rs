//! What the original's client needs of a server, sentence by sentence, with the text that it sends.
//!
//! How it is answered in the recorded situations is compared elsewhere; here is what its pages
//! rely on without ever asking for it.

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, number, tells_of};
use serde_json::{Value, json};
use tokio_postgres::Client as Sql;

const NOTHING: [Value; 0] = [];

/// The fixture, of which everything written so far was handed on, and a connection to write more.
async fn start() -> (TestApp, Sql) {
    let app = TestApp::fixture().await;
    let sql = app.sql().await;
    app.catch_up().await;
    (app, sql)
}

async fn run(sql: &Sql, statement: &str) {
    sql.batch_execute(statement).await.expect(statement);
}

/// The text in which the original's client asks for an object: its dependencies as they were
/// given, then the object itself, then the given ones again.
fn document(entity: &str, obj_id: &str, dependencies: &[&str], selection: &str) -> String {
    let own = format!("{{entity: \"{entity}\",obj_id: {obj_id}}}");
    let listed: Vec<&str> = dependencies
        .iter()
        .chain([&own.as_str()])
        .chain(dependencies)
        .copied()
        .collect();
    let getter = format!("{}{}", entity[..1].to_lowercase(), &entity[1..]);
    format!(
        "query {{\n    {getter}(identifier: {{\n        obj_id: {obj_id} \n        \
         entity: \"{entity}\"\n        modifiers: \"undefined\"\n        \
         dependencies: [{}]\n    }} ) {{\n        {selection}\n    }}\n}}\n",
        listed.join(", ")
    )
}

/// What the updates among the frames tell.
fn told(frames: Vec<Value>) -> Vec<Value> {
    frames
        .into_iter()
        .filter(|frame| frame["type"] == "ModelUpdateEvent")
        .map(|mut frame| frame["data"].take())
        .collect()
}

/// Everything that one commit brings to a client of player 1: up to the next rename, which comes last.
async fn brought(client: &mut Client, sql: &Sql, statement: &str) -> Vec<Value> {
    run(sql, statement).await;
    run(sql, "UPDATE \"user\" SET name = 'last' WHERE id = 1").await;
    let is_last = |frame: &Value| frame["data"]["changes"]["name"] == "last";
    told(client.frames_until(is_last).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_named_twice_or_is_the_object_itself_or_its_whole_table_is_told_once() {
    let (app, sql) = start().await;
    let mut client = Client::connect(app.address()).await;
    let repeated = [
        "{entity: \"User\",obj_id: 1,modifiers: \"undefined\",dependencies: []}",
        "{entity: \"User\",obj_id: null}",
        "{entity: \"Team\",obj_id: 2}",
        "{entity: \"Team\"}",
    ];
    let text = document("User", "1", &repeated, "id\n        name");
    let data = client.read(&text).await;
    assert_eq!(data, json!({"user": {"id": 1, "name": "ann"}}));
    client.read(&text).await;

    let rename = "UPDATE \"user\" SET name = 'eva' WHERE id = 1";
    let frames = brought(&mut client, &sql, rename).await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(
        frames[0]["identifier"],
        json!({"obj_id": 1, "entity": "User"})
    );
    assert_eq!(frames[0]["changes"]["name"], "eva");
    let rename = "UPDATE team SET name = 'sea' WHERE id = 2";
    let frames = brought(&mut client, &sql, rename).await;
    assert_eq!(frames.len(), 1, "{frames:?}");
    assert_eq!(
        frames[0]["identifier"],
        json!({"obj_id": 2, "entity": "Team"})
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dependencies_of_dependencies_are_watched() {
    let (app, sql) = start().await;
    let mut client = Client::connect(app.address()).await;
    let nested = "{entity: \"User\",obj_id: 2,dependencies: [{entity: \"Team\",obj_id: 2,\
                  dependencies: [{entity: \"GameEvent\"}]}]}";
    client.read(&document("User", "1", &[nested], "id")).await;
    for (statement, entity, key) in [
        ("UPDATE \"user\" SET name = 'x' WHERE id = 2", "User", 2),
        ("UPDATE team SET name = 'x' WHERE id = 2", "Team", 2),
        (
            "UPDATE gameevent SET type = 'x' WHERE id = 7",
            "GameEvent",
            7,
        ),
    ] {
        run(&sql, statement).await;
        let frame = client.frame().await;
        assert!(tells_of(&frame, entity, key), "{frame}");
    }
    run(&sql, "UPDATE team SET name = 'x' WHERE id = 1").await;
    app.catch_up().await;
    assert_eq!(client.frames_so_far().await, NOTHING, "nobody named team 1");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_asked_and_changed_before_the_websocket_is_told_on_it() {
    let (app, sql) = start().await;
    let mut client = Client::without_socket(app.address());
    let watched = ["{entity: \"Team\",obj_id: 1}"];
    client.read(&document("User", "1", &watched, "name")).await;
    run(&sql, "UPDATE \"user\" SET name = 'early' WHERE id = 1").await;
    app.catch_up().await;
    client.open().await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"]["name"], "early");
    run(&sql, "UPDATE team SET name = 'later' WHERE id = 1").await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "Team", 1), "{frame}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_are_told_apart_by_their_header() {
    let (app, sql) = start().await;
    let mut one = Client::connect(app.address()).await;
    let mut two = Client::connect(app.address()).await;
    one.read(&document("User", "1", &[], "name")).await;
    two.read(&document("User", "2", &[], "name")).await;
    run(&sql, "UPDATE \"user\" SET name = 'x'").await;
    app.catch_up().await;
    for (client, key) in [(&mut one, 1), (&mut two, 2)] {
        let frames = client.frames_so_far().await;
        assert_eq!(frames.len(), 1, "{frames:?}");
        assert!(tells_of(&frames[0], "User", key), "{frames:?}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_hold_foreign_keys_and_those_of_a_delete_the_old_row() {
    let (app, sql) = start().await;
    let mut client = Client::connect(app.address()).await;
    let events = ["{entity: \"GameEvent\",obj_id: null}"];
    client.read(&document("User", "1", &events, "name")).await;
    let row = json!({"id": 13, "type": "kill", "player_id": 2});
    for (statement, kind) in [
        ("INSERT INTO gameevent VALUES (13, 'kill', 2, 1)", "Create"),
        ("UPDATE gameevent SET type = 'kill' WHERE id = 13", "Update"),
        ("DELETE FROM gameevent WHERE id = 13", "Delete"),
    ] {
        run(&sql, statement).await;
        let mut frame = client.frame().await;
        let identifier = json!({"obj_id": 13, "entity": "GameEvent"});
        let expected = json!({"update_type": kind, "identifier": identifier, "changes": row});
        assert_eq!(frame["data"].take(), expected);
    }
    run(&sql, "UPDATE \"user\" SET team_id = 2 WHERE id = 1").await;
    assert_eq!(client.frame().await["data"]["changes"]["team_id"], 2);
    app.stop().await;
}

/// The client drops the first underscore of a frame's entity, and no other.
#[tokio::test(flavor = "multi_thread")]
async fn a_frames_entity_is_the_types_name_whatever_the_table_is_called() {
    let (app, sql) = start().await;
    for (entity, table) in [
        ("PlayerMatchResult", "player_match_result"),
        ("MatchResult", "match_result"),
        ("GameEvent", "gameevent"),
        ("Person", "people"),
    ] {
        let mut client = Client::connect(app.address()).await;
        client.read(&document(entity, "1", &[], "id")).await;
        let delete = format!("DELETE FROM {table} WHERE id = 1");
        run(&sql, &delete).await;
        let frame = client.frame().await;
        assert!(tells_of(&frame, entity, 1), "{table}: {frame}");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_missed_is_told_when_its_socket_is_back() {
    let (app, sql) = start().await;
    let mut client = Client::connect(app.address()).await;
    let watched = ["{entity: \"GameEvent\",obj_id: null}"];
    client.read(&document("User", "1", &watched, "name")).await;
    client.cut();
    run(&sql, "UPDATE \"user\" SET name = 'missed' WHERE id = 1").await;
    run(&sql, "INSERT INTO gameevent VALUES (13, 'kill', 2, 1)").await;
    run(&sql, "DELETE FROM gameevent WHERE id = 13").await;
    app.catch_up().await;
    client.open().await;
    let missed = client.frames_so_far().await;
    assert_eq!(missed.len(), 3, "{missed:?}");
    assert!(tells_of(&missed[0], "User", 1), "{missed:?}");
    assert_eq!(missed[0]["data"]["changes"]["name"], "missed");
    let kind = |at: usize| missed[at]["data"]["update_type"].as_str();
    assert!(tells_of(&missed[1], "GameEvent", 13), "{missed:?}");
    assert!(tells_of(&missed[2], "GameEvent", 13), "{missed:?}");
    assert_eq!((kind(1), kind(2)), (Some("Create"), Some("Delete")));
    run(&sql, "UPDATE \"user\" SET name = 'heard' WHERE id = 1").await;
    assert_eq!(client.frame().await["data"]["changes"]["name"], "heard");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_confirms_nothing_holds_up_neither_itself_nor_others() {
    const COMMITS: usize = 3_000;
    let (app, sql) = start().await;
    let mut clients = Vec::new();
    for _ in 0..3 {
        let client = Client::connect(app.address()).await;
        client.read(&document("User", "1", &[], "name")).await;
        clients.push(client);
    }
    let rename = |commit| format!("UPDATE \"user\" SET name = '{commit}' WHERE id = 1");
    for commit in 0..COMMITS {
        run(&sql, &rename(commit)).await;
        if commit == 0 {
            for client in &mut clients {
                client.frame().await;
            }
        }
    }
    // One confirms, two never do; each is told in order, up to the last commit.
    for (at, client) in clients.iter_mut().enumerate() {
        let mut last = 0;
        while last + 1 < COMMITS {
            let frame = client.frame().await;
            if at == 0 {
                client.confirm(&frame).await;
            }
            let name = number(&frame["data"]["changes"]["name"]);
            assert!(name > last, "{name} after {last}");
            last = name;
        }
    }
    app.stop().await;
}

/// The client looks for its getter under `data`, whatever the status is.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_null_under_its_getter_and_fails_no_other() {
    let (app, _) = start().await;
    let client = Client::without_socket(app.address());
    for (text, getter) in [
        (document("Game", "4711", &[], "name"), "game"),
        (document("Game", "null", &[], "name"), "game"),
        (document("GameEvent", "\"x\"", &[], "type"), "gameEvent"),
        (
            document("Game", "1", &["{entity: \"Nothing\"}"], "name"),
            "game",
        ),
        (document("PlayerStats", "null", &[], "kills"), "playerStats"),
    ] {
        let (status, answer) = client.ask(&text, json!({})).await;
        assert_eq!(status, 200, "{text}");
        assert_eq!(answer["errors"][0]["path"][0], getter, "{text}: {answer}");
        assert_eq!(answer["data"], json!({getter: null}), "{text}");
    }
    let both = "{ a: game(identifier: {obj_id: 4711}) { name } b: game(identifier: {obj_id: 1}) { name } }";
    let (status, answer) = client.ask(both, json!({})).await;
    assert_eq!(status, 200);
    assert_eq!(answer["data"], json!({"a": null, "b": {"name": "g1"}}));
    app.stop().await;
}

/// Without an `obj_id` the client fails at the frame; null is the whole table.
#[tokio::test(flavor = "multi_thread")]
async fn every_update_has_an_obj_id_also_where_it_tells_of_a_whole_table() {
    let (app, sql) = start().await;
    let mut client = Client::connect(app.address()).await;
    let watched = ["{entity: \"GameEvent\",obj_id: null}"];
    client.read(&document("User", "1", &watched, "name")).await;
    let many = "INSERT INTO gameevent SELECT n, 'kill', 2, 1 FROM generate_series(100, 9000) AS n";
    let statements = [
        many,
        "TRUNCATE gameevent",
        "UPDATE \"user\" SET name = 'x' WHERE id = 1",
    ];
    for statement in statements {
        let frames = brought(&mut client, &sql, statement).await;
        assert!(!frames.is_empty(), "{statement}");
        for frame in &frames {
            let obj_id = frame["identifier"].get("obj_id");
            assert!(obj_id.is_some(), "{statement}: {frame}");
        }
        let whole = frames
            .iter()
            .any(|frame| frame["identifier"]["obj_id"].is_null());
        assert_eq!(whole, !statement.starts_with("UPDATE"), "{statement}");
    }
    app.stop().await;
}
