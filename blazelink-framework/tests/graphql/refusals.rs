//! What an app declares and cannot be: each refusal names what is wrong, and what to write instead.
//! Those of names stand in `registry.rs`.

use blazelink::codes::Code;
use blazelink::error::Error;
use blazelink::table::{Extension, Field, RowRef, TableManager, TableManagerBuilder, Writes};
use blazelink::{Access, Page};

use crate::entities::*;

/// A virtual table with a field, or a struct that a field of teams gives.
macro_rules! virtual_table {
    ($module:ident, $name:ident) => {
        mod $module {
            #[derive(Debug, blazelink::VirtualTable)]
            pub struct $name;

            #[blazelink::fields(virtual_table)]
            impl $name {
                fn age() -> i32 {
                    1
                }
            }
        }
    };
}

macro_rules! given {
    ($module:ident, $name:ident) => {
        mod $module {
            use blazelink::table::{Extension, Field};

            #[derive(blazelink::Struct)]
            pub struct $name {
                pub age: i32,
            }

            pub const GIVEN: Extension = Extension::of::<super::team::Entity>(|| {
                vec![Field::new(stringify!($module), |_| Ok($name { age: 1 }))]
            });
        }
    };
}

virtual_table!(like_an_entity, Team);
virtual_table!(like_a_page_root, Teams);
virtual_table!(like_a_page, TeamRef);
virtual_table!(like_the_framework, Query);
virtual_table!(one, Card);
virtual_table!(other, Card);
given!(struct_like_an_entity, Team);
given!(struct_like_a_virtual_table, Card);
given!(one_struct, Shirt);
given!(other_struct, Shirt);

fn tables() -> TableManagerBuilder {
    TableManager::builder().table::<team::Entity>()
}

fn of_team(fields: fn() -> Vec<Field>) -> TableManagerBuilder {
    tables().extend(Extension::of::<team::Entity>(fields))
}

fn refusal(tables: TableManagerBuilder) -> Error {
    tables.build().unwrap_err()
}

fn check(rows: impl IntoIterator<Item = (TableManagerBuilder, Code, &'static str, &'static str)>) {
    for (tables, code, sentence, hint) in rows {
        let error = refusal(tables);
        assert_eq!((error.code(), error.sentence()), (code, sentence));
        let said = error.hint().unwrap_or_default();
        assert!(said.contains(hint), "{sentence}\n{said}");
    }
}

#[test]
fn two_columns_of_one_name_are_refused() {
    let fields = Extension::of::<team::Entity>(Vec::new);
    let rename = "#[blazelink::fields(rename(..))]";
    check([
        (
            tables().extend(fields.renaming(&[("name", "id")])),
            Code::SchemaCollision,
            "Table `team` has two columns called `id`",
            rename,
        ),
        (
            tables().extend(fields.renaming(&[("name", "full-name")])),
            Code::SchemaName,
            "Column `full-name` of table `team` is no GraphQL name",
            rename,
        ),
        (
            tables().extend(fields.renaming(&[("colour", "color")])),
            Code::SchemaDefinition,
            "Fields of `Team` rename `colour`, which the entity does not have",
            "Name a field of the entity's Model",
        ),
        (
            tables().extend(fields.hiding(&["colour"])),
            Code::SchemaDefinition,
            "Fields of `Team` hide `colour`, which the entity does not have",
            "Name a field of the entity's Model",
        ),
    ]);
}

#[test]
fn a_name_that_is_freed_by_a_rename_may_be_taken() {
    let swapped =
        Extension::of::<user::Entity>(Vec::new).renaming(&[("name", "email"), ("email", "name")]);
    let tables = tables().table::<user::Entity>().extend(swapped);
    assert!(tables.build().is_ok());
}

#[test]
fn virtual_tables_and_structs_have_names_that_nothing_else_has() {
    let rename = "#[blazelink(name = \"..\")]";
    check([
        (
            tables().virtual_table::<like_an_entity::Team>(),
            Code::SchemaCollision,
            "Virtual table `Team` has the root `team`, as has table `public.team`",
            rename,
        ),
        (
            tables().virtual_table::<like_a_page_root::Teams>(),
            Code::SchemaCollision,
            "Virtual table `Teams` has the root `teams`, as has table `public.team`",
            rename,
        ),
        (
            tables().virtual_table::<like_a_page::TeamRef>(),
            Code::SchemaCollision,
            "A virtual table has the type `TeamRef`, as has table `public.team`",
            rename,
        ),
        (
            tables().virtual_table::<like_the_framework::Query>(),
            Code::SchemaCollision,
            "A virtual table has the type `Query`, as has the framework",
            rename,
        ),
        (
            tables()
                .virtual_table::<one::Card>()
                .virtual_table::<other::Card>(),
            Code::SchemaCollision,
            "Virtual table `Card` has the root `card`, as has virtual table `Card`",
            rename,
        ),
        (
            tables().extend(struct_like_an_entity::GIVEN),
            Code::SchemaCollision,
            "A struct has the type `Team`, as has table `public.team`",
            rename,
        ),
        (
            tables()
                .virtual_table::<one::Card>()
                .extend(struct_like_a_virtual_table::GIVEN),
            Code::SchemaCollision,
            "A struct has the type `Card`, as has another virtual table or struct",
            rename,
        ),
    ]);
    let error = refusal(
        tables()
            .extend(one_struct::GIVEN)
            .extend(other_struct::GIVEN),
    );
    let sentence = error.sentence();
    for part in [
        "one_struct::Shirt`",
        "other_struct::Shirt`",
        "both have the type `Shirt`",
    ] {
        assert!(sentence.contains(part), "{sentence}");
    }
    assert!(error.hint().unwrap().contains(rename));
}

#[test]
fn fields_that_cannot_be_are_refused() {
    check([
        (
            of_team(|| vec![Field::new("full-name", |_| Ok(1))]),
            Code::SchemaName,
            "Computed field `full-name` of `Team` has no GraphQL name",
            "Use letters, digits and `_`",
        ),
        (
            of_team(|| vec![Field::new("a", |_| Ok(1)), Field::new("a", |_| Ok(2))]),
            Code::SchemaCollision,
            "Type `Team` has two fields called `a`",
            "#[computed(name = \"..\")]",
        ),
        (
            of_team(|| vec![Field::new("a", |_| Ok(1)).argument::<i32>("page")]),
            Code::SchemaCollision,
            "Argument `page` of `Team.a` has a name that is taken",
            "Rename the argument",
        ),
        (
            of_team(|| {
                let field = Field::new("a", |_| Ok(1));
                vec![field.argument::<i32>("n").argument::<i32>("n")]
            }),
            Code::SchemaCollision,
            "Argument `n` of `Team.a` has a name that is taken",
            "Rename the argument",
        ),
        (
            of_team(|| vec![Field::new("a", |_| Ok(1)).reads([user::Column::Email])]),
            Code::SchemaDefinition,
            "Computed field `Team.a` reads `email`, which is no column",
            "Name a column of the entity in .reads(..)",
        ),
        (
            of_team(|| vec![Field::new("a", |_| Ok(vec![Page::of(vec![1])]))]),
            Code::SchemaDefinition,
            "`Team.a` holds a page of lists, or a page inside of something",
            "Return Page<T> as the field's whole value",
        ),
        (
            of_team(|| vec![Field::new("a", |_| Ok(Page::of(vec![vec![1]])))]),
            Code::SchemaDefinition,
            "`Team.a` holds a page of lists, or a page inside of something",
            "Return Page<T> as the field's whole value",
        ),
        (
            of_team(|| {
                vec![Field::new("captain", |_| {
                    Ok(RowRef::<user::Entity>::new(1))
                })]
            }),
            Code::SchemaDefinition,
            "`Team.captain` needs rows of `graphql::entities::user::Entity`, which is not exposed",
            ".table::<..>() or .discover(\"..\")",
        ),
        (
            of_team(|| {
                let led = Field::new("led", |_| Ok(1));
                vec![led.argument::<Vec<RowRef<user::Entity>>>("by")]
            }),
            Code::SchemaDefinition,
            "Argument `by` of `Team.led` needs rows of `graphql::entities::user::Entity`, which is \
             not exposed",
            ".table::<..>() or .discover(\"..\")",
        ),
        (
            tables().extend(Extension::of::<user::Entity>(Vec::new)),
            Code::SchemaDefinition,
            "Fields are registered for `graphql::entities::user::Entity`, which is not exposed",
            "Expose the entity, or remove .extend(..)",
        ),
    ]);
}

/// What is hidden is no column.
mod reader {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "reader")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(ignore)]
        #[blazelink(hide)]
        pub shelf: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

#[test]
fn hiding_what_is_no_column_is_refused() {
    check([(
        tables().table::<reader::Entity>(),
        Code::SchemaDefinition,
        "Table `reader` hides `shelf`, which is no column of it",
        "Remove #[blazelink(hide)] from the field",
    )]);
}

#[test]
fn access_to_what_is_not_exposed_is_refused() {
    let hint = ".discover(\"..\") or .table::<..>()";
    check([
        (
            tables().visible::<user::Entity>(|_| Access::all()),
            Code::SchemaDefinition,
            "`.visible::<..>(..)`, `.public::<..>()` or `#[fields(read = ..)]` is said of an entity \
             that is not exposed",
            hint,
        ),
        (
            tables().writes::<user::Entity>(Writes::all()),
            Code::SchemaDefinition,
            "`.writes::<..>(..)` is said twice of one entity, or of one that is not exposed",
            hint,
        ),
    ]);
}
