//! What an empty database is filled with: two teams, eight players, one game and its first kills.

use std::time::{Duration, SystemTime};

use sea_orm::prelude::*;
use sea_orm::{DatabaseConnection, Set, TransactionTrait};

use crate::entities::{game, game_event, team, user};

/// The teams: name, colour, players.
const TEAMS: [(&str, &str, [&str; 4]); 2] = [
    ("Ember", "#ff8f57", ["Mara", "Idris", "Noor", "Tomasz"]),
    ("Tide", "#5ab8ff", ["Lin", "Sefa", "Odile", "Kwame"]),
];

/// How long before the next kill each of the first ones happened.
const BETWEEN: Duration = Duration::from_secs(95);

/// The first kills: killer and victim by their positions in [`TEAMS`], first
/// team first.
const KILLS: [(usize, usize); 6] = [(0, 4), (5, 1), (0, 6), (7, 3), (2, 5), (4, 0)];

/// Fills the database if there is no team in it. All or nothing.
///
/// # Errors
///
/// If the database fails.
pub async fn run(db: DatabaseConnection) -> Result<(), DbErr> {
    let transaction = db.begin().await?;
    if team::Entity::find().count(&transaction).await? > 0 {
        return Ok(());
    }
    let mut players = Vec::new();
    for (name, color, members) in TEAMS {
        let team = team::ActiveModel {
            name: Set(name.to_owned()),
            color: Set(color.to_owned()),
            ..Default::default()
        };
        let team = team.insert(&transaction).await?;
        for name in members {
            let user = user::ActiveModel {
                name: Set(name.to_owned()),
                team_id: Set(team.id),
                ..Default::default()
            };
            players.push(user.insert(&transaction).await?.id);
        }
    }
    let game = game::ActiveModel {
        name: Set("Friday night".to_owned()),
        ..Default::default()
    };
    let game = game.insert(&transaction).await?;
    for (number, (killer, victim)) in KILLS.into_iter().enumerate() {
        let at = SystemTime::now() - BETWEEN * (KILLS.len() - number) as u32;
        let event = game_event::ActiveModel {
            kind: Set("kill".to_owned()),
            game_id: Set(game.id),
            player_id: Set(players[killer]),
            victim_id: Set(Some(players[victim])),
            created_at: Set(DateTimeUtc::from(at).into()),
            ..Default::default()
        };
        event.insert(&transaction).await?;
    }
    transaction.commit().await
}
