//! Rows that belong to other rows: the keys with which many parents ask for theirs at once, and what
//! each of them is given. Asked for through the accessor.
//!
//! What must stay true: parents are numbered from 0 here and from 1 in SQL, and nobody else knows.

use sea_orm::sea_query::ArrayType;
use sea_orm::{QueryResult, Value};

use super::batch::{Batch, integer_at};
use super::statement::RowStatement;
use crate::error::Result;

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

    /// Key by key the texts of its columns.
    pub(super) fn lists(self) -> Vec<Vec<String>> {
        let mut lists = vec![Vec::with_capacity(self.columns.len()); self.len()];
        for column in self.columns {
            for (list, value) in lists.iter_mut().zip(column) {
                if let Value::String(Some(text)) = value {
                    list.push(text);
                }
            }
        }
        lists
    }

    pub(super) fn values(self) -> impl Iterator<Item = Value> {
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

    /// Leaves at most this many rows to each parent; says which parents had more, ascending.
    pub(crate) fn cut(&mut self, limit: usize) -> Vec<u32> {
        let mut more = Vec::new();
        let mut of_parent = 0;
        let mut last = None;
        self.of.retain(|&(parent, _)| {
            of_parent = if last == Some(parent) {
                of_parent + 1
            } else {
                1
            };
            last = Some(parent);
            if of_parent > limit && more.last() != Some(&parent) {
                more.push(parent);
            }
            of_parent <= limit
        });
        if !more.is_empty() {
            let mut kept: Vec<u32> = self.of.iter().map(|&(_, row)| row).collect();
            kept.sort_unstable();
            self.batch.keep(&kept);
            for (_, row) in &mut self.of {
                let at = kept.partition_point(|kept| kept < row);
                *row = u32::try_from(at).unwrap_or(u32::MAX);
            }
        }
        more
    }

    /// The rows that a statement gave whose first column is their parent's number.
    pub(super) fn read(rows: &[QueryResult], statement: &RowStatement) -> Result<Children> {
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

/// By parent the number that its row tells; parents without a row have none.
pub(super) fn counts(rows: &[QueryResult], parents: usize) -> Result<Vec<i64>> {
    let mut counts = vec![0; parents];
    for row in rows {
        if let Some(count) = counts.get_mut(parent_of(row)? as usize) {
            *count = integer_at(row, 1)?;
        }
    }
    Ok(counts)
}

/// The parent's number, which SQL counts from 1.
pub(super) fn parent_of(row: &QueryResult) -> Result<u32> {
    let number = integer_at(row, 0)?;
    Ok(u32::try_from(number - 1).unwrap_or(u32::MAX))
}
