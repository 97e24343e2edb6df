//! The game as its players see it: what is seeded, what a kill changes, whom it reaches, and what is
//! no kill.
#![allow(clippy::unwrap_used)]

use blazelink::RequestCause;
use blazelink::test::{TestApp, TestClient, TestResult};
use sea_orm::prelude::*;
use serde_json::{Value, json};
use shooter::entities::{game, game_event, team, user};
use shooter::kills::{self, Refusal};
use shooter::seed;
use shooter_migration::Migrator;

/// Kills of player 1 and deaths of player 8.
const COUNTS: &str = "{
    killer: user(identifier: {obj_id: 1}) { events { count } }
    victim: user(identifier: {obj_id: 8}) { deaths { count } }
}";

/// The game with its first rows.
async fn seeded() -> TestResult<TestApp> {
    let app = TestApp::setup(shooter::app, Migrator).seeded();
    Ok(app.start().await?)
}

async fn events(app: &TestApp) -> TestResult<u64> {
    Ok(game_event::Entity::find().count(app.db()).await?)
}

#[tokio::test]
async fn an_empty_database_is_seeded_once() -> TestResult {
    let app = seeded().await?;
    seed::run(app.db().clone()).await?;
    assert_eq!(team::Entity::find().count(app.db()).await?, 2);
    assert_eq!(user::Entity::find().count(app.db()).await?, 8);
    assert_eq!(game::Entity::find().count(app.db()).await?, 1);
    assert_eq!(events(&app).await?, 6);
    Ok(())
}

#[tokio::test]
async fn a_kill_counts_for_one_and_against_the_other_on_every_page() -> TestResult {
    let app = seeded().await?;
    let (mut one, mut two) = (app.client().await?, app.client().await?);
    let mut before = Value::Null;
    for client in [&mut one, &mut two] {
        before = client.live(COUNTS).await?;
    }
    let event = kills::record(app.db(), &RequestCause::default(), 1, 8)
        .await
        .unwrap();
    assert_eq!((event.player_id, event.victim_id), (1, Some(8)));
    assert_eq!(event.kind, "kill");
    app.settled().await?;
    for client in [&mut one, &mut two] {
        assert!(client.stale());
        assert_eq!(
            counts(&client.refetch().await?),
            counts(&before).map(|count| count + 1)
        );
    }
    Ok(())
}

#[tokio::test]
async fn a_kill_is_not_told_to_who_watches_other_players() -> TestResult {
    let app = seeded().await?;
    let mut client = app.client().await?;
    client.live(COUNTS).await?;
    kills::record(app.db(), &RequestCause::default(), 2, 7)
        .await
        .unwrap();
    app.settled().await?;
    assert!(!client.stale());
    Ok(())
}

#[tokio::test]
async fn what_cannot_have_happened_is_refused_and_leaves_nothing_behind() -> TestResult {
    let app = seeded().await?;
    let oneself = kills::record(app.db(), &RequestCause::default(), 3, 3)
        .await
        .unwrap_err();
    assert!(matches!(oneself, Refusal::Oneself));
    for (killer, victim) in [(99, 1), (1, 99)] {
        let refusal = kills::record(app.db(), &RequestCause::default(), killer, victim)
            .await
            .unwrap_err();
        assert!(matches!(refusal, Refusal::NoSuchPlayer(99)));
    }
    assert_eq!(events(&app).await?, 6);
    Ok(())
}

#[tokio::test]
async fn statistics_of_a_player_follow_the_kills() -> TestResult {
    let app = seeded().await?;
    let client = app.client().await?;
    let expected = json!({"kills": 2, "deaths": 1, "rival": rival(5, "Lin", 1)});
    assert_eq!(stats(&client, 1).await?, expected);
    for (killer, victim) in [(8, 1), (8, 1), (1, 8)] {
        kills::record(app.db(), &RequestCause::default(), killer, victim)
            .await
            .unwrap();
    }
    let expected = json!({"kills": 3, "deaths": 3, "rival": rival(8, "Kwame", 2)});
    assert_eq!(stats(&client, 1).await?, expected);
    let expected = json!({"kills": 1, "deaths": 0, "rival": null});
    assert_eq!(stats(&client, 3).await?, expected);
    Ok(())
}

/// The statistics of one player.
async fn stats(client: &TestClient, player: i32) -> TestResult<Value> {
    let query = format!(
        "{{ playerStats(identifier: {{dependencies: [{{entity: \"User\", obj_id: {player}}}]}}) {{
            kills deaths rival {{ player {{ obj_id row {{ name }} }} kills }}
        }} }}"
    );
    Ok(client.ask(query).await?["playerStats"].take())
}

fn rival(id: i32, name: &str, kills: i32) -> Value {
    json!({"player": {"obj_id": id, "row": {"name": name}}, "kills": kills})
}

fn counts(data: &Value) -> [i64; 2] {
    let counts = [&data["killer"]["events"], &data["victim"]["deaths"]];
    counts.map(|page| page["count"].as_i64().unwrap())
}
