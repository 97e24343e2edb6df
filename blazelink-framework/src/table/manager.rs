//! `TableManager`, the registry: which tables are exposed, under which names. Built once at
//! start-up by the application, then shared and never changed.
//!
//! Names are checked here and nowhere else: what is built makes a valid GraphQL schema. Tables are
//! sorted by name, so the order of registration never shows.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use blazelink_codes::Code;

use super::definition::{Shape, TableDef};
use super::entity::{Registration, Table};
use super::{naming, relations};
use crate::error::{Error, ErrorKind, Result};
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::TableId;

/// All exposed tables. The table with [`TableId`] n stands at position n.
#[derive(Clone, Debug)]
pub struct TableManager {
    tables: Vec<TableDef>,
    exposure: Arc<Exposure>,
}

/// Collects tables for a [`TableManager`].
#[derive(Default)]
pub struct TableManagerBuilder {
    define: Vec<fn() -> Result<TableDef>>,
    /// The first prefix that found nothing.
    empty_prefix: Option<String>,
}

impl fmt::Debug for TableManagerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TableManagerBuilder({} tables)", self.define.len())
    }
}

impl TableManagerBuilder {
    /// Exposes one entity.
    #[must_use]
    pub fn table<E: Table>(mut self) -> Self {
        self.define.push(TableDef::of::<E>);
        self
    }

    /// Exposes every entity with `#[derive(blazelink::Table)]` in this module and the modules in
    /// it, such as `"myapp::entities"`. A crate that no code names is not linked, and its entities
    /// are not found.
    #[must_use]
    pub fn discover(mut self, module: &str) -> Self {
        let found = inventory::iter::<Registration>().filter(|registration| {
            registration
                .module
                .strip_prefix(module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        let before = self.define.len();
        self.define
            .extend(found.map(|registration| registration.define));
        if self.define.len() == before {
            self.empty_prefix.get_or_insert_with(|| module.to_owned());
        }
        self
    }

    /// Makes the registry: completes relations, gives names and checks them.
    ///
    /// # Errors
    ///
    /// If no table is exposed, two things have one name, a name cannot be used, or a table has no
    /// usable key.
    pub fn build(self) -> Result<TableManager> {
        if let Some(module) = self.empty_prefix {
            return Err(nothing_found(&module));
        }
        let mut tables = self
            .define
            .into_iter()
            .map(|define| define())
            .collect::<Result<Vec<_>>>()?;
        tables.sort_by(|one, other| {
            (&one.entity, &one.schema, &one.table).cmp(&(
                &other.entity,
                &other.schema,
                &other.table,
            ))
        });
        tables.dedup_by(|one, other| one.entity == other.entity && same_table(one, other));
        check_distinct(&tables)?;
        if tables.is_empty() {
            return Err(Error::new(
                ErrorKind::Setup,
                Code::SchemaEmpty,
                "No table is exposed",
            )
            .with_hint(
                "Add #[derive(blazelink::Table)] to an entity's Model, and .discover(\"..\") or \
                 .table::<..>() to the builder",
            ));
        }
        for (at, table) in tables.iter_mut().enumerate() {
            table.id = TableId(u32::try_from(at).unwrap_or(u32::MAX));
            let mut exposed = 0..;
            for column in table.columns.iter_mut().filter(|column| !column.hidden) {
                column.exposed = exposed.next();
            }
            check_table(table)?;
        }
        relations::complete(&mut tables)?;
        for table in &tables {
            check_relations(table)?;
        }
        check_names(&tables)?;
        Ok(TableManager::new(tables))
    }
}

impl TableManager {
    /// Begins a registry.
    pub fn builder() -> TableManagerBuilder {
        TableManagerBuilder::default()
    }

    /// The registry of these tables, whose ids are their positions.
    pub(crate) fn new(tables: Vec<TableDef>) -> TableManager {
        let exposure = Arc::new(Exposure::new(tables.iter().map(exposed_table).collect()));
        TableManager { tables, exposure }
    }

    /// The table with this number.
    ///
    /// # Panics
    ///
    /// If the number is not one of this registry's. Numbers never come from outside.
    pub fn table(&self, id: TableId) -> &TableDef {
        &self.tables[id.0 as usize]
    }

    /// All tables, by ascending number, which is by name.
    pub fn tables(&self) -> &[TableDef] {
        &self.tables
    }

    /// What replication, matching and pushes need to know of the tables.
    pub fn exposure(&self) -> Arc<Exposure> {
        Arc::clone(&self.exposure)
    }

    /// The table that a client means by this name: spelled exactly, else without regard to case
    /// and underscores.
    pub fn named(&self, entity: &str) -> Option<&TableDef> {
        let exact = self.tables.iter().find(|table| table.entity == entity);
        exact.or_else(|| {
            self.tables
                .iter()
                .find(|table| naming::names_entity(entity, &table.entity))
        })
    }

    /// Name of the root that reads one row of a table.
    pub fn row_root(table: &TableDef) -> String {
        naming::row_root(&table.entity)
    }

    /// Name of the root that reads a page of a table.
    pub fn page_root(table: &TableDef) -> String {
        naming::page_root(&table.entity)
    }

    pub(crate) fn into_tables(self) -> Vec<TableDef> {
        self.tables
    }
}

fn exposed_table(table: &TableDef) -> ExposedTable {
    ExposedTable {
        id: table.id,
        schema: table.schema.clone(),
        table: table.table.clone(),
        entity: table.entity.clone(),
        columns: table
            .exposed()
            .map(|(_, column)| ExposedColumn {
                name: column.name.clone(),
                kind: column.kind.clone(),
            })
            .collect(),
        key: table
            .key
            .iter()
            .filter_map(|&column| table.columns[column].exposed)
            .map(|position| position as usize)
            .collect(),
    }
}

fn setup(code: Code, sentence: String, hint: impl Into<String>) -> Error {
    Error::new(ErrorKind::Setup, code, sentence).with_hint(hint.into())
}

fn nothing_found(module: &str) -> Error {
    let package = module.split("::").next().unwrap_or(module);
    setup(
        Code::SchemaEmpty,
        format!("No table was discovered in `{module}`"),
        format!(
            "Add #[derive(blazelink::Table)] to the entities there; if they are in a crate of their \
             own, name it once so that it is linked: use {package} as _;"
        ),
    )
}

fn same_table(one: &TableDef, other: &TableDef) -> bool {
    one.schema == other.schema && one.table == other.table
}

/// A change of a table belongs to one entity.
fn check_distinct(tables: &[TableDef]) -> Result<()> {
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

const RENAME: &str = "Name the type with #[blazelink(name = \"..\")] on the entity's Model";

fn check_table(table: &TableDef) -> Result<()> {
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
    for (_, column) in table.exposed() {
        if !naming::is_graphql_name(&column.name) {
            return Err(setup(
                Code::SchemaName,
                format!(
                    "Column `{}` of table `{name}` is no GraphQL name",
                    column.name
                ),
                "Rename the column, or leave it out with #[blazelink(hide)]",
            ));
        }
    }
    Ok(())
}

fn check_relations(table: &TableDef) -> Result<()> {
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
        let taken = table.exposed().any(|(_, column)| &column.name == name)
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
            Shape::Through { from, near, .. } => from.len() == near.len(),
        });
    }
    Ok(())
}

/// Types and roots share one name space each, over all tables.
fn check_names(tables: &[TableDef]) -> Result<()> {
    let mut types: BTreeMap<String, &TableDef> = BTreeMap::new();
    let mut roots: BTreeMap<String, &TableDef> = BTreeMap::new();
    for table in tables {
        for name in [table.entity.clone(), table.ref_type(), table.page_type()] {
            if name == table.entity && naming::is_reserved_type(&name) {
                return Err(setup(
                    Code::SchemaName,
                    format!(
                        "Table `{}` has the type `{name}`, which is reserved",
                        table.table
                    ),
                    RENAME,
                ));
            }
            if let Some(other) = types.insert(name.clone(), table) {
                return Err(collision("type", &name, other, table));
            }
        }
        for name in [
            TableManager::row_root(table),
            TableManager::page_root(table),
        ] {
            if let Some(other) = roots.insert(name.clone(), table) {
                return Err(collision("root", &name, other, table));
            }
        }
    }
    Ok(())
}

fn collision(what: &str, name: &str, one: &TableDef, other: &TableDef) -> Error {
    setup(
        Code::SchemaCollision,
        format!(
            "Tables `{}.{}` and `{}.{}` both have the {what} `{name}`",
            one.schema, one.table, other.schema, other.table
        ),
        RENAME,
    )
}
