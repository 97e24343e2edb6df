//! A player. Yours to edit; what changes in the database needs a migration too.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "user")]
#[blazelink(public)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub name: String,
    pub team_id: i32,
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
