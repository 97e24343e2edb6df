//! A team.

use sea_orm::entity::prelude::*;

/// A team.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "team")]
#[blazelink(public)]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What the players call it.
    pub name: String,
    /// The colour that it plays in, as `#rrggbb`.
    pub color: String,
    /// Its players.
    #[sea_orm(has_many)]
    pub users: HasMany<super::user::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
