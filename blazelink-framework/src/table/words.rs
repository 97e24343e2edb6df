//! Dependencies in words, for people who want to know why an answer was made again. Used by whoever
//! shows what [`SubscriptionManager::dependencies`](crate::subscription::SubscriptionManager)
//! tells.
//!
//! What must stay true: of rows they hold keys only, their own or those of rows that they refer to.

use std::fmt::Write;
use std::slice::from_ref;

use super::definition::TableDef;
use super::manager::TableManager;
use crate::object_id::Atom;
use crate::subscription::Dependency;

impl TableManager {
    /// A dependency in words: `everything`, `GameEvent`, `User 17`, `GameEvent where player_id =
    /// 17 and kind = ..`. Values that are no keys are left out.
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
                residual,
            } => {
                let table = self.table(*table);
                let mut words = table.entity.clone();
                let mut next = " where ";
                let rest = residual.equalities().iter();
                let rest = rest.map(|one| (one.column, &*one.values));
                for (column, values) in std::iter::once((*column, from_ref(value))).chain(rest) {
                    if let Some(equality) = equality(table, column, values) {
                        words.push_str(next);
                        words.push_str(&equality);
                        next = " and ";
                    }
                }
                words
            }
        }
    }
}

/// One equality in words; nothing if the column is not known.
fn equality(table: &TableDef, exposed: u32, values: &[Atom]) -> Option<String> {
    let mut columns = table.columns.iter().enumerate();
    let (at, column) = columns.find(|(_, known)| known.exposed == Some(exposed))?;
    let name = &column.name;
    let of_key = table.key.contains(&at) || table.refers(at);
    Some(match values {
        _ if !of_key => format!("{name} = .."),
        [value] => format!("{name} = {value}"),
        values => {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("{name} in ({})", values.join(", "))
        }
    })
}
