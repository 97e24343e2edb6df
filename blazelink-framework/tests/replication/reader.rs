//! The reader through what happens to servers and slots.

use std::sync::Arc;

use blazelink::change::{Lsn, Transaction};
use blazelink::exposure::Exposure;
use blazelink::object_id::Key;
use blazelink::replication::{
    Queue, Reader, ReaderConfig, Reset, SlotPlan, Status, on_own_thread, queue,
};
use blazelink_migrations::Slot;
use blazelink_postgres::TestDatabase;
use tokio::sync::watch;

use crate::support::{Database, PATIENCE, Sql, exposed};

const SCHEMA: &str = "CREATE TABLE t (id int PRIMARY KEY)";

/// A reader on a thread of its own, and what it has told.
struct Running {
    queue: Queue,
    stop: watch::Sender<bool>,
    thread: std::thread::JoinHandle<()>,
    told: Vec<Transaction>,
    resets: Vec<Reset>,
    slots: Vec<String>,
    waits_for: Vec<i32>,
    failures: usize,
    progress: Lsn,
}

fn start(database: &Database, slot: SlotPlan) -> Running {
    let (writer, queue) = queue();
    let (stop, stopped) = watch::channel(false);
    let config = ReaderConfig {
        url: database.url.clone(),
        slot,
        application: "reader".into(),
    };
    let exposure = Arc::new(Exposure::new(vec![exposed(0, "t", &["id#"], &[0])]));
    let reader = Reader::new(config, exposure, writer, stopped);
    let thread = on_own_thread("reader", move || reader.run()).unwrap();
    Running {
        queue,
        stop,
        thread,
        told: Vec::new(),
        resets: Vec::new(),
        slots: Vec::new(),
        waits_for: Vec::new(),
        failures: 0,
        progress: Lsn(0),
    }
}

impl Running {
    /// Takes batches until they have brought about the condition.
    async fn until(&mut self, what: &str, condition: impl Fn(&Running) -> bool) {
        let taking = async {
            while !condition(self) {
                let batch = self.queue.next_batch().await;
                if let Some(reset) = batch.reset {
                    self.resets.push(reset);
                    self.told.clear();
                }
                self.told.extend(batch.transactions);
                self.progress = batch.progress;
                self.queue.confirm(batch.progress);
                for status in batch.statuses {
                    match status {
                        Status::Connected { slot } => self.slots.push(slot),
                        Status::Waiting { processes } => self.waits_for = processes,
                        Status::Disconnected(_) => self.failures += 1,
                    }
                }
            }
        };
        if tokio::time::timeout(PATIENCE, taking).await.is_err() {
            panic!(
                "waited in vain for {what}: {:?}, {:?}",
                self.resets,
                self.keys()
            );
        }
    }

    async fn until_connected(&mut self, times: usize) {
        self.until("a connection", |it| it.slots.len() >= times)
            .await;
    }

    async fn until_told(&mut self, keys: &[i64]) {
        let keys: Vec<Key> = keys.iter().copied().map(Key::from).collect();
        self.until("changes", |it| it.keys() == keys).await;
    }

    fn keys(&self) -> Vec<Key> {
        let changes = self.told.iter().flat_map(|it| &it.changes);
        changes.map(|change| change.key.clone()).collect()
    }

    async fn stop(self) {
        self.stop.send(true).unwrap();
        let thread = self.thread;
        let joined = tokio::task::spawn_blocking(move || thread.join());
        tokio::time::timeout(PATIENCE, joined)
            .await
            .unwrap()
            .unwrap()
            .unwrap();
    }
}

fn temporary() -> SlotPlan {
    SlotPlan::Temporary { app: "test".into() }
}

/// A durable slot of this database, made as the migrations make it.
async fn durable(database: &mut Database) -> (SlotPlan, String) {
    let name = blazelink_migrations::slot_name(database.test.name(), "test");
    Slot::ensure(database.sql.execute(), &name).await.unwrap();
    (SlotPlan::Durable { name: name.clone() }, name)
}

#[tokio::test]
async fn temporary_slot_starts_with_a_reset_and_ends_with_the_reader() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    database.sql.run("INSERT INTO t VALUES (0)").await;
    let mut reader = start(&database, temporary());
    reader.until_connected(1).await;
    assert_eq!(reader.resets, [Reset::NewSlot]);
    assert!(
        reader.slots[0].starts_with("blz_test_"),
        "{}",
        reader.slots[0]
    );
    database.sql.run("INSERT INTO t VALUES (1)").await;
    reader.until_told(&[1]).await;
    let slot = reader.slots[0].clone();
    reader.stop().await;
    let left = format!("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{slot}'");
    assert_eq!(database.sql.text(&left).await, "0");
}

#[tokio::test]
async fn slot_that_waits_for_a_transaction_says_so_and_can_be_given_up() {
    let test = TestDatabase::with_own_cluster().await.unwrap();
    let mut database = Database::on(test, SCHEMA, &["t"]).await;
    let mut holder = Sql::connect(&database.url).await;
    holder.run("BEGIN; INSERT INTO t VALUES (0)").await;
    let process: i32 = holder
        .text("SELECT pg_backend_pid()")
        .await
        .parse()
        .unwrap();
    let (mut patient, mut given_up) =
        (start(&database, temporary()), start(&database, temporary()));
    for reader in [&mut patient, &mut given_up] {
        reader
            .until("word of the transaction", |it| {
                it.waits_for.contains(&process)
            })
            .await;
    }
    given_up.stop().await;
    let count = "SELECT count(*) FROM pg_replication_slots";
    let gone = async { while database.sql.text(count).await != "1" {} };
    tokio::time::timeout(PATIENCE, gone).await.unwrap();

    holder.run("COMMIT").await;
    patient.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    patient.until_told(&[1]).await;
    patient.stop().await;
}

#[tokio::test]
async fn durable_slot_resumes_without_a_gap_or_a_reset() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut reader = start(&database, plan.clone());
    reader.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    reader.until_told(&[1]).await;
    reader.stop().await;
    database.sql.run("INSERT INTO t VALUES (2)").await;
    let mut reader = start(&database, plan);
    reader.until_told(&[2]).await;
    database.sql.run("INSERT INTO t VALUES (3)").await;
    reader.until_told(&[2, 3]).await;
    assert_eq!(reader.resets, []);
    reader.stop().await;
}

#[tokio::test]
async fn reader_of_an_ended_connection_comes_back() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut reader = start(&database, plan);
    reader.until_connected(1).await;
    for id in 1..=3 {
        database
            .sql
            .run(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_replication \
                 WHERE application_name = 'reader' AND pid IN (SELECT active_pid FROM \
                 pg_replication_slots WHERE database = '{}'); INSERT INTO t VALUES ({id})",
                database.test.name()
            ))
            .await;
        let told: Vec<i64> = (1..=id).collect();
        reader.until_told(&told).await;
    }
    assert_eq!(reader.resets, []);
    reader.stop().await;
}

#[tokio::test]
async fn killed_server_is_followed_again_with_nothing_missed() {
    let test = TestDatabase::with_own_cluster().await.unwrap();
    let mut database = Database::on(test, SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut kept = start(&database, plan);
    let mut fresh = start(&database, temporary());
    kept.until_connected(1).await;
    fresh.until_connected(1).await;
    let mut told = Vec::new();
    for round in 1..=3_i64 {
        for id in [round * 10, round * 10 + 1] {
            database
                .sql
                .run(&format!("INSERT INTO t VALUES ({id})"))
                .await;
            told.push(id);
        }
        database.test.cluster().kill().await;
        database.test.cluster().restart().await.unwrap();
        database.sql = Sql::connect(&database.url).await;
        kept.until_told(&told).await;
        fresh
            .until("a reset", |it| it.resets.len() == 1 + round as usize)
            .await;
    }
    database.sql.run("INSERT INTO t VALUES (99)").await;
    told.push(99);
    kept.until_told(&told).await;
    fresh
        .until("the last change", |it| {
            it.keys().ends_with(&[Key::from(99)])
        })
        .await;
    assert_eq!(kept.resets, []);
    kept.stop().await;
    fresh.stop().await;
}

#[tokio::test]
async fn stopped_server_does_not_wait_for_the_reader() {
    let test = TestDatabase::with_own_cluster().await.unwrap();
    let mut database = Database::on(test, SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut reader = start(&database, plan);
    reader.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    reader.until_told(&[1]).await;
    let confirming = async {
        reader.until("nothing", |_| false).await;
    };
    let begun = std::time::Instant::now();
    tokio::select! {
        () = confirming => {}
        () = database.test.cluster().stop() => {}
    }
    // The server gives up on a reader that confirms nothing only after its timeout of 10 s.
    assert!(begun.elapsed().as_secs() < 8, "{:?}", begun.elapsed());
    reader.stop().await;
}

#[tokio::test]
async fn slot_that_another_process_has_read_has_everyone_start_over() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut first = start(&database, plan.clone());
    first.until_connected(1).await;
    let mut second = start(&database, plan);
    second.until("a refusal", |it| it.failures > 0).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    first.until_told(&[1]).await;
    first.stop().await;
    second.until_connected(1).await;
    assert_eq!(second.resets, [Reset::SlotMoved]);
    database.sql.run("INSERT INTO t VALUES (2)").await;
    second.until_told(&[2]).await;
    second.stop().await;
}

#[tokio::test]
async fn dropped_slot_is_made_again_and_everyone_starts_over() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, name) = durable(&mut database).await;
    let mut reader = start(&database, plan);
    reader.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    reader.until_told(&[1]).await;
    // Whoever drops it has to end the reader first; one of the two attempts hits the gap.
    let dropped = async {
        let drop = format!(
            "DO $$ BEGIN PERFORM pg_terminate_backend(active_pid, 5000) FROM pg_replication_slots \
             WHERE slot_name = '{name}' AND active; PERFORM pg_drop_replication_slot('{name}'); \
             EXCEPTION WHEN object_in_use THEN NULL; END $$"
        );
        let mut sql = Sql::connect(&database.url).await;
        let born = format!(
            "SELECT coalesce(min(confirmed_flush_lsn::text), '') FROM pg_replication_slots \
             WHERE slot_name = '{name}'"
        );
        loop {
            sql.run(&drop).await;
            if sql.text(&born).await.is_empty() {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, dropped).await.unwrap();
    reader.until("a reset", |it| !it.resets.is_empty()).await;
    assert_eq!(reader.resets, [Reset::NewSlot]);
    reader.until_connected(2).await;
    database.sql.run("INSERT INTO t VALUES (2)").await;
    reader.until_told(&[2]).await;
    reader.stop().await;
}

#[tokio::test]
async fn invalidated_slot_is_made_again_and_everyone_starts_over() {
    let test = TestDatabase::with_own_cluster().await.unwrap();
    let mut database = Database::on(test, SCHEMA, &["t"]).await;
    let (plan, name) = durable(&mut database).await;
    let sql = &mut database.sql;
    sql.run("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")
        .await;
    sql.run("SELECT pg_reload_conf()").await;
    let lost = async {
        loop {
            sql.run("SELECT pg_logical_emit_message(false, 'filler', repeat('x', 100000))")
                .await;
            sql.run("SELECT pg_switch_wal()").await;
            sql.run("CHECKPOINT").await;
            let status =
                format!("SELECT wal_status FROM pg_replication_slots WHERE slot_name = '{name}'");
            if sql.text(&status).await == "lost" {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, lost).await.unwrap();
    let mut reader = start(&database, plan);
    reader.until("a reset", |it| !it.resets.is_empty()).await;
    let reason = "wal_removed".to_owned();
    assert_eq!(reader.resets, [Reset::SlotLost { reason }]);
    reader.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    reader.until_told(&[1]).await;
    reader.stop().await;
}

#[tokio::test]
async fn publication_that_was_dropped_and_made_again_costs_a_new_slot() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut reader = start(&database, plan);
    reader.until_connected(1).await;
    database.sql.run("DROP PUBLICATION blazelink").await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    blazelink_migrations::publish_table(database.sql.execute(), "t")
        .await
        .unwrap();
    reader.until("a reset", |it| !it.resets.is_empty()).await;
    reader.until_connected(2).await;
    database.sql.run("INSERT INTO t VALUES (2)").await;
    reader.until_told(&[2]).await;
    reader.stop().await;
}

#[tokio::test]
async fn second_reader_of_a_durable_slot_waits_for_the_first() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, _) = durable(&mut database).await;
    let mut first = start(&database, plan.clone());
    first.until_connected(1).await;
    let second = start(&database, plan);
    let refused = async {
        loop {
            let batch = second.queue.next_batch().await;
            for status in batch.statuses {
                if let Status::Disconnected(error) = status {
                    return error.code();
                }
            }
        }
    };
    let refused = tokio::time::timeout(PATIENCE, refused).await.unwrap();
    assert_eq!(refused, blazelink::codes::Code::SlotActive);
    first.stop().await;
    let mut second = second;
    second.until_connected(1).await;
    database.sql.run("INSERT INTO t VALUES (1)").await;
    second.until_told(&[1]).await;
    second.stop().await;
}

#[tokio::test]
async fn slot_is_not_dropped_while_the_app_reads_it() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let (plan, name) = durable(&mut database).await;
    let mut reader = start(&database, plan);
    reader.until_connected(1).await;
    let error = Slot::remove(database.sql.execute(), &name)
        .await
        .unwrap_err();
    assert_eq!(error.code(), blazelink::codes::Code::SlotActive);
    reader.stop().await;
    Slot::remove(database.sql.execute(), &name).await.unwrap();
}

#[tokio::test]
async fn unpublished_writes_move_the_position_too() {
    let mut database = Database::create(
        "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int)",
        &["t"],
    )
    .await;
    let mut reader = start(&database, temporary());
    reader.until_connected(1).await;
    database
        .sql
        .run("INSERT INTO other SELECT generate_series(1, 10000)")
        .await;
    let now: Lsn = database
        .sql
        .text("SELECT pg_current_wal_flush_lsn()")
        .await
        .parse()
        .unwrap();
    reader.until("progress", |it| it.progress >= now).await;
    assert_eq!(reader.keys(), []);
    reader.stop().await;
}

#[tokio::test]
async fn reader_that_nobody_listens_to_merges_and_never_stops() {
    let mut database = Database::create(SCHEMA, &["t"]).await;
    let mut reader = start(&database, temporary());
    reader.until_connected(1).await;
    database
        .sql
        .run(
            "CREATE PROCEDURE fill() LANGUAGE plpgsql AS $$ BEGIN FOR i IN 1..15 LOOP \
             INSERT INTO t SELECT generate_series(i * 4000, i * 4000 + 3999); COMMIT; \
             END LOOP; END $$",
        )
        .await;
    database.sql.run("CALL fill()").await;
    // The server sees what the reader has read, though nothing was taken from the queue.
    let now = database.sql.text("SELECT pg_current_wal_lsn()").await;
    let read = format!(
        "SELECT coalesce(bool_and(write_lsn >= '{now}'), false) FROM pg_stat_replication \
         WHERE pid IN (SELECT active_pid FROM pg_replication_slots WHERE database = '{}')",
        database.test.name()
    );
    let drained = async { while database.sql.text(&read).await != "t" {} };
    tokio::time::timeout(PATIENCE, drained).await.unwrap();
    reader
        .until("the merged transactions", |it| !it.told.is_empty())
        .await;
    assert_eq!(reader.told[0].whole.len(), 1);
    assert!(reader.keys().len() < 50_000, "{}", reader.keys().len());
    reader.stop().await;
}
