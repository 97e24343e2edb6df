//! `Draft`: a row as it is about to be written, and `Invalid`: why it is not. What the app's own
//! checks and hooks (see `writes`) are given, and what they answer.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use sea_orm::sea_query::Iden;
use sea_orm::{ColumnTrait, DbErr};
use serde_json::Value as Json;

use super::definition::TableDef;
use super::writes::Operation;
use crate::object_id::Key;
use crate::viewer::Viewer;

/// A row as it is about to be written. Values are JSON, as answers give them: a date or a decimal
/// is a string, bytes are `\x..`.
pub struct Draft {
    operation: Operation,
    viewer: Viewer,
    key: Option<Key>,
    entity: TypeId,
    columns: Vec<String>,
    values: BTreeMap<usize, Json>,
    /// The first column that was set and is none of the table's.
    unknown: Option<String>,
}

impl Draft {
    pub(crate) fn new(
        table: &TableDef,
        operation: Operation,
        viewer: Viewer,
        key: Option<Key>,
        values: BTreeMap<usize, Json>,
    ) -> Draft {
        Draft {
            operation,
            viewer,
            key,
            entity: table.rust_type,
            columns: table.columns.iter().map(|c| c.name.clone()).collect(),
            values,
            unknown: None,
        }
    }

    /// What is done to the row.
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Who asks for it; nothing if that is nobody, or of another type.
    pub fn viewer<T: 'static>(&self) -> Option<&T> {
        self.viewer.get()
    }

    /// The key of the row that is updated or deleted.
    pub fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// The value for a column: nothing if it was left out, and JSON's null for NULL.
    pub fn get<C: ColumnTrait>(&self, column: C) -> Option<&Json> {
        self.values.get(&self.position(&column)?)
    }

    /// The value for a column if it is a text.
    pub fn text<C: ColumnTrait>(&self, column: C) -> Option<&str> {
        self.get(column)?.as_str()
    }

    /// Sets the value for a column; also one that is hidden, or that the viewer may not write.
    pub fn set<C: ColumnTrait>(&mut self, column: C, value: impl Into<Json>) {
        match self.position(&column) {
            Some(at) => {
                self.values.insert(at, value.into());
            }
            None => {
                let name = Iden::unquoted(&column).to_owned();
                self.unknown.get_or_insert(name);
            }
        }
    }

    /// Leaves the column out, so that it keeps its value or gets its default.
    pub fn leave_out<C: ColumnTrait>(&mut self, column: C) {
        if let Some(at) = self.position(&column) {
            self.values.remove(&at);
        }
    }

    /// The values by the positions of their columns.
    pub(crate) fn values(&self) -> &BTreeMap<usize, Json> {
        &self.values
    }

    pub(crate) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    fn position<C: ColumnTrait>(&self, column: &C) -> Option<usize> {
        if TypeId::of::<C::EntityName>() != self.entity {
            return None;
        }
        let name = Iden::unquoted(column);
        self.columns.iter().position(|column| column == name)
    }
}

impl fmt::Debug for Draft {
    /// Without the values, which are somebody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("operation", &self.operation)
            .finish_non_exhaustive()
    }
}

/// Why a row is not written, in sentences for the client: at least one.
#[derive(Debug, Default)]
pub struct Invalid(pub(crate) Vec<Problem>);

/// One reason.
#[derive(Debug)]
pub(crate) enum Problem {
    /// The value for a column, by the name of the column.
    Field(String, Cow<'static, str>),
    /// The row as a whole.
    Row(Cow<'static, str>),
    /// The database refused a statement of the hook's own.
    Database(DbErr),
}

impl Invalid {
    /// The value for a column is wrong. The sentence goes on after the column's name, such as
    /// "must not be empty".
    pub fn field<C: ColumnTrait>(column: C, sentence: impl Into<Cow<'static, str>>) -> Invalid {
        let name = Iden::unquoted(&column).to_owned();
        Invalid(vec![Problem::Field(name, sentence.into())])
    }

    /// The row as a whole is wrong.
    pub fn row(sentence: impl Into<Cow<'static, str>>) -> Invalid {
        Invalid(vec![Problem::Row(sentence.into())])
    }

    /// This, and something else too.
    #[must_use]
    pub fn and(mut self, other: Invalid) -> Invalid {
        self.0.extend(other.0);
        self
    }
}

impl From<DbErr> for Invalid {
    /// A statement of the hook's own failed: the client is told as of the row's own.
    fn from(error: DbErr) -> Invalid {
        Invalid(vec![Problem::Database(error)])
    }
}
