//! The exposed tables. Models are never read: entities only say what the columns are.

macro_rules! entity {
    ($module:ident, $table:literal, { $($(#[$attribute:meta])* $field:ident: $ty:ty,)* }) => {
        pub mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
            #[sea_orm(table_name = $table)]
            pub struct Model {
                $($(#[$attribute])* pub $field: $ty,)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(player, "player", {
    #[sea_orm(primary_key)] id: i32,
    name: Option<String>,
    team_id: Option<i32>,
    code: Option<Uuid>,
    born: Option<Date>,
    #[sea_orm(column_type = "custom(\"mood\")", nullable)] mood: Option<String>,
    #[sea_orm(column_type = "custom(\"citext\")", nullable)] tag: Option<String>,
    #[sea_orm(column_type = "Char(Some(4))", nullable)] pad: Option<String>,
    rank: Option<Decimal>,
    active: Option<bool>,
    note: Option<String>,
    twice: Option<i32>,
});

entity!(event, "event", {
    #[sea_orm(primary_key)] id: i64,
    player_id: Option<i32>,
    kind: Option<String>,
    game_id: Option<i16>,
    at: Option<Date>,
    score: Option<i64>,
});

entity!(team, "team", {
    #[sea_orm(primary_key)] id: i32,
    name: Option<String>,
    parent_id: Option<i32>,
});

entity!(link, "link", {
    #[sea_orm(primary_key, auto_increment = false)] a: i32,
    #[sea_orm(primary_key, auto_increment = false)] b: String,
    c: Option<i32>,
});

entity!(part, "part", {
    #[sea_orm(primary_key, auto_increment = false)] id: i32,
    name: Option<String>,
    team_id: Option<i32>,
});
