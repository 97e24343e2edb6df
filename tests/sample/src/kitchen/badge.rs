//! Its foreign key leads to a unique column that is no key.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "badge")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false, column_type = "Char(Some(6))")]
    pub code: String,
    pub owner_email: Option<String>,
    #[sea_orm(belongs_to, from = "owner_email", to = "email")]
    pub owner: BelongsTo<Option<super::account::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
