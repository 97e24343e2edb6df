//! What the visibility gate prevents, held open as long as the test wants.
//!
//! With a synchronous standby that never answers, a commit stands in the log, where the reader
//! sees it, and stays invisible to every snapshot: a notice sent then makes a client read the old
//! row, and no later notice corrects it.

use blazelink_tests::app::{TestApp, shooter_server};
use blazelink_tests::client::{Client, number};
use blazelink_tests::rows;
use serde_json::Value;
use tokio::task::JoinHandle;

const DOCUMENT: &str = "{ user(identifier: {obj_id: 1}) { name } }";

/// Sets which standbys commits wait for.
async fn wait_for_standby(admin: &tokio_postgres::Client, name: &str) {
    let set = format!("ALTER SYSTEM SET synchronous_standby_names = '{name}'");
    admin
        .batch_execute(&set)
        .await
        .expect("the test owns its server");
    admin
        .batch_execute("SELECT pg_reload_conf()")
        .await
        .expect("the test owns its server");
}

/// Renames the player until one commit is in the log and waits; gives its number and its writer.
async fn invisible_commit(
    app: &TestApp,
    admin: &tokio_postgres::Client,
) -> (usize, JoinHandle<()>) {
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'";
    for name in 1.. {
        let sql = app.sql().await;
        let write = tokio::spawn(async move {
            let update = format!("UPDATE \"user\" SET name = '{name}' WHERE id = 1");
            sql.batch_execute(&update).await.expect("the row is there");
        });
        while !write.is_finished() {
            let row = admin
                .query_one(waiting, &[])
                .await
                .expect("the view exists");
            if row.get::<_, i64>(0) > 0 {
                return (name, write);
            }
        }
    }
    unreachable!("the server waits for the standby once it has read its settings")
}

/// The number of the first notice from `first` on.
async fn notice_from(client: &mut Client, first: usize) -> usize {
    loop {
        let told = number(&client.frame().await["data"]["changes"]["name"]);
        if told >= first {
            return told;
        }
    }
}

/// Whether a client that refetches at its notice reads something older.
async fn reads_stale(gate: bool) -> bool {
    let database = shooter_server().await;
    let app = TestApp::start_on(database, |config| config.visibility_gate = gate).await;
    let admin = app.sql().await;
    rows::players(&admin, 1).await;
    let mut client = Client::connect(app.address()).await;
    client.read(DOCUMENT).await;

    wait_for_standby(&admin, "nobody").await;
    let (name, write) = invisible_commit(&app, &admin).await;
    let told_early = if gate {
        let frames = client.frames_so_far().await;
        let told = |frame: &Value| number(&frame["data"]["changes"]["name"]);
        assert!(
            frames.iter().all(|frame| told(frame) < name),
            "told of what nobody can see"
        );
        None
    } else {
        Some(notice_from(&mut client, name).await)
    };
    let early = number(&client.read(DOCUMENT).await["user"]["name"]);

    wait_for_standby(&admin, "").await;
    write.await.expect("the commit is acknowledged at last");
    let stale = match told_early {
        Some(told) => early < told,
        None => {
            let told = notice_from(&mut client, name).await;
            number(&client.read(DOCUMENT).await["user"]["name"]) < told
        }
    };
    app.stop().await;
    stale
}

#[tokio::test(flavor = "multi_thread")]
async fn only_without_the_gate_a_notice_comes_before_what_it_tells_can_be_read() {
    let without = usize::from(reads_stale(false).await);
    let with = usize::from(reads_stale(true).await);
    println!(
        "answers older than their notice: {without} of 1 without the gate, {with} of 1 with it"
    );
    assert_eq!((without, with), (1, 0));
}
