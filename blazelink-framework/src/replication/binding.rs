//! A relation of the stream bound to an exposed table: which wire cell is which cell of a row.
//!
//! The decoder makes a [`Binding`] at each Relation message and projects every row image of that
//! relation through it. Pure.

use bytes::Bytes;

use super::pgoutput::{OldTuple, Relation, Tuple, WireCell};
use crate::change::{Row, Span};
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::TableId;

/// What the decoder keeps of a Relation message.
#[derive(Clone, Debug)]
pub(super) struct Binding {
    /// The exposed table; nothing if the relation is not exposed.
    pub(super) table: Option<TableId>,
    /// Whether the stream tells a changed key: the key's columns are all part of the replica
    /// identity. With an index as identity they need not be, and then a row may take another key
    /// without a word.
    pub(super) key_is_told: bool,
    /// Whether somebody may not see each row, so that the old image decides who is told of a
    /// change.
    pub(super) guarded: bool,
    /// Of a table whose rows lie in partitions, for each wire column whether it is of the key.
    key_of_partitions: Option<Box<[bool]>>,
    /// The columns as they came, to notice a change of them.
    described: Box<[u8]>,
    /// For each wire column the position in a row.
    projection: Box<[Option<u16>]>,
    /// Number of a row's cells.
    width: usize,
}

impl Binding {
    /// Binds by schema and name: a table that was dropped and made anew has another object id.
    pub(super) fn new(relation: &Relation<'_>, exposure: &Exposure) -> Binding {
        match exposure.by_name(relation.schema, relation.name) {
            Some(table) => Binding::exposed(relation, table, exposure),
            None => Binding {
                table: None,
                key_is_told: false,
                guarded: false,
                key_of_partitions: None,
                described: Box::default(),
                projection: Box::default(),
                width: 0,
            },
        }
    }

    fn exposed(relation: &Relation<'_>, table: &ExposedTable, exposure: &Exposure) -> Binding {
        let carried = exposure.guarded(table.id);
        let guarded = carried.is_some();
        let carried = carried.unwrap_or_default();
        let position = |name: &str| {
            let mut columns = table.columns.iter().chain(carried);
            columns.position(|column| column.name == name)
        };
        let width = table.columns.len() + carried.len();
        let mut projection = Vec::with_capacity(usize::from(relation.columns));
        let mut told = vec![false; width];
        for column in relation.columns() {
            let position = position(column.name);
            if let Some(position) = position {
                told[position] = column.key;
            }
            projection.push(position.and_then(|position| u16::try_from(position).ok()));
        }
        let is_key = |position: &Option<u16>| {
            position.is_some_and(|position| table.key.contains(&usize::from(position)))
        };
        let key_of_partitions = exposure
            .is_partitioned(table.id)
            .then(|| projection.iter().map(is_key).collect());
        Binding {
            table: Some(table.id),
            key_is_told: table.key.iter().all(|&column| told[column]),
            guarded,
            key_of_partitions,
            described: relation.described.into(),
            projection: projection.into(),
            width,
        }
    }

    /// Whether rows of `other` may read differently: another table, or other columns. A relation
    /// that was merely sent again does not differ.
    pub(super) fn differs(&self, other: &Binding) -> bool {
        self.table != other.table || self.described != other.described
    }

    /// An old image, as far as it can be believed. Postgres announces rows of partitions with the
    /// replica identity of their table, and tells what their partition's own gives: of a partition
    /// that was made later, and not set to FULL, the key, and NULL for everything else.
    pub(super) fn believe<'a>(&self, old: OldTuple<'a>) -> OldTuple<'a> {
        match (&self.key_of_partitions, old) {
            (Some(key), OldTuple::Full(tuple)) => {
                let mut beside = key
                    .iter()
                    .zip(tuple.cells())
                    .filter(|(is_key, _)| !**is_key);
                let mut is_more = false;
                let is_told = beside.any(|(_, cell)| {
                    is_more = true;
                    !matches!(cell, WireCell::Null)
                });
                match is_more && !is_told {
                    true => OldTuple::Key(tuple),
                    false => OldTuple::Full(tuple),
                }
            }
            (_, old) => old,
        }
    }

    /// The exposed columns of a row image. Cells that the statement left alone are taken from the
    /// old image where it has them. A column that the wire lacks (generated ones, until 18) is
    /// not known.
    ///
    /// Nothing if the image is not one of this relation or holds text that is not UTF-8, which
    /// a database without an encoding may send.
    pub(super) fn project(&self, tuple: &Tuple<'_>, old: Option<&Tuple<'_>>) -> Option<Row> {
        if tuple.len() != self.projection.len() {
            return None;
        }
        let mut spans = vec![Span::Unchanged; self.width].into_boxed_slice();
        let mut length = 0;
        let mut unchanged = false;
        for (&position, (end, cell)) in self.projection.iter().zip(tuple.cells_with_ends()) {
            let Some(position) = position else { continue };
            spans[usize::from(position)] = match cell {
                WireCell::Null => Span::Null,
                WireCell::Text(text) => {
                    length += text.len();
                    let end = u32::try_from(end).ok()?;
                    Span::Text {
                        start: end - text.len() as u32,
                        end,
                    }
                }
                WireCell::Unchanged => {
                    unchanged = true;
                    Span::Unchanged
                }
                WireCell::Binary(_) => return None,
            };
        }
        match old {
            Some(old) if unchanged => self.gather(tuple, Some(old)),
            // Mostly exposed columns: one copy of the whole image is the cheapest.
            _ if length * 2 >= tuple.wire_bytes() => {
                Row::new(Bytes::copy_from_slice(tuple.wire()), spans)
            }
            _ => self.gather(tuple, None),
        }
    }

    /// As [`Binding::project`], copying nothing but exposed cells.
    fn gather(&self, tuple: &Tuple<'_>, old: Option<&Tuple<'_>>) -> Option<Row> {
        let mut bytes = Vec::new();
        let mut spans = vec![Span::Unchanged; self.width].into_boxed_slice();
        let mut old = old.map(Tuple::cells);
        for (&position, cell) in self.projection.iter().zip(tuple.cells()) {
            let before = old.as_mut().and_then(Iterator::next);
            let Some(position) = position else { continue };
            let cell = match (cell, before) {
                (WireCell::Unchanged, Some(before @ WireCell::Text(_))) => before,
                (cell, _) => cell,
            };
            spans[usize::from(position)] = match cell {
                WireCell::Null => Span::Null,
                WireCell::Unchanged => Span::Unchanged,
                WireCell::Binary(_) => return None,
                WireCell::Text(text) => {
                    let start = u32::try_from(bytes.len()).ok()?;
                    bytes.extend_from_slice(text);
                    Span::Text {
                        start,
                        end: u32::try_from(bytes.len()).ok()?,
                    }
                }
            };
        }
        Row::new(bytes.into(), spans)
    }
}
