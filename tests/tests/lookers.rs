//! Who may look at the debugger and do what there, how much it follows, and what it knows of whoever has
//! written a commit.

use std::num::NonZeroU32;
use std::time::Duration;

use blazelink::codes::limits;
use blazelink::config::{Config, DebuggerRole, Environment};
use blazelink::{Builder, Looker, RequestCause};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::Received;
use blazelink_tests::rows;
use blazelink_tests::scene::{Scene, debugged, guarded, open, said, told_of_player};
use poem::web::Data;
use poem::{EndpointExt, Route, handler, post};
use reqwest::{Method, StatusCode};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use serde_json::{Value, json};

const PLAYER: &str = "{ user(identifier: {obj_id: 1}) { name } }";

/// What changes something: method, path, and what it is told.
fn acts(session: &str) -> [(Method, String, Value); 6] {
    let of_session = |what: &str| format!("/api/sessions/{session}/{what}");
    [
        (
            Method::PUT,
            of_session("mischief"),
            json!({"duplicate": true}),
        ),
        (Method::PUT, "/api/held".to_owned(), json!({"held": false})),
        (Method::PUT, "/api/sample".to_owned(), json!({"one_in": 2})),
        (Method::POST, "/api/recordings".to_owned(), json!({})),
        (Method::POST, of_session("disconnect"), json!({})),
        (Method::POST, of_session("revoke"), json!({})),
    ]
}

fn in_production(role: Option<DebuggerRole>) -> impl FnOnce(&mut Config) {
    move |config| {
        debugged(config);
        config.environment = Environment::Production;
        if let Some(at) = &mut config.debugger.at {
            at.role = role;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_the_key_opens_and_nothing_can_be_done_with_it() {
    let scene = Scene::with(guarded, in_production(None)).await;
    let _client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let looker = scene.get("/api/looker").await;
    assert_eq!(looker, json!({"name": "who has the key", "role": "reader"}));
    for (method, path, what) in acts(&session) {
        let (status, answer) = scene.tell(method, &path, &what).await;
        // What is for development only is refused for that.
        let expected = match path.ends_with("mischief") || path.ends_with("held") {
            true => StatusCode::CONFLICT,
            false => StatusCode::FORBIDDEN,
        };
        assert_eq!(status, expected, "{path}: {answer}");
    }
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_send_sessions_away_and_a_revoked_one_hears_nothing_more() {
    let scene = Scene::with(guarded, in_production(Some(DebuggerRole::Operator))).await;
    let mut client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    assert_eq!(scene.get("/api/looker").await["role"], "operator");

    let path = format!("/api/sessions/{session}/disconnect");
    let (status, answer) = scene.tell(Method::POST, &path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer, json!({"session": session, "subscriptions": 1}));
    while let Received::Frame(_) = client.listen().await {}
    client.open().await;
    scene
        .execute("UPDATE \"user\" SET name = 'still' WHERE id = 1")
        .await;
    told_of_player(&mut client, 1).await;

    let path = format!("/api/sessions/{session}/revoke");
    let (status, answer) = scene.tell(Method::POST, &path, &json!({})).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    assert_eq!(answer, json!({"session": session, "subscriptions": 0}));
    while let Received::Frame(_) = client.listen().await {}
    client.open().await;
    scene
        .execute("UPDATE \"user\" SET name = 'no more' WHERE id = 1")
        .await;
    assert_eq!(client.frames_so_far().await, Vec::<Value>::new());
    let why = scene.why(&session, "user:1").await;
    assert_eq!(said(&why).0, "not-subscribed", "{why}");
    client.read(PLAYER).await;
    scene
        .execute("UPDATE \"user\" SET name = 'again' WHERE id = 1")
        .await;
    told_of_player(&mut client, 1).await;
    scene.app.stop().await;
}

fn mounted(blaze: Builder) -> Builder {
    guarded(blaze).debugger("/admin/debugger", |viewer| match viewer.get::<i32>()? {
        1 => Some(Looker::new("player 1", DebuggerRole::Operator)),
        2 => Some(Looker::new("player 2", DebuggerRole::Reader)),
        _ => None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn below_a_path_of_the_app_it_is_for_whom_the_app_says() {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, mounted).await;
    rows::players(&app.sql().await, 2).await;
    app.catch_up().await;
    assert_eq!(app.app().debugger_address().await, None);
    let at = format!("http://{}/admin/debugger", app.address());
    let http = reqwest::Client::new();
    let ask = async |method: Method, path: &str, key: &str, origin: Option<&str>| {
        let request = http
            .request(method, format!("{at}{path}"))
            .json(&json!({"one_in": 3}));
        let request = request.header("authorization", key);
        let request = match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        };
        let answer = request.send().await.expect("the app answers");
        (answer.status(), answer.text().await.expect("to the end"))
    };
    let (status, page) = ask(Method::GET, "/updates", "3", None).await;
    assert_eq!(status, StatusCode::OK);
    let page = page.replace("&#x2f;", "/");
    assert!(page.contains("data-base=\"/admin/debugger\""), "{page}");
    for (key, get, put) in [
        ("1", StatusCode::OK, StatusCode::OK),
        ("2", StatusCode::OK, StatusCode::FORBIDDEN),
        ("3", StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED),
    ] {
        let (status, answer) = ask(Method::GET, "/api/updates", key, None).await;
        assert_eq!(status, get, "{answer}");
        let (status, answer) = ask(Method::PUT, "/api/sample", key, None).await;
        assert_eq!(status, put, "{answer}");
    }
    let foreign = Some("https://elsewhere.example");
    let (status, _) = ask(Method::GET, "/api/updates", "1", foreign).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (_, overview) = ask(Method::GET, "/api/overview", "1", None).await;
    assert!(overview.contains("\"sample\":3"), "{overview}");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_commits_a_sample_is_followed_and_all_that_is_out_of_the_ordinary() {
    let sampled = |config: &mut Config| {
        debugged(config);
        config.debugger.sample = NonZeroU32::new(4);
    };
    let scene = Scene::with(guarded, sampled).await;
    let _client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let each = |statement: &str| {
        format!("DO $$ BEGIN FOR i IN 1..8 LOOP {statement}; COMMIT; END LOOP; END $$")
    };
    let before = scene.get("/api/overview").await;
    scene
        .execute(&each("UPDATE \"user\" SET name = 'n' || i WHERE id = 1"))
        .await;
    let followed = scene
        .get("/api/updates?filter=row:user:1%20op:update")
        .await;
    let count = |updates: &Value| updates["updates"].as_array().map(Vec::len);
    assert_eq!(count(&followed), Some(2), "{followed}");
    let after = scene.get("/api/overview").await;
    let told = |overview: &Value| overview["stages"][2]["total"].as_u64().unwrap_or(0);
    let memory = |name: &str| after["memory"][name].as_u64().unwrap_or(0);
    assert!(told(&after) - told(&before) >= 8, "every commit is counted");
    let known = memory("updates") + memory("passed");
    assert_eq!(
        known,
        told(&after),
        "and each is followed or passed: {after}"
    );

    // Of which somebody is denied a row is followed, whichever of them it is.
    let team = "INSERT INTO team (id, name, color) VALUES (7, 'red', 'red'), (8, 'blue', 'blue')";
    scene.execute(team).await;
    let hidden = "UPDATE \"user\" SET team_id = CASE team_id WHEN 7 THEN 8 ELSE 7 END WHERE id = 1";
    scene.execute(&each(hidden)).await;
    let denied = scene.get("/api/updates?filter=outcome:denied").await;
    assert_eq!(count(&denied), Some(8), "{denied}");

    let others = "INSERT INTO \"user\" (id, name, team_id) VALUES (100 + i, 'somebody', 7)";
    scene.execute(&each(others)).await;
    let mut unknown = 0;
    for id in 101..=108 {
        let why = scene.why(&session, &format!("user:{id}")).await;
        let (answer, sentence) = said(&why);
        if answer == "not-recorded" {
            assert!(
                sentence.contains("of 4 updates one is followed"),
                "{sentence}"
            );
            unknown += 1;
        }
    }
    assert_eq!(unknown, 6);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_commit_that_is_followed_in_part_nothing_is_guessed() {
    let sampled = |config: &mut Config| {
        debugged(config);
        config.debugger.sample = Some(NonZeroU32::MAX);
    };
    let scene = Scene::with(open, sampled).await;
    let slow = scene.player(2, &[PLAYER]).await;
    let away = scene.only_session().await;
    drop(slow);
    let gone = |it: &Value| it["session"]["state"] == "offline";
    scene.until(&format!("/api/sessions/{away}"), gone).await;
    let mut client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    // As many wait as are sent one by one, and from then on they are merged.
    let commits = limits::OUTBOX_MERGE_FROM + 8;
    let renaming = format!(
        "DO $$ BEGIN FOR i IN 1..{commits} LOOP \
         UPDATE \"user\" SET name = 'n' || i WHERE id = 1; COMMIT; END LOOP; END $$"
    );
    scene.execute(&renaming).await;
    told_of_player(&mut client, 1).await;
    let merged = scene
        .get("/api/updates?limit=1&filter=outcome:merged")
        .await;
    let funnel = &merged["updates"][0]["funnel"];
    assert_eq!(
        (&funnel["told"], &funnel["others"]),
        (&json!(1), &json!(1)),
        "{merged}"
    );
    let lsn = merged["updates"][0]["lsn"].as_str().expect("a text");
    let why = |session: &str| format!("/api/why?session={session}&object=user:1&at={lsn}");
    let as_usual = scene.get(&why(&session)).await;
    assert_eq!(said(&as_usual).0, "not-recorded", "{as_usual}");
    let of_the_other = scene.get(&why(&away)).await;
    assert_eq!(said(&of_the_other).0, "offline", "{of_the_other}");
    scene.app.stop().await;
}

#[handler]
async fn renamed(cause: RequestCause, db: Data<&DatabaseConnection>) -> poem::Result<()> {
    let failed = poem::error::ServiceUnavailable;
    let transaction = db.begin().await.map_err(failed)?;
    cause.say_in(&transaction).await.map_err(failed)?;
    let sql = "UPDATE \"user\" SET name = 'by an endpoint' WHERE id = 1";
    transaction.execute_unprepared(sql).await.map_err(failed)?;
    transaction.commit().await.map_err(failed)?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_made_a_commit_is_said_of_endpoints_too() {
    let declare = |blaze: Builder| {
        let route = |db| Route::new().at("/rename", post(renamed)).data(db);
        open(blaze).route("/extra", route)
    };
    let scene = Scene::start(declare).await;
    let client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let url = format!("http://{}/extra/rename", scene.app.address());
    let request = reqwest::Client::new().post(url);
    let request = request.header("session_id", client.session());
    let answer = request.send().await.expect("the app answers");
    assert_eq!(answer.status(), StatusCode::OK);
    let updates = scene
        .until("/api/updates?filter=cause:post", |it| {
            it["updates"][0].is_object()
        })
        .await;
    let cause = &updates["updates"][0]["cause"];
    assert_eq!(cause["operation"], "POST /extra/rename");
    assert_eq!(cause["session"], json!(session));
    assert_eq!(cause["verified"], true);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whose_connection_has_written_a_commit_is_said_if_nobody_else_can_have() {
    let scene = Scene::start(open).await;
    let psql = scene.app.sql().await;
    let rename = "UPDATE \"user\" SET name = 'by hand' WHERE id = 1";
    let named = psql.batch_execute("SET application_name = 'psql'").await;
    named.expect("the statement is sound");
    // A statement of the app's own may run at the moment of a commit: then nobody is named, and rightly.
    let mut updates = Value::Null;
    for _ in 0..50 {
        let done = psql.batch_execute(rename).await;
        done.expect("the statement is sound");
        // Who goes on to the next statement too soon is not named either.
        tokio::time::sleep(Duration::from_millis(300)).await;
        updates = scene.get("/api/updates?filter=cause:psql").await;
        if updates["updates"][0].is_object() {
            break;
        }
    }
    let update = &updates["updates"][0];
    assert_eq!(update["cause"], Value::Null);
    assert_eq!(update["writer"]["application"], "psql");
    assert!(update["writer"]["role"].is_string(), "{update}");
    scene.app.stop().await;
}
