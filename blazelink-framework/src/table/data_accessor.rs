//! `DataAccessor`: where the rows of one table come from, if not from Postgres. An app implements
//! it and registers it with [`Builder::accessor`](crate::Builder::accessor); `data` asks it.
//!
//! What must stay true: an accessor is asked for rows of its table only, and what it gives has
//! passed no policy. `data` narrows it before anything leaves.

use std::any::TypeId;
use std::fmt;
use std::sync::Arc;

use blazelink_codes::Code;
use futures_util::future::BoxFuture;

use super::definition::TableDef;
use super::entity::Table;
use super::setup_error::setup;
use crate::error::Result;

/// Reads the rows of one table from a store of the app's own: a cache, a service, a test.
///
/// ```
/// # mod entities { pub mod team {
/// #     use sea_orm::entity::prelude::*;
/// #     #[sea_orm::model]
/// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
/// #     #[sea_orm(table_name = "team")]
/// #     pub struct Model {
/// #         #[sea_orm(primary_key)] pub id: i32,
/// #         pub name: String,
/// #     }
/// #     impl ActiveModelBehavior for ActiveModel {}
/// # } }
/// use blazelink::{AccessorError, DataAccessor, RowQuery, StoredRow};
/// use entities::team;
///
/// struct Teams(Vec<(i32, &'static str)>);
///
/// impl DataAccessor for Teams {
///     async fn rows(&self, query: &RowQuery<'_>) -> Result<Vec<StoredRow>, AccessorError> {
///         let rows = self.0.iter().map(|(id, name)| {
///             StoredRow::new().with("id", id.to_string()).with("name", *name)
///         });
///         Ok(query.part_of(rows))
///     }
/// }
///
/// let app = blazelink::Blazelink::builder()
///     .table::<team::Entity>()
///     .accessor::<team::Entity>(Teams(vec![(1, "red")]));
/// ```
pub trait DataAccessor: Send + Sync + 'static {
    /// The rows that a query asks for, in an order that stays the same from page to page, best
    /// that of the key.
    ///
    /// # Errors
    ///
    /// The field that asks is null, with an error that says nothing of the store; what went wrong
    /// is in the log. So it is where this panics, takes longer than `[limits] field_timeout_ms`, or
    /// gives what was not asked for.
    fn rows(
        &self,
        query: &RowQuery<'_>,
    ) -> impl Future<Output = std::result::Result<Vec<StoredRow>, AccessorError>> + Send;
}

/// Why a store has no answer. Never told to clients.
pub type AccessorError = Box<dyn std::error::Error + Send + Sync>;

/// Which rows are wanted.
#[derive(Debug)]
pub struct RowQuery<'a> {
    /// The table.
    pub table: &'a TableDef,
    /// Names, in the database, of the columns that decide. None if all rows are wanted.
    pub columns: Vec<&'a str>,
    /// For these columns the values, as Postgres prints them: a row is wanted if it holds one of
    /// the lists, column by column. A key is what the client has written.
    pub values: Vec<Vec<String>>,
    /// How many rows at most.
    pub limit: usize,
    /// How many of the wanted rows are passed over.
    pub offset: usize,
}

/// One row: by the names of its columns in the database the values as Postgres prints them (`t`,
/// `2024-01-31`, `{1,2}`). A column that is not named is NULL.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct StoredRow {
    cells: Vec<(String, Option<String>)>,
}

impl RowQuery<'_> {
    /// Whether a row is among the wanted ones.
    pub fn wants(&self, row: &StoredRow) -> bool {
        if self.columns.is_empty() {
            return true;
        }
        self.values.iter().any(|values| {
            let mut pairs = self.columns.iter().zip(values);
            pairs.all(|(column, value)| row.text(column) == Some(value))
        })
    }

    /// The wanted ones of all rows, which come in their order: for stores that fit into memory.
    pub fn part_of(&self, all: impl IntoIterator<Item = StoredRow>) -> Vec<StoredRow> {
        let wanted = all.into_iter().filter(|row| self.wants(row));
        wanted.skip(self.offset).take(self.limit).collect()
    }
}

impl StoredRow {
    /// A row of NULLs.
    pub fn new() -> StoredRow {
        StoredRow::default()
    }

    /// The same with a value.
    #[must_use]
    pub fn with(self, column: impl Into<String>, text: impl Into<String>) -> StoredRow {
        self.with_option(column, Some(text.into()))
    }

    /// The same with a value or NULL.
    #[must_use]
    pub fn with_option(mut self, column: impl Into<String>, text: Option<String>) -> StoredRow {
        self.cells.push((column.into(), text));
        self
    }

    /// A column's value; nothing for NULL.
    pub fn text(&self, column: &str) -> Option<&str> {
        let (_, text) = self.cells.iter().find(|(name, _)| name == column)?;
        text.as_deref()
    }

    /// The columns that have been named.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.cells.iter().map(|(name, _)| name.as_str())
    }
}

/// Shows no values.
impl fmt::Debug for StoredRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredRow({} cells)", self.cells.len())
    }
}

type Rows = std::result::Result<Vec<StoredRow>, AccessorError>;

/// An accessor of any type.
#[derive(Clone)]
pub(crate) struct Store(Arc<dyn Erased>);

trait Erased: Send + Sync {
    fn rows<'q>(&'q self, query: &'q RowQuery<'q>) -> BoxFuture<'q, Rows>;
}

impl<A: DataAccessor> Erased for A {
    fn rows<'q>(&'q self, query: &'q RowQuery<'q>) -> BoxFuture<'q, Rows> {
        Box::pin(DataAccessor::rows(self, query))
    }
}

impl Store {
    pub(super) fn new(accessor: impl DataAccessor) -> Store {
        Store(Arc::new(accessor))
    }

    /// As [`DataAccessor::rows`], with what panics not caught.
    pub(crate) fn rows<'q>(&'q self, query: &'q RowQuery<'q>) -> BoxFuture<'q, Rows> {
        self.0.rows(query)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

/// Puts stores behind their tables, after everything else was said of them.
pub(super) fn put(tables: &mut [TableDef], said: Vec<(TypeId, Store)>) -> Result<()> {
    for (entity, store) in said {
        let table = tables.iter_mut().find(|table| table.rust_type == entity);
        let Some(table) = table.filter(|table| table.store.is_none()) else {
            return Err(setup(
                Code::SchemaDefinition,
                "`.accessor::<..>(..)` is said twice of one entity, or of one that is not exposed",
                "Say it once, of an entity that is given to .discover(\"..\") or .table::<..>()",
            ));
        };
        if table.writes.is_some() {
            return Err(setup(
                Code::SchemaDefinition,
                format!(
                    "Table `{}` has mutations, and an accessor, which only reads",
                    table.table
                ),
                "Remove its `.writes::<..>(..)`, or the accessor",
            ));
        }
        table.store = Some(store);
    }
    Ok(())
}

/// An entity with its store.
pub(super) fn said<E: Table>(accessor: impl DataAccessor) -> (TypeId, Store) {
    (TypeId::of::<E>(), Store::new(accessor))
}
