//! Transactions that are streamed before their end, huge ones, and rolled back ones.

use std::time::Duration;

use blazelink::change::Lsn;
use blazelink::object_id::{Key, TableId};
use blazelink::replication::{DatabaseUrl, Limits, ReplicationConnection};

use crate::support::{Database, Follower, PATIENCE, Sql, exposed};

const ROW: TableId = TableId(0);

/// A database whose server streams what is larger than 64 kB.
async fn eager_to_stream() -> Database {
    let mut database = Database::create(
        "CREATE TABLE row (id int PRIMARY KEY, body text); CREATE TABLE note (id int PRIMARY KEY)",
        &["row", "note"],
    )
    .await;
    let name = database.test.name().to_owned();
    database
        .sql
        .run(&format!(
            "ALTER DATABASE {name} SET logical_decoding_work_mem = '64kB'"
        ))
        .await;
    database
}

async fn follow(database: &Database) -> Follower {
    database
        .follow(vec![
            exposed(0, "row", &["id#", "body"], &[0]),
            exposed(1, "note", &["id#"], &[0]),
        ])
        .await
}

fn insert(from: u32, to: u32) -> String {
    format!("INSERT INTO row SELECT i, repeat('x', 100) FROM generate_series({from}, {to}) i")
}

#[tokio::test]
async fn streamed_transaction_is_told_as_any_other() {
    let mut database = eager_to_stream().await;
    let mut follower = follow(&database).await;
    let mut other = Sql::connect(&database.url).await;
    let sql = &mut database.sql;
    sql.run("BEGIN").await;
    sql.run(&insert(1, 2_000)).await;
    other.run("INSERT INTO note VALUES (1)").await;
    let note = follower.one(&mut other).await;
    assert_eq!(note.changes[0].table, TableId(1));
    assert!(follower.decoder.held_bytes() > 0, "it was streamed");
    sql.run("COMMIT").await;
    let transaction = follower.one(sql).await;
    let keys = transaction.changes.iter().map(|change| change.key.clone());
    assert!(keys.eq((1..=2_000).map(Key::from)));
    assert_eq!(follower.decoder.held_bytes(), 0);
}

#[tokio::test]
async fn rolled_back_subtransactions_are_never_seen_streamed_or_not() {
    for rows in [10, 1_500] {
        let mut database = eager_to_stream().await;
        let mut follower = follow(&database).await;
        let sql = &mut database.sql;
        sql.run("BEGIN").await;
        sql.run(&insert(1, rows)).await;
        sql.run("SAVEPOINT a").await;
        sql.run(&insert(10_001, 10_000 + rows)).await;
        sql.run("SAVEPOINT b").await;
        sql.run(&insert(20_001, 20_000 + rows)).await;
        sql.run("TRUNCATE note").await;
        sql.run("RELEASE SAVEPOINT b").await;
        sql.run("ROLLBACK TO SAVEPOINT a").await;
        sql.run("INSERT INTO note VALUES (1)").await;
        sql.run(&insert(30_001, 30_000 + rows)).await;
        sql.run("COMMIT").await;
        let transaction = follower.one(sql).await;
        assert_eq!(transaction.whole, []);
        let rows = rows as i64;
        let kept = (1..=rows).chain(30_001..=30_000 + rows);
        let of_row = transaction.changes.iter().filter(|it| it.table == ROW);
        assert!(of_row.map(|it| it.key.clone()).eq(kept.map(Key::from)));

        sql.run("BEGIN").await;
        sql.run(&insert(40_001, 42_000)).await;
        sql.run("ROLLBACK").await;
        assert!(follower.until_now(sql).await.is_empty());
        assert_eq!(follower.decoder.held_bytes(), 0);
    }
}

#[tokio::test]
async fn schema_change_inside_a_streamed_transaction_makes_the_table_whole() {
    let mut database = eager_to_stream().await;
    let mut follower = follow(&database).await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO row VALUES (0, 'before')").await;
    sql.run("BEGIN").await;
    sql.run(&insert(1, 1_000)).await;
    sql.run("ALTER TABLE row ADD COLUMN more int").await;
    sql.run(&insert(1_001, 2_000).replace("100)", "100), 1"))
        .await;
    sql.run("COMMIT").await;
    let transactions = follower.until_now(sql).await;
    assert_eq!(transactions.len(), 2);
    assert_eq!(transactions[1].whole, [ROW]);
    sql.run("INSERT INTO row VALUES (3000, 'after', 1)").await;
    assert_eq!(follower.one_change(sql).await.key, Key::from(3_000));
}

#[tokio::test]
async fn huge_transaction_is_one_whole_table_and_its_memory_is_bounded() {
    let limits = Limits::default();
    for streamed in [false, true] {
        let mut database = if streamed {
            eager_to_stream().await
        } else {
            Database::create(
                "CREATE TABLE row (id int PRIMARY KEY, body text); \
                 CREATE TABLE note (id int PRIMARY KEY)",
                &["row", "note"],
            )
            .await
        };
        let mut follower = follow(&database).await;
        let sql = &mut database.sql;
        sql.run(&format!(
            "BEGIN; INSERT INTO note VALUES (1); {}; COMMIT",
            insert(1, 200_000)
        ))
        .await;
        let transaction = follower.one(sql).await;
        assert_eq!(transaction.whole, [ROW]);
        assert_eq!(transaction.changes.len(), 1);
        assert!(follower.most_held > 0);
        // 5,000 rows of 100 bytes, not 200,000 of them.
        assert!(
            follower.most_held < limits.changes_per_table * 1_000,
            "{}",
            follower.most_held
        );
        sql.run("INSERT INTO note VALUES (2)").await;
        assert_eq!(follower.one_change(sql).await.table, TableId(1));
    }
}

#[tokio::test]
async fn wide_rows_are_bounded_by_their_bytes() {
    let mut database = eager_to_stream().await;
    let limits = Limits {
        transaction_bytes: 1 << 20,
        ..Limits::default()
    };
    let exposure = vec![exposed(0, "row", &["id#", "body"], &[0])];
    let mut follower = database.follow_within(exposure, limits).await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO row SELECT i, repeat('x', 100000) FROM generate_series(1, 100) i")
        .await;
    assert_eq!(follower.one(sql).await.whole, [ROW]);
    assert!(
        follower.most_held <= limits.transaction_bytes,
        "{}",
        follower.most_held
    );
}

#[tokio::test]
async fn stopped_stream_leaves_no_temporary_slot() {
    let mut database = eager_to_stream().await;
    let follower = follow(&database).await;
    let count = format!(
        "SELECT count(*) FROM pg_replication_slots WHERE database = '{}'",
        database.test.name()
    );
    assert_eq!(database.sql.text(&count).await, "1");
    follower.stream.stop().await;
    assert_eq!(database.sql.text(&count).await, "0");
}

#[tokio::test]
async fn confirmed_positions_reach_the_slot() {
    let mut database = eager_to_stream().await;
    let mut follower = follow(&database).await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO note VALUES (1)").await;
    let transaction = follower.one(sql).await;
    follower.stream.confirm(transaction.end_lsn);
    let slot = format!(
        "SELECT confirmed_flush_lsn FROM pg_replication_slots WHERE database = '{}'",
        database.test.name()
    );
    // The server asks for a sign of life every few seconds, and is then told.
    let told = async {
        loop {
            let confirmed: Lsn = sql.text(&slot).await.parse().unwrap();
            if confirmed >= transaction.end_lsn {
                return;
            }
            let _ = tokio::time::timeout(Duration::from_millis(500), follower.stream.next()).await;
        }
    };
    tokio::time::timeout(PATIENCE, told).await.unwrap();
}

#[tokio::test]
async fn scram_password_opens_the_connection_and_a_wrong_one_is_said() {
    let mut database = eager_to_stream().await;
    let name = database.test.name().to_owned();
    let sql = &mut database.sql;
    let role = format!("scram_{name}");
    sql.run(&format!(
        "SET password_encryption = 'scram-sha-256'; \
         CREATE ROLE {role} LOGIN REPLICATION PASSWORD 'a b''c'"
    ))
    .await;
    let file = sql.text("SHOW hba_file").await;
    let rules = std::fs::read_to_string(&file).unwrap();
    let rule = format!("local {name} {role} scram-sha-256\n");
    std::fs::write(&file, rule + &rules).unwrap();
    sql.run("SELECT pg_reload_conf()").await;

    let with = |password: &str| {
        let url = database
            .test
            .url()
            .replacen("postgres@", &format!("{role}:{password}@"), 1);
        DatabaseUrl::parse(&url).unwrap()
    };
    // The rules are read anew by the postmaster when it gets around to it.
    let refused = async {
        loop {
            let wrong = ReplicationConnection::connect(&with("wrong"), "test").await;
            if let Err(error) = wrong {
                return error;
            }
        }
    };
    let error = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert!(format!("{error:#}").contains("28P01"), "{error:#}");
    assert!(!format!("{error:#}").contains("wrong"), "{error:#}");
    let url = with("a%20b%27c");
    let mut connection = ReplicationConnection::connect(&url, "test").await.unwrap();
    assert!(connection.server_version().await.unwrap() >= 140_000);
}
