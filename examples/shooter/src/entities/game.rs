//! A game.

use sea_orm::entity::prelude::*;

/// A game.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "game")]
#[blazelink(public)]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What it is called.
    pub name: String,
    /// When it began.
    pub started_at: DateTimeWithTimeZone,
    /// What has happened in it.
    #[sea_orm(has_many)]
    pub events: HasMany<super::game_event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
