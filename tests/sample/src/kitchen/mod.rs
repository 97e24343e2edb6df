//! A database with everything: each kind of relation, each kind of key, each type of column that
//! SeaORM knows in Postgres, nullable and not, in dense and in classic entities.

pub mod account;
pub mod badge;
pub mod category;
pub mod chains;
pub mod classic;
pub mod enums;
pub mod follow;
pub mod kinds;
pub mod lists;
pub mod membership;
pub mod nullable_kinds;
pub mod nullable_lists;
pub mod post;
pub mod post_tag;
pub mod profile;
pub mod shelf;
pub mod shift;
pub mod tag;
pub mod team;
pub mod warehouse;

use sea_orm::{DbBackend, EntityTrait, Schema, Statement};

/// What makes the tables, as SeaORM makes them of the entities.
pub fn tables() -> Vec<Statement> {
    let schema = Schema::new(DbBackend::Postgres);
    let extension = |name| Statement::from_string(DbBackend::Postgres, name);
    let mut statements = vec![
        extension("CREATE EXTENSION citext"),
        extension("CREATE EXTENSION ltree"),
    ];
    let mood = schema.create_enum_from_active_enum::<enums::Mood>();
    statements.extend(mood.map(|mood| DbBackend::Postgres.build(&mood)));
    statements.extend([
        table(account::Entity),
        table(profile::Entity),
        table(badge::Entity),
        table(follow::Entity),
        table(team::Entity),
        table(membership::Entity),
        table(category::Entity),
        table(post::Entity),
        table(tag::Entity),
        table(post_tag::Entity),
        table(warehouse::Entity),
        table(shelf::Entity),
        table(shift::Entity),
        table(kinds::Entity),
        table(nullable_kinds::Entity),
        table(lists::Entity),
        table(nullable_lists::Entity),
        table(classic::address::Entity),
        table(classic::buyer::Entity),
        table(classic::order::Entity),
        table(classic::article::Entity),
        table(classic::order_line::Entity),
    ]);
    statements
}

fn table<E: EntityTrait>(entity: E) -> Statement {
    let table = Schema::new(DbBackend::Postgres).create_table_from_entity(entity);
    DbBackend::Postgres.build(&table)
}
