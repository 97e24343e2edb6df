//! The visibility gate against transactions that are committed in the log and not yet visible.

use blazelink::replication::Gate;

use crate::support::{Database, PATIENCE, Sql, exposed};

#[tokio::test]
async fn gate_waits_for_running_transactions_and_for_no_others() {
    let mut database = Database::create("CREATE TABLE t (id int PRIMARY KEY)", &["t"]).await;
    let mut gate = Gate::new(database.url.clone(), "gate");
    let mut other = Sql::connect(&database.url).await;
    let sql = &mut database.sql;

    sql.run("BEGIN").await;
    let running: u32 = sql
        .text("SELECT pg_current_xact_id()")
        .await
        .parse()
        .unwrap();
    other.run("INSERT INTO t VALUES (1)").await;
    let ended: u32 = other.text("SELECT xmin FROM t").await.parse().unwrap();

    tokio::time::timeout(PATIENCE, gate.pass(&[ended, 0]))
        .await
        .unwrap();
    let both = [running, ended];
    let mut waiting = std::pin::pin!(gate.pass(&both));
    let blocked = tokio::time::timeout(std::time::Duration::from_millis(50), &mut waiting).await;
    assert!(blocked.is_err(), "the transaction is still running");
    sql.run("COMMIT").await;
    tokio::time::timeout(PATIENCE, waiting).await.unwrap();
}

#[tokio::test]
async fn gate_comes_back_after_its_connection_was_ended() {
    let mut database = Database::create("CREATE TABLE t (id int PRIMARY KEY)", &["t"]).await;
    let mut gate = Gate::new(database.url.clone(), "gate");
    let sql = &mut database.sql;
    sql.run("INSERT INTO t VALUES (1)").await;
    let xid: u32 = sql.text("SELECT xmin FROM t").await.parse().unwrap();
    gate.pass(&[xid]).await;
    let end = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'gate' AND datname = '{}'",
        database.test.name()
    );
    database.sql.run(&end).await;
    tokio::time::timeout(PATIENCE, gate.pass(&[xid]))
        .await
        .unwrap();
}

#[tokio::test]
async fn open_gate_asks_nothing() {
    let mut database = Database::create("CREATE TABLE t (id int PRIMARY KEY)", &["t"]).await;
    let mut gate = Gate::new(database.url.clone(), "gate").always_open();
    let sql = &mut database.sql;
    sql.run("BEGIN").await;
    let running: u32 = sql
        .text("SELECT pg_current_xact_id()")
        .await
        .parse()
        .unwrap();
    gate.pass(&[running]).await;
}

#[tokio::test]
async fn no_row_is_older_than_its_notice_behind_the_gate() {
    let mut database = Database::create("CREATE TABLE t (id int PRIMARY KEY)", &["t"]).await;
    let mut follower = database.follow(vec![exposed(0, "t", &["id#"], &[0])]).await;
    let mut gate = Gate::new(database.url.clone(), "gate");
    let mut reader = Sql::connect(&database.url).await;
    for id in 0..200 {
        database
            .sql
            .run(&format!("INSERT INTO t VALUES ({id})"))
            .await;
        let transaction = follower.one(&mut reader).await;
        gate.pass(&[transaction.xid]).await;
        let found = reader
            .text(&format!("SELECT count(*) FROM t WHERE id = {id}"))
            .await;
        assert_eq!(found, "1");
    }
}
