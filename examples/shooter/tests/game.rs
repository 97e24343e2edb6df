//! The game on a real database: what is seeded, what a kill changes, and what is no kill.
#![allow(clippy::unwrap_used)]

use std::error::Error;
use std::sync::Arc;

use blazelink::BlazeContext;
use blazelink::graphql::{Executor, Request};
use blazelink::subscription::Unwatched;
use blazelink::table::TableManager;
use blazelink_postgres::TestDatabase;
use sea_orm::prelude::*;
use sea_orm::{Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait;
use serde_json::{Value, json};
use shooter::entities::{game, game_event, team, user};
use shooter::kills::{self, Refusal};
use shooter::player_stats::PlayerStats;
use shooter::seed;
use shooter_migration::Migrator;

/// A seeded database of its own, and the connection to it.
async fn seeded() -> (TestDatabase, DatabaseConnection) {
    let database = TestDatabase::from_template("shooter", async |url: String| {
        let db = Database::connect(url).await?;
        Migrator::up(&db, None).await?;
        seed::run(db.clone()).await?;
        db.close().await?;
        Ok::<(), Box<dyn Error + Send + Sync>>(())
    })
    .await
    .unwrap();
    let db = Database::connect(database.url()).await.unwrap();
    (database, db)
}

async fn players(db: &DatabaseConnection) -> Vec<user::Model> {
    user::Entity::find().all(db).await.unwrap()
}

async fn events(db: &DatabaseConnection) -> u64 {
    game_event::Entity::find().count(db).await.unwrap()
}

#[tokio::test]
async fn an_empty_database_is_seeded_once() {
    let (_database, db) = seeded().await;
    seed::run(db.clone()).await.unwrap();
    assert_eq!(team::Entity::find().count(&db).await.unwrap(), 2);
    assert_eq!(players(&db).await.len(), 8);
    assert_eq!(game::Entity::find().count(&db).await.unwrap(), 1);
    assert_eq!(events(&db).await, 6);
}

#[tokio::test]
async fn a_kill_counts_for_one_and_against_the_other() {
    let (_database, db) = seeded().await;
    let before = counts(&db, 1, 8).await;
    let event = kills::record(&db, 1, 8).await.unwrap();
    assert_eq!((event.player_id, event.victim_id), (1, Some(8)));
    assert_eq!(event.kind, "kill");
    let after = counts(&db, 1, 8).await;
    assert_eq!(after, (before.0 + 1, before.1 + 1));
}

#[tokio::test]
async fn what_cannot_have_happened_is_refused_and_leaves_nothing_behind() {
    let (_database, db) = seeded().await;
    let oneself = kills::record(&db, 3, 3).await.unwrap_err();
    assert!(matches!(oneself, Refusal::Oneself));
    for (killer, victim) in [(99, 1), (1, 99)] {
        let refusal = kills::record(&db, killer, victim).await.unwrap_err();
        assert!(matches!(refusal, Refusal::NoSuchPlayer(99)));
    }
    assert_eq!(events(&db).await, 6);
}

#[tokio::test]
async fn statistics_of_a_player_follow_the_kills() {
    let (_database, db) = seeded().await;
    let stats = "{ playerStats(identifier: {dependencies: [{entity: \"User\", obj_id: 1}]}) {
        kills deaths rival { player { obj_id row { name } } kills }
    } }";
    let rival = |id: i32, name: &str, kills: i32| json!({"player": {"obj_id": id, "row": {"name": name}}, "kills": kills});
    let expected = json!({"kills": 2, "deaths": 1, "rival": rival(5, "Lin", 1)});
    assert_eq!(ask(&db, stats).await["playerStats"], expected);
    for (killer, victim) in [(8, 1), (8, 1), (1, 8)] {
        kills::record(&db, killer, victim).await.unwrap();
    }
    let expected = json!({"kills": 3, "deaths": 3, "rival": rival(8, "Kwame", 2)});
    assert_eq!(ask(&db, stats).await["playerStats"], expected);
    let peaceful = stats.replace("obj_id: 1}", "obj_id: 3}");
    let expected = json!({"kills": 1, "deaths": 0, "rival": null});
    assert_eq!(ask(&db, &peaceful).await["playerStats"], expected);
}

/// Kills of one player and deaths of another, as GraphQL counts them.
async fn counts(db: &DatabaseConnection, killer: i32, victim: i32) -> (i64, i64) {
    let query = format!(
        "{{
            killer: user(identifier: {{obj_id: {killer}}}) {{ events {{ count }} }}
            victim: user(identifier: {{obj_id: {victim}}}) {{ deaths {{ count }} }}
        }}"
    );
    let data = ask(db, &query).await;
    let count = |value: &Value| value.as_i64().unwrap();
    (
        count(&data["killer"]["events"]["count"]),
        count(&data["victim"]["deaths"]["count"]),
    )
}

/// The data of an answer without errors.
async fn ask(db: &DatabaseConnection, query: &str) -> Value {
    let manager = TableManager::builder()
        .discover("shooter::entities")
        .virtual_table::<PlayerStats>();
    let manager = blazelink::data::verify(manager.build().unwrap(), db).await;
    let executor = Executor::new(Arc::new(manager.unwrap()), db.clone()).unwrap();
    let response = executor
        .execute(Request::new(query), &BlazeContext::anonymous(), &Unwatched)
        .await;
    let answer: Value = serde_json::from_slice(&response.body).unwrap();
    assert_eq!(answer.get("errors"), None, "{answer}");
    answer["data"].clone()
}
