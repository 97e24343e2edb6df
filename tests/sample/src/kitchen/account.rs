//! Key of four bytes; relations of every kind lead from it, also to itself.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "account")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    #[sea_orm(unique)]
    pub email: String,
    #[blazelink(hide)]
    pub password: String,
    pub manager_id: Option<i32>,
    #[sea_orm(self_ref, relation_enum = "Manager", from = "manager_id", to = "id")]
    pub manager: BelongsTo<Option<Entity>>,
    #[sea_orm(has_one)]
    pub profile: HasOne<super::profile::Entity>,
    #[sea_orm(has_many, via = "membership")]
    pub teams: HasMany<super::team::Entity>,
    #[sea_orm(self_ref, via = "follow", from = "Follower", to = "Followed")]
    pub follows: HasMany<Entity>,
    #[sea_orm(self_ref, via = "follow", reverse)]
    pub followed_by: HasMany<Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
