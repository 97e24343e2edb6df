//! A foreign key of two columns, in another order than the key it refers to.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "stock_move")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub warehouse: String,
    pub product_id: i64,
    pub amount: i32,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::stock::Entity",
        from = "(Column::Warehouse, Column::ProductId)",
        to = "(super::stock::Column::Warehouse, super::stock::Column::ProductId)"
    )]
    Stock,
}

impl Related<super::stock::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Stock.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
