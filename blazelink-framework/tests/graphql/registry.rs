//! Building the registry: names, relations, discovery, and what is refused at the start.

use blazelink::codes::Code;
use blazelink::error::Error;
use blazelink::graphql::sdl;
use blazelink::table::{Extension, Field, Table, TableManager, Writes};

use crate::entities::*;
use crate::support::{App, builder};

/// An entity with one key column, for refusals.
macro_rules! entity {
    ($module:ident, $table:literal, $($attribute:meta)?, $($field:tt)*) => {
        mod $module {
            use sea_orm::entity::prelude::*;

            #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
            #[sea_orm(table_name = $table)]
            $(#[$attribute])?
            pub struct Model {
                $($field)*
            }

            #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
            pub enum Relation {}

            impl ActiveModelBehavior for ActiveModel {}
        }
    };
}

entity!(news, "news", , #[sea_orm(primary_key)] pub id: i32,);
entity!(new, "new", , #[sea_orm(primary_key)] pub id: i32,);
entity!(other_game, "game", blazelink(name = "OtherGame"), #[sea_orm(primary_key)] pub id: i32,);
entity!(same_name, "contest", blazelink(name = "Game"), #[sea_orm(primary_key)] pub id: i32,);
entity!(reference, "team_ref", , #[sea_orm(primary_key)] pub id: i32,);
entity!(order_by, "game_order_by", , #[sea_orm(primary_key)] pub id: i32,);
entity!(combined, "combined", , #[sea_orm(primary_key)] pub id: i32, pub and: i32, pub or: i32, #[sea_orm(column_name = "or_")] pub or_2: i32,);
entity!(query, "query", , #[sea_orm(primary_key)] pub id: i32,);
entity!(dash, "dash", , #[sea_orm(primary_key)] pub id: i32, #[sea_orm(column_name = "a-b")] pub a_b: i32,);
entity!(hidden_key, "hidden_key", , #[sea_orm(primary_key)] #[blazelink(hide)] pub id: i32,);
entity!(listed_key, "listed_key", , #[sea_orm(primary_key, auto_increment = false, column_type = "JsonBinary")] pub path: String,);
entity!(team_written, "team_written", , #[sea_orm(primary_key)] pub id: i32,);
entity!(keyword, "keyword", , #[sea_orm(primary_key)] pub id: i32, pub r#type: i32, pub select: i32,);

fn refusal<E: Table>() -> Error {
    builder().table::<E>().build().unwrap_err()
}

#[test]
fn names_that_cannot_be_are_refused_with_the_attribute_that_mends_them() {
    let rows = [
        (
            refusal::<same_name::Entity>(),
            Code::SchemaCollision,
            "Tables `public.contest` and `public.game` both have the type `Game`",
        ),
        (
            refusal::<reference::Entity>(),
            Code::SchemaCollision,
            "Tables `public.team` and `public.team_ref` both have the type `TeamRef`",
        ),
        (
            refusal::<order_by::Entity>(),
            Code::SchemaCollision,
            "Tables `public.game` and `public.game_order_by` both have the type `GameOrderBy`",
        ),
        (
            refusal::<query::Entity>(),
            Code::SchemaName,
            "Table `query` has the type `Query`, which is reserved",
        ),
    ];
    for (error, code, sentence) in rows {
        assert_eq!((error.code(), error.sentence()), (code, sentence));
        assert!(
            error
                .hint()
                .unwrap()
                .contains("#[blazelink(name = \"..\")]")
        );
    }
    let error = refusal::<dash::Entity>();
    assert_eq!(
        error.sentence(),
        "Column `a-b` of table `dash` is no GraphQL name"
    );
    assert!(error.hint().unwrap().contains("#[blazelink(hide)]"));
    assert_eq!(
        refusal::<hidden_key::Entity>().sentence(),
        "Table `hidden_key` hides `id`, a column of its primary key"
    );
}

#[test]
fn page_roots_append_an_s_and_collide_loudly() {
    let manager = TableManager::builder()
        .table::<news::Entity>()
        .build()
        .unwrap();
    assert_eq!(manager.named("News").unwrap().page_root(), "newsPage");
    let error = TableManager::builder()
        .table::<news::Entity>()
        .table::<new::Entity>()
        .build()
        .unwrap_err();
    assert_eq!(
        error.sentence(),
        "Tables `public.new` and `public.news` both have the root `news`"
    );
    let hint = error.hint().unwrap();
    assert!(hint.contains("#[blazelink(page_root = \"..\")]"), "{hint}");
}

#[test]
fn columns_called_like_what_joins_conditions_keep_their_names() {
    let manager = TableManager::builder()
        .table::<combined::Entity>()
        .build()
        .unwrap();
    let sdl = sdl(&manager).unwrap();
    let (_, narrowing) = sdl.split_once("input CombinedWhere {").unwrap();
    let members = narrowing.split_once('}').unwrap().0;
    for member in [
        "and_: [CombinedWhere!]",
        "or__: [CombinedWhere!]",
        "not: CombinedWhere",
        "and: IntWhere",
        "or: IntWhere",
        "or_: IntWhere",
    ] {
        assert!(
            members.contains(&format!("\t{member}\n")),
            "{member}\n{members}"
        );
    }
}

#[test]
fn no_table_is_an_error_with_a_remedy() {
    let error = TableManager::builder().build().unwrap_err();
    assert_eq!(error.code(), Code::SchemaEmpty);
    let error = TableManager::builder()
        .discover("elsewhere::entities")
        .build()
        .unwrap_err();
    assert_eq!(
        error.sentence(),
        "No table was discovered in `elsewhere::entities`"
    );
    assert!(error.hint().unwrap().contains("use elsewhere as _;"));
}

#[test]
fn tables_are_discovered_by_module_and_only_once() {
    let manager = TableManager::builder()
        .discover("graphql::entities")
        .table::<game::Entity>()
        .build()
        .unwrap();
    let names = |manager: &TableManager| -> Vec<String> {
        manager
            .tables()
            .iter()
            .map(|table| table.entity.clone())
            .collect()
    };
    assert_eq!(names(&manager), names(&builder().build().unwrap()));
    assert!(
        TableManager::builder()
            .discover("graphql::entit")
            .build()
            .is_err()
    );
}

#[test]
fn one_table_has_one_entity() {
    let error = refusal::<other_game::Entity>();
    assert_eq!(
        error.sentence(),
        "Table `game` is exposed by two entities, as `Game` and as `OtherGame`"
    );
}

#[test]
fn keys_that_no_client_can_name_are_refused() {
    let error = refusal::<listed_key::Entity>();
    let sentence = "Table `listed_key` has `path` of type `jsonb` in its primary key, which no client can name";
    assert_eq!(
        (error.code(), error.sentence()),
        (Code::SchemaDefinition, sentence)
    );
    assert!(
        error
            .hint()
            .unwrap()
            .contains("primary key of numbers and texts")
    );
}

/// A struct as what a field of teams takes and gives.
macro_rules! field_of {
    ($module:ident, $name:ident) => {
        mod $module {
            use blazelink::table::{Extension, Field};

            #[derive(blazelink::Struct)]
            struct $name {
                size: i32,
            }

            pub const TAKEN: Extension = Extension::of::<super::team::Entity>(|| {
                let take = Field::new("take", |call| Ok(call.argument::<$name>("it")?.size));
                vec![take.argument::<$name>("it")]
            });

            pub const GIVEN: Extension = Extension::of::<super::team::Entity>(|| {
                vec![Field::new("give", |_| Ok($name { size: 1 }))]
            });
        }
    };
}

field_of!(object_id, ObjectId);
field_of!(user_ref, UserRef);
field_of!(shirt, Shirt);
field_of!(shirt_input, ShirtInput);

#[test]
fn structs_have_names_of_their_own_in_and_out() {
    let refusal = |extensions: &[Extension]| {
        let tables = TableManager::builder()
            .table::<team::Entity>()
            .table::<user::Entity>();
        let tables = extensions
            .iter()
            .fold(tables, |tables, it| tables.extend(*it));
        tables
            .build()
            .err()
            .map(|error| error.sentence().to_owned())
    };
    assert_eq!(refusal(&[shirt::TAKEN, shirt::GIVEN]), None);
    assert_eq!(refusal(&[user_ref::TAKEN]), None, "`UserRefInput` is free");
    assert_eq!(refusal(&[shirt_input::TAKEN, shirt::GIVEN]), None);
    for (extensions, sentence) in [
        (
            &[object_id::TAKEN][..],
            "An argument's struct has the type `ObjectIdInput`, as has the framework",
        ),
        (
            &[object_id::GIVEN],
            "A struct has the type `ObjectId`, as has the framework",
        ),
        (
            &[user_ref::GIVEN],
            "A struct has the type `UserRef`, as has table `public.user`",
        ),
        (
            &[shirt::TAKEN, shirt_input::GIVEN],
            "An argument's struct has the type `ShirtInput`, as has another virtual table or struct",
        ),
    ] {
        assert_eq!(refusal(extensions), Some(sentence.to_owned()));
    }
}

#[test]
fn computed_fields_have_names_that_no_column_or_relation_has() {
    for name in ["name", "users"] {
        let of_team = match name {
            "name" => Extension::of::<team::Entity>(|| vec![Field::new("name", |_| Ok(1))]),
            _ => Extension::of::<team::Entity>(|| vec![Field::new("users", |_| Ok(1))]),
        };
        let tables = builder().extend(of_team);
        let error = tables.build().unwrap_err();
        assert_eq!(
            (error.code(), error.sentence().to_owned()),
            (
                Code::SchemaCollision,
                format!("Type `Team` has two fields called `{name}`")
            )
        );
        assert!(error.hint().unwrap().starts_with("Rename the method"));
    }
}

#[test]
fn mutations_have_names_of_their_own_or_are_refused() {
    let tables = || TableManager::builder().table::<team::Entity>();
    let all = || Writes::all();
    let taken = tables().table::<team_written::Entity>();
    assert!(taken.build().is_ok(), "without mutations the name is free");
    let taken = tables()
        .table::<team_written::Entity>()
        .writes::<team::Entity>(all());
    let error = taken.build().unwrap_err();
    let sentence =
        "Tables `public.team` and `public.team_written` both have the type `TeamWritten`";
    assert_eq!(
        (error.code(), error.sentence()),
        (Code::SchemaCollision, sentence)
    );
    let twice = tables()
        .writes::<team::Entity>(all())
        .writes::<team::Entity>(all());
    let unknown = tables().writes::<user::Entity>(all());
    for refused in [twice, unknown] {
        let error = refused.build().unwrap_err();
        assert!(
            error
                .sentence()
                .starts_with("`.writes::<..>(..)` is said twice"),
            "{error}"
        );
    }
}

#[test]
fn rust_keywords_are_plain_names() {
    let manager = TableManager::builder()
        .table::<keyword::Entity>()
        .build()
        .unwrap();
    let table = manager.named("Keyword").unwrap();
    let names: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    assert_eq!(names, ["id", "type", "select"]);
}

#[test]
fn relations_to_tables_that_are_not_exposed_are_left_out() {
    let manager = TableManager::builder()
        .table::<user::Entity>()
        .table::<team::Entity>()
        .build()
        .unwrap();
    let names = |entity: &str| -> Vec<String> {
        let table = manager.named(entity).unwrap();
        table
            .relations
            .iter()
            .map(|relation| relation.name.clone())
            .collect()
    };
    assert_eq!(names("User"), ["team"]);
    assert_eq!(names("Team"), ["users"]);
}

#[test]
fn relations_lead_both_ways_under_stable_names() {
    let manager = builder().build().unwrap();
    let mut lines = String::new();
    for table in manager.tables() {
        for relation in &table.relations {
            let target = &manager.table(relation.target).entity;
            let shape = format!("{:?}", relation.shape);
            let shape = shape.split_whitespace().next().unwrap();
            lines.push_str(&format!(
                "{}.{}: {shape} {target}\n",
                table.entity, relation.name
            ));
        }
    }
    insta::assert_snapshot!(lines);
}

#[tokio::test]
async fn schema_is_the_same_with_and_without_a_database() {
    let app = App::start().await;
    let offline = builder().build().unwrap();
    assert_eq!(sdl(&app.manager).unwrap(), sdl(&offline).unwrap());
}

#[test]
fn schema_has_the_shapes_of_the_original() {
    let manager = TableManager::builder()
        .table::<game::Entity>()
        .table::<game_event::Entity>()
        .table::<note::Entity>()
        .table::<stock::Entity>()
        .table::<user::Entity>()
        .build()
        .unwrap();
    insta::assert_snapshot!(sdl(&manager).unwrap());
}
