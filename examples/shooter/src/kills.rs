//! Recording a kill: the one write of the game.

use blazelink::RequestCause;
use sea_orm::prelude::*;
use sea_orm::{DatabaseConnection, QueryOrder, Set, TransactionTrait};

use crate::entities::{game, game_event, user};

/// Why a kill was not recorded.
#[derive(Debug)]
pub enum Refusal {
    /// Somebody would be their own victim.
    Oneself,
    /// One of the two is no player.
    NoSuchPlayer(i32),
    /// There is no game to record it in.
    NoGame,
    /// The database failed.
    Database(DbErr),
}

impl From<DbErr> for Refusal {
    fn from(error: DbErr) -> Self {
        Refusal::Database(error)
    }
}

/// Records that `killer` has killed `victim` in the newest game, and returns the event.
///
/// All in one transaction: nothing is recorded unless both are players at that moment. It says in the log
/// what has caused it.
///
/// # Errors
///
/// See [`Refusal`].
pub async fn record(
    db: &DatabaseConnection,
    cause: &RequestCause,
    killer: i32,
    victim: i32,
) -> Result<game_event::Model, Refusal> {
    if killer == victim {
        return Err(Refusal::Oneself);
    }
    let transaction = db.begin().await?;
    cause.say_in(&transaction).await?;
    for player in [killer, victim] {
        let found = user::Entity::find_by_id(player).one(&transaction).await?;
        found.ok_or(Refusal::NoSuchPlayer(player))?;
    }
    let newest = game::Entity::find().order_by_desc(game::Column::Id);
    let game = newest.one(&transaction).await?.ok_or(Refusal::NoGame)?;
    let event = game_event::ActiveModel {
        kind: Set("kill".to_owned()),
        game_id: Set(game.id),
        player_id: Set(killer),
        victim_id: Set(Some(victim)),
        ..Default::default()
    };
    let event = event.insert(&transaction).await?;
    transaction.commit().await?;
    Ok(event)
}
