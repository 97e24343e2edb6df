//! Computed fields of players. Yours to edit: a method of the block is a field.

use std::collections::HashMap;

use blazelink::{BlazeContext, FieldResult, fields};
use sea_orm::QuerySelect;
use sea_orm::prelude::*;

use crate::entities::{game_event, user};

#[fields]
impl UserFields for user::Model {
    /// Asked once for all players of an answer. What is read through `cx` is watched by itself.
    #[batch]
    async fn kills(users: &[user::Model], cx: &BlazeContext) -> FieldResult<HashMap<i32, i64>> {
        let mut kills: HashMap<i32, i64> = users.iter().map(|user| (user.id, 0)).collect();
        let counted = game_event::Entity::find()
            .select_only()
            .column(game_event::Column::PlayerId)
            .column_as(game_event::Column::Id.count(), "kills")
            .filter(game_event::Column::Kind.eq("kill"))
            .filter(game_event::Column::PlayerId.is_in(kills.keys().copied()))
            .group_by(game_event::Column::PlayerId);
        kills.extend(counted.into_tuple::<(i32, i64)>().all(cx).await?);
        Ok(kills)
    }
}
