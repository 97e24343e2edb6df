//! A key of a date, an enum, and a foreign key.

use sea_orm::entity::prelude::*;

use super::enums::{Level, Mood};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "shift")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub day: Date,
    #[sea_orm(primary_key, auto_increment = false)]
    pub mood: Mood,
    #[sea_orm(primary_key, auto_increment = false)]
    pub account_id: i32,
    pub level: Level,
    #[sea_orm(belongs_to, from = "account_id", to = "id")]
    pub account: BelongsTo<super::account::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
