//! Rows as values of their entity's `Model`, for computed fields that are methods of it: read again
//! by their keys, in one statement for all rows of a batch, as the viewer sees them.

use super::accessor::SeaOrmAccessor;
use super::children::{Keys, parent_of};
use super::statement::{Lookup, Text, keys, matches};
use crate::error::Result;
use crate::table::{Codec, TableDef, TypedRows};

/// A statement that reads rows as their entity types them.
#[derive(Clone, Debug)]
pub(crate) struct TypedStatement {
    text: Text,
    codec: Codec,
}

impl TypedStatement {
    /// For each of many keys its row: an array is bound for each of the key's columns.
    pub(crate) fn new(table: &TableDef, codec: Codec) -> TypedStatement {
        let lookup = Lookup::by_key(table);
        // Decoding looks for columns by name, so the key's number has one that no column has.
        let before = format!(
            "SELECT p.n AS \" n\", {} FROM {} JOIN ",
            (codec.projection)(),
            keys(lookup, 1),
        );
        let after = format!(" AS t ON {}", matches("t", table, lookup.columns));
        TypedStatement {
            text: Text::new(table, &before, &after, lookup.from.len()),
            codec,
        }
    }
}

impl SeaOrmAccessor<'_> {
    /// The rows with these keys, each named once, for a batch whose rows have the keys with these
    /// numbers.
    ///
    /// # Errors
    ///
    /// If the database does not answer. Rows that do not decode are no error.
    pub(crate) async fn typed(
        &self,
        statement: &TypedStatement,
        keys: Keys,
        numbers: &[Option<u32>],
    ) -> Result<TypedRows> {
        let mut row_of = vec![None; keys.len()];
        let rows = match keys.is_empty() {
            true => Vec::new(),
            false => self.query(&statement.text, keys.values().collect()).await?,
        };
        for (at, row) in rows.iter().enumerate() {
            let number = parent_of(row)? as usize;
            if let Some(place) = row_of.get_mut(number) {
                *place = Some(at);
            }
        }
        let of = |number: &Option<u32>| *row_of.get((*number)? as usize)?;
        let decoded = (statement.codec.decode)(&rows);
        Ok(TypedRows::new(decoded, numbers.iter().map(of)))
    }
}
