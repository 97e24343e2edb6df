//! From "these columns have these values" to dependencies on the rows of a table. For whoever finds
//! out that only such rows count: captured statements, declarations of fields, conditions of pages,
//! relations.
//!
//! A dependency is found by one equality and checks the others. It is found by the column whose
//! values are likely to have the fewest rows, as far as the definition tells: a unique one, then one
//! of the key, one that refers to another table, an integer or uuid, a text or date, any other, and
//! last a boolean. Among equals it is the one with the fewest values, then the first.

use super::definition::TableDef;
use crate::object_id::Atom;
use crate::subscription::{Dependency, Residual};
use crate::value::Kind;

/// The dependencies on the rows that have one of the values in each of these columns, which are
/// positions in the definition: one for each value of the column by which they are found, if it has
/// at most `most`. None at all where a column has no values; the table where nothing narrows it.
///
/// Hidden columns narrow nothing: they may be in no image.
pub(crate) fn narrowed_to(
    table: &TableDef,
    equalities: impl IntoIterator<Item = (usize, Vec<Atom>)>,
    most: usize,
) -> Vec<Dependency> {
    let exposed = equalities.into_iter().filter_map(|(at, values)| {
        let column = table.columns[at].exposed?;
        Some((rank(table, at), column, values))
    });
    let mut equalities: Vec<(u8, u32, Vec<Atom>)> = exposed.collect();
    if equalities.iter().any(|(.., values)| values.is_empty()) {
        return Vec::new();
    }
    equalities.sort_by_key(|(rank, _, values)| (*rank, values.len()));
    let best = equalities
        .iter()
        .position(|(.., values)| values.len() <= most);
    let Some(best) = best else {
        return vec![Dependency::Table(table.id)];
    };
    let (_, column, values) = equalities.remove(best);
    let rest = equalities.into_iter();
    let residual = Residual::of(rest.map(|(_, column, values)| (column, values)));
    let each = values.into_iter().map(|value| Dependency::Equal {
        table: table.id,
        column,
        value,
        residual: residual.clone(),
    });
    each.collect()
}

/// How few rows a value of the column is likely to have: the fewer, the smaller.
fn rank(table: &TableDef, at: usize) -> u8 {
    let column = &table.columns[at];
    match &column.kind {
        _ if column.unique => 0,
        _ if table.key.contains(&at) => 1,
        _ if table.refers(at) => 2,
        Kind::Int | Kind::BigInt => 3,
        Kind::Text if column.sql_type == "uuid" => 3,
        Kind::Bool => 6,
        Kind::Text if matches!(&*column.sql_type, "text" | "character varying" | "date") => 4,
        _ => 5,
    }
}
