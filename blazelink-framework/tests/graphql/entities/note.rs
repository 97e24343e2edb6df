//! A key of type uuid, and a name of its own.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "note")]
#[blazelink(name = "Memo")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub body: Option<String>,
    #[sea_orm(column_type = "custom(\"citext\")", nullable)]
    pub label_code: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::label::Entity",
        from = "Column::LabelCode",
        to = "super::label::Column::Code"
    )]
    Label,
}

impl ActiveModelBehavior for ActiveModel {}
