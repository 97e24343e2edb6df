//! What a hundred good clients notice of one that reads and confirms nothing.

use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{catch_up, connect, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::raw::Raw;
use blazelink_tests::rows;

use crate::latency::{CLIENTS, Figures, ROUNDS, blazelink};
use crate::report::{Bound, Report};

/// Updates of a player whom only the silent client watches, and the length of their names: more
/// than the system takes for a socket.
const BACKLOG: usize = 40;
const LONG: usize = 200_000;

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    rows::players(&connect(database.url()).await, CLIENTS + 1).await;
    let mut without = Figures::default();
    let mut with = Figures::default();
    for _ in 0..ROUNDS {
        without.add(alone(&database).await);
        with.add(beside_silent(&database).await);
    }
    let (without, with) = (without.p99(), with.p99());
    report.add(
        "Commit to client, p99, beside a silent client, of that without",
        with / without,
        Bound::AtMost(1.5),
        format!("{with:.3} ms against {without:.3} ms"),
    );
}

async fn alone(database: &TestDatabase) -> Vec<f64> {
    blazelink(database, async |_| ()).await
}

/// The silent client watches every player and takes not a byte of what it is told: before anything
/// is measured, the system's buffers for it are full, and the rest waits in its outbox.
async fn beside_silent(database: &TestDatabase) -> Vec<f64> {
    let silent = async |address| {
        let session = Client::without_socket(address);
        let reads = (1..=CLIENTS)
            .map(|player| format!("p{player}: user(identifier: {{obj_id: {player}}}) {{ name }} "));
        session
            .read(&format!("{{ {} }}", reads.collect::<String>()))
            .await;
        let socket = Raw::websocket(address, session.session()).await;
        let sql = connect(database.url()).await;
        for number in 0..BACKLOG {
            let name = format!("repeat('{}', {LONG})", number % 10);
            let rename = format!("UPDATE \"user\" SET name = {name} WHERE id = {CLIENTS} + 1");
            sql.batch_execute(&rename)
                .await
                .expect("the player is there");
        }
        catch_up(address, &sql).await;
        socket
    };
    blazelink(database, silent).await
}
