//! `SeaOrmAccessor`: runs the statements on SeaORM's connection, each narrowed to what the viewer
//! sees, or asks the store that the app has put behind a table. The one place through which
//! answers read rows: nothing that a viewer may not see gets past it.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DatabaseConnection, QueryResult, Value};

use super::batch::{Batch, integer_at};
use super::children::{Children, Keys, counts};
use super::page_query::{Bound, Doubtful};
use super::runner::{NO_KEY, Runner};
use super::statement::{CountStatement, RowStatement, Text, leads_to};
use crate::change::Row;
use crate::error::Result;
use crate::object_id::Key;
use crate::table::{TableDef, TableManager};
use crate::viewer::Viewer;
use crate::visibility::{Narrow, Sight, Sights, Visible};

/// Reads rows and counts them, as one viewer sees them. Made for each request.
#[derive(Debug)]
pub(crate) struct SeaOrmAccessor<'a> {
    rows: Runner<'a>,
    sights: Sights<'a>,
    /// The time that a store of the app's own may take.
    limit: Duration,
}

impl<'a> SeaOrmAccessor<'a> {
    /// Reads through this connection. Its settings decide how values print; they must equal the
    /// replication connection's.
    pub(crate) fn new(
        database: &'a DatabaseConnection,
        manager: &'a TableManager,
        viewer: &'a Viewer,
    ) -> SeaOrmAccessor<'a> {
        SeaOrmAccessor {
            rows: Runner::new(database),
            sights: Sights::new(manager, viewer),
            limit: blazelink_codes::limits::FIELD_TIMEOUT,
        }
    }

    /// The same with another time that a store of the app's own may take for one field.
    pub(crate) fn within(mut self, limit: Duration) -> SeaOrmAccessor<'a> {
        self.limit = limit;
        self
    }

    pub(super) fn limit(&self) -> Duration {
        self.limit
    }

    /// As [`Sights::see`].
    pub(super) fn see(&self, table: &TableDef, row: Row) -> Option<Visible<Row>> {
        self.sights.see(table, row)
    }

    /// The connection, for writes.
    pub(crate) fn database(&self) -> &'a DatabaseConnection {
        self.rows.database()
    }

    /// The registry.
    pub(crate) fn manager(&self) -> &'a TableManager {
        self.sights.manager()
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
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.by_key(statement, key).await;
        }
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
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.page(statement, limit, offset).await;
        }
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
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.count().await;
        }
        let rows = self.query(&statement.text, Vec::new()).await?;
        rows.first().map_or(Ok(0), |row| integer_at(row, 0))
    }

    /// The rows that hold one of these keys. The statement is [`RowStatement::lookup`].
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn lookup(&self, statement: &RowStatement, keys: Keys) -> Result<Children> {
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.lookup(statement, keys).await;
        }
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
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.children(statement, keys, limit, offset).await;
        }
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
        if let Some(stored) = self.stored(&statement.text)? {
            return stored.counts(keys).await;
        }
        let parents = keys.len();
        let rows = self.query(&statement.text, keys.values().collect()).await?;
        counts(&rows, parents)
    }

    /// The rows of a page that is narrowed, ordered or continued.
    ///
    /// # Errors
    ///
    /// If the database does not answer, or refuses a value as none of its column's type.
    pub(crate) async fn page_rows(&self, bound: Bound<RowStatement>) -> Result<Batch> {
        let statement = &bound.statement;
        let rows = self.asked(&statement.text, bound.values, bound.doubtful);
        Batch::read(&rows.await?, &statement.reads, 0)
    }

    /// The same of many parents.
    ///
    /// # Errors
    ///
    /// As [`SeaOrmAccessor::page_rows`].
    pub(crate) async fn children_rows(&self, bound: Bound<RowStatement>) -> Result<Children> {
        let statement = &bound.statement;
        let rows = self.asked(&statement.text, bound.values, bound.doubtful);
        Children::read(&rows.await?, statement)
    }

    /// How many rows a narrowed page has in all.
    ///
    /// # Errors
    ///
    /// As [`SeaOrmAccessor::page_rows`].
    pub(crate) async fn page_count(&self, bound: Bound<CountStatement>) -> Result<i64> {
        let text = &bound.statement.text;
        let rows = self.asked(text, bound.values, bound.doubtful).await?;
        rows.first().map_or(Ok(0), |row| integer_at(row, 0))
    }

    /// The same for each of this many parents.
    ///
    /// # Errors
    ///
    /// As [`SeaOrmAccessor::page_rows`].
    pub(crate) async fn children_counts(
        &self,
        bound: Bound<CountStatement>,
        parents: usize,
    ) -> Result<Vec<i64>> {
        let text = &bound.statement.text;
        let rows = self.asked(text, bound.values, bound.doubtful).await?;
        counts(&rows, parents)
    }

    /// Runs a statement with a client's values. Where rows are hidden, values that may be none of
    /// their type are tried before: else whether they fail would tell whether hidden rows come so
    /// far as to be compared with them.
    async fn asked(
        &self,
        text: &Text,
        values: Vec<Value>,
        doubtful: Option<Doubtful>,
    ) -> Result<Vec<QueryResult>> {
        self.refuse_stores(text)?;
        let mut tables = text.sources.iter();
        let manager = self.sights.manager();
        if let Some(doubtful) = doubtful
            && tables.any(|it| self.narrows(manager.table(it.table)))
        {
            self.rows.try_values(doubtful, VALUE).await?;
        }
        self.query_or(text, values, VALUE).await
    }

    pub(super) async fn query(&self, text: &Text, values: Vec<Value>) -> Result<Vec<QueryResult>> {
        self.query_or(text, values, NO_KEY).await
    }

    async fn query_or(
        &self,
        text: &Text,
        values: Vec<Value>,
        refusal: &'static str,
    ) -> Result<Vec<QueryResult>> {
        debug_assert_eq!(
            values.len(),
            text.bound,
            "placeholders continue after these"
        );
        self.refuse_stores(text)?;
        let statement = self.sights.narrow(text, values);
        self.rows.run(statement, refusal).await
    }

    /// Whether there are rows of a table that the viewer does not see.
    pub(crate) fn narrows(&self, table: &TableDef) -> bool {
        self.sights.restricted(table).is_some()
    }
}

impl Narrow for Text {
    fn narrowed(&self, sights: &Sights<'_>, values: &mut Vec<Value>) -> String {
        let manager = sights.manager();
        let mut conditions: Vec<Option<String>> = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            let sight = sights.restricted(manager.table(source.table));
            conditions.push(sight.map(|sight| sight.sql("t", values.len() + 1, values)));
        }
        if let (Some(beyond), Some(source)) = (&self.beyond, self.sources.first()) {
            let target = manager.table(beyond.table);
            if let Some(sight) = sights.restricted(target) {
                let condition = sight.sql("x", values.len() + 1, values);
                let table = manager.table(source.table);
                let leads = leads_to(table, &beyond.from, target, &condition);
                let first = &mut conditions[0];
                *first = Some(match first.take() {
                    Some(own) => format!("{own} AND {leads}"),
                    None => leads,
                });
            }
        }
        match conditions.iter().all(Option::is_none) {
            true => self.sql.clone(),
            false => self.narrowed_to(&conditions),
        }
    }
}

/// What a client is told of a value that the database refuses among a page's arguments.
const VALUE: &str = "A value in `where` or `after` is none of its column's type";
