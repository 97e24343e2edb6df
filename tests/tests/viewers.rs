//! Who asks: what the app's own code says of requests and websockets, and whose a session is.

use blazelink::table::{Extension, Field};
use blazelink::{
    Access, Authenticator, AuthorizeEvent, Builder, ContextFactory, ContextRequest, Grant, Refused,
    Viewer,
};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::{Client, Received, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};
use shooter::entities::user;
use tokio::sync::Notify;

const PLAYER: &str = "{ user(identifier: {obj_id: 1}) { name } }";

/// Every key names its viewer, but for one.
struct Keys;

impl ContextFactory for Keys {
    type Viewer = String;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<String>, Refused> {
        match request.authorization() {
            Some("expired") => Err(Refused::new("The key has expired")),
            key => Ok(key.map(str::to_owned)),
        }
    }
}

/// One secret for all handles; an operator is a monitor as well.
struct Handles;

impl Authenticator for Handles {
    async fn authenticate(&self, event: &AuthorizeEvent) -> Option<Grant> {
        let right = event.secret == "secret";
        right.then(|| match event.handle.as_str() {
            "operator" => Grant::monitor(),
            handle => Grant::viewer(handle.to_owned()),
        })
    }
}

async fn start(declare: impl FnOnce(Builder) -> Builder) -> TestApp {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declare).await;
    rows::players(&app.sql().await, 1).await;
    app.catch_up().await;
    app
}

fn authorize(secret: &str, handle: &str) -> String {
    json!({"type": "AuthorizeEvent", "data": {"secret": secret, "handle": handle}}).to_string()
}

fn only_message(answer: &Value) -> &str {
    assert_eq!(answer.get("data"), None, "nothing is read");
    assert_eq!(answer["errors"].as_array().map(Vec::len), Some(1));
    answer["errors"][0]["message"].as_str().expect("a sentence")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_the_app_refuses_is_answered_401_and_begins_no_session() {
    let app = start(|blaze| blaze.context(Keys)).await;
    let mut client = Client::without_socket(app.address());
    client.set_key("expired");
    let (status, answer) = client.ask(PLAYER, json!({})).await;
    assert_eq!(
        (status, only_message(&answer)),
        (401, "The key has expired")
    );
    client.set_key("ann");
    assert_eq!(client.ask(PLAYER, json!({})).await.0, 200, "the id is free");
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_answers_its_viewer_only_and_watches_for_nobody_else() {
    let app = start(|blaze| blaze.context(Keys)).await;
    let mut ann = Client::connect(app.address()).await;
    ann.set_key("ann");
    ann.read("{ games(page: 0, size: 1) { count } }").await;
    let mut thief = ann.thief();
    for key in [None, Some("undefined"), Some("bob")] {
        if let Some(key) = key {
            thief.set_key(key);
        }
        let (status, answer) = thief.ask(PLAYER, json!({})).await;
        assert_eq!(status, 403, "{key:?}");
        assert!(only_message(&answer).contains("belongs to somebody else"));
    }
    let sql = app.sql().await;
    let rename = "UPDATE \"user\" SET name = 'x'; INSERT INTO game (name) VALUES ('g')";
    sql.batch_execute(rename).await.expect("the tables exist");
    let frame = ann.frame().await;
    assert_eq!(frame["data"]["identifier"]["entity"], "Game", "{frame}");
    assert_eq!(
        ann.frames_so_far().await,
        [Value::Null; 0],
        "the player is not watched"
    );
    drop(ann);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anonymous_session_becomes_the_viewers_and_is_owed_what_it_watches() {
    let app = start(|blaze| blaze.context(Keys)).await;
    let mut client = Client::connect(app.address()).await;
    client.set_key("undefined");
    client.read(PLAYER).await;
    assert_eq!(client.frames_so_far().await, [Value::Null; 0]);
    client.set_key("ann");
    client.read(PLAYER).await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}));
    client.set_key("undefined");
    assert_eq!(client.ask(PLAYER, json!({})).await.0, 403);
    drop(client);
    app.stop().await;
}

static HELD: Notify = Notify::const_new();
static GO_ON: Notify = Notify::const_new();

/// A field that is not answered before a test says so.
fn held() -> Vec<Field> {
    vec![Field::reading("held", |_| {
        Box::pin(async {
            HELD.notify_one();
            GO_ON.notified().await;
            Ok(1)
        })
    })]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_answered_as_nobody_while_the_session_gets_its_viewer_is_owed_again() {
    let extension = Extension::of::<user::Entity>(held);
    let app = start(|blaze| blaze.context(Keys).extend(extension)).await;
    let mut ann = Client::connect(app.address()).await;
    let nobody = ann.thief();
    let document =
        "{ user(identifier: {obj_id: 1}) { held } game(identifier: {obj_id: 7}) { id } }";
    let asked = tokio::spawn(async move { nobody.ask(document, json!({})).await });
    HELD.notified().await;
    ann.set_key("ann");
    ann.read("{ __typename }").await;
    GO_ON.notify_one();
    assert_eq!(asked.await.expect("the server answers").0, 200);
    ann.frames_until(|frame| tells_of(frame, "Game", 7)).await;
    drop(ann);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_granted_on_the_websocket_owns_the_session() {
    let app = start(|blaze| blaze.context(Keys).authenticator(Handles)).await;
    let mut ann = Client::connect(app.address()).await;
    ann.send(&authorize("secret", "ann")).await;
    assert_eq!(ann.frames_so_far().await, [Value::Null; 0], "no answer");
    assert_eq!(ann.ask(PLAYER, json!({})).await.0, 403, "not by her key");
    ann.set_key("ann");
    ann.read(PLAYER).await;
    ann.send(&authorize("secret", "operator")).await;
    ann.read(PLAYER).await;
    ann.send(&authorize("secret", "bob")).await;
    assert_eq!(ann.receive().await, Received::Closed(4403));
    ann.read(PLAYER).await;
    drop(ann);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_grants_nothing_and_closes_the_socket() {
    let app = start(|blaze| blaze.context(Keys).authenticator(Handles)).await;
    let mut client = Client::connect(app.address()).await;
    client.send(&authorize("guess", "ann")).await;
    assert_eq!(client.receive().await, Received::Closed(4403));
    client.set_key("bob");
    client.read(PLAYER).await;
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_judges_nobody_ignores_what_clients_say_of_themselves() {
    let app = start(|blaze| blaze).await;
    let mut client = Client::connect(app.address()).await;
    client.set_key("whatever");
    client.read(PLAYER).await;
    client.send(&authorize("any", "any")).await;
    assert_eq!(client.frames_so_far().await, [Value::Null; 0]);
    client.thief().read(PLAYER).await;
    drop(client);
    app.stop().await;
}

/// The app's code, with a defect for clients of this name.
struct Defective;

const UNLUCKY: &str = "unlucky";

impl ContextFactory for Defective {
    type Viewer = String;

    async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<String>, Refused> {
        let key = request.authorization();
        assert_ne!(key, Some("no number"), "a defect of the app");
        Ok(key.map(str::to_owned))
    }
}

impl Authenticator for Defective {
    async fn authenticate(&self, event: &AuthorizeEvent) -> Option<Grant> {
        assert_ne!(event.handle, UNLUCKY, "a defect of the app");
        None
    }
}

fn defective(viewer: &Viewer) -> Access {
    let name = viewer.get::<String>();
    assert_ne!(
        name.map(String::as_str),
        Some(UNLUCKY),
        "a defect of the app"
    );
    Access::all()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_panics_for_one_viewer_shows_it_nothing_and_costs_others_nothing() {
    let declare = |blaze: Builder| blaze.context(Defective).visible::<user::Entity>(defective);
    let app = start(declare).await;
    let mut unlucky = Client::connect(app.address()).await;
    unlucky.set_key(UNLUCKY);
    let (status, answer) = unlucky.ask(PLAYER, json!({})).await;
    assert_eq!((status, &answer["data"]["user"]), (200, &Value::Null));
    let mut ann = Client::connect(app.address()).await;
    ann.set_key("ann");
    ann.read(PLAYER).await;
    let sql = app.sql().await;
    for name in ["x", "y"] {
        let rename = format!("UPDATE \"user\" SET name = '{name}' WHERE id = 1");
        sql.batch_execute(&rename).await.expect("the table exists");
        assert_eq!(ann.frame().await["data"]["changes"]["name"], name);
    }
    assert_eq!(unlucky.frames_so_far().await, [Value::Null; 0]);
    drop((ann, unlucky));
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn code_of_the_app_that_panics_is_answered_500_or_closes_its_socket() {
    let app = start(|blaze| blaze.context(Defective).authenticator(Defective)).await;
    let mut client = Client::connect(app.address()).await;
    let asked = reqwest::Client::new()
        .post(format!("http://{}/graphql/", app.address()))
        .header("authorization", "no number")
        .json(&json!({"query": PLAYER}));
    let answer = asked.send().await.expect("the connection stays");
    assert_eq!(answer.status(), 500);
    client.send(&authorize("secret", UNLUCKY)).await;
    assert_eq!(client.receive().await, Received::Closed(4403));
    client.set_key("ann");
    client.read(PLAYER).await;
    app.stop().await;
}
