//! The choke point as types: what may leave the process on somebody's behalf.
//!
//! A statement that reads rows is run as [`Visible`], and a row's image becomes a message as
//! [`VisibleRow`]. Nobody outside of this folder can make either, so a way past the policies does
//! not compile:
//!
//! ```compile_fail
//! use blazelink::visibility::Visible;
//! let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Postgres, "SELECT 1");
//! let unseen = Visible(statement);
//! ```
//!
//! ```compile_fail
//! use blazelink::{change::Row, visibility::VisibleRow};
//! let row = Row::from_texts(&[Some("1")]);
//! let unseen = VisibleRow { row: Some(&row), hidden: &[] };
//! ```

use std::fmt;
use std::sync::{Arc, OnceLock};

use sea_orm::{DbBackend, Statement, Value};

use super::sight::Sight;
use crate::change::Row;
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::TableId;
use crate::table::{TableDef, TableManager};
use crate::value;
use crate::viewer::Viewer;

/// What has passed a viewer's policies.
pub struct Visible<T>(T);

impl<T> Visible<T> {
    /// What has passed, to look at.
    pub(crate) fn get(&self) -> &T {
        &self.0
    }

    /// What has passed.
    pub(crate) fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Visible<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Visible")
    }
}

/// A text of SQL that reads rows, and knows how to read only those that somebody sees.
pub(crate) trait Narrow {
    /// The text for what `sights` give of each table that it reads, [`Sights::restricted`] asked of
    /// every one. Its values are those that are bound, and are appended to.
    fn narrowed(&self, sights: &Sights<'_>, values: &mut Vec<Value>) -> String;
}

/// What one viewer sees of each table. Made for each request.
#[derive(Debug)]
pub(crate) struct Sights<'a> {
    manager: &'a TableManager,
    viewer: &'a Viewer,
    /// By table, once it was asked; empty if everybody sees everything.
    asked: Vec<OnceLock<Option<Arc<Sight>>>>,
}

impl<'a> Sights<'a> {
    pub(crate) fn new(manager: &'a TableManager, viewer: &'a Viewer) -> Sights<'a> {
        let mut asked = Vec::new();
        if manager.is_guarded() {
            asked.resize_with(manager.tables().len(), OnceLock::new);
        }
        Sights {
            manager,
            viewer,
            asked,
        }
    }

    /// The tables.
    pub(crate) fn manager(&self) -> &'a TableManager {
        self.manager
    }

    /// What the viewer sees of a table; nothing stands for everything. The app is asked once.
    pub(crate) fn of(&self, table: &TableDef) -> Option<Arc<Sight>> {
        let ask = || self.manager.sight(table, self.viewer).map(Arc::new);
        match self.asked.get(table.id.0 as usize) {
            Some(asked) => asked.get_or_init(ask).clone(),
            None => ask(),
        }
    }

    /// What the viewer sees of a table, if that is not every row.
    pub(crate) fn restricted(&self, table: &TableDef) -> Option<Arc<Sight>> {
        self.of(table).filter(|sight| !sight.sees_all_rows())
    }

    /// A row's image that comes from elsewhere than Postgres, if the viewer certainly sees it.
    /// Who writes the answer leaves hidden columns out, as of rows from Postgres.
    pub(crate) fn see(&self, table: &TableDef, row: Row) -> Option<Visible<Row>> {
        let seen = self.of(table).is_none_or(|sight| sight.matches(&row));
        seen.then_some(Visible(row))
    }

    /// The statement that reads what the viewer sees of what this text reads.
    pub(crate) fn narrow(&self, text: &impl Narrow, mut values: Vec<Value>) -> Visible<Statement> {
        let sql = text.narrowed(self, &mut values);
        Visible(Statement::from_sql_and_values(
            DbBackend::Postgres,
            sql,
            values,
        ))
    }
}

/// A row's image as somebody may see it; none, if it may not.
#[derive(Clone, Copy)]
pub struct VisibleRow<'a> {
    row: Option<&'a Row>,
    /// Positions among the exposed columns of those that are left out.
    hidden: &'a [usize],
}

impl<'a> VisibleRow<'a> {
    /// The image of a row of a table that everybody sees whole; nothing if it is not such a table.
    pub(crate) fn of_open(
        exposure: &Exposure,
        table: TableId,
        row: Option<&'a Row>,
    ) -> Option<VisibleRow<'a>> {
        let visible = VisibleRow { row, hidden: &[] };
        exposure.is_open(table).then_some(visible)
    }

    /// What a sight lets through of an image.
    pub(super) fn new(row: Option<&'a Row>, hidden: &'a [usize]) -> VisibleRow<'a> {
        VisibleRow { row, hidden }
    }

    /// Whether there is anything to see.
    pub(crate) fn is_some(&self) -> bool {
        self.row.is_some()
    }

    /// Positions among the exposed columns of those that are left out.
    pub(crate) fn hidden(&self) -> &'a [usize] {
        self.hidden
    }

    /// Bytes of the values.
    pub(crate) fn len(&self, table: &ExposedTable) -> usize {
        let columns = 0..table.columns.len();
        let shown = columns.filter(|column| !self.hidden.contains(column));
        let texts = shown.filter_map(|column| self.row?.text(column));
        texts.map(str::len).sum()
    }

    /// Appends the columns as a JSON object.
    pub(crate) fn write(&self, table: &ExposedTable, out: &mut Vec<u8>) {
        if let Some(row) = self.row {
            value::write_row_without(table, row, self.hidden, out);
        }
    }
}

impl fmt::Debug for VisibleRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisibleRow")
    }
}
