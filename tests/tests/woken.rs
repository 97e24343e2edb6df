//! Which events of a player have an answer about its kills made again: those that are a kill before
//! or after the commit, and no others. By what a field reads, by what it says, and by a page's
//! condition.

use blazelink::{BlazeContext, Builder, FieldResult, fields};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::Client;
use blazelink_tests::rows;
use sea_orm::prelude::*;
use serde_json::Value;
use shooter::entities::{game_event, user};

#[fields]
impl KillsOfUser for user::Model {
    #[computed(on = "game_event(player_id = id, kind = 'kill')")]
    async fn said_kills(&self, cx: &BlazeContext) -> FieldResult<u64> {
        let kills = game_event::Entity::find()
            .filter(game_event::Column::PlayerId.eq(self.id))
            .filter(game_event::Column::Kind.eq("kill"));
        Ok(kills.count(cx).await?)
    }
}

fn declared(blaze: Builder) -> Builder {
    blaze.extend(KillsOfUser)
}

/// Player 1's kills: the document, where its answer tells how many they are, and of which entity
/// clients are told.
const KILLS: [(&str, [&str; 2], &str); 3] = [
    (
        "{ playerStats(identifier: {dependencies: [{entity: \"User\", obj_id: 1}]}) { kills } }",
        ["playerStats", "kills"],
        "PlayerStats",
    ),
    (
        "{ user(identifier: {obj_id: 1}) { said_kills } }",
        ["user", "said_kills"],
        "User",
    ),
    (
        "{ gameEvents(where: {player_id: {eq: 1}, kind: {in: [\"kill\"]}}) { count } }",
        ["gameEvents", "count"],
        "GameEvent",
    ),
];

/// What is committed, and how many kills player 1 has then.
const COMMITS: [(&str, u64); 11] = [
    (
        "INSERT INTO game_event (id, kind, game_id, player_id) VALUES (10, 'assist', 1, 1)",
        0,
    ),
    (
        "INSERT INTO game_event (id, kind, game_id, player_id) VALUES (11, 'kill', 1, 2)",
        0,
    ),
    ("UPDATE game_event SET victim_id = 2 WHERE id = 10", 0),
    ("UPDATE game_event SET kind = 'kill' WHERE id = 10", 1),
    (
        "INSERT INTO game_event (id, kind, game_id, player_id) VALUES (12, 'kill', 1, 1)",
        2,
    ),
    ("UPDATE game_event SET player_id = 1 WHERE id = 11", 3),
    ("UPDATE game_event SET kind = 'assist' WHERE id = 12", 2),
    ("UPDATE game_event SET kind = 'death' WHERE id = 12", 2),
    ("DELETE FROM game_event WHERE id = 12", 2),
    ("DELETE FROM game_event WHERE id = 11", 1),
    ("DELETE FROM game_event WHERE id = 10", 0),
];

#[tokio::test(flavor = "multi_thread")]
async fn kills_are_read_again_for_kills_of_the_player_alone() {
    let app = TestApp::start_declared(shooter_database().await, |_| {}, declared).await;
    let sql = app.sql().await;
    rows::players(&sql, 2).await;
    rows::game(&sql).await;
    app.catch_up().await;
    for (document, [root, field], entity) in KILLS {
        let mut client = Client::connect(app.address()).await;
        let mut known = client.read(document).await[root][field].clone();
        assert_eq!(known, 0, "{document}");
        for (commit, kills) in COMMITS {
            sql.batch_execute(commit)
                .await
                .expect("the commit is sound");
            app.catch_up().await;
            let frames = client.frames_so_far().await;
            if known == kills {
                assert_eq!(frames, [Value::Null; 0], "{document} after {commit}");
                continue;
            }
            assert_eq!(frames.len(), 1, "{document} after {commit}: {frames:?}");
            assert_eq!(frames[0]["data"]["identifier"]["entity"], entity);
            client.confirm(&frames[0]).await;
            known = client.read(document).await[root][field].clone();
            assert_eq!(known, kills, "{document} after {commit}");
        }
    }
    app.stop().await;
}
