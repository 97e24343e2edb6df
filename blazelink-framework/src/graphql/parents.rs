//! The keys with which the rows of a batch lead to other rows, numbered so that one statement
//! serves all of them. Pure.

use std::collections::HashMap;

use crate::data::{Batch, Keys, RowStatement};

/// The keys of a batch's rows in some columns.
pub(super) struct Parents<'b> {
    pub(super) keys: Keys,
    /// By number, the key's texts.
    pub(super) texts: Vec<Vec<&'b str>>,
    /// By row its key's number; nothing if a column of it is NULL.
    pub(super) numbers: Vec<Option<u32>>,
}

impl<'b> Parents<'b> {
    /// A number for each row.
    pub(super) fn all(batch: &'b Batch, read: &RowStatement, columns: &[usize]) -> Parents<'b> {
        Parents::number(batch, read, columns, |_, _| None)
    }

    /// A number for each distinct key.
    pub(super) fn distinct(
        batch: &'b Batch,
        read: &RowStatement,
        columns: &[usize],
    ) -> Parents<'b> {
        let mut known: HashMap<Vec<&'b str>, u32> = HashMap::new();
        Parents::number(batch, read, columns, |texts, next| match known.get(texts) {
            Some(&number) => Some(number),
            None => {
                known.insert(texts.to_vec(), next);
                None
            }
        })
    }

    /// `known` gives the number of a key seen before, or remembers the next one for it.
    fn number(
        batch: &'b Batch,
        read: &RowStatement,
        columns: &[usize],
        mut known: impl FnMut(&[&'b str], u32) -> Option<u32>,
    ) -> Parents<'b> {
        let mut parents = Parents {
            keys: Keys::new(columns.len()),
            texts: Vec::new(),
            numbers: Vec::with_capacity(batch.len()),
        };
        for row in 0..batch.len() {
            let texts = columns
                .iter()
                .map(|&column| batch.text(row, read.slot(column)?));
            let number = texts.collect::<Option<Vec<_>>>().map(|texts| {
                let next = position(parents.texts.len());
                known(&texts, next).unwrap_or_else(|| {
                    parents.keys.push(texts.iter().copied());
                    parents.texts.push(texts);
                    next
                })
            });
            parents.numbers.push(number);
        }
        parents
    }
}

/// Positions of rows fit in 32 bits: a batch has less than 4 GB of text.
pub(super) fn position(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
