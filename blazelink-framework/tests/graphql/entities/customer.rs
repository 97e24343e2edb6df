//! Classic format, with the names that `sea-orm-cli` gives to two relations to one table.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "customer")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub home_address_id: i64,
    pub work_address_id: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::address::Entity",
        from = "Column::HomeAddressId",
        to = "super::address::Column::Id"
    )]
    Address2,
    #[sea_orm(
        belongs_to = "super::address::Entity",
        from = "Column::WorkAddressId",
        to = "super::address::Column::Id"
    )]
    Address1,
}

impl ActiveModelBehavior for ActiveModel {}
