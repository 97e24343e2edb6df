//! Postgres killed with SIGKILL while it is written to: clients end up with what is stored.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blazelink::config::SlotMode;
use blazelink_tests::app::{TestApp, connect_once, shooter_server};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::rows;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;

const KILLS: usize = 20;
const PLAYERS: i64 = 8;

/// Reads one player until it works: while the server is down, answers carry errors.
async fn read_name(client: &Client, player: i64) -> Value {
    let document = "query($id: Key) { user(identifier: {obj_id: $id}) { name } }";
    loop {
        let (_, answer) = client.ask(document, json!({"id": player})).await;
        if answer.get("errors").is_none() {
            return answer["data"]["user"]["name"].clone();
        }
        tokio::task::yield_now().await;
    }
}

/// A browser: reads a player again at each notice of it, until it has read the last name.
async fn browse(address: SocketAddr, player: i64) {
    let mut client = Client::connect(address).await;
    let mut name = read_name(&client, player).await;
    while name != "last" {
        let frame = client.frame().await;
        client.confirm(&frame).await;
        if tells_of(&frame, "User", player) {
            name = read_name(&client, player).await;
        }
    }
}

/// Renames random players as fast as the server takes it, over its deaths, until told to end.
async fn write(url: String, seed: u64, stop: Arc<AtomicBool>, written: watch::Sender<u64>) {
    let mut random = SmallRng::seed_from_u64(seed);
    let mut sql = None;
    while !stop.load(Ordering::Relaxed) {
        let Some(connected) = &sql else {
            sql = connect_once(&url).await;
            tokio::task::yield_now().await;
            continue;
        };
        let player = random.random_range(1..=PLAYERS);
        let name: u32 = random.random();
        let statement = format!("UPDATE \"user\" SET name = '{name}' WHERE id = {player}");
        let client: &tokio_postgres::Client = connected;
        if client.batch_execute(&statement).await.is_err() {
            sql = None;
        } else {
            written.send_modify(|count| *count += 1);
        }
    }
}

async fn survive(slot: SlotMode, seed: u64) {
    let app = TestApp::start_on(shooter_server().await, |config| config.slot = slot).await;
    let sql = app.sql().await;
    rows::players(&sql, PLAYERS as usize).await;

    let mut browsers = JoinSet::new();
    for player in 1..=PLAYERS {
        browsers.spawn(browse(app.address(), player));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let (written, mut progress) = watch::channel(0);
    let url = app.database().url().to_owned();
    let writer = tokio::spawn(write(url.clone(), seed, stop.clone(), written));

    let mut random = SmallRng::seed_from_u64(seed);
    for kill in 0..KILLS {
        let more = random.random_range(1..200);
        let until = *progress.borrow_and_update() + more;
        progress
            .wait_for(|count| *count >= until)
            .await
            .expect("the writer runs");
        app.database().cluster().kill().await;
        let restarted = app.database().cluster().restart().await;
        restarted.expect("Postgres recovers");
        println!("kill {kill} after {until} writes");
    }
    stop.store(true, Ordering::Relaxed);
    writer.await.expect("the writer ends");

    let sql = blazelink_tests::app::connect(&url).await;
    sql.batch_execute("UPDATE \"user\" SET name = 'last'")
        .await
        .expect("the server is up");
    while let Some(ended) = browsers.join_next().await {
        ended.expect("every browser reads the last name");
    }
    app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_client_ends_with_what_is_stored_over_twenty_crashes_with_either_slot() {
    survive(SlotMode::Temporary, 1).await;
    survive(SlotMode::Durable, 2).await;
}
