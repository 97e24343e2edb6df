//! Which tables and columns of Postgres are exposed, and under which names.
//!
//! Words only: the `TableManager` makes it once at start-up; the decoder binds relations to it,
//! the index finds equality columns in it, the dialect names entities by it. What is not in it
//! never leaves the replication reader, but for hidden columns that rules on a table look at.

use crate::change::Row;
use crate::object_id::Atom;
use crate::object_id::{Key, TableId};
use crate::value::Kind;

/// One exposed column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedColumn {
    /// The column's name in Postgres, and in GraphQL if it has no other there.
    pub name: String,
    /// Its name in GraphQL and on the wire, if an app has given it another.
    pub renamed: Option<&'static str>,
    /// How its text becomes JSON.
    pub kind: Kind,
}

impl ExposedColumn {
    /// Its name in GraphQL and on the wire.
    pub fn field(&self) -> &str {
        self.renamed.unwrap_or(&self.name)
    }
}

/// One exposed table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExposedTable {
    /// The table's number.
    pub id: TableId,
    /// The schema it lies in, as the catalog spells it.
    pub schema: String,
    /// Its name, as the catalog spells it.
    pub table: String,
    /// Its name in GraphQL and on the wire, such as `GameEvent`.
    pub entity: String,
    /// The exposed columns; a [`Row`] has its cells in this order.
    pub columns: Vec<ExposedColumn>,
    /// Positions of the primary key's columns in [`ExposedTable::columns`], in key order.
    pub key: Vec<usize>,
}

impl ExposedTable {
    /// The key of a row image, or nothing if a key column is NULL or unknown in it.
    pub fn key_of(&self, row: &Row) -> Option<Key> {
        if let [column] = *self.key {
            return Some(Key::One(self.atom_of(row, column)?));
        }
        let atoms = self.key.iter().map(|&column| self.atom_of(row, column));
        Key::from_atoms(atoms.collect::<Option<Vec<_>>>()?)
    }

    /// The value of one column for look-ups, or nothing if it is NULL or unknown.
    pub fn atom_of(&self, row: &Row, column: usize) -> Option<Atom> {
        Some(self.columns.get(column)?.kind.atom(row.text(column)?))
    }
}

/// All exposed tables; the table with [`TableId`] n stands at position n. Virtual tables have the
/// numbers after them: changes never name one, updates may.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exposure {
    tables: Vec<ExposedTable>,
    virtual_tables: Vec<ExposedTable>,
    /// The tables that not everybody sees whole, by ascending number, with their hidden columns.
    guarded: Vec<(TableId, Vec<ExposedColumn>)>,
    /// The tables of which nobody sees anything, by ascending number.
    closed: Vec<TableId>,
    /// The tables whose rows lie in partitions, by ascending number.
    partitioned: Vec<TableId>,
}

impl Exposure {
    /// The exposure of these tables. Each table's id must be its position.
    pub fn new(tables: Vec<ExposedTable>) -> Exposure {
        debug_assert!(
            tables
                .iter()
                .enumerate()
                .all(|(at, table)| table.id.0 as usize == at)
        );
        Exposure {
            tables,
            virtual_tables: Vec::new(),
            guarded: Vec::new(),
            closed: Vec::new(),
            partitioned: Vec::new(),
        }
    }

    /// The same with these virtual tables, whose ids must follow those of the tables.
    pub fn with_virtual_tables(mut self, virtual_tables: Vec<ExposedTable>) -> Exposure {
        debug_assert!(
            virtual_tables
                .iter()
                .zip(self.tables.len()..)
                .all(|(table, at)| table.id.0 as usize == at)
        );
        self.virtual_tables = virtual_tables;
        self
    }

    /// The same, with rules on who sees what of this table. They may look at hidden columns, so
    /// these are carried in its rows behind the exposed ones, and never written out.
    pub fn with_guarded(mut self, table: TableId, hidden: Vec<ExposedColumn>) -> Exposure {
        self.guarded.retain(|(guarded, _)| *guarded != table);
        self.guarded.push((table, hidden));
        self.guarded.sort_by_key(|(table, _)| *table);
        self
    }

    /// The same, and nobody sees anything of this table.
    pub fn with_closed(mut self, table: TableId) -> Exposure {
        self.closed.push(table);
        self.closed.sort_unstable();
        self
    }

    /// The same, and the rows of this table lie in partitions.
    pub fn with_partitioned(mut self, table: TableId) -> Exposure {
        self.partitioned.push(table);
        self.partitioned.sort_unstable();
        self
    }

    /// Whether the rows of a table lie in partitions, each with a replica identity of its own.
    pub fn is_partitioned(&self, table: TableId) -> bool {
        self.partitioned.binary_search(&table).is_ok()
    }

    /// Whether everybody sees everything of a table.
    pub fn is_open(&self, table: TableId) -> bool {
        self.guarded(table).is_none() && self.closed.binary_search(&table).is_err()
    }

    /// The columns carried behind the exposed ones of a guarded table; nothing for any other.
    pub fn guarded(&self, table: TableId) -> Option<&[ExposedColumn]> {
        let found = self
            .guarded
            .binary_search_by_key(&table, |(table, _)| *table);
        found.ok().map(|at| &*self.guarded[at].1)
    }

    /// The table or virtual table with this number.
    ///
    /// # Panics
    ///
    /// If the number is not one of this exposure's tables. Numbers never come from outside.
    pub fn table(&self, id: TableId) -> &ExposedTable {
        let at = id.0 as usize;
        match at.checked_sub(self.tables.len()) {
            None => &self.tables[at],
            Some(at) => &self.virtual_tables[at],
        }
    }

    /// The table with this schema and name in Postgres.
    pub fn by_name(&self, schema: &str, table: &str) -> Option<&ExposedTable> {
        self.tables
            .iter()
            .find(|exposed| exposed.table == table && exposed.schema == schema)
    }

    /// The table or virtual table with this name on the wire.
    pub fn by_entity(&self, entity: &str) -> Option<&ExposedTable> {
        let mut all = self.tables.iter().chain(&self.virtual_tables);
        all.find(|exposed| exposed.entity == entity)
    }

    /// All tables of Postgres, by ascending number.
    pub fn tables(&self) -> &[ExposedTable] {
        &self.tables
    }
}
