//! `TableManager`, the registry: which tables are exposed, under which names. Built once at
//! start-up by `TableManagerBuilder`, then shared and never changed.
//!
//! What must stay true: a table's number is its position, which is by name, and virtual tables have
//! the numbers behind.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::Arc;

use super::computed::ValueTypes;
use super::definition::{Column, TableDef};
use super::manager_builder::TableManagerBuilder;
use super::naming;
use super::policies::JudgedBy;
use crate::capture::Catalog;
use crate::error::Result;
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::TableId;
use crate::viewer::Viewer;
use crate::visibility::Sight;

/// All exposed tables. The table with [`TableId`] n stands at position n; virtual tables have the
/// numbers after them.
#[derive(Clone, Debug)]
pub struct TableManager {
    tables: Vec<TableDef>,
    virtual_tables: Vec<TableDef>,
    value_types: Arc<ValueTypes>,
    exposure: Arc<Exposure>,
    judged_by: Arc<JudgedBy>,
    catalog: Arc<Catalog>,
}

impl TableManager {
    /// Begins a registry.
    pub fn builder() -> TableManagerBuilder {
        TableManagerBuilder::default()
    }

    /// The registry of these tables, whose ids are their positions. Virtual tables are numbered
    /// after them.
    pub(super) fn new(
        tables: Vec<TableDef>,
        mut virtual_tables: Vec<TableDef>,
        value_types: Arc<ValueTypes>,
    ) -> TableManager {
        for (table, at) in virtual_tables.iter_mut().zip(tables.len()..) {
            table.id = TableId(u32::try_from(at).unwrap_or(u32::MAX));
        }
        let exposed = tables.iter().map(exposed_table).collect();
        let virtual_exposed = virtual_tables.iter().map(exposed_table).collect();
        let mut exposure = Exposure::new(exposed).with_virtual_tables(virtual_exposed);
        for table in tables.iter().filter(|table| table.is_guarded()) {
            if table.is_closed() {
                exposure = exposure.with_closed(table.id);
                continue;
            }
            let hidden = table.columns.iter().filter(|column| column.hidden);
            exposure = exposure.with_guarded(table.id, hidden.map(exposed_column).collect());
        }
        for table in tables.iter().filter(|table| table.partitioned) {
            exposure = exposure.with_partitioned(table.id);
        }
        TableManager {
            tables,
            virtual_tables,
            value_types,
            exposure: Arc::new(exposure),
            judged_by: Arc::default(),
            catalog: Arc::new(Catalog::unknown()),
        }
    }

    /// What a viewer sees of a table; nothing stands for everything. Asks the app each time.
    ///
    /// Where [`TableDef::ask`] fails the viewer sees nothing, and the log says why.
    pub(crate) fn sight(&self, table: &TableDef, viewer: &Viewer) -> Option<Sight> {
        let sight = match table.ask(viewer) {
            Ok(sight) => sight?,
            Err(error) => {
                tracing::error!(%error, "a viewer is shown nothing of a table until this is corrected");
                return Some(Sight::nothing(table));
            }
        };
        if sight.needs_postgres() {
            self.judged_by.learn(table.id, &sight, &self.tables);
        }
        Some(sight)
    }

    /// The guarded tables of which somebody may see other rows after a change of one of these.
    pub(crate) fn judged_by(&self, changed: &BTreeSet<TableId>) -> BTreeSet<TableId> {
        self.judged_by.after(changed)
    }

    /// The table or virtual table with this number.
    ///
    /// # Panics
    ///
    /// If the number is not one of this registry's. Numbers never come from outside.
    pub fn table(&self, id: TableId) -> &TableDef {
        let at = id.0 as usize;
        match at.checked_sub(self.tables.len()) {
            None => &self.tables[at],
            Some(at) => &self.virtual_tables[at],
        }
    }

    /// The virtual tables, by name.
    pub fn virtual_tables(&self) -> &[TableDef] {
        &self.virtual_tables
    }

    /// The same with what else the database is made of.
    pub(crate) fn with_catalog(mut self, catalog: Catalog) -> TableManager {
        self.catalog = Arc::new(catalog);
        self
    }

    /// Whether there are computed fields.
    pub(crate) fn computes(&self) -> bool {
        let mut tables = self.tables.iter().chain(&self.virtual_tables);
        tables.any(|table| !table.computed.is_empty())
    }

    /// What the database is made of, for statements of computed fields.
    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The types of the computed fields.
    pub(crate) fn value_types(&self) -> &ValueTypes {
        &self.value_types
    }

    /// The table of an entity.
    pub(crate) fn by_type(&self, entity: TypeId) -> Option<&TableDef> {
        self.tables.iter().find(|table| table.rust_type == entity)
    }

    /// A virtual table by its type.
    pub(crate) fn virtual_by_type(&self, rust_type: TypeId) -> Option<&TableDef> {
        let mut tables = self.virtual_tables.iter();
        tables.find(|table| table.rust_type == rust_type)
    }

    /// All tables of Postgres, by ascending number, which is by name.
    pub fn tables(&self) -> &[TableDef] {
        &self.tables
    }

    /// What replication, matching and pushes need to know of the tables.
    pub fn exposure(&self) -> Arc<Exposure> {
        Arc::clone(&self.exposure)
    }

    /// As `check_visibility`, of what may be written.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or a rule cannot be bound to its table.
    pub(crate) fn check_writes(&self) -> Result<()> {
        self.tables.iter().try_for_each(TableDef::check_writes)
    }

    /// Whether any table has a mutation.
    pub(crate) fn has_writes(&self) -> bool {
        self.tables
            .iter()
            .any(|table| !table.write_types().is_empty())
    }

    /// Whether the app says of any table who sees what of it.
    pub fn is_guarded(&self) -> bool {
        self.tables.iter().any(TableDef::is_guarded)
    }

    /// Asks the app what nobody in particular sees, so that an access that cannot be is found at
    /// start-up. To be called once the tables' columns are known.
    ///
    /// # Errors
    ///
    /// If the app's code panics, or an access cannot be bound to its table.
    pub(crate) fn check_visibility(&self) -> Result<()> {
        let anonymous = Viewer::anonymous();
        let mut tables = self.tables.iter();
        tables.try_for_each(|table| table.ask(&anonymous).map(|_| ()))
    }

    /// The table or virtual table that a client means by this name: spelled exactly, else without
    /// regard to case and underscores.
    pub fn named(&self, entity: &str) -> Option<&TableDef> {
        let mut all = self.tables.iter().chain(&self.virtual_tables);
        let exact = all.clone().find(|table| table.entity == entity);
        exact.or_else(|| all.find(|table| naming::names_entity(entity, &table.entity)))
    }

    /// The same registry with other definitions of its tables, in the same order.
    pub(crate) fn with_tables(self, tables: Vec<TableDef>) -> TableManager {
        TableManager::new(tables, self.virtual_tables, self.value_types)
    }
}

fn exposed_column(column: &Column) -> ExposedColumn {
    ExposedColumn {
        name: column.name.clone(),
        renamed: column.renamed,
        kind: column.kind.clone(),
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
            .map(|(_, column)| exposed_column(column))
            .collect(),
        key: table
            .key
            .iter()
            .filter_map(|&column| table.columns[column].exposed)
            .map(|position| position as usize)
            .collect(),
    }
}
