//! What has been read for a plan, in the plan's shape. Words only; `load` makes it, `write` prints
//! it.

use std::collections::HashMap;

use crate::data::{Batch, Children};
use crate::object_id::Key;
use crate::table::Output;

/// What a root has become.
#[derive(Debug)]
pub(super) enum LoadedRoot {
    /// The row.
    Row(LoadedRows),
    /// The page.
    Page(LoadedPage),
    /// The fields of a virtual table.
    Virtual(Vec<Loaded>),
    /// The value of an introspection root.
    Introspection(async_graphql::Value),
    /// `__typename`.
    Typename,
    /// Null, with an error that says so.
    Failed(String),
}

/// A page of a table's rows, or a list of them.
#[derive(Debug, Default)]
pub(super) struct LoadedPage {
    pub(super) items: LoadedRows,
    pub(super) count: Option<i64>,
    /// Whether rows follow, as far as that was asked.
    pub(super) more: bool,
    /// The cursor of the last row, if rows follow.
    pub(super) next: Option<String>,
}

/// Rows, and what belongs to them.
#[derive(Debug, Default)]
pub(super) struct LoadedRows {
    pub(super) batch: Batch,
    /// For each selection of these rows, by its number, what its fields need beside the columns.
    pub(super) selections: Vec<Vec<Loaded>>,
}

/// What a field of a row needs beside the columns, for all rows of the batch.
#[derive(Debug)]
pub(super) enum Loaded {
    /// Nothing.
    Plain,
    One(LoadedOne),
    Many(Box<LoadedMany>),
    Computed(LoadedComputed),
    /// The field is null in all rows, with an error that says so.
    Failed(String),
}

/// The values of a computed field.
#[derive(Debug)]
pub(super) struct LoadedComputed {
    /// By row of the batch; an error is the message for the client.
    pub(super) values: Vec<Result<Output, String>>,
    /// By the numbers of the references in the field's selection.
    pub(super) targets: Vec<LoadedTargets>,
}

/// The rows that references in computed values lead to.
#[derive(Debug, Default)]
pub(super) struct LoadedTargets {
    /// Positions of the rows that there are.
    pub(super) of: HashMap<Key, u32>,
    pub(super) rows: LoadedRows,
}

/// The rows that a to-one relation leads to.
#[derive(Debug, Default)]
pub(super) struct LoadedOne {
    /// By parent the position of its row.
    pub(super) of: Vec<Option<u32>>,
    pub(super) rows: LoadedRows,
}

/// The items that a to-many relation leads to.
#[derive(Debug, Default)]
pub(super) struct LoadedMany {
    /// By parent its number among those that have a key.
    pub(super) numbers: Vec<Option<u32>>,
    /// The items by parents' numbers; without its batch, which is in `rows` or `junction`.
    pub(super) items: Children,
    /// By parents' numbers.
    pub(super) counts: Vec<i64>,
    /// Numbers of the parents that have more items, ascending, as far as that was asked.
    pub(super) more: Vec<u32>,
    /// The cursors of these parents' last items.
    pub(super) next: Vec<Option<String>>,
    /// The junction's rows, which then are the items, and by item the position of its row.
    pub(super) junction: Option<(Batch, Vec<Option<u32>>)>,
    pub(super) rows: LoadedRows,
}
