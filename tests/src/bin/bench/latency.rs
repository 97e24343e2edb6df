//! From a commit to the frame in a client's hands, against `pg_recvlogical` printing the change.
//!
//! Both clocks begin when the writer has its commit acknowledged. The rounds alternate, and the
//! snapshot round trip that the visibility gate costs is timed in the same run.

use std::net::SocketAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::{Client, number};
use blazelink_tests::{binaries, rows};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::decode::drop_slot;
use crate::report::{Bound, Report, median, percentile};
use blazelink_tests::server::Server;

pub(crate) const CLIENTS: usize = 100;
const PER_SECOND: u64 = 200;
const CHANGES: usize = 1_000;
pub(crate) const ROUNDS: usize = 5;

/// How much of the gate's round trip is allowed for.
const GATE: f64 = 1.2;

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    rows::players(&connect(database.url()).await, CLIENTS).await;

    let mut ours = Figures::default();
    let mut printed = Figures::default();
    let mut snapshot = Figures::default();
    for _ in 0..ROUNDS {
        printed.add(recvlogical(&database).await);
        ours.add(blazelink(&database, async |_| ()).await);
        snapshot.add(snapshots(&database).await);
    }
    for (what, of, allowed) in [
        (
            "Commit to client, p50, of what is allowed",
            Figures::p50 as fn(&mut Figures) -> f64,
            1.5,
        ),
        (
            "Commit to client, p99, of what is allowed",
            Figures::p99,
            2.0,
        ),
    ] {
        let (ours, printed, gate) = (of(&mut ours), of(&mut printed), of(&mut snapshot));
        report.add(
            what,
            ours / (allowed * printed + GATE * gate),
            Bound::AtMost(1.0),
            format!(
                "{ours:.3} ms against {allowed} x {printed:.3} ms (pg_recvlogical) + {GATE} x \
                 {gate:.3} ms (snapshot)"
            ),
        );
    }
}

/// Percentiles of rounds, in milliseconds.
#[derive(Default)]
pub(crate) struct Figures {
    p50: Vec<f64>,
    p99: Vec<f64>,
}

impl Figures {
    pub(crate) fn add(&mut self, mut round: Vec<f64>) {
        self.p50.push(percentile(&mut round, 0.5));
        self.p99.push(percentile(&mut round, 0.99));
    }

    fn p50(&mut self) -> f64 {
        median(&mut self.p50)
    }

    pub(crate) fn p99(&mut self) -> f64 {
        median(&mut self.p99)
    }
}

/// When each change was acknowledged, and when it arrived.
#[derive(Clone)]
struct Times(Arc<Mutex<Vec<[Option<Instant>; 2]>>>);

impl Times {
    fn new() -> Times {
        Times(Arc::new(Mutex::new(vec![[None; 2]; CHANGES])))
    }

    fn note(&self, change: usize, side: usize) {
        let now = Instant::now();
        self.0.lock().expect("no one panics with it")[change][side] = Some(now);
    }

    /// Milliseconds from the one to the other, for each change.
    fn differences(&self) -> Vec<f64> {
        let times = self.0.lock().expect("no one panics with it");
        let difference = |[from, to]: &[Option<Instant>; 2]| {
            let (from, to) = (from.expect("acknowledged"), to.expect("arrived"));
            let later = to.saturating_duration_since(from).as_secs_f64();
            (later - from.saturating_duration_since(to).as_secs_f64()) * 1e3
        };
        times.iter().map(difference).collect()
    }
}

/// Renames players in turn, at the rate. A name is the number of the change; names of the round
/// before differ, because they are negative or positive in turn.
async fn write(database: &TestDatabase, times: Times) {
    let sql = connect(database.url()).await;
    let rename = sql
        .prepare("UPDATE \"user\" SET name = $1 WHERE id = $2")
        .await;
    let rename = rename.expect("the statement is sound");
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / PER_SECOND));
    for change in 0..CHANGES {
        ticks.tick().await;
        let player = (change % CLIENTS) as i32 + 1;
        let name = marker(change);
        sql.execute(&rename, &[&name, &player])
            .await
            .expect("the player is there");
        times.note(change, 0);
    }
}

fn marker(change: usize) -> String {
    format!("{change:09}")
}

/// Milliseconds from each commit to the client that watches its row, on a server of its own;
/// `beside` is there while they are measured.
pub(crate) async fn blazelink<T>(
    database: &TestDatabase,
    beside: impl AsyncFnOnce(SocketAddr) -> T,
) -> Vec<f64> {
    let mut server = Server::start(database).await;
    let beside = beside(server.address()).await;
    let times = Times::new();
    let mut clients = JoinSet::new();
    for index in 0..CLIENTS {
        let mut client = Client::connect(server.address()).await;
        client
            .read(&format!(
                "{{ user(identifier: {{obj_id: {}}}) {{ name }} }}",
                index + 1
            ))
            .await;
        let times = times.clone();
        clients.spawn(async move {
            for _ in 0..CHANGES / CLIENTS {
                let frame = client.frame().await;
                times.note(number(&frame["data"]["changes"]["name"]), 1);
                client.confirm(&frame).await;
            }
        });
    }
    write(database, times.clone()).await;
    while let Some(done) = clients.join_next().await {
        done.expect("each client gets its changes");
    }
    drop(beside);
    server.kill().await;
    times.differences()
}

async fn recvlogical(database: &TestDatabase) -> Vec<f64> {
    let admin = connect(database.url()).await;
    let make = "SELECT pg_create_logical_replication_slot('printed', 'pgoutput')";
    admin
        .batch_execute(make)
        .await
        .expect("there is room for a slot");
    let mut child = Command::new(binaries::recvlogical())
        .args([
            "--dbname",
            database.url(),
            "--slot",
            "printed",
            "--start",
            "--file",
            "-",
        ])
        .args(["-o", "proto_version=1", "-o", "publication_names=blazelink"])
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("pg_recvlogical comes with Postgres' client programs");
    let mut printed = child.stdout.take().expect("it is piped");
    wait_until_followed(&admin).await;

    let times = Times::new();
    let (arrived, mut all) = watch::channel(0);
    let reader = tokio::spawn({
        let times = times.clone();
        async move {
            let mut bytes = Vec::new();
            for change in 0..CHANGES {
                let marker = marker(change).into_bytes();
                let behind = loop {
                    let mut windows = bytes.windows(marker.len());
                    if let Some(at) = windows.position(|window| window == marker) {
                        break at + marker.len();
                    }
                    printed
                        .read_buf(&mut bytes)
                        .await
                        .expect("the program prints");
                };
                times.note(change, 1);
                bytes.drain(..behind);
                arrived.send_replace(change + 1);
            }
        }
    });
    write(database, times.clone()).await;
    all.wait_for(|count| *count == CHANGES)
        .await
        .expect("every change is printed");
    reader.await.expect("every change is printed");
    child.kill().await.expect("the program is ours");
    drop_slot(&admin, "printed").await;
    times.differences()
}

async fn wait_until_followed(admin: &tokio_postgres::Client) {
    let active = "SELECT count(*) FROM pg_replication_slots WHERE slot_name = 'printed' AND active";
    loop {
        let row = admin.query_one(active, &[]).await.expect("the view exists");
        if row.get::<_, i64>(0) == 1 {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Milliseconds of one snapshot round trip, at the same rate.
async fn snapshots(database: &TestDatabase) -> Vec<f64> {
    let sql = connect(database.url()).await;
    let ask = sql
        .prepare("SELECT pg_current_snapshot()::text")
        .await
        .expect("it is sound");
    let mut ticks = tokio::time::interval(Duration::from_millis(1_000 / PER_SECOND));
    let mut round = Vec::new();
    for _ in 0..CHANGES {
        ticks.tick().await;
        let begun = Instant::now();
        sql.query_one(&ask, &[])
            .await
            .expect("every server answers it");
        round.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    round
}
