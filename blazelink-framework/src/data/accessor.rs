//! `DataAccessor`: runs the statements on SeaORM's connection, each narrowed to what the viewer
//! sees. The one place through which answers read rows: nothing that a viewer may not see gets
//! past it.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use blazelink_codes::Code;
use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, RuntimeErr, Statement,
    Value,
};

use super::batch::{Batch, integer_at};
use super::statement::{Beyond, CountStatement, RowStatement, Text, leads_to};
use super::write_error::sqlstate;
use crate::error::{Error, ErrorKind, Result};
use crate::object_id::Key;
use crate::table::{TableDef, TableManager};
use crate::viewer::Viewer;
use crate::visibility::Sight;

/// Reads rows and counts them, as one viewer sees them. Made for each request.
#[derive(Debug)]
pub(crate) struct DataAccessor<'a> {
    database: &'a DatabaseConnection,
    manager: &'a TableManager,
    viewer: &'a Viewer,
    /// What the viewer sees of each table, once it was asked; empty if everybody sees everything.
    sights: Vec<OnceLock<Option<Arc<Sight>>>>,
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
        let mut sights = Vec::new();
        if manager.is_guarded() {
            sights.resize_with(manager.tables().len(), OnceLock::new);
        }
        DataAccessor {
            database,
            manager,
            viewer,
            sights,
        }
    }

    /// The connection, for reads that are not the framework's own.
    pub(crate) fn database(&self) -> &'a DatabaseConnection {
        self.database
    }

    /// The registry.
    pub(crate) fn manager(&self) -> &'a TableManager {
        self.manager
    }

    /// What the viewer sees of a table; nothing stands for everything. The app is asked once.
    pub(crate) fn sight(&self, table: &TableDef) -> Option<Arc<Sight>> {
        let ask = || table.sight(self.viewer).map(Arc::new);
        match self.sights.get(table.id.0 as usize) {
            Some(asked) => asked.get_or_init(ask).clone(),
            None => ask(),
        }
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

    async fn query(&self, text: &Text, mut values: Vec<Value>) -> Result<Vec<QueryResult>> {
        debug_assert_eq!(
            values.len(),
            text.bound,
            "placeholders continue after these"
        );
        let sql = self.narrowed(text, &mut values);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        self.database
            .query_all_raw(statement)
            .await
            .map_err(failure)
    }
}

impl DataAccessor<'_> {
    /// The statement for what the viewer sees.
    fn narrowed<'t>(&self, text: &'t Text, values: &mut Vec<Value>) -> Cow<'t, str> {
        let restricted = |table: &TableDef| self.sight(table).filter(|it| !it.sees_all_rows());
        let table = self.manager.table(text.table);
        let mut conditions = Vec::new();
        if let Some(sight) = restricted(table) {
            conditions.push(sight.sql("t", values.len() + 1, values));
        }
        if let Some(Beyond {
            table: target,
            from,
        }) = &text.beyond
        {
            let target = self.manager.table(*target);
            if let Some(sight) = restricted(target) {
                let condition = sight.sql("x", values.len() + 1, values);
                conditions.push(leads_to(table, from, target, &condition));
            }
        }
        if conditions.is_empty() {
            return Cow::Borrowed(&text.sql);
        }
        Cow::Owned(text.narrowed(&conditions.join(" AND ")))
    }
}

/// SQLSTATE class 22 (data exception) can only mean a key here: nothing else is bound that a
/// client sent.
fn failure(source: DbErr) -> Error {
    if sqlstate(&source) == Some("57014") {
        let code = Code::StatementTimeout;
        let sentence = format!("The database took longer than it may ({code})");
        return Error::new(ErrorKind::Unavailable, code, sentence)
            .with_source(source)
            .with_hint("read less at once, make an index, or set [limits] statement_seconds");
    }
    let refused = match &source {
        DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)) => {
            error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code.starts_with("22"))
        }
        _ => false,
    };
    if refused {
        return Error::new(
            ErrorKind::Request,
            Code::Database,
            "Invalid obj_id! It is no value of the key's type",
        )
        .with_source(source);
    }
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database did not answer a statement",
    )
    .with_source(source)
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
