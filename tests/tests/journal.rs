//! The app started anew: clients of the original say nothing, and hear of what they watch.

use blazelink::config::Config;
use blazelink_tests::app::{TestApp, connect, shooter_database};
use blazelink_tests::client::{Client, Received, tells_of};
use blazelink_tests::rows;
use serde_json::{Value, json};

const NOTHING: [Value; 0] = [];

/// How the first app ends.
#[derive(Clone, Copy)]
enum End {
    Stopped,
    Dropped,
}

/// Settings with the state folder of a test.
fn keeping(folder: &tempfile::TempDir) -> impl Fn(&mut Config) {
    |config| config.state = Some(folder.path().to_owned())
}

async fn silent_client_hears_of_what_it_watches(end: End) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let app = TestApp::start_on(shooter_database().await, keeping(&folder)).await;
    rows::players(&app.sql().await, 3).await;
    app.catch_up().await;
    let mut client = Client::connect(app.address()).await;
    for player in [1, 2] {
        let document = format!(
            "{{ user(identifier: {{obj_id: {player}}}) {{ name events(page: 0, size: 5) \
             {{ count }} }} }}"
        );
        client.read(&document).await;
    }

    let database = match end {
        End::Stopped => {
            let (database, told) = tokio::join!(app.stop(), client.receive());
            assert_eq!(told, Received::Closed(1001));
            database
        }
        End::Dropped => app.abandon(),
    };
    client.cut();
    let sql = connect(database.url()).await;
    let rename = "UPDATE \"user\" SET name = 'missed' WHERE id = 1";
    sql.batch_execute(rename).await.expect("the row is there");
    let app = TestApp::start_on(database, keeping(&folder)).await;

    client.move_to(app.address());
    client.open().await;
    let mut owed = [client.frame().await, client.frame().await];
    owed.sort_by_key(|frame| frame["data"]["identifier"]["obj_id"].as_i64());
    for (player, frame) in (1..).zip(&owed) {
        assert!(tells_of(frame, "User", player), "{frame}");
        assert_eq!(frame["data"]["update_type"], "Update");
        client.confirm(frame).await;
    }

    // What it declared, what its answers needed, and nothing else.
    let sql = app.sql().await;
    let rename = "UPDATE \"user\" SET name = 'heard' WHERE id IN (2, 3)";
    sql.batch_execute(rename).await.expect("the rows are there");
    let before = client.frames_until(|frame| {
        tells_of(frame, "User", 2) && frame["data"]["changes"]["name"] == "heard"
    });
    assert_eq!(before.await, NOTHING);
    rows::game(&sql).await;
    rows::events(&sql, 1, 1).await;
    let frame = client.frame().await;
    assert!(tells_of(&frame, "User", 1), "{frame}");
    assert_eq!(frame["data"]["changes"], json!({}));
    assert_eq!(client.frames_so_far().await, NOTHING);
    drop(client);
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_hears_of_what_it_watches_after_a_stop() {
    silent_client_hears_of_what_it_watches(End::Stopped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_client_hears_of_what_it_watches_after_an_app_that_was_not_stopped() {
    silent_client_hears_of_what_it_watches(End::Dropped).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_whose_state_folder_is_none_serves_without_a_journal() {
    let file = tempfile::NamedTempFile::new().expect("a file can be made");
    let inside = file.path().join("state");
    let app = TestApp::start_on(shooter_database().await, |config| {
        config.state = Some(inside);
    })
    .await;
    rows::players(&app.sql().await, 1).await;
    let client = Client::connect(app.address()).await;
    let data = client
        .read("{ user(identifier: {obj_id: 1}) { name } }")
        .await;
    assert_eq!(data["user"]["name"], "0");
    drop(client);
    app.stop().await;
}
