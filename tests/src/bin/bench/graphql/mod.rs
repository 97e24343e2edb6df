//! GraphQL against a schema that somebody wrote by hand with async-graphql, on the same pool: the
//! same documents over HTTP with eight connections that stay open, each server a process of its
//! own. Ours with sessions and subscriptions, both with a policy on every table.

mod entities;
mod hand_written;
mod load;

use std::process::ExitCode;
use std::time::Duration;

use blazelink::visibility::{Access, Rule};
use blazelink_postgres::TestDatabase;
use blazelink_tests::app::connect;
use blazelink_tests::process::Process;
use sea_orm::ColumnTrait;

use crate::report::{Bound, Report, median};
use load::Load;

/// The argument with which the benchmark starts itself as the hand-written server.
pub(crate) const COMMAND: &str = "hand-written";

/// Set for the process that is our server; its argument is that of an app.
pub(crate) const OURS: &str = "BENCH_GRAPHQL";

const ROUNDS: usize = 9;
const ROUND: Duration = Duration::from_millis(1_500);
const WARM: Duration = Duration::from_millis(1_000);

const ROWS: &str = "
CREATE TABLE team (id int PRIMARY KEY, name text NOT NULL, active bool NOT NULL DEFAULT true);
CREATE TABLE \"user\" (id int PRIMARY KEY, name text NOT NULL, team_id int NOT NULL REFERENCES team,
    score int8 NOT NULL, created_at timestamptz NOT NULL, balance numeric(12,2) NOT NULL,
    settings jsonb NOT NULL, active bool NOT NULL DEFAULT true);
CREATE TABLE event (id int PRIMARY KEY, kind text NOT NULL, player_id int NOT NULL REFERENCES \"user\",
    active bool NOT NULL DEFAULT true);
INSERT INTO team SELECT n, 'team ' || n FROM generate_series(1, 2000) n;
INSERT INTO \"user\" SELECT n, 'user ' || n, 1 + n % 20, n * 7919,
    timestamptz '2024-01-01' + n * interval '1 hour 1.234567 seconds', n * 1.25,
    jsonb_build_object('theme', 'dark', 'size', n, 'tags', jsonb_build_array('a', 'b'))
    FROM generate_series(1, 2000) n;
INSERT INTO event SELECT n, 'kind ' || n % 7, 1 + n % 2000 FROM generate_series(1, 40000) n;
CREATE INDEX ON event (player_id, id);
ANALYZE;
";

/// A kind of request, and what must hold of it.
struct Case {
    document: fn(usize) -> String,
    rate: (&'static str, f64),
    /// Nothing where only the rate is bounded.
    processor: Option<(&'static str, f64)>,
}

const CASES: [Case; 4] = [
    Case {
        document: |n| {
            format!(
                "{{ team(identifier: {{obj_id: {}}}) {{ id name }} }}",
                1 + n % 2_000
            )
        },
        rate: (
            "GraphQL, a row by key, requests per second, of a hand-written schema's",
            0.95,
        ),
        processor: Some(("The same, processor time of the server per request", 1.0)),
    },
    Case {
        document: |n| {
            let page = n % 100;
            format!("{{ teams(page: {page}, size: 20) {{ items {{ row {{ id name }} }} }} }}")
        },
        rate: (
            "GraphQL, a page of 20 rows with two columns, requests per second, of a hand-written schema's",
            0.95,
        ),
        processor: Some(("The same, processor time of the server per request", 1.0)),
    },
    Case {
        document: |n| {
            let page = n % 100;
            format!(
                "{{ users(page: {page}, size: 20) {{ items {{ obj_id row {{ id name score \
                 created_at balance settings }} }} }} }}"
            )
        },
        rate: (
            "GraphQL, the same page with a timestamp, a decimal and json, requests per second, of a \
             hand-written schema's",
            0.95,
        ),
        processor: Some(("The same, processor time of the server per request", 1.1)),
    },
    Case {
        document: |n| {
            let page = n % 40;
            format!(
                "{{ users(page: {page}, size: 50) {{ items {{ row {{ id name team {{ row {{ id name \
                 }} }} events(page: 0, size: 5) {{ items {{ row {{ id kind }} }} }} }} }} }} }}"
            )
        },
        rate: (
            "GraphQL, a page of 50 rows each with a row and a page of 5, requests per second, of a \
             hand-written schema's with DataLoaders",
            1.5,
        ),
        processor: None,
    },
];

/// What the process of our server does.
pub(crate) fn run_ours() -> ExitCode {
    blazelink::run(|app| {
        app.table::<entities::user::Entity>()
            .table::<entities::team::Entity>()
            .table::<entities::event::Entity>()
            .visible::<entities::user::Entity>(|_| active(entities::user::Column::Active))
            .visible::<entities::team::Entity>(|_| active(entities::team::Column::Active))
            .visible::<entities::event::Entity>(|_| active(entities::event::Column::Active))
    })
}

/// A policy that every row satisfies, and that every statement has to ask for.
fn active(column: impl ColumnTrait) -> Access {
    Access::rows(Rule::eq(column, true))
}

/// What `bench hand-written` does.
pub(crate) fn run_hand_written() -> ExitCode {
    hand_written::run()
}

/// A server and who asks it.
struct Side {
    process: Process,
    load: Load,
}

/// What requests have cost.
struct Cost {
    rate: f64,
    /// Microseconds of the server's processor time.
    processor: f64,
}

impl Side {
    async fn ours(database: &TestDatabase, folder: &std::path::Path) -> Side {
        let mut command = Process::itself(&["serve"]);
        command
            .current_dir(folder)
            .env(OURS, "1")
            .env("DATABASE_URL", database.url())
            .env("BLAZELINK_ENV", "development")
            .env("BLAZELINK_PORT", "0")
            .env("BLAZELINK_SLOT", "temporary")
            .env("BLAZELINK_EVENTS", "/dev/stdout")
            .env("RUST_LOG", "warn");
        let mut process = Process::start(command);
        let event = process.line().await;
        let event: serde_json::Value = serde_json::from_str(&event).expect("events are JSON");
        let url = event["url"].as_str().expect("the event names the address");
        let address = url.trim_start_matches("http://").parse();
        let load = Load::connect(address.expect("it is an address")).await;
        Side { process, load }
    }

    async fn hand_written(database: &TestDatabase) -> Side {
        let mut command = Process::itself(&[COMMAND]);
        command.env("DATABASE_URL", database.url());
        let mut process = Process::start(command);
        let address = process.line().await.parse().expect("it prints its address");
        let load = Load::connect(address).await;
        Side { process, load }
    }

    async fn ask(&mut self, document: fn(usize) -> String, time: Duration) -> Cost {
        let before = self.process.processor_time();
        let rate = self.load.run(document, time).await;
        let processor = self.process.processor_time() - before;
        Cost {
            rate,
            processor: processor.as_secs_f64() * 1e6 / (rate * time.as_secs_f64()),
        }
    }
}

pub(crate) async fn measure(report: &mut Report) {
    let database = TestDatabase::with_own_cluster().await;
    let database = database.expect("the private Postgres starts");
    let sql = connect(database.url()).await;
    sql.batch_execute(ROWS)
        .await
        .expect("the database is empty");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut ours = Side::ours(&database, folder.path()).await;
    let mut theirs = Side::hand_written(&database).await;
    for case in CASES {
        compare_answers(&mut ours, &mut theirs, case.document).await;
        ours.ask(case.document, WARM).await;
        theirs.ask(case.document, WARM).await;
        let (mut rates, mut processor) = (Vec::new(), Vec::new());
        let (mut of_ours, mut of_theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let our = ours.ask(case.document, ROUND).await;
            let their = theirs.ask(case.document, ROUND).await;
            rates.push(our.rate / their.rate);
            processor.push(our.processor / their.processor);
            of_ours.push((our.rate, our.processor));
            of_theirs.push((their.rate, their.processor));
        }
        let middle = |costs: &[(f64, f64)], of: fn(&(f64, f64)) -> f64| {
            median(&mut costs.iter().map(of).collect::<Vec<_>>())
        };
        let from = format!(
            "{:.0} per s against {:.0}, median of {ROUNDS} rounds",
            middle(&of_ours, |it| it.0),
            middle(&of_theirs, |it| it.0),
        );
        let (what, bound) = case.rate;
        report.add(what, median(&mut rates), Bound::AtLeast(bound), from);
        let from = format!(
            "{:.0} us against {:.0} us",
            middle(&of_ours, |it| it.1),
            middle(&of_theirs, |it| it.1),
        );
        match case.processor {
            Some((what, bound)) => {
                report.add(what, median(&mut processor), Bound::AtMost(bound), from);
            }
            None => report.note(
                "The same, processor time of the server per request",
                median(&mut processor),
                from,
            ),
        }
    }
    ours.process.kill().await;
    theirs.process.kill().await;
}

/// Both must have read the same: every answer has the same fields, and those that print alike have
/// the same values.
async fn compare_answers(ours: &mut Side, theirs: &mut Side, document: fn(usize) -> String) {
    for n in [0, 7, 39] {
        let text = document(n);
        let answers = [
            ours.load.answer(&text).await,
            theirs.load.answer(&text).await,
        ];
        let [one, other] = answers.map(|answer| {
            let mut answer: serde_json::Value =
                serde_json::from_slice(&answer).expect("answers are JSON");
            assert_eq!(answer.get("errors"), None, "{text}");
            forget(&mut answer["data"]);
            answer["data"].take()
        });
        assert_eq!(one, other, "{text}");
    }
}

/// Timestamps print otherwise, and JSON has its members in another order of blanks.
fn forget(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, value) in fields {
                if name == "created_at" {
                    assert!(value.is_string());
                    *value = serde_json::Value::Null;
                }
                forget(value);
            }
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(forget),
        _ => {}
    }
}
