//! A game. Yours to edit; what changes in the database needs a migration too.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "game")]
#[blazelink(public)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
    pub started_at: DateTimeWithTimeZone,
    #[sea_orm(has_many)]
    pub events: HasMany<super::game_event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
