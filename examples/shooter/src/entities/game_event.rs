//! Something that happened in a game.

use sea_orm::entity::prelude::*;

/// Something that happened in a game.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "game_event")]
#[blazelink(public)]
pub struct Model {
    /// The key. A later event has a greater one.
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What happened: `kill`.
    pub kind: String,
    /// The key of the game.
    pub game_id: i32,
    /// The key of the player who did it.
    pub player_id: i32,
    /// The key of the player to whom it was done.
    pub victim_id: Option<i32>,
    /// When it happened.
    pub created_at: DateTimeWithTimeZone,
    /// The game.
    #[sea_orm(belongs_to, from = "game_id", to = "id")]
    pub game: BelongsTo<super::game::Entity>,
    /// Who did it.
    #[sea_orm(belongs_to, relation_enum = "Player", from = "player_id", to = "id")]
    pub player: BelongsTo<super::user::Entity>,
    /// To whom it was done.
    #[sea_orm(belongs_to, relation_enum = "Victim", from = "victim_id", to = "id")]
    pub victim: BelongsTo<Option<super::user::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
