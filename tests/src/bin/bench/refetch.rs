//! Refetching: one session that asks for the same again and again must cost the same each time,
//! and keep nothing. Over `POST /graphql/`, and in the subscriptions alone, where they are counted.

use std::sync::Arc;
use std::time::Instant;

use blazelink::session::{ConnectionManager, Session, SessionId};
use blazelink::subscription::{Dependency, Role, SubscriptionManager, Watch};
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::rows;
use serde_json::json;

use crate::commits::{self, TABLE};
use crate::report::{Bound, Report, median};
use blazelink_tests::server::Server;

/// Refetches of a session, and those at its beginning and at its end that are compared.
const REFETCHES: usize = 10_000;
const COMPARED: usize = 1_000;

/// Refetches before anything is measured, by another session.
const WARM: usize = 2_000;

const ROUNDS: usize = 9;

/// Rounds without a server, which take milliseconds.
const SHORT_ROUNDS: usize = 31;

/// Dependencies of each role that the read without a server has.
const DEPENDENCIES: usize = 50;

/// A player that the client names as what it depends on, its team, and its last events.
const DOCUMENT: &str = "query($of: [ObjectIdInput]) { \
                        user(identifier: {obj_id: 1, dependencies: $of}) { name \
                        team { row { name } } \
                        events(page: 0, size: 5) { count items { obj_id row { kind } } } } }";

pub(crate) async fn measure(report: &mut Report) {
    over_http(report).await;
    in_subscriptions(report);
}

async fn over_http(report: &mut Report) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    rows::players(&sql, 10).await;
    rows::game(&sql).await;
    rows::events(&sql, 1, 20).await;
    let mut server = Server::start(&database).await;
    refetch(&server, &Client::without_socket(server.address()), WARM).await;

    let before = server.resident();
    let (mut first, mut last) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let client = Client::without_socket(server.address());
        first.push(refetch(&server, &client, COMPARED).await);
        refetch(&server, &client, REFETCHES - 2 * COMPARED).await;
        last.push(refetch(&server, &client, COMPARED).await);
    }
    let grown = server.resident() as f64 - before as f64;
    let (first, last) = (median(&mut first), median(&mut last));
    report.add(
        "The last 1,000 of 10,000 refetches of a session against its first 1,000, processor time \
         of the server",
        last / first,
        Bound::AtMost(1.1),
        format!("{last:.1} us against {first:.1} us, {ROUNDS} sessions"),
    );
    report.add(
        "A refetch, bytes of server memory that it keeps",
        grown / (ROUNDS * REFETCHES) as f64,
        Bound::AtMost(64.0),
        format!("{grown} bytes after {} refetches", ROUNDS * REFETCHES),
    );
    server.kill().await;
}

/// Asks so often, and gives the microseconds of processor time for each.
async fn refetch(server: &Server, client: &Client, times: usize) -> f64 {
    let of = json!({"of": [{"entity": "User", "obj_id": 1}, {"entity": "Team", "obj_id": 1}]});
    let before = server.processor_time();
    for _ in 0..times {
        let (status, answer) = client.ask(DOCUMENT, of.clone()).await;
        assert_eq!((status, answer.get("errors")), (200, None));
    }
    (server.processor_time() - before).as_secs_f64() * 1e6 / times as f64
}

fn in_subscriptions(report: &mut Report) {
    let connections = Arc::new(ConnectionManager::default());
    let manager = SubscriptionManager::new(Arc::new(commits::exposure()), connections);
    let manager = Arc::new(manager);
    let id = SessionId::new("refetching").expect("it has a length");
    let session = manager.connections().open(&id, Instant::now());
    read_again(&manager, &session, WARM);
    let before = manager.subscriptions();
    let mut ratios = Vec::new();
    for _ in 0..SHORT_ROUNDS {
        let begin = read_again(&manager, &session, COMPARED);
        read_again(&manager, &session, REFETCHES - 2 * COMPARED);
        ratios.push(read_again(&manager, &session, COMPARED) / begin);
    }
    let after = manager.subscriptions();
    report.add(
        "Subscriptions after 10,000 refetches of the same against those before",
        after as f64 / before as f64,
        Bound::AtMost(1.0),
        format!("{after} against {before}"),
    );
    report.add(
        "The last 1,000 of 10,000 refetches in the subscriptions alone against the first, time",
        median(&mut ratios),
        Bound::AtMost(1.1),
        format!("{before} dependencies each, median of {SHORT_ROUNDS}"),
    );
}

/// Reads the same so often, and gives the seconds that it took.
fn read_again(manager: &Arc<SubscriptionManager>, session: &Arc<Session>, times: usize) -> f64 {
    let watch = manager.watch_for(session);
    let begun = Instant::now();
    for _ in 0..times {
        let reading = watch.begin(commits::object(0), 0);
        for player in 0..2 * DEPENDENCIES {
            let role = if player < DEPENDENCIES {
                Role::Declared
            } else {
                Role::Derived
            };
            let row = Dependency::Row(TABLE, commits::key(player));
            reading.depend(role, row).expect("the limit is far away");
        }
        reading.finish();
    }
    begun.elapsed().as_secs_f64()
}
