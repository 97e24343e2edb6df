//! A player.

use sea_orm::entity::prelude::*;

/// A player.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "user")]
#[blazelink(public)]
pub struct Model {
    /// The key.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What the others call them.
    pub name: String,
    /// The key of the player's team.
    pub team_id: i32,
    /// The player's team.
    #[sea_orm(belongs_to, from = "team_id", to = "id")]
    pub team: BelongsTo<super::team::Entity>,
    /// What the player has done.
    #[sea_orm(has_many, relation_enum = "Events", via_rel = "Player")]
    pub events: HasMany<super::game_event::Entity>,
    /// What was done to the player.
    #[sea_orm(has_many, relation_enum = "Deaths", via_rel = "Victim")]
    pub deaths: HasMany<super::game_event::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
