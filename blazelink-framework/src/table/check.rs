//! What must hold of one table: that its rows can be named, and that its fields have names that
//! GraphQL takes, each once. Asked by the `TableManagerBuilder`; names that all tables share are
//! `names`'s to check.

use blazelink_codes::Code;

use super::definition::{Shape, TableDef};
use super::naming;
use super::setup_error::setup;
use crate::error::Result;
use crate::value::Kind;

pub(super) const RENAME: &str =
    "Name the type with #[blazelink(name = \"..\")] on the entity's Model";

/// A change of a table belongs to one entity.
pub(super) fn check_distinct(tables: &[TableDef]) -> Result<()> {
    for (at, table) in tables.iter().enumerate() {
        if let Some(other) = tables[..at].iter().find(|other| same_table(other, table)) {
            return Err(setup(
                Code::SchemaDefinition,
                format!(
                    "Table `{}` is exposed by two entities, as `{}` and as `{}`",
                    table.table, other.entity, table.entity
                ),
                "Remove #[derive(blazelink::Table)] from one of them",
            ));
        }
    }
    Ok(())
}

/// Whether two entities are of one table of the database.
pub(super) fn same_table(one: &TableDef, other: &TableDef) -> bool {
    one.schema == other.schema && one.table == other.table
}

/// A table's key and columns.
pub(super) fn check_table(table: &TableDef) -> Result<()> {
    let name = &table.table;
    if table.key.is_empty() {
        return Err(setup(
            Code::TableWithoutKey,
            format!("Table `{name}` has no primary key"),
            "Give the table a primary key, or remove #[derive(blazelink::Table)] from its entity",
        ));
    }
    if let Some(&hidden) = table.key.iter().find(|&&key| table.columns[key].hidden) {
        let column = &table.columns[hidden].name;
        return Err(setup(
            Code::SchemaDefinition,
            format!("Table `{name}` hides `{column}`, a column of its primary key"),
            "Remove #[blazelink(hide)] from the column: rows are known by their key",
        ));
    }
    let mut key = table.key.iter().map(|&at| &table.columns[at]);
    if let Some(column) = key.find(|it| matches!(it.kind, Kind::Array(_) | Kind::Json)) {
        return Err(setup(
            Code::SchemaDefinition,
            format!(
                "Table `{name}` has `{}` of type `{}` in its primary key, which no client can name",
                column.name, column.sql_type
            ),
            "Give the table a primary key of numbers and texts, or remove #[derive(blazelink::Table)] \
             from its entity",
        ));
    }
    if !naming::is_graphql_name(&table.entity) {
        return Err(setup(
            Code::SchemaName,
            format!(
                "Table `{name}` would have the type `{}`, which is no GraphQL name",
                table.entity
            ),
            RENAME,
        ));
    }
    for (at, column) in table.exposed() {
        let mut earlier = table.exposed().take_while(|(other, _)| *other < at);
        if earlier.any(|(_, other)| other.field() == column.field()) {
            return Err(setup(
                Code::SchemaCollision,
                format!("Table `{name}` has two columns called `{}`", column.field()),
                "Give one of them another name with #[blazelink::fields(rename(..))]",
            ));
        }
        if !naming::is_graphql_name(column.field()) {
            return Err(setup(
                Code::SchemaName,
                format!(
                    "Column `{}` of table `{name}` is no GraphQL name",
                    column.field()
                ),
                "Give it another with #[blazelink::fields(rename(..))], or leave it out with \
                 #[blazelink(hide)]",
            ));
        }
    }
    Ok(())
}

/// A table's relations, once they are complete.
pub(super) fn check_relations(table: &TableDef) -> Result<()> {
    for (at, relation) in table.relations.iter().enumerate() {
        let name = &relation.name;
        if !naming::is_graphql_name(name) {
            return Err(setup(
                Code::SchemaName,
                format!(
                    "Relation `{name}` of table `{}` is no GraphQL name",
                    table.table
                ),
                "Rename the relation's field, or leave it out with #[blazelink(hide)]",
            ));
        }
        let taken = table.exposed().any(|(_, column)| column.field() == name)
            || table.relations[..at]
                .iter()
                .any(|other| &other.name == name);
        if taken {
            return Err(setup(
                Code::SchemaCollision,
                format!("Table `{}` has two fields called `{name}`", table.table),
                "Rename the relation's field in the entity, or leave one out with \
                 #[blazelink(hide)]",
            ));
        }
        debug_assert!(match &relation.shape {
            Shape::BelongsTo { from, to }
            | Shape::HasOne { from, to }
            | Shape::HasMany { from, to } => from.len() == to.len(),
            Shape::Through { from, near, .. } | Shape::Linked { from, near, .. } =>
                from.len() == near.len(),
        });
        if relation.list && relation.shape.is_single() {
            return Err(setup(
                Code::SchemaDefinition,
                format!(
                    "Relation `{name}` of table `{}` leads to one row, and cannot be a list",
                    table.table
                ),
                "Remove #[blazelink(list)] from the field",
            ));
        }
    }
    Ok(())
}
