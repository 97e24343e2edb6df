//! What mutations meet: a key that Postgres makes, defaults, a computed column, hidden ones, and a
//! constraint of each kind. Its table is made by the tests that write it.

use sea_orm::entity::prelude::*;

/// The table.
pub const TABLE: &str = "
CREATE TABLE document (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner_id int NOT NULL,
    title varchar(10) NOT NULL, state text NOT NULL DEFAULT 'new', body text,
    team_id int REFERENCES team, stars int CHECK (stars > 0), rank positive, due date,
    size int GENERATED ALWAYS AS (length(title)) STORED, number int GENERATED ALWAYS AS IDENTITY,
    secret text, UNIQUE (owner_id, title));
CREATE UNIQUE INDEX document_body ON document (body);
CREATE TABLE page (document_id uuid NOT NULL REFERENCES document);
";

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
#[sea_orm(table_name = "document")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub owner_id: i32,
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub state: String,
    #[sea_orm(column_type = "Text", nullable)]
    pub body: Option<String>,
    pub team_id: Option<i32>,
    pub stars: Option<i32>,
    pub rank: Option<i32>,
    pub due: Option<Date>,
    pub size: Option<i32>,
    pub number: i32,
    #[sea_orm(column_type = "Text", nullable)]
    #[blazelink(hide)]
    pub secret: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "crate::entities::team::Entity",
        from = "Column::TeamId",
        to = "crate::entities::team::Column::Id"
    )]
    Team,
}

impl ActiveModelBehavior for ActiveModel {}
