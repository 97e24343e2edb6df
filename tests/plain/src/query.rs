//! The roots: a row and a page of each table, and the statistics of a player.

use async_graphql::{Context, InputObject, Object, Result};
use sea_orm::prelude::*;

use crate::entities::{game, game_event, team, user};
use crate::player_stats::PlayerStats;
use crate::rows::{Game, GameEvent, GameEventRef, GameRef, Page, Team, TeamRef, User, UserRef};

#[derive(InputObject)]
#[graphql(rename_fields = "snake_case")]
struct ObjectIdInput {
    obj_id: i32,
}

pub(crate) struct Query;

#[Object(rename_args = "snake_case")]
impl Query {
    async fn user(&self, context: &Context<'_>, identifier: ObjectIdInput) -> Result<Option<User>> {
        row::<user::Entity, _>(context, identifier).await
    }

    async fn team(&self, context: &Context<'_>, identifier: ObjectIdInput) -> Result<Option<Team>> {
        row::<team::Entity, _>(context, identifier).await
    }

    async fn game(&self, context: &Context<'_>, identifier: ObjectIdInput) -> Result<Option<Game>> {
        row::<game::Entity, _>(context, identifier).await
    }

    async fn game_event(
        &self,
        context: &Context<'_>,
        identifier: ObjectIdInput,
    ) -> Result<Option<GameEvent>> {
        row::<game_event::Entity, _>(context, identifier).await
    }

    async fn users(&self, context: &Context<'_>, page: u64, size: u64) -> Result<Page<UserRef>> {
        Page::read(context, user::Entity::find(), page, size).await
    }

    async fn teams(&self, context: &Context<'_>, page: u64, size: u64) -> Result<Page<TeamRef>> {
        Page::read(context, team::Entity::find(), page, size).await
    }

    async fn games(&self, context: &Context<'_>, page: u64, size: u64) -> Result<Page<GameRef>> {
        Page::read(context, game::Entity::find(), page, size).await
    }

    async fn game_events(
        &self,
        context: &Context<'_>,
        page: u64,
        size: u64,
    ) -> Result<Page<GameEventRef>> {
        Page::read(context, game_event::Entity::find(), page, size).await
    }

    async fn player_stats(&self, player: i32) -> PlayerStats {
        PlayerStats(player)
    }
}

async fn row<E, T>(context: &Context<'_>, identifier: ObjectIdInput) -> Result<Option<T>>
where
    E: EntityTrait<PrimaryKey: PrimaryKeyTrait<ValueType = i32>>,
    T: From<E::Model>,
{
    let database = context.data::<DatabaseConnection>()?;
    let found = E::find_by_id(identifier.obj_id).one(database).await?;
    Ok(found.map(T::from))
}
