//! Rows from a store of the app's own: what a statement over one table asks for, asked of its
//! [`DataAccessor`](crate::DataAccessor), checked, and narrowed to what the viewer sees.
//!
//! What must stay true: what only SQL can say is refused, never read from the table that bears the
//! store's name in Postgres; and rows leave as [`Visible`].

use std::panic::AssertUnwindSafe;

use blazelink_codes::{Code, limits};
use futures_util::FutureExt;

use super::accessor::SeaOrmAccessor;
use super::batch::Batch;
use super::children::{Children, Keys};
use super::statement::{RowStatement, Text};
use crate::change::Row;
use crate::error::{Error, ErrorKind, Result};
use crate::object_id::Key;
use crate::table::{AccessorError, RowQuery, Store, StoredRow, TableDef};
use crate::visibility::Visible;

/// Rows that are asked for at once where it is not known how many are needed.
const PART: usize = 1_000;

/// What a statement asks of a store.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    rows: &'a SeaOrmAccessor<'a>,
    table: &'a TableDef,
    store: &'a Store,
    /// The columns that decide.
    columns: &'a [usize],
}

impl<'a> SeaOrmAccessor<'a> {
    /// The store that a statement reads from; nothing if it reads from Postgres alone.
    ///
    /// # Errors
    ///
    /// If it asks a store for more than one can be asked for.
    pub(super) fn stored(&'a self, text: &'a Text) -> Result<Option<Stored<'a>>> {
        let Some(table) = self.first_stored(text) else {
            return Ok(None);
        };
        match (&table.store, &text.plain) {
            (Some(store), Some(columns)) if text.sources.len() == 1 && text.beyond.is_none() => {
                if self.sight(table).is_some_and(|it| it.needs_postgres()) {
                    return Err(refused(table, "say its policy as a `Rule`, without SQL"));
                }
                Ok(Some(Stored {
                    rows: self,
                    table,
                    store,
                    columns,
                }))
            }
            _ => Err(refused(table, ONLY)),
        }
    }

    /// Refuses a statement of SQL over a store.
    pub(super) fn refuse_stores(&self, text: &Text) -> Result<()> {
        self.first_stored(text)
            .map_or(Ok(()), |table| self.refuse_stored(table))
    }

    /// Refuses SQL over a table that has a store.
    ///
    /// # Errors
    ///
    /// If it has one.
    pub(crate) fn refuse_stored(&self, table: &TableDef) -> Result<()> {
        match table.store {
            Some(_) => Err(refused(table, ONLY)),
            None => Ok(()),
        }
    }

    fn first_stored(&self, text: &Text) -> Option<&'a TableDef> {
        let sources = text.sources.iter().map(|source| source.table);
        let mut tables = sources.chain(text.beyond.as_ref().map(|beyond| beyond.table));
        tables.find_map(|table| {
            let table = self.manager().table(table);
            table.store.is_some().then_some(table)
        })
    }
}

impl Stored<'_> {
    /// The row with this key.
    pub(super) async fn by_key(self, statement: &RowStatement, key: &Key) -> Result<Batch> {
        let key = key.atoms().iter().map(ToString::to_string).collect();
        self.within(async {
            let rows = self.visible(vec![key], 1, 0).await?;
            Ok(self.batch(statement, &rows))
        })
        .await
    }

    /// A page of all rows.
    pub(super) async fn page(
        self,
        statement: &RowStatement,
        limit: i64,
        offset: i64,
    ) -> Result<Batch> {
        self.within(async {
            let rows = self.visible(Vec::new(), size(limit), size(offset)).await?;
            Ok(self.batch(statement, &rows))
        })
        .await
    }

    /// The rows that hold one of these keys.
    pub(super) async fn lookup(self, statement: &RowStatement, keys: Keys) -> Result<Children> {
        self.exact()?;
        let keys = keys.lists();
        self.within(async {
            let rows = self.all(keys.clone()).await?;
            let mut of = Vec::new();
            for (row, at) in rows.iter().zip(0_u32..) {
                for (key, parent) in keys.iter().zip(0_u32..) {
                    if self.holds(row, key) {
                        of.push((parent, at));
                    }
                }
            }
            of.sort_by_key(|&(parent, _)| parent);
            let batch = self.batch(statement, &rows);
            Ok(Children { batch, of })
        })
        .await
    }

    /// One page of rows for each of these keys, each asked for by itself.
    pub(super) async fn children(
        self,
        statement: &RowStatement,
        keys: Keys,
        limit: i64,
        offset: i64,
    ) -> Result<Children> {
        self.exact()?;
        self.within(async {
            let (mut rows, mut of) = (Vec::new(), Vec::new());
            for (key, parent) in keys.lists().into_iter().zip(0_u32..) {
                for row in self.visible(vec![key], size(limit), size(offset)).await? {
                    of.push((parent, u32::try_from(rows.len()).unwrap_or(u32::MAX)));
                    rows.push(row);
                }
            }
            let batch = self.batch(statement, &rows);
            Ok(Children { batch, of })
        })
        .await
    }

    /// The number of all rows.
    pub(super) async fn count(self) -> Result<i64> {
        self.within(async { Ok(number(self.all(Vec::new()).await?.len())) })
            .await
    }

    /// For each of these keys the number of rows that hold it.
    pub(super) async fn counts(self, keys: Keys) -> Result<Vec<i64>> {
        self.exact()?;
        let keys = keys.lists();
        self.within(async {
            let rows = self.all(keys.clone()).await?;
            let of = |key: &Vec<String>| rows.iter().filter(|row| self.holds(row, key)).count();
            Ok(keys.iter().map(|key| number(of(key))).collect())
        })
        .await
    }

    /// All visible rows that hold one of these keys.
    async fn all(self, keys: Vec<Vec<String>>) -> Result<Vec<Visible<Row>>> {
        self.parts(keys, usize::MAX, 0).await
    }

    /// A part of the visible rows.
    async fn visible(
        self,
        keys: Vec<Vec<String>>,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Visible<Row>>> {
        if self.rows.narrows(self.table) {
            return self.parts(keys, limit, offset).await;
        }
        let rows = self.ask(keys, limit, offset).await?;
        Ok(rows.into_iter().filter_map(|row| self.see(row)).collect())
    }

    /// The same, found by looking through the rows from the first one on, so that what is hidden
    /// takes no place.
    async fn parts(
        self,
        keys: Vec<Vec<String>>,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<Visible<Row>>> {
        let (mut looked, mut over, mut seen) = (0, offset, Vec::new());
        loop {
            let rows = self.ask(keys.clone(), PART, looked).await?;
            let last = rows.len() < PART;
            looked += rows.len();
            if looked > limits::ACCESSOR_ROWS {
                return Err(self.failed(Code::TooManyRows, "has more rows than are looked through"));
            }
            for row in rows.into_iter().filter_map(|row| self.see(row)) {
                match over.checked_sub(1) {
                    Some(rest) => over = rest,
                    None if seen.len() < limit => seen.push(row),
                    None => return Ok(seen),
                }
            }
            if last || seen.len() == limit {
                return Ok(seen);
            }
        }
    }

    /// Rows as the store gives them, checked.
    async fn ask(
        self,
        values: Vec<Vec<String>>,
        limit: usize,
        offset: usize,
    ) -> Result<Vec<StoredRow>> {
        let names = self.columns.iter();
        let query = RowQuery {
            table: self.table,
            columns: names
                .map(|&at| self.table.columns[at].name.as_str())
                .collect(),
            values,
            limit,
            offset,
        };
        let rows = self
            .store
            .rows(&query)
            .await
            .map_err(|source: AccessorError| {
                self.failed(Code::AccessorFailed, "has failed")
                    .with_source(Cause(source))
            })?;
        if rows.len() > limit {
            return Err(self.misfit("gives more rows than were asked for"));
        }
        for row in &rows {
            if !query.wants(row) {
                return Err(self.misfit("gives a row that was not asked for"));
            }
            if row.columns().any(|name| self.table.column(name).is_none()) {
                return Err(self.misfit("gives a column that the table does not have"));
            }
            let mut columns = self.table.columns.iter();
            if columns.any(|column| !column.nullable && row.text(&column.name).is_none()) {
                return Err(self.misfit("gives no value for a column that must have one"));
            }
        }
        Ok(rows)
    }

    /// The row's image, if the viewer sees the row.
    fn see(&self, row: StoredRow) -> Option<Visible<Row>> {
        let mut texts = vec![None; self.table.columns.len()];
        for (at, column) in self.table.columns.iter().enumerate() {
            if let Some(cell) = texts.get_mut(self.table.cell(at)) {
                *cell = row.text(&column.name);
            }
        }
        self.rows.see(self.table, Row::from_texts(&texts))
    }

    fn batch(&self, statement: &RowStatement, rows: &[Visible<Row>]) -> Batch {
        let columns = statement.columns.columns().iter();
        let cells: Vec<usize> = columns.map(|&column| self.table.cell(column)).collect();
        Batch::of_visible(rows, &cells)
    }

    fn holds(&self, row: &Visible<Row>, key: &[String]) -> bool {
        let mut pairs = self.columns.iter().zip(key);
        pairs.all(|(&column, value)| row.get().text(self.table.cell(column)) == Some(value))
    }

    /// Relations compare texts here.
    fn exact(&self) -> Result<()> {
        match self.columns.iter().all(|&at| self.table.columns[at].exact) {
            true => Ok(()),
            false => Err(refused(
                self.table,
                "use columns in the relation whose equal values print equally",
            )),
        }
    }

    /// Within the time of a field; a panic is an error.
    async fn within<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let caught = AssertUnwindSafe(work).catch_unwind();
        match tokio::time::timeout(self.rows.limit(), caught).await {
            Ok(Ok(result)) => result,
            // What it said is in the log by the panic's own hook.
            Ok(Err(_)) => Err(self.failed(Code::AccessorFailed, "panics")),
            Err(_) => Err(self.failed(Code::FieldTimeout, "takes longer than it may")),
        }
    }

    fn misfit(&self, what: &str) -> Error {
        self.failed(Code::AccessorFailed, what)
            .with_hint("give what the `RowQuery` asks for, as texts by the columns' names")
    }

    fn failed(&self, code: Code, what: &str) -> Error {
        let sentence = format!("The accessor of table `{}` {what}", self.table.table);
        Error::new(ErrorKind::Unavailable, code, sentence)
    }
}

const ONLY: &str = "ask for plain pages, rows and direct relations, or keep the table in Postgres";

fn refused(table: &TableDef, way_out: &str) -> Error {
    let sentence = format!(
        "Table `{}` has an accessor, which cannot answer this: {way_out}",
        table.table
    );
    Error::new(ErrorKind::Request, Code::AccessorRefused, sentence)
}

fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// What a store has failed with.
#[derive(Debug)]
struct Cause(AccessorError);

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Cause {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source()
    }
}
