//! A key of two columns of different types.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "warehouse")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub region: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i16,
    pub opened: Date,
    #[sea_orm(has_many)]
    pub shelves: HasMany<super::shelf::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
