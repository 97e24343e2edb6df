//! The tables of the GraphQL benchmark, as both servers know them.
#![allow(unreachable_pub)]

pub(super) mod user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "user")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        pub team_id: i32,
        pub score: i64,
        pub created_at: DateTimeWithTimeZone,
        #[sea_orm(column_type = "Decimal(Some((12, 2)))")]
        pub balance: Decimal,
        #[sea_orm(column_type = "JsonBinary")]
        pub settings: Json,
        pub active: bool,
        #[sea_orm(belongs_to, from = "team_id", to = "id")]
        pub team: BelongsTo<super::team::Entity>,
        #[sea_orm(has_many)]
        pub events: HasMany<super::event::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod team {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "team")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "Text")]
        pub name: String,
        pub active: bool,
        #[sea_orm(has_many)]
        pub users: HasMany<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

pub(super) mod event {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "event")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(column_type = "Text")]
        pub kind: String,
        pub player_id: i32,
        pub active: bool,
        #[sea_orm(belongs_to, from = "player_id", to = "id")]
        pub player: BelongsTo<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
