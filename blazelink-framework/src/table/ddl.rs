//! The SQL that would make an entity's table, as SeaORM writes it: what `<app> ddl` prints for the
//! command line tool, which has Postgres make it in a transaction that is rolled back, and compares.
//!
//! Every table is made in a schema of its own, [`scratch`], so that none of what is there is touched.

use sea_orm::sea_query::extension::postgres::TypeCreateStatement;
use sea_orm::sea_query::{
    ForeignKeyCreateStatement, IndexCreateStatement, IntoTableRef, PostgresQueryBuilder, Table,
    TableCreateStatement, TableRef,
};
use sea_orm::{DbBackend, EntityTrait, Iterable, RelationDef, RelationTrait, Schema};
use serde::Serialize;

use super::entity::table_name;

/// What makes one table. The statements are to be executed in this order; those of `references` once
/// all tables are there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Ddl {
    /// The schema that the entity names, if it names one.
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    /// The schema in which the statements make it.
    pub(crate) scratch: String,
    /// What makes its enums. Other tables may name the same ones, and then have the same statement.
    pub(crate) types: Vec<String>,
    pub(crate) create: String,
    pub(crate) indexes: Vec<String>,
    pub(crate) references: Vec<Reference>,
    /// Columns that had another name before: that name, and the present one.
    pub(crate) renamed: Vec<[String; 2]>,
}

/// A foreign key, which needs the table that it leads to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reference {
    pub(crate) schema: Option<String>,
    pub(crate) table: String,
    pub(crate) create: String,
}

/// The schema in which tables of this schema are made: no schema that a person would name so.
fn scratch(schema: Option<&str>) -> String {
    match schema {
        None => "blazelink entities".to_owned(),
        Some(schema) => format!("blazelink entities of {schema}"),
    }
}

impl Ddl {
    /// What the entity says.
    pub(super) fn of<E: EntityTrait>() -> Ddl {
        let entity = E::default();
        let schema = Schema::new(DbBackend::Postgres);
        Ddl::assemble(
            entity.schema_name().map(str::to_owned),
            entity.table_name().to_owned(),
            &schema.create_table_from_entity(entity),
            schema.create_index_from_entity(entity),
            &schema.create_enum_from_entity(entity),
            E::Relation::iter().map(|relation| relation.def()).collect(),
        )
    }

    fn assemble(
        schema: Option<String>,
        table: String,
        said: &TableCreateStatement,
        indexes: Vec<IndexCreateStatement>,
        types: &[TypeCreateStatement],
        relations: Vec<RelationDef>,
    ) -> Ddl {
        let scratch = scratch(schema.as_deref());
        let here = in_scratch(schema.as_deref(), &table);
        // Without its foreign keys, for whose tables it is too early.
        let mut create = Table::create();
        create.table(here.clone());
        for column in said.get_columns() {
            create.col(column.clone());
        }
        for key in said.get_indexes() {
            create.index(&mut key.clone());
        }
        let renamed = said.get_columns().iter().filter_map(|column| {
            let comment = column.get_column_spec().comment.as_deref()?;
            Some([renamed_from(comment)?.to_owned(), column.get_column_name()])
        });
        Ddl {
            types: types
                .iter()
                .map(|made| made.to_string(PostgresQueryBuilder))
                .collect(),
            create: create.to_string(PostgresQueryBuilder),
            indexes: indexes
                .into_iter()
                .map(|mut index| index.table(here.clone()).to_string(PostgresQueryBuilder))
                .collect(),
            references: relations
                .into_iter()
                .filter(|relation| !relation.is_owner && !relation.skip_fk)
                .map(|relation| Reference::of(here.clone(), relation))
                .collect(),
            renamed: renamed.collect(),
            schema,
            table,
            scratch,
        }
    }
}

fn in_scratch(schema: Option<&str>, table: &str) -> TableRef {
    (scratch(schema), table.to_owned()).into_table_ref()
}

impl Reference {
    fn of(here: TableRef, relation: RelationDef) -> Reference {
        let (schema, table) = table_name(&relation.to_tbl);
        let there = in_scratch(schema.as_deref(), &table);
        let mut key: ForeignKeyCreateStatement = relation.into();
        key.from_tbl(here).to_tbl(there);
        Reference {
            create: key.to_string(PostgresQueryBuilder),
            schema,
            table,
        }
    }
}

/// What `#[sea_orm(renamed_from = "..")]` says, which SeaORM keeps at the end of the comment.
fn renamed_from(comment: &str) -> Option<&str> {
    let (before, name) = comment.strip_suffix('"')?.rsplit_once("renamed_from \"")?;
    (before.is_empty() || before.ends_with("; ")).then_some(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, unreachable_pub)]
mod tests {
    use super::*;

    mod team {
        use sea_orm::entity::prelude::*;

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "team")]
        pub struct Model {
            #[sea_orm(primary_key)]
            pub id: i32,
            #[sea_orm(unique)]
            pub name: String,
            #[sea_orm(renamed_from = "colour", indexed, default_value = "#ffffff")]
            pub color: Option<String>,
            #[sea_orm(has_many)]
            pub users: HasMany<super::user::Entity>,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    mod user {
        use sea_orm::entity::prelude::*;

        #[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
        #[sea_orm(rs_type = "String", db_type = "Enum", enum_name = "mood")]
        pub enum Mood {
            #[sea_orm(string_value = "calm")]
            Calm,
            #[sea_orm(string_value = "cross")]
            Cross,
        }

        #[sea_orm::model]
        #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
        #[sea_orm(table_name = "user", schema_name = "auth")]
        pub struct Model {
            #[sea_orm(primary_key, auto_increment = false)]
            pub id: Uuid,
            pub mood: Mood,
            pub team_id: i32,
            #[sea_orm(belongs_to, from = "team_id", to = "id", on_delete = "Cascade")]
            pub team: BelongsTo<super::team::Entity>,
        }

        impl ActiveModelBehavior for ActiveModel {}
    }

    #[test]
    fn everything_that_an_entity_says_of_its_table_is_made_in_a_schema_of_its_own() {
        let ddl = [Ddl::of::<team::Entity>(), Ddl::of::<user::Entity>()];
        insta::assert_snapshot!(serde_json::to_string_pretty(&ddl).unwrap());
    }

    #[test]
    fn a_former_name_is_found_at_the_end_of_the_comment() {
        for (comment, name) in [
            ("renamed_from \"rank\"", Some("rank")),
            ("How far; renamed_from \"rank\"", Some("rank")),
            ("not renamed_from \"rank\"", None),
            ("How far", None),
        ] {
            assert_eq!(renamed_from(comment), name, "{comment}");
        }
    }
}
