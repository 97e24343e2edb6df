//! Matching: what a change costs the server, and what a subscription weighs, with few and with
//! many of them.
//!
//! The time of a change is the processor time of the whole server, as it takes it from the log,
//! matches it and appends it to the outbox of the session that watches its row: two servers, one
//! with few and one with many subscriptions, follow the same database in turn. The index alone is
//! measured beside it, without a bound: it costs what the processor's caches miss.

use std::hint::black_box;
use std::time::Instant;

use blazelink::change::Transaction;
use blazelink::exposure::Exposure;
use blazelink::object_id::Atom;
use blazelink::subscription::{Dependency, Residual, Role, SubscriptionIndex};
use blazelink_tests::app::{connect, shooter_database};
use blazelink_tests::client::{Client, tells_of};
use blazelink_tests::memory;
use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use crate::commits::{self, TABLE};
use crate::report::{Bound, Report, median};
use blazelink_tests::server::Server;

const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const SESSIONS: usize = 10_000;

/// Sessions of each of the two servers that are compared: as many, so that they differ in
/// subscriptions only.
const COMPARED: usize = 1_000;

const CHANGES: usize = 10_000;

/// The name that changed rows get.
const CHANGED: &str = "after";
const ROUNDS: usize = 5;

/// Requests at a time.
const AT_ONCE: usize = 16;

pub(crate) async fn measure(report: &mut Report) {
    weigh(report);
    compare(report).await;
}

/// Processor time per change of two servers.
async fn compare(report: &mut Report) {
    let database = shooter_database().await;
    let sql = connect(database.url()).await;
    let rows = format!("INSERT INTO game (id, name) SELECT n, n FROM generate_series(1, {MANY}) n");
    sql.batch_execute(&rows).await.expect("the table is empty");
    let mut few = Server::start(&database).await;
    let mut many = Server::start(&database).await;
    subscribe(&few, FEW).await;
    subscribe(&many, MANY).await;

    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        for (server, rows, times) in [(&few, FEW, &mut of_few), (&many, MANY, &mut of_many)] {
            let before = server.processor_time();
            change_rows(&sql, server, rows, round).await;
            times.push((server.processor_time() - before).as_secs_f64() * 1e6 / CHANGES as f64);
        }
    }
    let (of_few, of_many) = (median(&mut of_few), median(&mut of_many));
    report.add(
        "A change at 1,000,000 subscriptions against one at 1,000, processor time of the server",
        of_many / of_few,
        Bound::AtMost(1.3),
        format!("{of_many:.1} us against {of_few:.1} us, each told to one session"),
    );
    few.kill().await;
    many.kill().await;
}

/// Watches `count` rows, spread over the compared sessions, as clients do: by asking.
async fn subscribe(server: &Server, count: usize) {
    let document = "query($of: [ObjectIdInput]) \
                    { team(identifier: {obj_id: 0, dependencies: $of}) { id } }";
    let asked = stream::iter(0..COMPARED)
        .map(|session| async move {
            let rows = (session + 1..=count).step_by(COMPARED);
            let of: Vec<Value> = rows
                .map(|row| json!({"entity": "Game", "obj_id": row}))
                .collect();
            let client = Client::without_socket(server.address());
            client.ask(document, json!({"of": of})).await.0
        })
        .buffer_unordered(AT_ONCE);
    let statuses: Vec<u16> = asked.collect().await;
    assert!(
        statuses.iter().all(|status| *status == 200),
        "every session watches its rows"
    );
}

/// Changes watched rows from all over the table, one commit after the other, and waits until the
/// server has handed the last one on.
async fn change_rows(sql: &tokio_postgres::Client, server: &Server, rows: usize, round: usize) {
    let mut probe = Client::connect(server.address()).await;
    probe
        .read("{ game(identifier: {obj_id: 1}) { name } }")
        .await;
    let rename = sql.prepare("UPDATE game SET name = $1 WHERE id = $2").await;
    let rename = rename.expect("the statement is sound");
    for change in 0..CHANGES {
        let (name, id) = (format!("{round}.{change}"), 1 + (change * 7_919_993) % rows);
        let id = i32::try_from(id).expect("there are a million rows");
        sql.execute(&rename, &[&name, &id])
            .await
            .expect("the row is there");
    }
    let last = format!("UPDATE game SET name = 'last of {round} {rows}' WHERE id = 1");
    sql.batch_execute(&last).await.expect("the row is there");
    loop {
        let frame = probe.frame().await;
        let name = frame["data"]["changes"]["name"]
            .as_str()
            .unwrap_or_default();
        if tells_of(&frame, "Game", 1) && name.starts_with("last") {
            return;
        }
    }
}

/// Memory and time of the index alone.
fn weigh(report: &mut Report) {
    let exposure = commits::exposure();
    let mut few = subscribed(FEW, row);
    let begun = Instant::now();
    let (mut many, weight) = weighed(row);
    let subscribing = begun.elapsed().as_secs_f64();
    report.add(
        "A subscription, bytes of memory",
        weight,
        Bound::AtMost(250.0),
        format!("{MANY} rows in {SESSIONS} sessions"),
    );
    report.add(
        "Subscribing, per second",
        MANY as f64 / subscribing,
        Bound::AtLeast(100_000.0),
        format!("{MANY} in {subscribing:.2} s"),
    );

    let (of_few, of_many) = compared(&mut few, &mut many, &exposure);
    report.note(
        "The index alone: a change at 1,000,000 subscriptions against one at 1,000, time",
        of_many / of_few,
        format!("{of_many:.0} ns against {of_few:.0} ns"),
    );
    let mut few = subscribed(FEW, values);
    let (mut of_values, weight) = weighed(values);
    report.note(
        "A subscription to the rows with values in two columns, bytes of memory",
        weight,
        format!("{MANY} values in {SESSIONS} sessions"),
    );
    let (of_few, of_many) = compared(&mut few, &mut of_values, &exposure);
    report.note(
        "The index alone with 1,000,000 of these against 1,000, time",
        of_many / of_few,
        format!("{of_many:.0} ns against {of_few:.0} ns"),
    );

    let begun = Instant::now();
    for number in 0..MANY {
        many.unsubscribe(session_of(number), &commits::object(number), 0);
    }
    let unsubscribing = begun.elapsed().as_secs_f64();
    assert!(many.is_empty(), "everything was let go");
    report.add(
        "Unsubscribing, per second",
        MANY as f64 / unsubscribing,
        Bound::AtLeast(100_000.0),
        format!("{MANY} in {unsubscribing:.2} s"),
    );
}

fn session_of(number: usize) -> u32 {
    (number % SESSIONS) as u32
}

/// The row of this number.
fn row(number: usize) -> Dependency {
    Dependency::Row(TABLE, commits::key(number))
}

/// The rows with the key of this number and the name that changed rows get.
fn values(number: usize) -> Dependency {
    Dependency::Equal {
        table: TABLE,
        column: 0,
        value: Atom::Int(number as i64),
        residual: Residual::of([(1, vec![Atom::Text(CHANGED.into())])]),
    }
}

/// An index with many subscriptions, and the bytes of memory that each takes.
fn weighed(of: fn(usize) -> Dependency) -> (SubscriptionIndex, f64) {
    let before = memory::resident();
    let index = subscribed(MANY, of);
    let weight = (memory::resident() - before) as f64 / MANY as f64;
    (index, weight)
}

/// Nanoseconds per change with few and with many subscriptions.
fn compared(
    few: &mut SubscriptionIndex,
    many: &mut SubscriptionIndex,
    exposure: &Exposure,
) -> (f64, f64) {
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_few.push(matched(few, FEW, exposure));
        of_many.push(matched(many, MANY, exposure));
    }
    (median(&mut of_few), median(&mut of_many))
}

/// An index in which `count` numbers are each watched by one session, as what `of` makes of them.
fn subscribed(count: usize, of: fn(usize) -> Dependency) -> SubscriptionIndex {
    let mut index = SubscriptionIndex::default();
    for number in 0..count {
        let answer = index.begin(session_of(number), commits::object(number), 0);
        index
            .depend(&answer, Role::Declared, of(number), MANY)
            .expect("the limit is far away");
        index.finish(answer);
    }
    index
}

/// Nanoseconds that the index takes per change, each in a commit of its own and each watched by
/// one session. The rows are taken all over the table.
fn matched(index: &mut SubscriptionIndex, rows: usize, exposure: &Exposure) -> f64 {
    let commits: Vec<Transaction> = (0..CHANGES)
        .map(|n| commits::rename(n.wrapping_mul(7_919_993) % rows, CHANGED))
        .collect();
    let mut told = 0;
    let begun = Instant::now();
    for commit in &commits {
        index.affected(commit, exposure, &mut |notice, sessions| {
            told += sessions.len();
            black_box(notice);
        });
    }
    let elapsed = begun.elapsed();
    assert_eq!(told, CHANGES, "each change concerns one session");
    elapsed.as_nanos() as f64 / CHANGES as f64
}
