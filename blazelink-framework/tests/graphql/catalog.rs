//! The start-up check that entities and database agree.

use blazelink::codes::Code;
use blazelink::data;
use blazelink::error::Error;
use sea_orm::ConnectionTrait;

use crate::support::{builder, database};

async fn refusal(sql: &str) -> Error {
    let (_postgres, database) = database().await;
    database.execute_unprepared(sql).await.unwrap();
    data::verify(builder().build().unwrap(), &database)
        .await
        .unwrap_err()
}

#[tokio::test]
async fn missing_tables_and_columns_are_told_together() {
    let error = refusal(
        "DROP TABLE game; ALTER TABLE team DROP COLUMN name; ALTER TABLE team ADD COLUMN other int",
    )
    .await;
    assert_eq!(error.code(), Code::SchemaMismatch);
    assert_eq!(
        error.sentence(),
        "Table `game` is not in the database; Column `name` of table `team` is not in the database"
    );
    assert_eq!(error.hint(), Some("Run the migrations: blazelink migrate"));
}

#[tokio::test]
async fn columns_of_another_kind_are_refused() {
    let error = refusal("ALTER TABLE game ALTER COLUMN id TYPE int8; ALTER TABLE \"user\" ALTER COLUMN name TYPE text[] USING ARRAY[name]").await;
    assert_eq!(error.code(), Code::SchemaMismatch);
    assert_eq!(
        error.sentence(),
        "Column `id` of table `game` is `bigint` in the database, `int4` in its entity; Column `name` of table `user` \
         is `text[]` in the database, `varchar` in its entity"
    );
    assert!(error.hint().unwrap().contains("Generate the entity again"));
}

#[tokio::test]
async fn views_are_refused() {
    let error =
        refusal("DROP TABLE game; CREATE VIEW game AS SELECT 1 AS id, ''::varchar AS name").await;
    assert_eq!(error.sentence(), "`game` is no table");
    assert!(
        error
            .hint()
            .unwrap()
            .contains("only tables can be followed")
    );
}

#[tokio::test]
async fn other_types_of_the_same_kind_are_taken_from_the_database() {
    let (_postgres, database) = database().await;
    database
        .execute_unprepared("ALTER TABLE game ALTER COLUMN name TYPE char(3); ALTER TABLE game ALTER COLUMN id TYPE int2")
        .await
        .unwrap();
    let manager = data::verify(builder().build().unwrap(), &database)
        .await
        .unwrap();
    let game = manager.named("Game").unwrap();
    let types: Vec<&str> = game
        .columns
        .iter()
        .map(|column| column.sql_type.as_str())
        .collect();
    assert_eq!(types, ["smallint", "bpchar"]);
}

#[tokio::test]
async fn tables_are_found_along_the_search_path() {
    let (_postgres, database) = database().await;
    database
        .execute_unprepared("CREATE SCHEMA app; ALTER TABLE game SET SCHEMA app; ALTER DATABASE CURRENT_DATABASE SET search_path = app")
        .await
        .unwrap_err();
    database
        .execute_unprepared("CREATE SCHEMA app; ALTER TABLE game SET SCHEMA app")
        .await
        .unwrap();
    database
        .execute_unprepared("DO $$ BEGIN EXECUTE format('ALTER ROLE %I IN DATABASE %I SET search_path = app, public', current_user, current_database()); END $$")
        .await
        .unwrap();
    let url = _postgres.url();
    let database = sea_orm::Database::connect(url).await.unwrap();
    let manager = data::verify(builder().build().unwrap(), &database)
        .await
        .unwrap();
    assert_eq!(manager.named("Game").unwrap().schema, "app");
    assert_eq!(
        manager.exposure().by_name("app", "game").unwrap().entity,
        "Game"
    );
}
