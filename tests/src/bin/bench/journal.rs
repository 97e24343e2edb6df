//! What the journal adds to a subscribing request: pairs of servers on the same database, one with
//! a journal and one without, are asked the same in turn.

use std::path::Path;

use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::rows;
use serde_json::json;

use blazelink_tests::server::Server;

use crate::report::{Bound, Report, interval, median};

/// Pairs of servers. Two processes differ by a hundredth or two in the same work, so that only new
/// ones are a new sample.
const PAIRS: usize = 60;

/// Turns of each server of a pair.
const TURNS: usize = 8;

/// Requests of a turn: few, so that what else the machine does meanwhile falls on both of a pair.
const REQUESTS: usize = 100;

/// A read of a player with what such a page shows: its team and its last events.
const DOCUMENT: &str = "query($id: Key) { user(identifier: {obj_id: $id}) { name \
                        team { row { name } } \
                        events(page: 0, size: 5) { count items { obj_id row { kind } } } } }";

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    rows::players(&sql, REQUESTS).await;
    rows::game(&sql).await;
    let (mut ratios, mut of_with, mut of_without) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..PAIRS {
        let (with, without) = pair(&database).await;
        ratios.push(with / without);
        of_with.push(with);
        of_without.push(without);
    }
    let (low, high) = interval(&mut ratios);
    report.add(
        "A subscribing request with the journal against one without, processor time of the \
         server, upper end of the 95 % interval",
        high,
        Bound::AtMost(1.05),
        format!(
            "{low:.3} to {high:.3} in {PAIRS} pairs of servers; {:.1} us against {:.1} us",
            median(&mut of_with),
            median(&mut of_without)
        ),
    );
}

/// What a request costs a new server with a journal and one without, which take turns.
async fn pair(database: &TestDatabase) -> (f64, f64) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut with = Server::start_keeping(database, folder.path()).await;
    let mut without = Server::start_keeping(database, Path::new("")).await;
    let (mut of_with, mut of_without) = (Vec::new(), Vec::new());
    // The first turn warms up.
    for turn in 0..=TURNS {
        let with = subscribe(&with).await;
        let without = subscribe(&without).await;
        if turn > 0 {
            of_with.push(with);
            of_without.push(without);
        }
    }
    let written = std::fs::metadata(folder.path().join("sessions.journal"));
    assert!(
        written.is_ok_and(|file| file.len() > 0),
        "there is a journal"
    );
    with.kill().await;
    without.kill().await;
    (median(&mut of_with), median(&mut of_without))
}

/// Microseconds of processor time for each request of a new session, all of them for rows that it
/// does not watch yet.
async fn subscribe(server: &Server) -> f64 {
    let client = Client::without_socket(server.address());
    client.ask(DOCUMENT, json!({"id": 0})).await;
    let before = server.processor_time();
    for id in 1..=REQUESTS {
        let (status, _) = client.ask(DOCUMENT, json!({"id": id})).await;
        assert_eq!(status, 200);
    }
    (server.processor_time() - before).as_secs_f64() * 1e6 / REQUESTS as f64
}
