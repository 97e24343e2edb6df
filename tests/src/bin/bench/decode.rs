//! Decoding, against what `pg_recvlogical` writes to `/dev/null` from the same log with the same
//! options. Ours keeps every change, so that every cell of every row is parsed.

use std::sync::Arc;
use std::time::Instant;

use blazelink::change::Lsn;
use blazelink::exposure::{ExposedColumn, ExposedTable, Exposure};
use blazelink::object_id::TableId;
use blazelink::replication::{
    Arrival, DatabaseUrl, Decoded, Decoder, Frame, Limits, ReplicationConnection, on_own_thread,
};
use blazelink::value::Kind;
use blazelink_postgres::TestDatabase;
use blazelink_tests::app::connect;
use blazelink_tests::binaries;
use tokio::process::Command;
use tokio_postgres::Client;

use crate::report::{Bound, Report, median};

/// Rows of the one large transaction.
const BULK: usize = 1_000_000;

/// Transactions of one row.
const SMALL: usize = 200_000;

const ROUNDS: usize = 5;

pub(crate) async fn measure(report: &mut Report) {
    let database = TestDatabase::create()
        .await
        .expect("the private Postgres makes a database");
    let sql = connect(database.url()).await;
    let setup = "CREATE TABLE measured (id bigint PRIMARY KEY, name text, score int, \
                 ratio double precision, at timestamptz); \
                 ALTER TABLE measured REPLICA IDENTITY FULL; \
                 CREATE PUBLICATION blazelink FOR TABLE measured";
    sql.batch_execute(setup)
        .await
        .expect("the database is empty");

    let bulk = format!(
        "INSERT INTO measured SELECT n, 'player ' || n, n % 1000, n / 7.0, now() \
         FROM generate_series(1, {BULK}) n"
    );
    let small = format!(
        "DO $$ BEGIN FOR n IN 1..{SMALL} LOOP \
         INSERT INTO measured VALUES (-n, 'player ' || n, n % 1000, n / 7.0, now()); \
         COMMIT; END LOOP; END $$"
    );
    for (what, load, changes) in [
        (
            "Decoding one transaction of 1,000,000 rows, changes per second",
            bulk,
            BULK,
        ),
        (
            "Decoding 200,000 transactions of one row, changes per second",
            small,
            SMALL,
        ),
    ] {
        let slot = "SELECT pg_create_logical_replication_slot('anchor', 'pgoutput')";
        sql.batch_execute(slot)
            .await
            .expect("there is room for a slot");
        sql.batch_execute(&load).await.expect("the rows are new");
        let end = sql
            .query_one("SELECT pg_current_wal_lsn()::text", &[])
            .await;
        let end: String = end.expect("every server answers it").get(0);
        // Something behind the end, so that the server tells that it has passed it.
        sql.batch_execute("SELECT pg_logical_emit_message(true, 'end', '')")
            .await
            .expect("it may");

        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            theirs.push(changes as f64 / recvlogical(&database, &sql, &end).await);
            ours.push(changes as f64 / blazelink(&database, &sql, &end, changes).await);
        }
        drop_slot(&sql, "anchor").await;
        let (ours, theirs) = (median(&mut ours), median(&mut theirs));
        report.add(
            what,
            ours / theirs,
            Bound::AtLeast(0.8),
            format!("{ours:.0} against {theirs:.0} (pg_recvlogical to /dev/null)"),
        );
    }
}

/// Seconds that `pg_recvlogical` takes up to the position.
async fn recvlogical(database: &TestDatabase, sql: &Client, end: &str) -> f64 {
    copy_slot(sql).await;
    let begun = Instant::now();
    let done = Command::new(binaries::recvlogical())
        .args([
            "--dbname",
            database.url(),
            "--slot",
            "round",
            "--start",
            "--file",
            "/dev/null",
        ])
        .args(["--endpos", end, "--no-loop"])
        .args([
            "-o",
            "proto_version=2",
            "-o",
            "streaming=on",
            "-o",
            "messages=true",
        ])
        .args(["-o", "publication_names=blazelink"])
        .status()
        .await;
    let seconds = begun.elapsed().as_secs_f64();
    assert!(
        done.expect("pg_recvlogical comes with Postgres' client programs")
            .success()
    );
    drop_slot(sql, "round").await;
    seconds
}

/// Seconds that we take up to the position, each change decoded and kept; on a thread of its own,
/// as in the product.
async fn blazelink(database: &TestDatabase, sql: &Client, end: &str, changes: usize) -> f64 {
    copy_slot(sql).await;
    let end: Lsn = end.parse().expect("Postgres prints positions");
    let url = DatabaseUrl::parse(database.url()).expect("the tests' URLs are sound");
    let thread = on_own_thread("bench", move || read(url, end)).expect("there are threads");
    let read = tokio::task::spawn_blocking(|| thread.join()).await;
    let (seconds, decoded) = read.expect("it is joined").expect("it does not panic");
    assert_eq!(decoded, changes, "every change was decoded");
    drop_slot(sql, "round").await;
    seconds
}

/// Reads up to the position; gives the seconds and the number of changes.
async fn read(url: DatabaseUrl, end: Lsn) -> (f64, usize) {
    let limits = Limits {
        changes_per_table: usize::MAX,
        transaction_bytes: usize::MAX,
        open_bytes: usize::MAX,
    };
    let mut decoder = Decoder::new(Arc::new(exposure()), limits);
    let begun = Instant::now();
    let connection = ReplicationConnection::connect(&url, "bench").await;
    let connection = connection.expect("the private Postgres replicates");
    let mut stream = connection
        .start("round", Lsn(0))
        .await
        .expect("the slot is there");
    let (mut position, mut decoded) = (Lsn(0), 0);
    while position < end {
        let frames = stream.next().await.expect("the server streams");
        for frame in frames.frames() {
            match frame {
                Frame::Message { sent, data } => {
                    match decoder
                        .decode(
                            data,
                            Arrival {
                                sent,
                                read_at: Instant::now(),
                            },
                        )
                        .expect("the server speaks pgoutput")
                    {
                        Some(Decoded::Transaction(transaction)) => {
                            position = transaction.end_lsn;
                            decoded += transaction.changes.len();
                        }
                        Some(Decoded::Progress(end)) => position = end,
                        None => {}
                    }
                }
                Frame::Keepalive(end) if decoder.is_between_transactions() => position = end,
                Frame::Keepalive(_) | Frame::Notice(_) => {}
            }
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    stream.stop().await;
    (seconds, decoded)
}

fn exposure() -> Exposure {
    let column = |(name, kind): (&str, Kind)| ExposedColumn {
        renamed: None,
        name: name.to_owned(),
        kind,
    };
    let columns = [
        ("id", Kind::BigInt),
        ("name", Kind::Text),
        ("score", Kind::Int),
        ("ratio", Kind::Float),
        ("at", Kind::Text),
    ];
    Exposure::new(vec![ExposedTable {
        id: TableId(0),
        schema: "public".to_owned(),
        table: "measured".to_owned(),
        entity: "Measured".to_owned(),
        columns: columns.into_iter().map(column).collect(),
        key: vec![0],
    }])
}

async fn copy_slot(sql: &Client) {
    // Not a temporary one: it is read by another connection than this.
    let copy = "SELECT pg_copy_logical_replication_slot('anchor', 'round', false)";
    sql.batch_execute(copy)
        .await
        .expect("there is room for a slot");
}

/// The server lets a slot go a moment after its reader has ended.
pub(crate) async fn drop_slot(sql: &Client, name: &str) {
    let drop = format!("SELECT pg_drop_replication_slot('{name}')");
    while sql.batch_execute(&drop).await.is_err() {
        tokio::task::yield_now().await;
    }
}
