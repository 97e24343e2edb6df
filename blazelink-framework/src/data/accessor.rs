//! `DataAccessor`: runs the statements on SeaORM's connection, each narrowed to what the viewer
//! sees. The one place through which answers read rows: nothing that a viewer may not see gets
//! past it.

use std::sync::Arc;

use sea_orm::sea_query::ArrayType;
use sea_orm::{DatabaseConnection, QueryResult, Value};

use super::batch::{Batch, integer_at};
use super::runner::Runner;
use super::statement::{Beyond, CountStatement, RowStatement, Text, leads_to};
use crate::error::Result;
use crate::object_id::Key;
use crate::table::{TableDef, TableManager};
use crate::viewer::Viewer;
use crate::visibility::{Narrow, Sight, Sights};

/// Reads rows and counts them, as one viewer sees them. Made for each request.
#[derive(Debug)]
pub(crate) struct DataAccessor<'a> {
    rows: Runner<'a>,
    sights: Sights<'a>,
}

/// The keys of many parents, as texts; parents are numbered from 0 in the order of their addition.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keys {
    columns: Vec<Vec<Value>>,
}

/// Rows that belong to parents.
#[derive(Clone, Debug, Default)]
pub(crate) struct Children {
    /// The rows of all parents.
    pub(crate) batch: Batch,
    /// Pairs of a parent's number and its row's position in the batch, by ascending parent; the
    /// rows of one parent are in the order that was asked for.
    pub(crate) of: Vec<(u32, u32)>,
}

impl Keys {
    /// No keys yet, of this many columns.
    pub(crate) fn new(columns: usize) -> Keys {
        Keys {
            columns: vec![Vec::new(); columns],
        }
    }

    /// Adds the key of the next parent; `texts` gives its columns in order.
    pub(crate) fn push<'a>(&mut self, texts: impl Iterator<Item = &'a str>) {
        for (column, text) in self.columns.iter_mut().zip(texts) {
            column.push(Value::String(Some(text.to_owned())));
        }
    }

    /// Number of parents.
    pub(crate) fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Whether there is no parent.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn values(self) -> impl Iterator<Item = Value> {
        self.columns
            .into_iter()
            .map(|column| Value::Array(ArrayType::String, Some(Box::new(column))))
    }
}

impl Children {
    /// Positions in the batch of one parent's rows.
    pub(crate) fn rows(&self, parent: u32) -> impl ExactSizeIterator<Item = usize> {
        let start = self.of.partition_point(|&(of, _)| of < parent);
        let end = self.of.partition_point(|&(of, _)| of <= parent);
        self.of[start..end].iter().map(|&(_, row)| row as usize)
    }
}

impl<'a> DataAccessor<'a> {
    /// Reads through this connection. Its settings decide how values print; they must equal the
    /// replication connection's.
    pub(crate) fn new(
        database: &'a DatabaseConnection,
        manager: &'a TableManager,
        viewer: &'a Viewer,
    ) -> DataAccessor<'a> {
        DataAccessor {
            rows: Runner::new(database),
            sights: Sights::new(manager, viewer),
        }
    }

    /// The connection, for reads that are not the framework's own.
    pub(crate) fn database(&self) -> &'a DatabaseConnection {
        self.rows.database()
    }

    /// What the viewer sees of a table; nothing stands for everything. The app is asked once.
    pub(crate) fn sight(&self, table: &TableDef) -> Option<Arc<Sight>> {
        self.sights.of(table)
    }

    /// The row with this key: a batch of one row, or of none. The statement is
    /// [`RowStatement::by_key`].
    ///
    /// # Errors
    ///
    /// If the database does not answer, or refuses the key as no value of its type.
    pub(crate) async fn by_key(&self, statement: &RowStatement, key: &Key) -> Result<Batch> {
        let values = key
            .atoms()
            .iter()
            .map(|atom| Value::String(Some(atom.to_string())));
        let rows = self.query(&statement.text, values.collect()).await?;
        Batch::read(&rows, &statement.reads, 0)
    }

    /// A page of all rows. The statement is [`RowStatement::page`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn page(
        &self,
        statement: &RowStatement,
        limit: i64,
        offset: i64,
    ) -> Result<Batch> {
        let rows = self
            .query(&statement.text, vec![limit.into(), offset.into()])
            .await?;
        Batch::read(&rows, &statement.reads, 0)
    }

    /// The number of all rows. The statement is [`CountStatement::all`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn count(&self, statement: &CountStatement) -> Result<i64> {
        let rows = self.query(&statement.text, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| integer_at(row, 0))
    }

    /// The rows that hold one of these keys. The statement is [`RowStatement::lookup`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn lookup(&self, statement: &RowStatement, keys: Keys) -> Result<Children> {
        let rows = self.query(&statement.text, keys.values().collect()).await?;
        Children::read(&rows, statement)
    }

    /// One page of rows for each of these keys. The statement is [`RowStatement::children`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn children(
        &self,
        statement: &RowStatement,
        keys: Keys,
        limit: i64,
        offset: i64,
    ) -> Result<Children> {
        let mut values: Vec<Value> = vec![limit.into(), offset.into()];
        values.extend(keys.values());
        let rows = self.query(&statement.text, values).await?;
        Children::read(&rows, statement)
    }

    /// For each of these keys the number of rows that hold it. The statement is
    /// [`CountStatement::each`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn counts(&self, statement: &CountStatement, keys: Keys) -> Result<Vec<i64>> {
        let mut counts = vec![0; keys.len()];
        let values = keys.values().collect();
        for row in self.query(&statement.text, values).await? {
            let parent = parent_of(&row)? as usize;
            if let Some(count) = counts.get_mut(parent) {
                *count = integer_at(&row, 1)?;
            }
        }
        Ok(counts)
    }

    async fn query(&self, text: &Text, values: Vec<Value>) -> Result<Vec<QueryResult>> {
        debug_assert_eq!(
            values.len(),
            text.bound,
            "placeholders continue after these"
        );
        self.rows.run(self.sights.narrow(text, values)).await
    }
}

impl Narrow for Text {
    fn narrowed(&self, sights: &Sights<'_>, values: &mut Vec<Value>) -> String {
        let table = sights.manager().table(self.table);
        let mut conditions = Vec::new();
        if let Some(sight) = sights.restricted(table) {
            conditions.push(sight.sql("t", values.len() + 1, values));
        }
        if let Some(Beyond {
            table: target,
            from,
        }) = &self.beyond
        {
            let target = sights.manager().table(*target);
            if let Some(sight) = sights.restricted(target) {
                let condition = sight.sql("x", values.len() + 1, values);
                conditions.push(leads_to(table, from, target, &condition));
            }
        }
        match conditions.is_empty() {
            true => self.sql.clone(),
            false => self.narrowed_to(&conditions.join(" AND ")),
        }
    }
}

impl Children {
    fn read(rows: &[QueryResult], statement: &RowStatement) -> Result<Children> {
        let mut of = Vec::with_capacity(rows.len());
        for (row, at) in rows.iter().zip(0..) {
            of.push((parent_of(row)?, at));
        }
        // Stable: the rows of one parent come in their order.
        of.sort_by_key(|&(parent, _)| parent);
        Ok(Children {
            batch: Batch::read(rows, &statement.reads, 1)?,
            of,
        })
    }
}

/// The parent's number, which SQL counts from 1.
fn parent_of(row: &QueryResult) -> Result<u32> {
    let number = integer_at(row, 0)?;
    Ok(u32::try_from(number - 1).unwrap_or(u32::MAX))
}
