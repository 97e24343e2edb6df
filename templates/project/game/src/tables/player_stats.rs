//! A virtual table: what a player has done in all games. Yours to edit.

use blazelink::{BlazeContext, Dep, FieldResult, RowRef, Struct, VirtualTable, fields};
use sea_orm::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use crate::entities::{game_event, user};

/// Of the player whom its client names as a dependency.
#[derive(Debug, VirtualTable)]
pub struct PlayerStats {
    pub user: Dep<user::Entity>,
}

/// The player who has killed another most often.
#[derive(Clone, Debug, Struct)]
pub struct Rival {
    pub player: RowRef<user::Entity>,
    pub kills: i64,
}

#[fields(virtual_table)]
impl PlayerStats {
    async fn kills(&self, cx: &BlazeContext) -> FieldResult<u64> {
        let kills = self.kills_of(game_event::Column::PlayerId);
        Ok(kills.count(cx).await?)
    }

    async fn deaths(&self, cx: &BlazeContext) -> FieldResult<u64> {
        let deaths = self.kills_of(game_event::Column::VictimId);
        Ok(deaths.count(cx).await?)
    }

    /// Of several the one with the smallest key; nothing for a player who was never killed.
    async fn rival(&self, cx: &BlazeContext) -> FieldResult<Option<Rival>> {
        let deaths = self.kills_of(game_event::Column::VictimId);
        let killers = deaths
            .select_only()
            .column(game_event::Column::PlayerId)
            .column_as(game_event::Column::Id.count(), "kills")
            .group_by(game_event::Column::PlayerId)
            .order_by_desc(game_event::Column::Id.count())
            .order_by_asc(game_event::Column::PlayerId);
        let first = killers.into_tuple::<(i32, i64)>().one(cx).await?;
        Ok(first.map(|(player, kills)| Rival {
            player: RowRef::new(i64::from(player)),
            kills,
        }))
    }
}

impl PlayerStats {
    /// The kills with the player in this column.
    fn kills_of(&self, column: game_event::Column) -> Select<game_event::Entity> {
        game_event::Entity::find()
            .filter(game_event::Column::Kind.eq("kill"))
            .filter(column.eq(self.user.key()))
    }
}
