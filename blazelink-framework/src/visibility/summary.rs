//! What is open to whom, in words: a line per table, which the app logs when it starts.
//!
//! Names tables and columns; never a value that a rule compares with.

use std::fmt;

use super::policy::ReadPolicy;
use crate::table::{TableDef, TableManager};
use crate::viewer::Viewer;

/// Who may read one table. Prints as a line for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Open {
    /// On whose word it is so.
    pub openness: Openness,
    entity: String,
    what: String,
}

/// On whose word a table is open, or is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Openness {
    /// The app says who sees what of it.
    Said,
    /// Nobody says; everybody sees everything, because the app is being developed.
    Lent,
    /// Nobody says; nobody sees anything.
    Closed,
}

impl Open {
    /// Who sees what, in words.
    pub(crate) fn what(&self) -> &str {
        &self.what
    }
}

impl fmt::Display for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.entity, self.what)
    }
}

/// Who may read what: tables by name, then virtual tables. Asks the app what nobody in particular
/// sees.
pub fn summary(manager: &TableManager) -> Vec<Open> {
    let tables = manager.tables().iter().map(of_table);
    let virtual_tables = manager.virtual_tables().iter().map(|table| Open {
        openness: Openness::Said,
        entity: table.entity.clone(),
        what: "everybody may ask; its fields answer as they see fit".to_owned(),
    });
    tables.chain(virtual_tables).collect()
}

fn of_table(table: &TableDef) -> Open {
    let (openness, what) = match &table.read {
        ReadPolicy::Public => (Openness::Said, "everybody sees everything".to_owned()),
        ReadPolicy::Lent => (
            Openness::Lent,
            format!(
                "everybody sees everything, in development only; in production nobody would: {}",
                way_out(table)
            ),
        ),
        ReadPolicy::Closed | ReadPolicy::Unsaid => (
            Openness::Closed,
            format!(
                "nobody sees anything, for nobody says who may: {}",
                way_out(table)
            ),
        ),
        ReadPolicy::Asked(hook) => (
            Openness::Said,
            match hook.access(&Viewer::anonymous()) {
                Some(access) => {
                    format!("each viewer what the app says; nobody in particular {access}")
                }
                None => "nobody sees anything, for what the app says of it panics".to_owned(),
            },
        ),
    };
    Open {
        openness,
        entity: table.entity.clone(),
        what,
    }
}

fn way_out(table: &TableDef) -> String {
    format!(
        "say .visible::<..>(..) of the entity of `{}`, or #[blazelink(public)] on it",
        table.table
    )
}
