//! Gives the tables of the registry their policies, for the `TableManagerBuilder`, and remembers for
//! the `TableManager` which tables policies read.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{PoisonError, RwLock};

use blazelink_codes::Code;

use super::definition::TableDef;
use super::setup_error::setup;
use crate::error::Result;
use crate::object_id::TableId;
use crate::visibility::{ReadPolicy, Sight};

/// Gives the tables their policies: each what is said of it, and the others what that means.
/// `lends` says that everybody may read all of those.
///
/// # Errors
///
/// If it is said twice of a table, or of one that is not exposed.
pub(super) fn set(
    tables: &mut [TableDef],
    said: impl IntoIterator<Item = (TypeId, ReadPolicy)>,
    lends: bool,
) -> Result<()> {
    let unsaid = match lends {
        true => ReadPolicy::Lent,
        false => ReadPolicy::Closed,
    };
    let mut known = Vec::new();
    for (entity, policy) in said {
        let Some(table) = tables.iter_mut().find(|table| table.rust_type == entity) else {
            return Err(setup(
                Code::SchemaDefinition,
                "`.visible::<..>(..)`, `.public::<..>()` or `#[fields(read = ..)]` is said of an entity \
                 that is not exposed",
                "Say it of an entity that is given to .discover(\"..\") or .table::<..>()",
            ));
        };
        if known.contains(&entity) {
            return Err(setup(
                Code::SchemaDefinition,
                format!("The app says twice who may read table `{}`", table.table),
                "Leave one of .visible::<..>(..), .public::<..>() and #[fields(read = ..)]",
            ));
        }
        known.push(entity);
        // It goes before what the entity says of itself.
        table.read = policy;
    }
    for table in tables {
        if matches!(table.read, ReadPolicy::Unsaid) {
            table.read = unsaid.clone();
        }
    }
    Ok(())
}

/// By table the guarded tables of which conditions in SQL have read it. Learned while sights are
/// made, which is before a row is read through one.
#[derive(Debug, Default)]
pub(super) struct JudgedBy(RwLock<BTreeMap<TableId, BTreeSet<TableId>>>);

impl JudgedBy {
    /// Remembers what a sight of this table reads.
    pub(super) fn learn(&self, table: TableId, sight: &Sight, tables: &[TableDef]) {
        let read = tables.iter().filter(|other| sight.reads(other));
        let read: Vec<TableId> = read.map(|other| other.id).collect();
        {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let knows = |id| known.get(id).is_some_and(|by| by.contains(&table));
            if read.iter().all(knows) {
                return;
            }
        }
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for id in read {
            known.entry(id).or_default().insert(table);
        }
    }

    /// The tables of which other rows may be seen after a change of one of these.
    pub(super) fn after(&self, changed: &BTreeSet<TableId>) -> BTreeSet<TableId> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let found = changed.iter().filter_map(|table| known.get(table));
        found.flatten().copied().collect()
    }
}
