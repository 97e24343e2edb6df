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
    let hint = "Run the migrations: blazelink migrate up; or write one: blazelink migrate diff";
    assert_eq!(error.hint(), Some(hint));
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
    assert!(error.hint().unwrap().contains("blazelink migrate diff"));
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
    let (postgres, database) = database().await;
    database
        .execute_unprepared("CREATE SCHEMA app; ALTER TABLE game SET SCHEMA app")
        .await
        .unwrap();
    let mut options = sea_orm::ConnectOptions::new(postgres.url());
    options.map_sqlx_postgres_opts(|options| options.options([("search_path", "app,public")]));
    let database = sea_orm::Database::connect(options).await.unwrap();
    let manager = data::verify(builder().build().unwrap(), &database)
        .await
        .unwrap();
    assert_eq!(manager.named("Game").unwrap().schema, "app");
    let exposure = manager.exposure();
    assert_eq!(exposure.by_name("app", "game").unwrap().entity, "Game");
}

#[tokio::test]
async fn relations_that_no_index_serves_are_named_with_what_makes_it() {
    let (_postgres, database) = database().await;
    let manager = data::verify(builder().build().unwrap(), &database)
        .await
        .unwrap();
    let lines = async || -> Vec<String> {
        let missing = data::missing_indexes(&manager, &database).await.unwrap();
        let lines = missing.iter();
        lines
            .map(|it| format!("{}: {}", it.relations.join(", "), it.sql))
            .collect()
    };
    assert_eq!(
        lines().await,
        [
            "Address.customers_by_home_address: CREATE INDEX ON \"public\".\"customer\" (\"home_address_id\", \"id\");",
            "Address.customers_by_work_address: CREATE INDEX ON \"public\".\"customer\" (\"work_address_id\", \"id\");",
            "Category.categorys_by_parent: CREATE INDEX ON \"public\".\"category\" (\"parent_id\", \"id\");",
            "Game.game_events: CREATE INDEX ON \"public\".\"game_event\" (\"game_id\", \"id\");",
            "Label.notes: CREATE INDEX ON \"public\".\"note\" (\"label_code\", \"id\");",
            "Stock.stock_move: CREATE INDEX ON \"public\".\"stock_move\" (\"warehouse\", \"product_id\", \"id\");",
            "Tag.users, Tag.user_tags: CREATE INDEX ON \"public\".\"user_tag\" (\"tag_id\", \"user_id\");",
            "Team.users: CREATE INDEX ON \"public\".\"user\" (\"team_id\", \"id\");",
            "User.events: CREATE INDEX ON \"public\".\"game_event\" (\"player_id\", \"id\");",
        ]
    );
    // What is typed makes it well; what only looks like it does not.
    for line in lines().await {
        let (_, sql) = line.split_once(": ").unwrap();
        if !line.starts_with("Game.") && !line.starts_with("Team.") && !line.starts_with("User.") {
            database.execute_unprepared(sql).await.unwrap();
        }
    }
    let rows = [
        ("CREATE INDEX i ON game_event (game_id)", 3),
        ("CREATE INDEX j ON game_event (game_id, id) WHERE id > 5", 3),
        ("CREATE INDEX k ON game_event ((game_id + 1), id)", 3),
        ("CREATE INDEX l ON game_event USING hash (game_id)", 3),
        ("CREATE INDEX m ON game_event (game_id) INCLUDE (id)", 3),
        ("CREATE INDEX n ON game_event (game_id DESC, id DESC)", 2),
        ("CREATE UNIQUE INDEX o ON \"user\" (team_id)", 1),
        ("CREATE INDEX p ON game_event (player_id, id, type)", 0),
    ];
    for (sql, left) in rows {
        database.execute_unprepared(sql).await.unwrap();
        assert_eq!(lines().await.len(), left, "{sql}");
    }
}
