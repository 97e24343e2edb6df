//! A key of two columns.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "stock")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub product_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub warehouse: String,
    pub qty: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(has_many = "super::stock_move::Entity")]
    StockMove,
}

impl Related<super::stock_move::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::StockMove.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
