//! The debugger over the whole app: what it tells of commits and sessions, why somebody did or did not
//! hear of a row, and whom it answers.

use blazelink::config::{Config, Environment};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, Received};
use blazelink_tests::rows;
use blazelink_tests::scene::{KEY, Scene, debugged, guarded, open, said, told_of_player};
use blazelink_tests::whys::{behind_policies, in_the_open};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

const PLAYER: &str = "{ user(identifier: {obj_id: 1}) { name } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_is_followed_from_its_cause_to_the_clients_word() {
    let scene = Scene::start(open).await;
    let mut client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let rename =
        "mutation { updateUser(identifier: {obj_id: 1}, input: {name: \"secret\"}) { obj_id } }";
    client.read(rename).await;
    let frame = told_of_player(&mut client, 1).await;

    let waiting = scene
        .get("/api/updates?filter=table:user%20outcome:waiting")
        .await;
    assert_eq!(waiting["updates"][0]["funnel"]["sent"], 1, "{waiting}");
    client.confirm(&frame).await;
    let filter = format!("/api/updates?filter=session:{session}%20outcome:confirmed%20row:user:1");
    let updates = scene
        .until(&filter, |it| it["updates"][0].is_object())
        .await;
    let update = &updates["updates"][0];
    assert_eq!(update["cause"]["operation"], "mutation updateUser");
    assert_eq!(update["cause"]["session"], json!(session));
    assert_eq!(update["cause"]["verified"], true);
    let table = json!({"table": "user", "inserts": 0, "updates": 1, "deletes": 0, "whole": false});
    assert_eq!(update["tables"], json!([table]));
    let funnel = json!({
        "changed": 1, "candidates": 1, "denied": 0, "told": 1, "others": 0, "merged": 0, "sent": 1,
        "confirmed": 1,
    });
    assert_eq!(update["funnel"], funnel);
    assert_eq!(update["flags"], json!([]));

    let path = scene
        .get(&format!("/api/updates/{}", update["number"]))
        .await;
    let places = path["way"].as_array().expect("a list").iter();
    let places: Vec<&str> = places.filter_map(|hop| hop["place"].as_str()).collect();
    let expected = [
        "Postgres", "Decoder", "Gate", "Matcher", "Outbox", "Socket", "Client",
    ];
    assert_eq!(places, expected);
    let times: Vec<u64> = path["way"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|hop| hop["at_us"].as_u64())
        .collect();
    assert!(times.len() == 7 && times.is_sorted(), "{times:?}");
    let change = &path["changes"][0];
    assert_eq!(change["object"], "user:1");
    let column = json!({"column": "name", "before": null, "after": null, "masked": true});
    assert_eq!(change["columns"], json!([column]));
    assert!(!path.to_string().contains("secret"), "values are masked");
    assert_eq!(path["deliveries"][0]["session"], json!(session));
    assert_eq!(path["deliveries"][0]["objects"], json!(["user:1"]));

    let lsn = update["lsn"].as_str().expect("a text");
    let other = format!("/api/why?session={session}&object=user:2&at={lsn}");
    let other = scene.get(&other).await;
    let unchanged = ("unchanged", "That commit did not change it");
    assert_eq!(said(&other), unchanged);
    assert_eq!(other["update"], update["number"]);

    let overview = scene.get("/api/overview").await;
    assert_eq!(overview["state"], "live");
    let stages: Vec<u64> = overview["stages"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|stage| stage["total"].as_u64())
        .collect();
    assert!(
        stages.len() == 5 && stages.iter().all(|total| *total > 0),
        "{stages:?}"
    );
    assert_eq!(overview["memory"]["lost"], 0);

    scene
        .execute("INSERT INTO game (name) VALUES ('by hand')")
        .await;
    let by_hand = scene
        .get("/api/updates?filter=table:game%20op:insert")
        .await;
    assert_eq!(by_hand["updates"][0]["cause"], Value::Null);
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_heard_of_a_row_and_who_did_not_is_said_in_a_sentence() {
    let scene = Scene::start(open).await;
    let mut client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let why = |object: &'static str| {
        let (scene, session) = (&scene, session.clone());
        async move { scene.why(&session, object).await }
    };

    assert_eq!(said(&why("user:999").await).0, "unchanged");
    let began = why("user:1").await;
    assert_eq!(said(&began).0, "not-subscribed", "it was inserted before");
    assert_eq!(
        said(&why("pg_class:1").await),
        (
            "not-published",
            "`pg_class` is no table that the app exposes, so nothing of it is in the publication \
             and no session hears of it"
        )
    );

    scene
        .execute("UPDATE \"user\" SET name = 'x' WHERE id = 1")
        .await;
    let frame = told_of_player(&mut client, 1).await;
    let sent = why("user:1").await;
    assert_eq!(said(&sent).0, "sent", "{sent}");
    client.confirm(&frame).await;
    let path = format!("/api/why?session={session}&object=user:1");
    let confirmed = scene.until(&path, |why| why["answer"] == "confirmed").await;
    assert!(
        said(&confirmed)
            .1
            .starts_with("Delivered: its client had handled it")
    );

    scene
        .execute("UPDATE \"user\" SET name = 'x' WHERE id = 2")
        .await;
    let filtered = why("user:2").await;
    assert_eq!(
        said(&filtered),
        ("filtered", "It watches User 1, and the row is none of that")
    );
    let nothing = "It is not subscribed: nothing that it watches is of this table";
    scene
        .execute("INSERT INTO team (id, name, color) VALUES (77, 'x', '#fff')")
        .await;
    assert_eq!(said(&why("team:77").await), ("not-subscribed", nothing));
    client
        .read("{ user(identifier: {obj_id: 2}) { name } }")
        .await;
    let later = why("user:2").await;
    assert_eq!(said(&later).0, "not-subscribed");
    assert!(
        said(&later)
            .1
            .contains("what it read then holds the commit already"),
        "{later}"
    );

    client.cut();
    scene
        .until("/api/sessions", |all| {
            let mut sessions = all["sessions"].as_array().into_iter().flatten();
            sessions.any(|it| it["session"] == json!(session) && it["state"] == "offline")
        })
        .await;
    scene
        .execute("UPDATE \"user\" SET name = 'y' WHERE id = 1")
        .await;
    let offline = why("user:1").await;
    assert_eq!(said(&offline).0, "offline", "{offline}");
    let beyond = scene
        .get(&format!(
            "/api/why?session={session}&object=user:1&at=FFFF/0"
        ))
        .await;
    assert_eq!(said(&beyond).0, "not-reached");
    let before = scene
        .get(&format!("/api/why?session={session}&object=user:1&at=0/1"))
        .await;
    assert_eq!(said(&before).0, "not-recorded");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_policy_hides_is_said_with_the_policy() {
    let scene = Scene::start(guarded).await;
    let _client = scene
        .player(
            1,
            &["{ users(page: 0, size: 10) { count items { row { name } } } }"],
        )
        .await;
    let session = scene.only_session().await;
    scene
        .execute("UPDATE \"user\" SET name = 'x' WHERE id = 2")
        .await;
    let denied = scene.why(&session, "user:2").await;
    assert_eq!(
        said(&denied),
        (
            "denied",
            "The policy of `User` does not let its viewer see this row, neither before nor after \
             the commit"
        )
    );
    scene
        .execute(
            "INSERT INTO team (id, name, color) VALUES (78, 'x', '#fff'); \
                   UPDATE \"user\" SET team_id = 78 WHERE id = 1",
        )
        .await;
    let hidden = scene.why(&session, "user:1").await;
    assert_eq!(
        said(&hidden),
        (
            "nothing-visible",
            "Only `team_id` changed, of which its viewer sees nothing"
        )
    );
    let update = scene.get("/api/updates?filter=outcome:denied").await;
    assert_eq!(
        update["updates"].as_array().map(Vec::len),
        Some(2),
        "{update}"
    );
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_key_or_from_another_page_nothing_is_told() {
    let scene = Scene::start(open).await;
    let url = format!("http://{}/api/overview", scene.debugger);
    let client = reqwest::Client::new();
    let asked =
        |name: &'static str, value: &'static str| client.get(&url).header(name, value).send();
    for (name, value) in [
        ("accept", "*/*"),
        ("authorization", "Bearer wrong"),
        ("cookie", KEY),
    ] {
        let answer = asked(name, value).await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{name}");
    }
    let rebound = client
        .get(&url)
        .bearer_auth(KEY)
        .header("host", "evil.example")
        .send();
    let rebound = rebound.await.expect("it answers");
    assert_eq!(rebound.status(), StatusCode::MISDIRECTED_REQUEST);
    let pin = client
        .put(format!("http://{}/api/updates/1/pin", scene.debugger))
        .bearer_auth(KEY)
        .header("origin", "http://evil.example")
        .json(&json!({"pinned": true}))
        .send();
    assert_eq!(
        pin.await.expect("it answers").status(),
        StatusCode::FORBIDDEN
    );

    let (status, misread) = scene.ask("/api/updates?filter=tabel:user").await;
    assert_eq!(
        (status, &misread["part"]),
        (StatusCode::BAD_REQUEST, &json!("tabel:user"))
    );
    let (status, _) = scene.ask("/api/sessions/s_000000").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
    let (status, spec) = scene.ask("/api/openapi.json").await;
    assert_eq!(status, StatusCode::OK);
    assert!(spec["paths"]["/api/why"].is_object(), "{spec}");
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_is_taken_costs_the_app_nothing() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let address = taken.local_addr().expect("it is bound");
    let change = move |config: &mut Config| {
        debugged(config);
        if let Some(at) = &mut config.debugger.at {
            at.listen = address;
        }
    };
    let app = TestApp::start_declared(shooter_database().await, change, open).await;
    rows::players(&app.sql().await, 1).await;
    app.catch_up().await;
    assert_eq!(app.app().debugger_address().await, None);
    let client = Client::connect(app.address()).await;
    assert!(client.try_read(PLAYER).await.is_some());
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_answer_is_given_where_its_case_has_come_about() {
    for stage in [in_the_open().await, behind_policies().await] {
        for case in &stage.cases {
            let answer = stage.answer(case).await;
            assert_eq!(said(&answer).0, case.answer, "{case:?}: {answer}");
        }
        stage.scene.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_is_answered_as_a_session_sees_it_with_what_it_depends_on() {
    let scene = Scene::start(guarded).await;
    let users = "{ users(page: 0, size: 10) { count items { row { name } } } }";
    let _client = scene.player(1, &[users]).await;
    let session = scene.only_session().await;
    let explore = |what: Value| {
        let scene = &scene;
        async move { scene.tell(Method::POST, "/api/explore", &what).await }
    };
    let (status, nobody) = explore(json!({"query": users})).await;
    assert_eq!(status, StatusCode::OK, "{nobody}");
    assert_eq!(nobody["answer"]["data"]["users"]["count"], 0);
    assert_eq!(nobody["viewer"], "anonymous");
    assert_eq!(nobody["session"], Value::Null);

    let asked = json!({"query": users, "as": session, "live": "page 1"});
    let (_, player) = explore(asked.clone()).await;
    assert_eq!(player["answer"]["data"]["users"]["count"], 1, "{player}");
    assert_eq!(player["viewer"], "known");
    assert_eq!(player["reads"][0]["object"], "user");
    let dependency = &player["reads"][0]["dependencies"][0];
    assert_eq!(
        (&dependency["tier"], &dependency["words"]),
        (&json!("table"), &json!("User"))
    );
    let statements = player["statements"].as_array().expect("a list");
    let sql = statements[0]["sql"].as_str().expect("a text");
    assert!(sql.contains("SELECT") && sql.contains("$1"), "{sql}");

    let label = player["session"].as_str().expect("it is watched for");
    scene
        .execute("UPDATE \"user\" SET name = 'new' WHERE id = 1")
        .await;
    let filter = format!("/api/updates?limit=1&filter=session:{label}");
    let told = scene.get(&filter).await;
    assert_eq!(told["updates"][0]["funnel"]["told"], 2, "{told}");
    let (_, again) = explore(asked).await;
    let rows = &again["answer"]["data"]["users"]["items"];
    assert_eq!(rows, &json!([{"row": {"name": "new"}}]));
    assert_eq!(again["session"], json!(label));

    let (status, another) = explore(json!({"query": users, "live": "page 1"})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{another}");
    let write = "mutation { updateUser(identifier: {obj_id: 1}, input: {name: \"x\"}) { obj_id } }";
    let (status, refused) = explore(json!({"query": write})).await;
    assert_eq!(status, StatusCode::CONFLICT, "{refused}");
    let (status, gone) = explore(json!({"query": users, "as": "s_000000"})).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{gone}");
    let (status, wrong) = explore(json!({"query": "{ nothing }"})).await;
    assert_eq!((status, &wrong["status"]), (StatusCode::OK, &json!(400)));
    scene.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_production_queries_are_answered_only_where_values_are_shown() {
    for (values, expected) in [(false, StatusCode::CONFLICT), (true, StatusCode::OK)] {
        let scene = Scene::with(guarded, |config| {
            debugged(config);
            config.environment = Environment::Production;
            config.debugger.values = values;
        });
        let scene = scene.await;
        let query = json!({"query": "{ __typename }"});
        let (status, answer) = scene.tell(Method::POST, "/api/explore", &query).await;
        assert_eq!(status, expected, "{answer}");
        for (method, path) in [(Method::PUT, "/api/held"), (Method::POST, "/api/kill")] {
            let (status, _) = scene.tell(method, path, &json!({"held": true})).await;
            assert_eq!(status, StatusCode::CONFLICT, "mischief is for development");
        }
        scene.app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mischief_is_done_to_a_session_as_long_as_it_is_asked_for() {
    let scene = Scene::start(open).await;
    let mut client = scene.player(1, &[PLAYER]).await;
    let session = scene.only_session().await;
    let path = format!("/api/sessions/{session}/mischief");
    let suffer = |what: Value| {
        let (scene, path) = (&scene, path.clone());
        async move {
            let (status, suffers) = scene.tell(Method::PUT, &path, &what).await;
            assert_eq!(status, StatusCode::OK, "{suffers}");
        }
    };
    let rename = |name: &str| format!("UPDATE \"user\" SET name = '{name}' WHERE id = 1");

    suffer(json!({"duplicate": true, "delay_ms": 20})).await;
    scene.execute(&rename("twice")).await;
    let first = told_of_player(&mut client, 1).await;
    let second = told_of_player(&mut client, 1).await;
    assert_eq!(first, second);
    let update = scene.get("/api/updates?limit=1&filter=row:user:1").await;
    let path = format!("/api/updates/{}", update["updates"][0]["number"]);
    let sent = scene.get(&path).await["deliveries"][0]["sent_us"].as_u64();
    assert!(sent >= Some(20_000), "it was late: {sent:?}");
    let detail = scene.get(&format!("/api/sessions/{session}")).await;
    let suffers = json!({"delay_ms": 20, "duplicate": true, "freeze": false});
    assert_eq!(detail["mischief"], suffers);

    suffer(json!({"freeze": true})).await;
    scene.execute(&rename("unheard")).await;
    let frame = told_of_player(&mut client, 1).await;
    client.confirm(&frame).await;
    // It has come by the time that what is sent behind it is answered.
    client.frames_so_far().await;
    suffer(json!({})).await;
    scene.execute(&rename("heard")).await;
    let heard = told_of_player(&mut client, 1).await;
    let unheard = scene.why(&session, "user:1").await;
    assert_eq!(said(&unheard).0, "sent");
    client.confirm(&heard).await;
    let path = format!("/api/why?session={session}&object=user:1");
    scene.until(&path, |why| why["answer"] == "confirmed").await;

    let (status, _) = scene
        .tell(Method::PUT, "/api/held", &json!({"held": true}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let sql = scene.app.sql().await;
    let renamed = sql.batch_execute(&rename("held")).await;
    renamed.expect("the statement is sound");
    assert_eq!(scene.get("/api/overview").await["held"], true);
    // Many times as long as a commit takes that is not held back.
    for _ in 0..200 {
        let frames = client.frames_so_far().await;
        assert_eq!(frames, Vec::<Value>::new());
    }
    let (status, _) = scene
        .tell(Method::PUT, "/api/held", &json!({"held": false}))
        .await;
    assert_eq!(status, StatusCode::OK);
    let frame = told_of_player(&mut client, 1).await;
    assert_eq!(frame["data"]["changes"]["name"], "held");

    let cut = format!("/api/sessions/{session}/disconnect");
    let (status, _) = scene.tell(Method::POST, &cut, &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    while let Received::Frame(_) = client.listen().await {}
    scene.app.stop().await;
}
