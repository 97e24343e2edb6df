//! What a player has done in all games: a virtual table over a player.

use blazelink::table::{
    Call, Field, FieldError, FieldType, Member, Output, Parameter, RowRef, Struct, VirtualTable,
};
use sea_orm::prelude::*;
use sea_orm::{FromQueryResult, QueryOrder, QuerySelect};

use crate::entities::{game_event, user};

/// Kills, deaths and the rival of the player whom its client names as a dependency.
#[derive(Clone, Copy, Debug)]
pub struct PlayerStats;

impl VirtualTable for PlayerStats {
    const NAME: &'static str = "PlayerStats";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::row::<user::Entity>()]
    }

    fn fields() -> Vec<Field> {
        vec![
            Field::reading("kills", |call| {
                Box::pin(count(call, game_event::Column::PlayerId))
            }),
            Field::reading("deaths", |call| {
                Box::pin(count(call, game_event::Column::VictimId))
            }),
            Field::reading("rival", |call| Box::pin(rival(call))),
        ]
    }
}

/// The player who has killed another most often.
#[derive(Clone, Copy, Debug, FromQueryResult)]
pub struct Rival {
    /// The rival's key.
    pub player_id: i32,
    /// How often.
    pub kills: i64,
}

impl Struct for Rival {
    const NAME: &'static str = "Rival";

    fn members() -> Vec<Member> {
        vec![
            Member::of::<RowRef<user::Entity>>("player"),
            Member::of::<i64>("kills"),
        ]
    }

    fn into_members(self) -> Vec<Output> {
        let player = RowRef::<user::Entity>::new(i64::from(self.player_id));
        vec![player.into_output(), self.kills.into_output()]
    }
}

/// The kills with the player in this column.
fn kills_of(
    call: &Call<'_>,
    column: game_event::Column,
) -> Result<Select<game_event::Entity>, FieldError> {
    let player: i32 = call.dependency_key::<user::Entity, _>()?;
    Ok(game_event::Entity::find()
        .filter(game_event::Column::Kind.eq("kill"))
        .filter(column.eq(player)))
}

async fn count(call: Call<'_>, column: game_event::Column) -> Result<i64, FieldError> {
    let kills = kills_of(&call, column)?;
    let count = kills.count(call.context()).await?;
    Ok(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Of several the one with the smallest key; nothing for a player who was never killed.
async fn rival(call: Call<'_>) -> Result<Option<Rival>, FieldError> {
    let deaths = kills_of(&call, game_event::Column::VictimId)?
        .select_only()
        .column(game_event::Column::PlayerId)
        .column_as(game_event::Column::Id.count(), "kills")
        .group_by(game_event::Column::PlayerId)
        .order_by_desc(game_event::Column::Id.count())
        .order_by_asc(game_event::Column::PlayerId);
    Ok(deaths.into_model::<Rival>().one(call.context()).await?)
}
