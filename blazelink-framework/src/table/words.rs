//! Dependencies in words, for people who want to know why an answer was made again. Used by whoever
//! shows what [`SubscriptionManager::dependencies`](crate::subscription::SubscriptionManager)
//! tells.
//!
//! What must stay true: of rows they hold keys only, their own or those of rows that they refer to.

use std::fmt::Write;

use super::definition::{Shape, TableDef};
use super::manager::TableManager;
use crate::subscription::Dependency;

impl TableManager {
    /// A dependency in words: `everything`, `GameEvent`, `User 17`, `GameEvent where player_id =
    /// 17`. A value that is no key is left out: `User where name = ..`.
    pub fn in_words(&self, dependency: &Dependency) -> String {
        match dependency {
            Dependency::Everything => "everything".to_owned(),
            Dependency::Table(table) => self.table(*table).entity.clone(),
            Dependency::Row(table, key) => {
                let mut words = self.table(*table).entity.clone();
                let atoms: Vec<String> = key.atoms().iter().map(ToString::to_string).collect();
                let _ = write!(words, " {}", atoms.join(" "));
                words
            }
            Dependency::Equal {
                table,
                column,
                value,
            } => {
                let table = self.table(*table);
                let mut columns = table.columns.iter().enumerate();
                let found = columns.find(|(_, known)| known.exposed == Some(*column));
                let Some((at, found)) = found else {
                    return table.entity.clone();
                };
                let (entity, name) = (&table.entity, &found.name);
                match refers(table, at) {
                    true => format!("{entity} where {name} = {value}"),
                    false => format!("{entity} where {name} = .."),
                }
            }
        }
    }
}

/// Whether a column is of a key, the table's own or another's.
fn refers(table: &TableDef, column: usize) -> bool {
    let refers = |shape: &Shape| match shape {
        Shape::BelongsTo { from, .. } => from.contains(&column),
        _ => false,
    };
    table.key.contains(&column)
        || table
            .relations
            .iter()
            .any(|relation| refers(&relation.shape))
}
