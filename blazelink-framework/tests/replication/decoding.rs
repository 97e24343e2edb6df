//! What the stream says in each case that matters, as transactions.

use std::sync::Arc;

use blazelink::change::{ChangeKind, Old};
use blazelink::exposure::Exposure;
use blazelink::object_id::{Atom, Key, TableId};
use blazelink::replication::{Decoder, INVALIDATE, Limits, SCHEMA};

use crate::support::{Database, exposed, texts};

const PLAYER: TableId = TableId(0);
const TEAM: TableId = TableId(1);

const SCHEMA_SQL: &str = "CREATE TABLE player (id int PRIMARY KEY, name text, secret text); \
                          CREATE TABLE team (id int PRIMARY KEY, name text)";

async fn players_and_teams() -> (Database, crate::support::Follower) {
    let database = Database::create(SCHEMA_SQL, &["player", "team"]).await;
    let follower = database
        .follow(vec![
            exposed(0, "player", &["id#", "name"], &[0]),
            exposed(1, "team", &["id#", "name"], &[0]),
        ])
        .await;
    (database, follower)
}

#[tokio::test]
async fn insert_update_and_delete_carry_both_images() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;

    sql.run("INSERT INTO player VALUES (1, 'Ann', 's')").await;
    let change = follower.one_change(sql).await;
    assert_eq!((change.table, change.kind), (PLAYER, ChangeKind::Insert));
    assert_eq!(change.key, Key::from(1));
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", "Ann"]);
    assert_eq!(change.old, Old::None);

    sql.run("UPDATE player SET name = NULL").await;
    let change = follower.one_change(sql).await;
    let Old::Full(old) = &change.old else {
        panic!("FULL tells the old row")
    };
    assert_eq!(texts(old), ["1", "Ann"]);
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", "NULL"]);
    assert_eq!((change.kind, &change.moved), (ChangeKind::Update, &None));

    sql.run("UPDATE player SET id = 2").await;
    let change = follower.one_change(sql).await;
    assert_eq!(change.moved, Some(Key::from(1)));
    assert_eq!(change.key, Key::from(2));

    sql.run("DELETE FROM player").await;
    let change = follower.one_change(sql).await;
    assert_eq!((change.kind, &change.new), (ChangeKind::Delete, &None));
    assert_eq!(change.key, Key::from(2));
}

#[tokio::test]
async fn transactions_come_whole_and_in_commit_order() {
    let (mut database, mut follower) = players_and_teams().await;
    let mut other = crate::support::Sql::connect(&database.url).await;
    let sql = &mut database.sql;
    sql.run("BEGIN").await;
    sql.run("INSERT INTO player VALUES (1, 'first to write')")
        .await;
    other
        .run("INSERT INTO player VALUES (2, 'first to commit')")
        .await;
    sql.run("INSERT INTO team VALUES (3, 'x')").await;
    sql.run("COMMIT").await;
    sql.run("BEGIN; INSERT INTO player VALUES (9, 'never'); ROLLBACK")
        .await;
    let transactions = follower.until_now(sql).await;
    let keys: Vec<Vec<(TableId, &Key)>> = transactions
        .iter()
        .map(|it| it.changes.iter().map(|it| (it.table, &it.key)).collect())
        .collect();
    let (one, two, three) = (Key::from(1), Key::from(2), Key::from(3));
    assert_eq!(
        keys,
        [vec![(PLAYER, &two)], vec![(PLAYER, &one), (TEAM, &three)]]
    );
    assert!(transactions[0].end_lsn < transactions[1].end_lsn);
    assert_ne!(transactions[0].xid, transactions[1].xid);
}

#[tokio::test]
async fn identity_default_tells_keys_only() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run("ALTER TABLE player REPLICA IDENTITY DEFAULT").await;
    sql.run("INSERT INTO player VALUES (1, 'Ann')").await;
    follower.until_now(sql).await;

    sql.run("UPDATE player SET name = 'Bob'").await;
    assert_eq!(follower.one_change(sql).await.old, Old::None);
    sql.run("UPDATE player SET id = 2").await;
    let change = follower.one_change(sql).await;
    assert_eq!(change.old, Old::Key(Key::from(1)));
    assert_eq!(change.moved, Some(Key::from(1)));
    sql.run("DELETE FROM player").await;
    let change = follower.one_change(sql).await;
    assert_eq!(
        (change.old, change.key),
        (Old::Key(Key::from(2)), Key::from(2))
    );
}

#[tokio::test]
async fn identity_by_an_index_without_the_key_makes_updates_whole() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run(
        "ALTER TABLE player ALTER name SET NOT NULL; \
         CREATE UNIQUE INDEX by_name ON player (name); \
         ALTER TABLE player REPLICA IDENTITY USING INDEX by_name",
    )
    .await;
    sql.run("INSERT INTO player VALUES (1, 'Ann')").await;
    assert_eq!(follower.one_change(sql).await.key, Key::from(1));
    for statement in [
        "UPDATE player SET id = 9",
        "UPDATE player SET name = 'Bob'",
        "DELETE FROM player",
    ] {
        sql.run(statement).await;
        assert_eq!(follower.one(sql).await.whole, [PLAYER], "{statement}");
    }
}

#[tokio::test]
async fn identity_by_an_index_with_the_key_tells_moves() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run(
        "ALTER TABLE player ALTER name SET NOT NULL; \
         CREATE UNIQUE INDEX by_both ON player (name, id); \
         ALTER TABLE player REPLICA IDENTITY USING INDEX by_both",
    )
    .await;
    sql.run("INSERT INTO player VALUES (1, 'Ann')").await;
    follower.until_now(sql).await;
    sql.run("UPDATE player SET id = 9").await;
    let change = follower.one_change(sql).await;
    assert_eq!(change.moved, Some(Key::from(1)));
    assert_eq!(change.key, Key::from(9));
}

#[tokio::test]
async fn values_out_of_line_are_told_though_the_statement_left_them_alone() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run("ALTER TABLE player ALTER name SET STORAGE EXTERNAL")
        .await;
    sql.run("INSERT INTO player VALUES (1, repeat('x', 10000), 's')")
        .await;
    follower.until_now(sql).await;
    let long = "x".repeat(10_000);

    sql.run("UPDATE player SET secret = 't'").await;
    let change = follower.one_change(sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", &long]);

    sql.run("ALTER TABLE player REPLICA IDENTITY DEFAULT").await;
    sql.run("INSERT INTO player VALUES (2, 'y', 's')").await;
    follower.until_now(sql).await;
    sql.run("UPDATE player SET secret = 'u' WHERE id = 1").await;
    let change = follower.one_change(sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", "?"]);
}

#[tokio::test]
async fn composite_uuid_and_text_keys_are_as_postgres_prints_them() {
    let mut database = Database::create(
        "CREATE TABLE seat (number int, hall text, taken bool, PRIMARY KEY (hall, number)); \
         CREATE TABLE token (id uuid PRIMARY KEY)",
        &["seat", "token"],
    )
    .await;
    let mut follower = database
        .follow(vec![
            exposed(0, "seat", &["number#", "hall", "taken"], &[1, 0]),
            exposed(1, "token", &["id"], &[0]),
        ])
        .await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO seat VALUES (12, 'A', NULL)").await;
    let change = follower.one_change(sql).await;
    assert_eq!(change.key.atoms(), [Atom::Text("A".into()), Atom::Int(12)]);
    assert_eq!(texts(change.new.as_ref().unwrap()), ["12", "A", "NULL"]);
    sql.run("UPDATE seat SET hall = 'B'").await;
    let moved = follower.one_change(sql).await.moved.unwrap();
    assert_eq!(moved.atoms(), [Atom::Text("A".into()), Atom::Int(12)]);
    sql.run("INSERT INTO token VALUES ('A0EEBC999C0B4EF8BB6D6BB9BD380A11')")
        .await;
    let key = follower.one_change(sql).await.key;
    assert_eq!(key, Key::from("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
}

#[tokio::test]
async fn values_are_printed_by_the_settings_of_every_connection() {
    let mut database = Database::create(
        "CREATE TABLE v (id int PRIMARY KEY, at timestamptz, span interval, f float8, b bytea)",
        &["v"],
    )
    .await;
    // The server's own settings are others.
    let name = database.test.name().to_owned();
    let sql = &mut database.sql;
    sql.run(&format!(
        "ALTER DATABASE {name} SET datestyle = 'German'; \
         ALTER DATABASE {name} SET timezone = 'Asia/Tokyo'; \
         ALTER DATABASE {name} SET bytea_output = 'escape'"
    ))
    .await;
    let columns = ["id#", "at", "span", "f", "b"];
    let mut follower = database.follow(vec![exposed(0, "v", &columns, &[0])]).await;
    let sql = &mut database.sql;
    sql.run(
        "INSERT INTO v VALUES (1, '2024-01-02 03:04:05.678+02', '1 mon 2 days 03:04:05', 0.1::float8 \
         + 0.2, '\\x00ff')",
    )
    .await;
    let change = follower.one_change(sql).await;
    let row = change.new.unwrap();
    let told = texts(&row);
    assert_eq!(
        told,
        [
            "1",
            "2024-01-02 01:04:05.678+00",
            "1 mon 2 days 03:04:05",
            "0.30000000000000004",
            "\\x00ff"
        ]
    );
    let mut asked = crate::support::Sql::connect(&database.url).await;
    for (column, told) in columns.iter().zip(told) {
        let column = column.trim_end_matches('#');
        assert_eq!(asked.text(&format!("SELECT {column} FROM v")).await, told);
    }
}

#[tokio::test]
async fn truncate_makes_its_tables_whole() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO player VALUES (1, 'Ann'); TRUNCATE team, player")
        .await;
    let transaction = follower.one(sql).await;
    assert_eq!(transaction.changes, []);
    assert_eq!(transaction.whole, [PLAYER, TEAM]);
}

#[tokio::test]
async fn schema_changes_in_mid_stream_make_the_table_whole_once() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO player VALUES (1, 'Ann')").await;
    follower.until_now(sql).await;

    for (statement, insert) in [
        (
            "ALTER TABLE player ADD COLUMN rank int DEFAULT 5",
            "INSERT INTO player (id) VALUES (2)",
        ),
        (
            "ALTER TABLE player DROP COLUMN secret",
            "INSERT INTO player (id) VALUES (3)",
        ),
        (
            "ALTER TABLE player RENAME name TO nick",
            "INSERT INTO player (id) VALUES (4)",
        ),
        (
            "ALTER TABLE player RENAME nick TO name",
            "INSERT INTO player (id) VALUES (5)",
        ),
    ] {
        sql.run(&format!("BEGIN; {statement}; {insert}; COMMIT"))
            .await;
        let transaction = follower.one(sql).await;
        assert_eq!(transaction.whole, [PLAYER], "{statement}");
        sql.run(&insert.replace("VALUES (", "VALUES (10 + ")).await;
        let change = follower.one_change(sql).await;
        assert_eq!(change.table, PLAYER, "{statement}");
    }
    // Described again, and not altered.
    sql.run("ANALYZE player").await;
    sql.run("GRANT SELECT ON player TO public").await;
    sql.run("INSERT INTO player (id) VALUES (6)").await;
    let change = follower.one_change(sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["6", "NULL"]);
}

#[tokio::test]
async fn table_dropped_and_made_again_is_followed_under_its_name() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO player VALUES (1, 'Ann')").await;
    follower.until_now(sql).await;
    sql.run("DROP TABLE player; CREATE TABLE player (name text, id int PRIMARY KEY)")
        .await;
    blazelink_migrations::publish_table(sql.execute(), "player")
        .await
        .unwrap();
    sql.run("INSERT INTO player VALUES ('Bob', 2)").await;
    assert_eq!(follower.one(sql).await.whole, [PLAYER]);
    sql.run("INSERT INTO player VALUES ('Cid', 3)").await;
    let change = follower.one_change(sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["3", "Cid"]);
}

#[tokio::test]
async fn rows_of_partitions_are_the_tables_own() {
    let mut database = Database::create(
        "CREATE TABLE log (id int, at int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); \
         CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10); \
         CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (10) TO (20)",
        &["log"],
    )
    .await;
    let log = exposed(0, "log", &["id#", "at#"], &[0, 1]);
    let mut follower = database.follow(vec![log]).await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO log VALUES (1, 5)").await;
    let change = follower.one_change(sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", "5"]);

    sql.run("UPDATE log SET at = 15").await;
    let transaction = follower.one(sql).await;
    let kinds: Vec<ChangeKind> = transaction.changes.iter().map(|it| it.kind).collect();
    assert_eq!(kinds, [ChangeKind::Delete, ChangeKind::Insert]);

    sql.run("UPDATE log SET id = 2").await;
    let change = follower.one_change(sql).await;
    let Old::Full(old) = change.old else {
        panic!("partitions tell their old rows as well")
    };
    assert_eq!(texts(&old), ["1", "15"]);
    sql.run("TRUNCATE log").await;
    assert_eq!(follower.one(sql).await.whole, [PLAYER]);
}

#[tokio::test]
async fn partitions_that_keep_their_old_rows_to_themselves_are_not_taken_at_their_word() {
    let mut database = Database::create(
        "CREATE TABLE log (id int PRIMARY KEY, at int, note text) PARTITION BY RANGE (id)",
        &["log"],
    )
    .await;
    let log = exposed(0, "log", &["id#", "at#", "note"], &[0]);
    let exposure = Exposure::new(vec![log.clone()]).with_partitioned(log.id);
    let mut follower = database.follow(vec![log]).await;
    follower.decoder = Decoder::new(Arc::new(exposure), Limits::default());
    let sql = &mut database.sql;
    // As a job of the database's own makes them, without a word of their replica identity.
    sql.run("CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10)")
        .await;
    sql.run("INSERT INTO log VALUES (1, 5, 'a')").await;
    assert_eq!(follower.one_change(sql).await.old, Old::None);
    sql.run("UPDATE log SET at = 7").await;
    assert_eq!(follower.one_change(sql).await.old, Old::None);
    sql.run("UPDATE log SET id = 2").await;
    let change = follower.one_change(sql).await;
    assert_eq!(change.old, Old::Key(Key::from(1)));
    assert_eq!(change.moved, Some(Key::from(1)));
    sql.run("DELETE FROM log").await;
    let change = follower.one_change(sql).await;
    assert_eq!(
        (change.old, change.key),
        (Old::Key(Key::from(2)), Key::from(2))
    );

    sql.run("ALTER TABLE log_1 REPLICA IDENTITY FULL").await;
    sql.run("INSERT INTO log VALUES (3, NULL, 'a')").await;
    follower.one_change(sql).await;
    sql.run("DELETE FROM log").await;
    let Old::Full(old) = follower.one_change(sql).await.old else {
        panic!("the old row is told whole")
    };
    assert_eq!(texts(&old), ["3", "NULL", "a"]);
}

#[tokio::test]
async fn generated_columns_that_are_not_told_are_not_known() {
    let mut database = Database::create(
        "CREATE TABLE g (id int PRIMARY KEY, twice int GENERATED ALWAYS AS (id * 2) STORED)",
        &["g"],
    )
    .await;
    let mut follower = database
        .follow(vec![exposed(0, "g", &["id#", "twice#"], &[0])])
        .await;
    database.sql.run("INSERT INTO g VALUES (1)").await;
    let change = follower.one_change(&mut database.sql).await;
    assert_eq!(texts(change.new.as_ref().unwrap()), ["1", "?"]);
}

#[tokio::test]
async fn cascades_are_changes_of_the_same_transaction() {
    let mut database = Database::create(
        "CREATE TABLE team (id int PRIMARY KEY); \
         CREATE TABLE player (id int PRIMARY KEY, team_id int REFERENCES team ON DELETE CASCADE)",
        &["player", "team"],
    )
    .await;
    let mut follower = database
        .follow(vec![
            exposed(0, "player", &["id#", "team_id#"], &[0]),
            exposed(1, "team", &["id#"], &[0]),
        ])
        .await;
    let sql = &mut database.sql;
    sql.run("INSERT INTO team VALUES (1); INSERT INTO player VALUES (1, 1), (2, 1)")
        .await;
    follower.until_now(sql).await;
    sql.run("DELETE FROM team").await;
    let transaction = follower.one(sql).await;
    let mut tables: Vec<TableId> = transaction.changes.iter().map(|it| it.table).collect();
    tables.sort_unstable();
    assert_eq!(tables, [PLAYER, PLAYER, TEAM]);
}

#[tokio::test]
async fn logical_messages_make_tables_whole_in_commit_order() {
    let (mut database, mut follower) = players_and_teams().await;
    let sql = &mut database.sql;
    let emit = |transactional: bool, prefix: &str, content: &str| {
        format!("SELECT pg_logical_emit_message({transactional}, '{prefix}', '{content}')")
    };
    let team = r#"{"table": "team"}"#;
    sql.run(&format!(
        "INSERT INTO player VALUES (1, 'Ann'); {}",
        emit(true, INVALIDATE, team)
    ))
    .await;
    let transaction = follower.one(sql).await;
    assert_eq!(
        (transaction.changes.len(), &transaction.whole[..]),
        (1, &[TEAM][..])
    );

    sql.run(&format!(
        "BEGIN; {}; ROLLBACK",
        emit(true, INVALIDATE, team)
    ))
    .await;
    assert!(follower.until_now(sql).await.is_empty());

    sql.run(&format!("BEGIN; {}; ROLLBACK", emit(false, SCHEMA, "")))
        .await;
    let transaction = follower.one(sql).await;
    assert_eq!(
        (transaction.xid, &transaction.whole[..]),
        (0, &[PLAYER, TEAM][..])
    );
}
