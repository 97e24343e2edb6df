//! Publication and slot on a real server, as an app's migrator sets them up and takes them down.
#![allow(clippy::unwrap_used)]

use blazelink_codes::Code;
use blazelink_migrations::{
    Ensured, Execute, PublicationMigration, SeaOrm, Slot, SlotMigration, SlotMode,
    empty_publication, ensure_publication, publish, publish_table, slot_name, unpublish,
    unpublish_table,
};
use blazelink_postgres::TestDatabase;
use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{pk_auto, string};
use sea_orm_migration::sea_orm::{Database, DatabaseConnection};

struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(PublicationMigration),
            Box::new(SlotMigration::new("test").mode(SlotMode::Durable)),
            Box::new(CreateGame),
        ]
    }
}

#[derive(DeriveMigrationName)]
struct CreateGame;

#[async_trait::async_trait]
impl MigrationTrait for CreateGame {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table("game")
            .col(pk_auto("id"))
            .col(string("name"))
            .to_owned();
        manager.create_table(table).await?;
        publish(manager, "game").await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        unpublish(manager, "game").await?;
        manager
            .drop_table(Table::drop().table("game").to_owned())
            .await
    }
}

/// A migrator without a durable slot.
struct Temporary;

#[async_trait::async_trait]
impl MigratorTrait for Temporary {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(PublicationMigration),
            Box::new(SlotMigration::new("test").mode(SlotMode::Temporary)),
        ]
    }
}

async fn connect(database: &TestDatabase) -> DatabaseConnection {
    Database::connect(database.url()).await.unwrap()
}

async fn text(db: &DatabaseConnection, sql: &str) -> String {
    let rows = SeaOrm(db).rows(sql).await.unwrap();
    let cells = rows.into_iter().flatten().map(Option::unwrap_or_default);
    cells.collect::<Vec<_>>().join(" ")
}

async fn run(db: &DatabaseConnection, sql: &str) {
    db.execute_unprepared(sql).await.unwrap();
}

const MEMBERS: &str = "SELECT tablename::text FROM pg_publication_tables \
                       WHERE pubname = 'blazelink' ORDER BY 1";

const SLOTS: &str = "SELECT slot_name::text FROM pg_replication_slots \
                     WHERE database = current_database()";

fn identity(table: &str) -> String {
    format!("SELECT relreplident::text FROM pg_class WHERE relname = '{table}'")
}

#[tokio::test]
async fn migrator_sets_up_and_takes_down() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    let slot = slot_name(database.name(), "test");
    for _ in 0..2 {
        Migrator::up(&db, None).await.unwrap();
        assert_eq!(text(&db, MEMBERS).await, "game");
        assert_eq!(text(&db, &identity("game")).await, "f");
        assert_eq!(text(&db, SLOTS).await, slot);

        Migrator::down(&db, None).await.unwrap();
        assert_eq!(text(&db, SLOTS).await, "");
        assert_eq!(text(&db, MEMBERS).await, "");
        let publications = text(&db, "SELECT pubname::text FROM pg_publication").await;
        assert_eq!(publications, "blazelink", "it is emptied, never dropped");
    }
}

#[tokio::test]
async fn temporary_mode_makes_no_slot() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    Temporary::up(&db, None).await.unwrap();
    assert_eq!(text(&db, SLOTS).await, "");
    Temporary::down(&db, None).await.unwrap();
}

#[tokio::test]
async fn migration_that_is_refused_says_what_to_type() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    run(&db, "CREATE PUBLICATION blazelink FOR ALL TABLES").await;
    let refused = Migrator::up(&db, None).await.unwrap_err().to_string();
    assert!(refused.contains("BLZ3005"), "{refused}");
    assert!(refused.contains("hint: "), "{refused}");
    assert!(refused.contains("DROP PUBLICATION"), "{refused}");
    run(&db, "DROP PUBLICATION blazelink").await;
}

#[tokio::test]
async fn publishing_twice_changes_nothing() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    run(&db, "CREATE TABLE \"O'Name\" (id int PRIMARY KEY)").await;
    run(
        &db,
        "CREATE SCHEMA game; CREATE TABLE game.kill (id int PRIMARY KEY)",
    )
    .await;
    let mut sql = SeaOrm(&db);
    for _ in 0..2 {
        publish_table(&mut sql, "game.kill").await.unwrap();
        assert_eq!(text(&db, MEMBERS).await, "kill");
    }
    for _ in 0..2 {
        unpublish_table(&mut sql, "game.kill").await.unwrap();
        assert_eq!(text(&db, MEMBERS).await, "");
        assert_eq!(text(&db, &identity("kill")).await, "d");
    }
    unpublish_table(&mut sql, "unknown").await.unwrap();
    publish_table(&mut sql, "O'Name").await.unwrap();
    assert_eq!(text(&db, MEMBERS).await, "O'Name");
}

#[tokio::test]
async fn publication_names_partitioned_tables_and_tells_partitions_whole() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    run(
        &db,
        "CREATE TABLE log (id int PRIMARY KEY) PARTITION BY RANGE (id); \
         CREATE TABLE log_1 PARTITION OF log FOR VALUES FROM (0) TO (10); \
         CREATE PUBLICATION blazelink",
    )
    .await;
    publish_table(&mut SeaOrm(&db), "log").await.unwrap();
    assert_eq!(text(&db, MEMBERS).await, "log");
    assert_eq!(text(&db, &identity("log")).await, "f");
    assert_eq!(text(&db, &identity("log_1")).await, "f");
}

#[tokio::test]
async fn table_without_a_key_is_refused_with_both_remedies() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    run(&db, "CREATE TABLE line (body text)").await;
    let mut sql = SeaOrm(&db);
    let error = publish_table(&mut sql, "line").await.unwrap_err();
    assert_eq!(error.code(), Code::TableWithoutKey);
    let hint = error.hint().unwrap();
    assert!(
        hint.contains("PRIMARY KEY") && hint.contains("REPLICA IDENTITY FULL"),
        "{hint}"
    );
    // The app's own statements go on working.
    run(
        &db,
        "INSERT INTO line VALUES ('x'); UPDATE line SET body = 'y'",
    )
    .await;

    run(&db, "ALTER TABLE line REPLICA IDENTITY FULL").await;
    publish_table(&mut sql, "line").await.unwrap();
    run(&db, "UPDATE line SET body = 'z'; DELETE FROM line").await;
    unpublish_table(&mut sql, "line").await.unwrap();
    assert_eq!(
        text(&db, &identity("line")).await,
        "f",
        "it was set by hand"
    );
}

#[tokio::test]
async fn what_postgres_tells_nothing_of_is_refused() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    run(
        &db,
        "CREATE UNLOGGED TABLE u (id int PRIMARY KEY); CREATE VIEW v AS SELECT 1 AS id",
    )
    .await;
    let mut sql = SeaOrm(&db);
    for (table, code) in [
        ("u", Code::Publication),
        ("v", Code::Publication),
        ("missing", Code::SchemaMismatch),
    ] {
        let error = publish_table(&mut sql, table).await.unwrap_err();
        assert_eq!(error.code(), code, "{table}");
    }
    run(&db, "CREATE PUBLICATION blazelink FOR ALL TABLES").await;
    let error = ensure_publication(&mut sql).await.unwrap_err();
    assert_eq!(error.code(), Code::Publication);
}

#[tokio::test]
async fn slot_is_made_once_and_not_before_its_publication() {
    let database = TestDatabase::create().await.unwrap();
    let db = connect(&database).await;
    let name = slot_name(database.name(), "once");
    let mut sql = SeaOrm(&db);
    let error = Slot::ensure(&mut sql, &name).await.unwrap_err();
    assert_eq!(error.code(), Code::Publication);
    ensure_publication(&mut sql).await.unwrap();
    assert_eq!(
        Slot::ensure(&mut sql, &name).await.unwrap(),
        Ensured::Created
    );
    assert_eq!(Slot::ensure(&mut sql, &name).await.unwrap(), Ensured::Kept);

    let error = empty_publication(&mut sql).await.unwrap_err();
    assert!(error.sentence().contains(&name), "{error}");
    Slot::remove(&mut sql, &name).await.unwrap();
    Slot::remove(&mut sql, &name).await.unwrap();
    empty_publication(&mut sql).await.unwrap();
}

#[tokio::test]
async fn slot_of_another_database_or_plugin_is_not_ours() {
    let (one, two) = (
        TestDatabase::create().await.unwrap(),
        TestDatabase::create().await.unwrap(),
    );
    let (one_db, two_db) = (connect(&one).await, connect(&two).await);
    let mut other = SeaOrm(&two_db);
    let name = slot_name(one.name(), "shared");
    ensure_publication(&mut other).await.unwrap();
    Slot::ensure(&mut other, &name).await.unwrap();
    let mut sql = SeaOrm(&one_db);
    for error in [
        Slot::ensure(&mut sql, &name).await.unwrap_err(),
        Slot::remove(&mut sql, &name).await.unwrap_err(),
    ] {
        assert!(error.sentence().contains(two.name()), "{error}");
    }
    Slot::remove(&mut other, &name).await.unwrap();
    run(
        &one_db,
        &format!("SELECT pg_create_physical_replication_slot('{name}')"),
    )
    .await;
    let error = Slot::ensure(&mut sql, &name).await.unwrap_err();
    assert!(error.sentence().contains("physical"), "{error}");
    run(
        &one_db,
        &format!("SELECT pg_drop_replication_slot('{name}')"),
    )
    .await;
}

#[tokio::test]
async fn ordinary_role_that_may_replicate_needs_no_more() {
    let database = TestDatabase::create().await.unwrap();
    let admin = connect(&database).await;
    let role = format!("owner_{}", database.name());
    run(
        &admin,
        &format!(
            "CREATE ROLE {role} LOGIN REPLICATION; \
             GRANT CREATE ON DATABASE {} TO {role}; GRANT CREATE ON SCHEMA public TO {role}",
            database.name()
        ),
    )
    .await;
    let url = database.url().replacen("postgres@", &format!("{role}@"), 1);
    let db = Database::connect(url).await.unwrap();
    assert_eq!(text(&db, "SELECT current_user::text").await, role);
    Migrator::up(&db, None).await.unwrap();
    assert_eq!(text(&db, MEMBERS).await, "game");
    Migrator::down(&db, None).await.unwrap();
}
