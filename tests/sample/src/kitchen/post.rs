//! Key of eight bytes; two relations to one table.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "post")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub title: String,
    pub author_id: i32,
    pub reviewer_id: Option<i32>,
    pub category_id: Option<i16>,
    #[sea_orm(belongs_to, relation_enum = "Author", from = "author_id", to = "id")]
    pub author: BelongsTo<super::account::Entity>,
    #[sea_orm(
        belongs_to,
        relation_enum = "Reviewer",
        from = "reviewer_id",
        to = "id"
    )]
    pub reviewer: BelongsTo<Option<super::account::Entity>>,
    #[sea_orm(belongs_to, from = "category_id", to = "id")]
    pub category: BelongsTo<Option<super::category::Entity>>,
    #[sea_orm(has_many, via = "post_tag")]
    pub tags: HasMany<super::tag::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
