//! The types of rows, of references to them, and of pages.

use async_graphql::{ComplexObject, Context, OutputType, Result, SimpleObject};
use sea_orm::prelude::*;
use sea_orm::{EntityTrait, PaginatorTrait, Select};

use crate::entities::{game, game_event, team, user};

/// Some rows, and how many there are in all.
#[derive(SimpleObject)]
#[graphql(
    concrete(name = "UserPage", params(UserRef)),
    concrete(name = "TeamPage", params(TeamRef)),
    concrete(name = "GamePage", params(GameRef)),
    concrete(name = "GameEventPage", params(GameEventRef))
)]
pub(crate) struct Page<T: OutputType> {
    items: Vec<T>,
    count: u64,
}

impl<T: OutputType> Page<T> {
    pub(crate) async fn read<E>(
        context: &Context<'_>,
        rows: Select<E>,
        page: u64,
        size: u64,
    ) -> Result<Page<T>>
    where
        E: EntityTrait<Model: Send + Sync>,
        T: From<E::Model>,
    {
        let database = context.data::<DatabaseConnection>()?;
        let pages = rows.paginate(database, size);
        let items = pages.fetch_page(page).await?;
        Ok(Page {
            items: items.into_iter().map(T::from).collect(),
            count: pages.num_items().await?,
        })
    }
}

#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub(crate) struct UserRef {
    obj_id: i32,
    entity: &'static str,
    row: User,
}

impl From<user::Model> for UserRef {
    fn from(row: user::Model) -> UserRef {
        UserRef {
            obj_id: row.id,
            entity: "User",
            row: row.into(),
        }
    }
}

#[derive(SimpleObject)]
#[graphql(complex, rename_fields = "snake_case")]
pub(crate) struct User {
    id: i32,
    name: String,
    team_id: i32,
}

impl From<user::Model> for User {
    fn from(row: user::Model) -> User {
        User {
            id: row.id,
            name: row.name,
            team_id: row.team_id,
        }
    }
}

#[ComplexObject(rename_fields = "snake_case", rename_args = "snake_case")]
impl User {
    async fn team(&self, context: &Context<'_>) -> Result<Option<TeamRef>> {
        let database = context.data::<DatabaseConnection>()?;
        let found = team::Entity::find_by_id(self.team_id).one(database).await?;
        Ok(found.map(TeamRef::from))
    }

    async fn events(
        &self,
        context: &Context<'_>,
        page: u64,
        size: u64,
    ) -> Result<Page<GameEventRef>> {
        let rows = game_event::Entity::find().filter(game_event::Column::PlayerId.eq(self.id));
        Page::read(context, rows, page, size).await
    }

    async fn deaths(
        &self,
        context: &Context<'_>,
        page: u64,
        size: u64,
    ) -> Result<Page<GameEventRef>> {
        let rows = game_event::Entity::find().filter(game_event::Column::VictimId.eq(self.id));
        Page::read(context, rows, page, size).await
    }
}

#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub(crate) struct TeamRef {
    obj_id: i32,
    entity: &'static str,
    row: Team,
}

impl From<team::Model> for TeamRef {
    fn from(row: team::Model) -> TeamRef {
        TeamRef {
            obj_id: row.id,
            entity: "Team",
            row: row.into(),
        }
    }
}

#[derive(SimpleObject)]
#[graphql(complex, rename_fields = "snake_case")]
pub(crate) struct Team {
    id: i32,
    name: String,
    color: String,
}

impl From<team::Model> for Team {
    fn from(row: team::Model) -> Team {
        Team {
            id: row.id,
            name: row.name,
            color: row.color,
        }
    }
}

#[ComplexObject(rename_fields = "snake_case", rename_args = "snake_case")]
impl Team {
    async fn users(&self, context: &Context<'_>, page: u64, size: u64) -> Result<Page<UserRef>> {
        let rows = user::Entity::find().filter(user::Column::TeamId.eq(self.id));
        Page::read(context, rows, page, size).await
    }
}

#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub(crate) struct GameRef {
    obj_id: i32,
    entity: &'static str,
    row: Game,
}

impl From<game::Model> for GameRef {
    fn from(row: game::Model) -> GameRef {
        GameRef {
            obj_id: row.id,
            entity: "Game",
            row: row.into(),
        }
    }
}

#[derive(SimpleObject)]
#[graphql(complex, rename_fields = "snake_case")]
pub(crate) struct Game {
    id: i32,
    name: String,
    started_at: DateTimeWithTimeZone,
}

impl From<game::Model> for Game {
    fn from(row: game::Model) -> Game {
        Game {
            id: row.id,
            name: row.name,
            started_at: row.started_at,
        }
    }
}

#[ComplexObject(rename_fields = "snake_case", rename_args = "snake_case")]
impl Game {
    async fn events(
        &self,
        context: &Context<'_>,
        page: u64,
        size: u64,
    ) -> Result<Page<GameEventRef>> {
        let rows = game_event::Entity::find().filter(game_event::Column::GameId.eq(self.id));
        Page::read(context, rows, page, size).await
    }
}

#[derive(SimpleObject)]
#[graphql(rename_fields = "snake_case")]
pub(crate) struct GameEventRef {
    obj_id: i32,
    entity: &'static str,
    row: GameEvent,
}

impl From<game_event::Model> for GameEventRef {
    fn from(row: game_event::Model) -> GameEventRef {
        GameEventRef {
            obj_id: row.id,
            entity: "GameEvent",
            row: row.into(),
        }
    }
}

#[derive(SimpleObject)]
#[graphql(complex, rename_fields = "snake_case")]
pub(crate) struct GameEvent {
    id: i32,
    kind: String,
    game_id: i32,
    player_id: i32,
    victim_id: Option<i32>,
    created_at: DateTimeWithTimeZone,
}

impl From<game_event::Model> for GameEvent {
    fn from(row: game_event::Model) -> GameEvent {
        GameEvent {
            id: row.id,
            kind: row.kind,
            game_id: row.game_id,
            player_id: row.player_id,
            victim_id: row.victim_id,
            created_at: row.created_at,
        }
    }
}

#[ComplexObject(rename_fields = "snake_case", rename_args = "snake_case")]
impl GameEvent {
    async fn game(&self, context: &Context<'_>) -> Result<Option<GameRef>> {
        let database = context.data::<DatabaseConnection>()?;
        let found = game::Entity::find_by_id(self.game_id).one(database).await?;
        Ok(found.map(GameRef::from))
    }

    async fn player(&self, context: &Context<'_>) -> Result<Option<UserRef>> {
        let database = context.data::<DatabaseConnection>()?;
        let found = user::Entity::find_by_id(self.player_id)
            .one(database)
            .await?;
        Ok(found.map(UserRef::from))
    }

    async fn victim(&self, context: &Context<'_>) -> Result<Option<UserRef>> {
        let Some(key) = self.victim_id else {
            return Ok(None);
        };
        let database = context.data::<DatabaseConnection>()?;
        let found = user::Entity::find_by_id(key).one(database).await?;
        Ok(found.map(UserRef::from))
    }
}
