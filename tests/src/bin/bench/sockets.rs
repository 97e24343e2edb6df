//! Memory of idle websockets: each with a session that watches one row.

use blazelink_tests::app::shooter_database;
use blazelink_tests::client::Client;
use futures_util::{StreamExt, stream};

use crate::report::{Bound, Report};
use blazelink_tests::server::Server;

const SOCKETS: usize = 10_000;

/// Opened before anything is measured, so that pools, caches and threads are there already.
const WARM: usize = 200;

/// Handshakes at a time.
const AT_ONCE: usize = 64;

pub(crate) async fn measure(report: &mut Report) {
    let database = shooter_database().await;
    let mut server = Server::start(&database).await;
    let open = |count| {
        let address = server.address();
        stream::iter(0..count)
            .map(move |_| Client::connect(address))
            .buffer_unordered(AT_ONCE)
            .collect::<Vec<Client>>()
    };
    let warm = open(WARM).await;
    let before = server.resident();
    let idle = open(SOCKETS).await;
    let each = (server.resident() - before) as f64 / SOCKETS as f64;
    report.add(
        "Idle websocket, bytes of server memory each",
        each,
        Bound::AtMost(10_240.0),
        format!("{} sockets open", warm.len() + idle.len()),
    );
    server.kill().await;
}
