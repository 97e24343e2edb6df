//! What `blazelink dev` fills an empty database with: two teams, eight players, one game and its
//! first kills. Yours to edit.

use std::time::{Duration, SystemTime};

use sea_orm::prelude::*;
use sea_orm::{DatabaseConnection, Set, TransactionTrait};

use crate::entities::{game, game_event, team, user};

/// The teams: name, colour, players.
const TEAMS: [(&str, &str, [&str; 4]); 2] = [
    ("Ember", "#ff8f57", ["Mara", "Idris", "Noor", "Tomasz"]),
    ("Tide", "#5ab8ff", ["Lin", "Sefa", "Odile", "Kwame"]),
];

/// Killer and victim of each kill, by their positions in [`TEAMS`], first team first.
const KILLS: [(usize, usize); 6] = [(0, 4), (5, 1), (0, 6), (7, 3), (2, 5), (4, 0)];

/// The time between two kills, and between the last one and now.
const BETWEEN: Duration = Duration::from_secs(95);

/// Fills the database if there is no team in it. All or nothing.
pub async fn run(db: DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    if team::Entity::find().count(&transaction).await? > 0 {
        return Ok(());
    }
    let mut players = Vec::new();
    for (name, color, members) in TEAMS {
        let mut team = team::ActiveModel::new();
        team.name = Set(name.to_owned());
        team.color = Set(color.to_owned());
        let team = team.insert(&transaction).await?;
        for name in members {
            let mut user = user::ActiveModel::new();
            user.name = Set(name.to_owned());
            user.team_id = Set(team.id);
            players.push(user.insert(&transaction).await?.id);
        }
    }
    let mut game = game::ActiveModel::new();
    game.name = Set("Friday night".to_owned());
    let game = game.insert(&transaction).await?;
    let mut at = SystemTime::now() - BETWEEN * KILLS.len() as u32;
    for (killer, victim) in KILLS {
        let mut event = game_event::ActiveModel::new();
        event.kind = Set("kill".to_owned());
        event.game_id = Set(game.id);
        event.player_id = Set(players[killer]);
        event.victim_id = Set(Some(players[victim]));
        event.created_at = Set(DateTimeUtc::from(at).into());
        event.insert(&transaction).await?;
        at += BETWEEN;
    }
    transaction.commit().await
}
