//! Two references, of which one may be missing, and a column named as a Rust keyword.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "game_event")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i32,
    pub r#type: String,
    pub player_id: Option<i32>,
    pub game_id: i32,
    #[sea_orm(belongs_to, from = "player_id", to = "id")]
    pub player: BelongsTo<Option<super::user::Entity>>,
    #[sea_orm(belongs_to, from = "game_id", to = "id")]
    pub game: BelongsTo<super::game::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
