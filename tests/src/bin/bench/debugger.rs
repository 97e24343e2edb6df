//! What the debugger costs an app whose sessions are told much: the processor time of a message in a
//! process that has a debugger, which follows every delivery or those of one commit in eight, against one
//! that has none; in that one, against a build without; and with a page of the debugger that is open and
//! reads nothing.
//!
//! All processes serve by turns, so that a busy machine slows them alike.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use blazelink::config::SlotMode;
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

/// Names a benchmarks' program of a build without the framework's feature `debugger`, against which an
/// app without a debugger is measured too. To build one, take the feature out of `default` in the
/// framework's Cargo.toml, in a copy of the repository.
const WITHOUT: &str = "BLAZELINK_BENCH_WITHOUT_DEBUGGER";

pub(crate) async fn measure(report: &mut Report) {
    let mut kinds = vec![
        Debugger::Off,
        Debugger::Whole,
        Debugger::Sampled,
        Debugger::Stalled,
    ];
    if std::env::var_os(WITHOUT).is_some() {
        kinds.push(Debugger::NotBuilt);
    }
    let mut rounds: Vec<BTreeMap<Debugger, f64>> = Vec::new();
    let mut memory = Vec::new();
    for _ in 0..CASTS {
        let mut apps = Vec::new();
        for &kind in &kinds {
            apps.push((kind, App::start(kind).await));
        }
        for round in 0..=PAIRS {
            // Which comes first changes, so that none profits from its place.
            apps.rotate_left(1);
            let mut costs = BTreeMap::new();
            for (kind, app) in &mut apps {
                costs.insert(*kind, app.round().await);
            }
            // The first round warms up.
            if round > 0 {
                rounds.push(costs);
            }
        }
        let resident = |of| apps.iter().find(|(kind, _)| *kind == of);
        let resident = |of| resident(of).map_or(0, |(_, app)| app.server.resident());
        let more = resident(Debugger::Whole).saturating_sub(resident(Debugger::Off));
        memory.push(more as f64 / f64::from(1 << 20));
    }
    for ratio in RATIOS {
        ratio.tell(&rounds, report);
    }
    report.note(
        "Memory of an app with the debugger beyond that of one without, MiB",
        median(&mut memory),
        format!(
            "{} commits told to {CLIENTS} sessions each, of which 32 MiB are kept",
            COMMITS * (PAIRS + 1)
        ),
    );
    measure_ring(report).await;
}

/// Sessions that the ring is to bear, and commits: as many as come in ten seconds of much, 5,000 in each.
/// They come as fast as they can.
const MANY: usize = 10_000;
const RUSH: usize = 50_000;

/// What is remembered while very much happens: each session watches a player of its own.
async fn measure_ring(report: &mut Report) {
    let mut resident = Vec::new();
    let mut ring = (0.0, 1.0, 0.0);
    let mut per_second = 0.0;
    for kind in [Debugger::Off, Debugger::Whole] {
        let mut app = App::start_with(kind, MANY, |number| number + 1).await;
        let began = Instant::now();
        app.told(
            &format!(
                "FOR i IN 1..{RUSH} LOOP \
                 UPDATE \"user\" SET name = 'name ' || i WHERE id = i % {MANY} + 1; COMMIT; END LOOP"
            ),
            RUSH,
        )
        .await;
        per_second = RUSH as f64 / began.elapsed().as_secs_f64();
        resident.push(app.server.resident() as f64);
        if kind == Debugger::Whole {
            let memory = app.ask("/api/overview").await["memory"].clone();
            let of = |name: &str| memory[name].as_f64().expect("a number");
            ring = (of("bytes"), of("limit"), of("lost"));
        }
    }
    let (bytes, limit, lost) = ring;
    report.add(
        "Bytes that the debugger remembers against those it may, while very much happens",
        bytes / limit,
        Bound::AtMost(1.0),
        format!(
            "{MANY} sessions, {RUSH} commits at {per_second:.0} in a second; {lost} records found no room; \
             the app takes {:.1} MiB more than without",
            (resident[1] - resident[0]) / f64::from(1 << 20)
        ),
    );
}

/// What an app has of the debugger.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Debugger {
    /// It is built without.
    NotBuilt,
    /// Nobody has asked for it.
    Off,
    /// It follows every commit.
    Whole,
    /// It follows one commit in eight.
    Sampled,
    /// A page is open, and reads nothing.
    Stalled,
}

/// The processor time of a message in one kind of app against that in another.
struct Ratio {
    of: Debugger,
    against: Debugger,
    what: &'static str,
    /// Whether the bound is on the upper end of the interval, or on the lower: then what is measured
    /// is too small to be told from the noise, and must not be shown to be more.
    upper: bool,
    bound: f64,
}

const RATIOS: [Ratio; 4] = [
    Ratio {
        of: Debugger::Off,
        against: Debugger::NotBuilt,
        what: "A message without a debugger against one of a build that cannot have one, \
               processor time, lower end of the 95 % interval",
        upper: false,
        bound: 1.01,
    },
    Ratio {
        of: Debugger::Sampled,
        against: Debugger::Off,
        what: "A message with the debugger, that follows one commit in eight, against one without, \
               processor time, upper end of the 95 % interval",
        upper: true,
        bound: 1.05,
    },
    Ratio {
        of: Debugger::Whole,
        against: Debugger::Off,
        what: "A message with the debugger, that follows every delivery, against one without, \
               processor time, upper end of the 95 % interval",
        upper: true,
        bound: 1.1,
    },
    Ratio {
        of: Debugger::Stalled,
        against: Debugger::Whole,
        what: "A message with a page of the debugger that reads nothing against one with none, \
               processor time, lower end of the 95 % interval",
        upper: false,
        bound: 1.0,
    },
];

impl Ratio {
    fn tell(&self, rounds: &[BTreeMap<Debugger, f64>], report: &mut Report) {
        let of = |kind| {
            rounds
                .iter()
                .filter_map(move |round| round.get(&kind).copied())
        };
        let (mut ones, mut others): (Vec<_>, Vec<_>) =
            (of(self.of).collect(), of(self.against).collect());
        let mut ratios: Vec<f64> = ones.iter().zip(&others).map(|(a, b)| a / b).collect();
        if ratios.is_empty() {
            return;
        }
        let (low, high) = interval(&mut ratios);
        let value = match self.upper {
            true => high,
            false => low,
        };
        report.add(
            self.what,
            value,
            Bound::AtMost(self.bound),
            format!(
                "{low:.3} to {high:.3} in {} pairs of {} messages; {:.2} us against {:.2} us",
                CASTS * PAIRS,
                CLIENTS * COMMITS,
                median(&mut ones),
                median(&mut others)
            ),
        );
    }
}

/// An app with its clients.
struct App {
    _database: TestDatabase,
    sql: tokio_postgres::Client,
    server: Server,
    /// Where the debugger is, if there is one.
    debugger: SocketAddr,
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
    /// With clients that all watch the same player.
    async fn start(debugger: Debugger) -> App {
        App::start_with(debugger, CLIENTS, |_| 1).await
    }

    /// With so many, each of which watches this player.
    async fn start_with(
        debugger: Debugger,
        clients: usize,
        player: impl Fn(usize) -> usize,
    ) -> App {
        let database = shooter_database().await;
        let sql = connect(database.url()).await;
        rows::players(&sql, (0..clients).map(&player).max().unwrap_or(1)).await;
        let at = free_address();
        let address = at.to_string();
        let variables = [
            ("BLAZELINK_DEBUGGER", address.as_str()),
            ("BLAZELINK_DEBUGGER_KEY", KEY),
        ];
        let variables = match debugger {
            Debugger::NotBuilt | Debugger::Off => &[][..],
            Debugger::Whole | Debugger::Sampled | Debugger::Stalled => &variables,
        };
        let program = match debugger {
            Debugger::NotBuilt => std::env::var_os(WITHOUT).map(PathBuf::from),
            _ => None,
        };
        let server = match program {
            Some(program) => {
                let nowhere = Path::new("");
                Server::start_program(&program, &database, SlotMode::Temporary, nowhere).await
            }
            None => Server::start_with(&database, variables).await,
        };
        if debugger == Debugger::Sampled {
            follow_one_in_eight(at).await;
        }
        let heard = Arc::new(Heard::default());
        let first = Client::without_socket(server.address());
        let joined = stream::iter(0..clients).map(|number| {
            let mut client = first.companion();
            let heard = Arc::clone(&heard);
            let player = player(number);
            let document = format!("{{ user(identifier: {{obj_id: {player}}}) {{ name }} }}");
            async move {
                client.open().await;
                client.read(&document).await;
                tokio::spawn(attend(client, heard));
            }
        });
        joined.buffer_unordered(AT_ONCE).collect::<()>().await;
        let viewer = match debugger {
            Debugger::Stalled => Some(stalled_viewer(at).await),
            _ => None,
        };
        App {
            _database: database,
            sql,
            server,
            debugger: at,
            heard,
            _viewer: viewer,
        }
    }

    /// Renames the player so often, and gives the microseconds of the server's processor time for each
    /// message.
    async fn round(&mut self) -> f64 {
        let before = self.server.processor_time();
        let messages = CLIENTS * COMMITS;
        let commits = format!(
            "FOR i IN 1..{COMMITS} LOOP \
             UPDATE \"user\" SET name = 'name ' || i WHERE id = 1; COMMIT; END LOOP"
        );
        self.told(&commits, messages).await;
        (self.server.processor_time() - before).as_secs_f64() * 1e6 / messages as f64
    }

    /// Runs these statements, and waits until so many messages have been handled because of them.
    async fn told(&mut self, statements: &str, messages: usize) {
        self.heard.expected.fetch_add(messages, Ordering::SeqCst);
        let block = format!("DO $$ BEGIN {statements}; END $$");
        let done = self.sql.batch_execute(&block).await;
        done.expect("the players are there");
        let all = tokio::time::timeout(PATIENCE, self.heard.all.notified()).await;
        all.expect("every message reaches its client");
    }

    /// What the debugger answers.
    async fn ask(&self, path: &str) -> serde_json::Value {
        let get = reqwest::Client::new().get(format!("http://{}{path}", self.debugger));
        let answer = get.bearer_auth(KEY).send().await;
        let answer = answer.expect("the debugger answers").text().await;
        serde_json::from_str(&answer.expect("to the end")).expect("answers are JSON")
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

async fn follow_one_in_eight(address: SocketAddr) {
    let put = reqwest::Client::new().put(format!("http://{address}/api/sample"));
    let put = put.bearer_auth(KEY).json(&serde_json::json!({"one_in": 8}));
    let answer = put.send().await.expect("the debugger answers");
    assert!(answer.status().is_success(), "{}", answer.status());
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
