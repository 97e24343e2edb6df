//! A foreign key of two columns.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "shelf")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub region: Option<String>,
    pub number: Option<i16>,
    #[sea_orm(belongs_to, from = "(region, number)", to = "(region, number)")]
    pub warehouse: BelongsTo<Option<super::warehouse::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
