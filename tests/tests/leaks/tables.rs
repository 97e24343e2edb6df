//! Tables beside the shooter's: one whose rows are handed out as lists, and one that is for everybody
//! though it leads to rows that are not.
#![allow(unreachable_pub)]

/// Makes both tables and has their changes told.
pub(crate) const TABLES: &str = "
    CREATE TABLE diary (id serial PRIMARY KEY, text text NOT NULL, code text NOT NULL UNIQUE,
        author_id integer NOT NULL REFERENCES \"user\");
    CREATE TABLE notice (id serial PRIMARY KEY, text text NOT NULL,
        author_id integer NOT NULL REFERENCES \"user\");
    ALTER TABLE diary REPLICA IDENTITY FULL;
    ALTER TABLE notice REPLICA IDENTITY FULL;
    ALTER PUBLICATION blazelink ADD TABLE diary, notice";

/// What a player keeps to themselves.
pub(crate) mod diary {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "diary")]
    #[blazelink(list)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub text: String,
        #[sea_orm(unique)]
        pub code: String,
        pub author_id: i32,
        #[sea_orm(belongs_to, from = "author_id", to = "id")]
        pub author: BelongsTo<shooter::entities::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// What a player tells everybody.
pub(crate) mod notice {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "notice")]
    #[blazelink(public)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub text: String,
        pub author_id: i32,
        #[sea_orm(belongs_to, from = "author_id", to = "id")]
        pub author: BelongsTo<shooter::entities::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
