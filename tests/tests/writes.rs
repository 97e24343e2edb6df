//! Mutations over the whole app: who writes, what others are told of it, which requests may carry
//! one, and how much any request may ask for.

use blazelink::config::Config;
use blazelink::table::Writes;
use blazelink::{Builder, ContextFactory, ContextRequest, Refused, Rule, Viewer, WriteAccess};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use reqwest::Method;
use serde_json::{Value, json};
use shooter::entities::{game, user};

/// The key is the id of a player.
struct Keys;

impl ContextFactory for Keys {
    type Viewer = i32;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
        Ok(request.authorization().and_then(|key| key.parse().ok()))
    }
}

/// Players rename themselves.
fn own_name(viewer: &Viewer) -> WriteAccess {
    match viewer.get::<i32>() {
        Some(&player) => WriteAccess::none()
            .update(Rule::eq(user::Column::Id, player))
            .only([user::Column::Name]),
        None => WriteAccess::none(),
    }
}

fn writable(blaze: Builder) -> Builder {
    blaze
        .context(Keys)
        .writes::<user::Entity>(Writes::all().allow(own_name))
        .writes::<game::Entity>(Writes::all().allow(|_| WriteAccess::all()))
}

async fn start(change: impl FnOnce(&mut Config)) -> TestApp {
    let app = TestApp::start_declared(shooter_database().await, change, writable).await;
    rows::players(&app.sql().await, 2).await;
    app.catch_up().await;
    app
}

const RENAME: &str = "mutation($of: ObjectIdInput!, $name: String) \
                      { updateUser(identifier: $of, input: {name: $name}) \
                      { version row { name } } }";

#[tokio::test(flavor = "multi_thread")]
async fn a_mutation_by_one_session_is_pushed_to_another() {
    let app = start(|_| {}).await;
    let mut reader = Client::connect(app.address()).await;
    reader
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    let mut writer = Client::connect(app.address()).await;
    writer.set_key("1");
    let variables = json!({"of": {"obj_id": 1}, "name": "anew"});
    let (status, answer) = writer.ask(RENAME, variables.clone()).await;
    assert_eq!(status, 200);
    let updated = &answer["data"]["updateUser"];
    assert_eq!(updated["row"], json!({"name": "anew"}), "{answer}");
    let frame = reader.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"]["name"], "anew");
    let version = updated["version"].as_str().expect("something was written");
    let sql = app.sql().await;
    let committed =
        format!("SELECT pg_xact_status('{version}'), xmin::text FROM \"user\" WHERE id = 1");
    let row = sql
        .query_one(&committed, &[])
        .await
        .expect("the player is there");
    let (state, xmin): (&str, &str) = (row.get(0), row.get(1));
    assert_eq!((state, xmin), ("committed", version));

    let mut stranger = Client::connect(app.address()).await;
    stranger.set_key("2");
    let (_, answer) = stranger.ask(RENAME, variables).await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "BLZ5010",
        "{answer}"
    );
    app.catch_up().await;
    assert_eq!(reader.frames_so_far().await, [Value::Null; 0]);
    assert_eq!(
        writer.frames_so_far().await,
        [Value::Null; 0],
        "what a mutation answers is not watched"
    );
    app.stop().await;
}

async fn send(
    app: &TestApp,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: String,
) -> u16 {
    let url = format!("http://{}{path}", app.address());
    let mut request = reqwest::Client::new().request(method, url);
    for &(name, value) in headers {
        request = request.header(name, value);
    }
    let answer = request.body(body).send().await;
    answer.expect("the server answers").status().as_u16()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_site_can_send_a_mutation_unasked() {
    let app = start(|_| {}).await;
    let mutation = "mutation { createGame(input: {name: \"forged\"}) { version } }";
    let json = json!({"query": mutation}).to_string();
    let encoded = "mutation%7BcreateGame(input%3A%7Bname%3A%22forged%22%7D)%7Bversion%7D%7D";
    let get = format!("/graphql/?query={encoded}");
    let part = format!(
        "--b\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{json}\r\n--b\r\n\
         content-disposition: form-data; name=\"map\"\r\n\r\n{{}}\r\n--b--\r\n"
    );
    let form = "multipart/form-data; boundary=b";
    let foreign = ("origin", "https://evil.example");
    let refused = [
        send(&app, Method::GET, &get, &[], String::new()).await,
        send(
            &app,
            Method::GET,
            &get,
            &[("accept", "application/json")],
            String::new(),
        )
        .await,
        send(
            &app,
            Method::POST,
            "/graphql/",
            &[("content-type", "text/plain")],
            json.clone(),
        )
        .await,
        send(
            &app,
            Method::POST,
            "/graphql/",
            &[("content-type", "application/x-www-form-urlencoded")],
            format!("query={encoded}"),
        )
        .await,
        send(
            &app,
            Method::POST,
            "/graphql/",
            &[("content-type", form)],
            part.clone(),
        )
        .await,
        send(
            &app,
            Method::POST,
            "/graphql/",
            &[("content-type", "application/json"), foreign],
            json.clone(),
        )
        .await,
    ];
    assert_eq!(refused, [405, 405, 400, 400, 400, 403]);
    let games = async || {
        let sql = app.sql().await;
        let row = sql
            .query_one("SELECT count(*) FROM game WHERE name = 'forged'", &[])
            .await;
        row.expect("games are counted").get::<_, i64>(0)
    };
    assert_eq!(games().await, 0);
    let session = [
        ("content-type", form),
        ("session_id", "a-session-of-its-own"),
    ];
    assert_eq!(
        send(&app, Method::POST, "/graphql/", &session, part).await,
        200
    );
    assert_eq!(
        games().await,
        1,
        "the same form is one beside a session's header"
    );
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_bounded_as_the_settings_say() {
    let app = start(|config| {
        config.limits.query_depth = 4;
        config.limits.query_fields = 9;
        config.limits.query_aliases = 2;
        config.limits.page_size = 5;
        config.limits.answer_rows = 10;
    })
    .await;
    let client = Client::without_socket(app.address());
    let rows = [
        (
            "{ user(identifier: {obj_id: 1}) { team { row { name } } } }",
            None,
        ),
        (
            "{ user(identifier: {obj_id: 1}) { team { row { users { count } } } } }",
            Some("BLZ5005"),
        ),
        (
            "{ user(identifier: {obj_id: 1}) { id name a: id b: id team { obj_id } } }",
            None,
        ),
        (
            "{ user(identifier: {obj_id: 1}) { id name team_id team { obj_id entity modifiers } events { count } } }",
            Some("BLZ5006"),
        ),
        (
            "{ user(identifier: {obj_id: 1}) { a: id b: id c: id } }",
            Some("BLZ5008"),
        ),
        ("{ users(size: 5) { count } }", None),
        ("{ users(size: 6) { count } }", Some("BLZ5007")),
    ];
    for (document, expected) in rows {
        let (status, answer) = client.ask(document, json!({})).await;
        let message = answer["errors"][0]["message"].as_str();
        match expected {
            None => assert_eq!(message, None, "{document}"),
            Some(code) => {
                let message = message.expect("it is beyond a limit");
                assert!(
                    message.ends_with(&format!("({code})")),
                    "{document}: {message}"
                );
                let page = code == "BLZ5007";
                assert_eq!(status, if page { 200 } else { 400 }, "{document}");
            }
        }
    }
    let rows = |size: i32| {
        format!(
            "{{ users(size: {size}) {{ items {{ obj_id }} }} games(size: 5) {{ items {{ obj_id }} }} }}"
        )
    };
    let (_, answer) = client.ask(&rows(5), json!({})).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    let more = "{ users(size: 5) { items { obj_id } } games(size: 5) { items { obj_id } } teams(size: 1) { items { obj_id } } }";
    let (status, answer) = client.ask(more, json!({})).await;
    let message = answer["errors"][0]["message"].as_str();
    assert!(
        message.is_some_and(|it| it.ends_with("(BLZ5003)")),
        "{status} {answer}"
    );
    assert_eq!(answer["data"]["teams"], Value::Null);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_statement_that_takes_too_long_fails_its_field_alone() {
    let app = start(|config| {
        config.limits.statement_timeout = std::time::Duration::from_millis(300);
    })
    .await;
    let mut sql = app.sql().await;
    let lock = sql.transaction().await.expect("the database answers");
    lock.batch_execute("LOCK TABLE \"user\"")
        .await
        .expect("nobody else holds it");
    let client = Client::without_socket(app.address());
    let document = "{ user(identifier: {obj_id: 1}) { name } games { count } }";
    let (status, answer) = client.ask(document, json!({})).await;
    let message = "The database took longer than it may (BLZ5004)";
    assert_eq!(
        (status, &answer["errors"][0]["message"]),
        (200, &json!(message)),
        "{answer}"
    );
    assert_eq!(answer["data"], json!({"user": null, "games": {"count": 0}}));
    let mut writer = Client::without_socket(app.address());
    writer.set_key("1");
    let (_, answer) = writer
        .ask(RENAME, json!({"of": {"obj_id": 1}, "name": "x"}))
        .await;
    assert_eq!(
        answer["errors"][0]["extensions"]["code"], "BLZ5004",
        "{answer}"
    );
    lock.rollback().await.expect("the lock is given back");
    let (_, answer) = client.ask(document, json!({})).await;
    assert_eq!(answer.get("errors"), None, "{answer}");
    app.stop().await;
}
