//! Something that happened in a game. Yours to edit; what changes in the database needs a
//! migration too.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "game_event")]
#[blazelink(public)]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    /// What happened: `kill`.
    pub kind: String,
    pub game_id: i32,
    /// Who did it.
    pub player_id: i32,
    /// To whom it was done.
    pub victim_id: Option<i32>,
    pub created_at: DateTimeWithTimeZone,
    #[sea_orm(belongs_to, from = "game_id", to = "id")]
    pub game: BelongsTo<super::game::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Player", from = "player_id", to = "id")]
    pub player: BelongsTo<super::user::Entity>,
    #[sea_orm(belongs_to, relation_enum = "Victim", from = "victim_id", to = "id")]
    pub victim: BelongsTo<Option<super::user::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}
