//! What a player has done in all games.

use async_graphql::{Context, Object, Result, SimpleObject};
use sea_orm::prelude::*;
use sea_orm::{FromQueryResult, QueryOrder, QuerySelect};

use crate::entities::{game_event, user};
use crate::rows::UserRef;

/// Kills, deaths and the rival of a player.
pub(crate) struct PlayerStats(pub(crate) i32);

/// The player who has killed another most often.
#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub(crate) struct Rival {
    player: UserRef,
    kills: i64,
}

#[derive(FromQueryResult)]
struct Killer {
    player_id: i32,
    kills: i64,
}

#[Object(rename_fields = "snake_case")]
impl PlayerStats {
    async fn kills(&self, context: &Context<'_>) -> Result<u64> {
        let kills = self.kills_of(game_event::Column::PlayerId);
        Ok(kills.count(context.data::<DatabaseConnection>()?).await?)
    }

    async fn deaths(&self, context: &Context<'_>) -> Result<u64> {
        let deaths = self.kills_of(game_event::Column::VictimId);
        Ok(deaths.count(context.data::<DatabaseConnection>()?).await?)
    }

    async fn rival(&self, context: &Context<'_>) -> Result<Option<Rival>> {
        let database = context.data::<DatabaseConnection>()?;
        let killer = self
            .kills_of(game_event::Column::VictimId)
            .select_only()
            .column(game_event::Column::PlayerId)
            .column_as(game_event::Column::Id.count(), "kills")
            .group_by(game_event::Column::PlayerId)
            .order_by_desc(game_event::Column::Id.count())
            .order_by_asc(game_event::Column::PlayerId)
            .into_model::<Killer>()
            .one(database)
            .await?;
        let Some(Killer { player_id, kills }) = killer else {
            return Ok(None);
        };
        let player = user::Entity::find_by_id(player_id).one(database).await?;
        Ok(player.map(|player| Rival {
            player: player.into(),
            kills,
        }))
    }
}

impl PlayerStats {
    /// The kills with the player in this column.
    fn kills_of(&self, column: game_event::Column) -> Select<game_event::Entity> {
        game_event::Entity::find()
            .filter(game_event::Column::Kind.eq("kill"))
            .filter(column.eq(self.0))
    }
}
