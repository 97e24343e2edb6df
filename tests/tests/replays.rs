//! Recordings of the debugger: made by one build of an app, looked at, and replayed on another.

use blazelink_tests::app::TestApp;
use blazelink_tests::scene::{Scene, guarded, open, recorded};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const FIRST: &str = "{ user(identifier: {obj_id: 1}) { name } }";
const SECOND: &str = "{ user(identifier: {obj_id: 2}) { name } }";
const GAMES: &str = "{ games(page: 0, size: 10) { count } }";

async fn begin(scene: &Scene, what: &Value) {
    let (status, answer) = scene.tell(Method::POST, "/api/recordings", what).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer["running"]["name"], what["name"]);
}

async fn stop(scene: &Scene) -> Value {
    let path = "/api/recordings/stop";
    let (status, kept) = scene.tell(Method::POST, path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{kept}");
    kept
}

/// Renames both players and begins a game, while both players and nobody in particular watch.
async fn play(scene: &Scene) -> [String; 2] {
    let client = scene.player(1, &[FIRST]).await;
    let first = scene.only_session().await;
    begin(scene, &json!({"name": "game"})).await;
    // What is watched later is in it too.
    client.read(SECOND).await;
    let _second = scene.player(2, &[FIRST]).await;
    let _nobody = scene.player(0, &[GAMES]).await;
    scene
        .execute("UPDATE \"user\" SET name = 'a secret' WHERE id = 1")
        .await;
    scene
        .execute("UPDATE \"user\" SET name = 'b secret' WHERE id = 2")
        .await;
    scene
        .execute("INSERT INTO game (id, name) VALUES (4711, 'x')")
        .await;
    let updates = scene
        .get("/api/updates?filter=row:user:1%20op:update")
        .await;
    let path = format!("/api/updates/{}", updates["updates"][0]["number"]);
    let path = scene.get(&path).await;
    let told = path["deliveries"].as_array().into_iter().flatten();
    let second = told
        .filter_map(|it| it["session"].as_str())
        .find(|label| *label != first);
    let second = second.expect("the second player was told").to_owned();
    [first, second]
}

/// What would differ: which session, what, how it was told and would be.
fn differences(replayed: &Value) -> Vec<[String; 4]> {
    let all = replayed["differences"].as_array().into_iter().flatten();
    let text = |of: &Value| of.as_str().unwrap_or("nothing").to_owned();
    all.map(|it| ["session", "object", "was", "would"].map(|name| text(&it[name])))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_tells_what_another_policy_would_change_and_of_its_own_build_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::with(open, recorded(folder.path())).await;
    let [first, second] = play(&scene).await;
    let kept = stop(&scene).await;
    assert_eq!(kept["let_go"], 0);
    assert_eq!(kept["left_out"], 0);
    let file = std::fs::read_to_string(kept["file"].as_str().expect("a path"));
    let file = file.expect("it is there");

    let path = "/api/recordings/game/replay";
    let (status, same) = scene.tell(Method::POST, path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{same}");
    assert_eq!(same["differ"], 0, "{same}");
    assert!(same["compared"].as_u64() >= Some(4), "{same}");
    let sentence = same["sentence"].as_str().expect("a sentence");
    assert!(
        sentence.ends_with("as recorded, none differs"),
        "{sentence}"
    );

    let database = scene.app.stop().await;
    let app = TestApp::start_declared(database, recorded(folder.path()), guarded).await;
    let scene = Scene::of(app).await;
    let (status, other) = scene.upload("/api/replay", file.clone().into()).await;
    assert_eq!(status, StatusCode::OK, "{other}");
    let expected = |session: &str, object: &str, would: &str| {
        [session, object, "update", would].map(ToOwned::to_owned)
    };
    let mut found = differences(&other);
    found.sort_unstable();
    let mut right = vec![
        // Without the team.
        expected(&first, "user:1", "update"),
        expected(&first, "user:2", "nothing"),
        expected(&second, "user:1", "nothing"),
    ];
    right.sort_unstable();
    assert_eq!(found, right, "{other}");
    assert_eq!(other["differ"], 3);
    assert!(!other.to_string().contains("secret"));

    // Of whom it is not known what it watched nothing is said.
    let gap = format!("{file}{{\"left_out\":{{\"session\":\"{first}\",\"at\":0}}}}\n");
    let (_, in_part) = scene.upload("/api/replay", gap.into()).await;
    let rest = [expected(&second, "user:1", "nothing")];
    assert_eq!(differences(&in_part), rest, "{in_part}");

    // It is on the shelf of the next process too.
    let shelf = scene.get("/api/recordings").await;
    assert_eq!(shelf["recordings"][0]["name"], "game");
    let (status, gone) = scene
        .tell(Method::DELETE, "/api/recordings/game", &json!({}))
        .await;
    assert_eq!((status, &gone["recordings"]), (StatusCode::OK, &json!([])));
    let (status, _) = scene.tell(Method::POST, path, &json!({})).await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_is_looked_at_as_the_app_was_and_a_redacted_one_holds_no_values() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::with(open, recorded(folder.path())).await;
    begin(&scene, &json!({"name": "short", "redacted": true})).await;
    let (status, twice) = scene
        .tell(Method::POST, "/api/recordings", &json!({"name": "b"}))
        .await;
    assert_eq!(status, StatusCode::CONFLICT, "{twice}");
    let _client = scene.player(1, &[FIRST]).await;
    scene
        .execute("UPDATE \"user\" SET name = 'a secret' WHERE id = 1")
        .await;
    let filter = "filter=table:user%20op:update";
    let live = scene.get(&format!("/api/updates?{filter}")).await;
    let number = &live["updates"][0]["number"];
    let live = scene.get(&format!("/api/updates/{number}")).await;
    let kept = stop(&scene).await;
    assert_eq!(kept["redacted"], true);

    let updates = format!("/api/recordings/short/updates?{filter}");
    let recorded = scene.get(&updates).await;
    assert_eq!(&recorded["updates"][0]["number"], number);
    let recorded = scene
        .get(&format!("/api/recordings/short/updates/{number}"))
        .await;
    let told = |path: &Value| {
        let update = &path["update"];
        [
            update["lsn"].clone(),
            update["committed_at"].clone(),
            update["told_at_ms"].clone(),
            update["funnel"]["told"].clone(),
            path["notices"].clone(),
            path["deliveries"][0]["session"].clone(),
        ]
    };
    assert_eq!(told(&recorded), told(&live));

    let file = std::fs::read_to_string(kept["file"].as_str().expect("a path"));
    let file = file.expect("it is there");
    assert!(!file.contains("secret"), "{file}");
    assert!(!file.contains("watching"), "{file}");
    let path = "/api/recordings/short/replay";
    let (status, refused) = scene.tell(Method::POST, path, &json!({})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");

    for (broken, why) in [
        ("", "no recording"),
        ("{}\n", "no recording"),
        (
            &file.replacen("\"version\":1", "\"version\":9", 1),
            "version 9",
        ),
        (&format!("{file}nothing\n"), "is not what it should be"),
    ] {
        let bytes = broken.as_bytes().to_owned();
        let (status, refused) = scene.upload("/api/replay", bytes).await;
        assert_eq!(status, StatusCode::CONFLICT, "{refused}");
        let said = refused["error"].as_str().expect("a sentence");
        assert!(said.contains(why), "{said}");
    }
    let (status, _) = scene
        .tell(Method::POST, "/api/recordings", &json!({"name": "../x"}))
        .await;
    assert_eq!(status, StatusCode::CONFLICT);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_ends_with_its_app_and_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let scene = Scene::with(open, recorded(folder.path())).await;
    begin(&scene, &json!({"name": "last"})).await;
    scene
        .execute("UPDATE \"user\" SET name = 'x' WHERE id = 1")
        .await;
    scene.app.stop().await;
    let file = folder.path().join("recordings/last.blz");
    let file = std::fs::read_to_string(file).expect("it is kept");
    assert!(file.lines().any(|line| line.starts_with("{\"commit\":")));
}
