//! What the debugger costs an app whose sessions are told much: the processor time of a message in a
//! process that has a debugger, which remembers every commit and follows every delivery, against one
//! that has none; and with a page of the debugger that is open and reads nothing.
//!
//! All processes serve by turns, so that a busy machine slows them alike.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::{Client, Received};
use blazelink_tests::raw::Raw;
use blazelink_tests::rows;
use blazelink_tests::server::Server;
use futures_util::{StreamExt, stream};
use tokio::sync::Notify;

use crate::report::{Bound, Report, interval, median};

/// Sessions, each of which watches the same player.
const CLIENTS: usize = 300;

/// Handshakes at a time.
const AT_ONCE: usize = 32;

/// Commits of a round, each of which every session is told.
const COMMITS: usize = 500;

/// Rounds of the same processes, which are then started anew: where things happen to lie in a process's
/// memory makes a difference of some percent, in all of its rounds.
const PAIRS: usize = 10;
const CASTS: usize = 8;

/// How long the slowest of the clients may take.
const PATIENCE: Duration = Duration::from_secs(60);

const KEY: &str = "a key for benchmarks";

pub(crate) async fn measure(report: &mut Report) {
    let (mut costs, mut beside) = (Vec::new(), Vec::new());
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    let mut memory = Vec::new();
    for _ in 0..CASTS {
        let mut without = App::start(Debugger::None).await;
        let mut with = App::start(Debugger::There).await;
        let mut stalled = App::start(Debugger::Stalled).await;
        for round in 0..=PAIRS {
            let mut apps = [(0, &mut without), (1, &mut with), (2, &mut stalled)];
            // Which comes first changes, so that none profits from its place.
            apps.rotate_left(round % 3);
            let mut cost = [0.0; 3];
            for (at, app) in apps {
                cost[at] = app.round().await;
            }
            // The first round warms up.
            if round > 0 {
                costs.push(cost[1] / cost[0]);
                beside.push(cost[2] / cost[1]);
                for (times, cost) in times.iter_mut().zip(cost) {
                    times.push(cost);
                }
            }
        }
        let more = with.server.resident();
        let more = more.saturating_sub(without.server.resident());
        memory.push(more as f64 / f64::from(1 << 20));
    }
    let [without_it, with_it, beside_it] = &mut times;
    let (without_it, with_it, beside_it) = (median(without_it), median(with_it), median(beside_it));
    let (low, high) = interval(&mut costs);
    report.add(
        "A message with the debugger, that follows every delivery, against one without, processor \
         time, upper end of the 95 % interval",
        high,
        Bound::AtMost(1.1),
        format!(
            "{low:.3} to {high:.3} in {} pairs of {} messages; {with_it:.2} us against \
             {without_it:.2} us",
            CASTS * PAIRS,
            CLIENTS * COMMITS
        ),
    );
    let (low, high) = interval(&mut beside);
    report.add(
        "A message with a page of the debugger that reads nothing against one with none, lower end \
         of the 95 % interval",
        low,
        Bound::AtMost(1.0),
        format!("{low:.3} to {high:.3}; {beside_it:.2} us against {with_it:.2} us"),
    );
    report.note(
        "Memory of an app with the debugger beyond that of one without, MiB",
        median(&mut memory),
        format!(
            "{} commits told to {CLIENTS} sessions each, of which 32 MiB are kept",
            COMMITS * (PAIRS + 1)
        ),
    );
}

/// What an app has of the debugger.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Debugger {
    None,
    There,
    /// A page is open, and reads nothing.
    Stalled,
}

/// An app with its clients.
struct App {
    _database: TestDatabase,
    sql: tokio_postgres::Client,
    server: Server,
    heard: Arc<Heard>,
    _viewer: Option<Raw>,
}

/// What all clients together have heard.
#[derive(Default)]
struct Heard {
    count: AtomicUsize,
    expected: AtomicUsize,
    all: Notify,
}

impl App {
    async fn start(debugger: Debugger) -> App {
        let database = shooter_database().await;
        let sql = connect(database.url()).await;
        rows::players(&sql, 1).await;
        let at = free_address();
        let address = at.to_string();
        let variables = [
            ("BLAZELINK_DEBUGGER", address.as_str()),
            ("BLAZELINK_DEBUGGER_KEY", KEY),
        ];
        let variables = match debugger {
            Debugger::None => &[][..],
            Debugger::There | Debugger::Stalled => &variables,
        };
        let server = Server::start_with(&database, variables).await;
        let heard = Arc::new(Heard::default());
        let first = Client::without_socket(server.address());
        let joined = stream::iter(0..CLIENTS).map(|_| {
            let mut client = first.companion();
            let heard = Arc::clone(&heard);
            async move {
                client.open().await;
                client
                    .read("{ user(identifier: {obj_id: 1}) { name } }")
                    .await;
                tokio::spawn(attend(client, heard));
            }
        });
        joined.buffer_unordered(AT_ONCE).collect::<()>().await;
        let viewer = match debugger {
            Debugger::Stalled => Some(stalled_viewer(at).await),
            Debugger::None | Debugger::There => None,
        };
        App {
            _database: database,
            sql,
            server,
            heard,
            _viewer: viewer,
        }
    }

    /// Renames the player so often, and gives the microseconds of the server's processor time for each
    /// message.
    async fn round(&mut self) -> f64 {
        let before = self.server.processor_time();
        let messages = CLIENTS * COMMITS;
        self.heard.expected.fetch_add(messages, Ordering::SeqCst);
        let commits = format!(
            "DO $$ BEGIN FOR i IN 1..{COMMITS} LOOP \
             UPDATE \"user\" SET name = 'name ' || i WHERE id = 1; COMMIT; END LOOP; END $$"
        );
        self.sql
            .batch_execute(&commits)
            .await
            .expect("the player is there");
        let all = tokio::time::timeout(PATIENCE, self.heard.all.notified()).await;
        all.expect("every message reaches its client");
        (self.server.processor_time() - before).as_secs_f64() * 1e6 / messages as f64
    }
}

/// Confirms every update until the server ends.
async fn attend(mut client: Client, heard: Arc<Heard>) {
    while let Received::Frame(frame) = client.listen().await {
        client.confirm(&frame).await;
        let count = heard.count.fetch_add(1, Ordering::SeqCst) + 1;
        if count == heard.expected.load(Ordering::SeqCst) {
            heard.all.notify_one();
        }
    }
}

/// Opens what a page opens that shows much, and reads nothing of it.
async fn stalled_viewer(address: SocketAddr) -> Raw {
    let mut raw = Raw::connect(address).await;
    let gets = [
        "/api/overview",
        "/api/updates?limit=500",
        "/api/sessions?limit=500",
        "/api/grid",
    ];
    let gets: Vec<String> = gets
        .map(|get| {
            get.replace('/', "%2F")
                .replace('?', "%3F")
                .replace('=', "%3D")
        })
        .map(|get| format!("get={get}"))
        .into();
    let gets = gets.join("&");
    raw.send(format!(
        "GET /api/watch?{gets} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {KEY}\r\n\r\n"
    ))
    .await;
    assert_eq!(raw.status().await, Some(200));
    raw
}

fn free_address() -> SocketAddr {
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    free.local_addr().expect("it is bound")
}
