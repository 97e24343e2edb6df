//! What the journal adds to a subscribing request: two servers on the same database, one with a
//! journal and one without, are asked the same in turn.

use std::path::Path;

use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::rows;
use serde_json::json;

use crate::report::{Bound, Report, median};
use blazelink_tests::server::Server;

const REQUESTS: usize = 400;
const ROUNDS: usize = 21;

/// A read of a player with what such a page shows: its team and its last events.
const DOCUMENT: &str = "query($id: Key) { user(identifier: {obj_id: $id}) { name \
                        team { row { name } } \
                        events(page: 0, size: 5) { count items { obj_id row { kind } } } } }";

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    rows::players(&sql, REQUESTS).await;
    rows::game(&sql).await;
    let folder = tempfile::tempdir().expect("a folder can be made");
    let mut with = Server::start_keeping(&database, folder.path()).await;
    let mut without = Server::start_keeping(&database, Path::new("")).await;

    let (mut of_with, mut of_without) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_with.push(subscribe(&with).await);
        of_without.push(subscribe(&without).await);
    }
    let written = std::fs::metadata(folder.path().join("sessions.journal"));
    assert!(
        written.is_ok_and(|file| file.len() > 0),
        "there is a journal"
    );
    let (of_with, of_without) = (median(&mut of_with), median(&mut of_without));
    report.add(
        "A subscribing request with the journal against one without, processor time of the server",
        of_with / of_without,
        Bound::AtMost(1.05),
        format!("{of_with:.1} us against {of_without:.1} us"),
    );
    with.kill().await;
    without.kill().await;
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
