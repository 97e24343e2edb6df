//! `Identified`: a row, a table or a virtual table, with what is named beside it. Clients identify
//! what they read by one, and computed fields what they answer.

use super::manager::TableManager;
use crate::object_id::{Key, TableId};

/// What a client is told who has named no row, or one that is not there.
pub(crate) const NO_ROW: &str = "No row was found when one was required";

/// An object as an `ObjectId` identifies it, a client's or our own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identified {
    /// The table, or virtual table.
    pub table: TableId,
    /// The row's key, or nothing for the table as a whole.
    pub key: Option<Key>,
    /// Further objects that the client names with it.
    pub dependencies: Vec<Identified>,
}

impl Identified {
    /// All of a table, or a virtual table that nothing is named with.
    pub(crate) fn whole(table: TableId) -> Identified {
        Identified {
            table,
            key: None,
            dependencies: Vec::new(),
        }
    }

    /// All objects named with it, at any depth, parents first.
    pub(crate) fn named(&self) -> Vec<&Identified> {
        Identified::all(&self.dependencies)
    }

    /// These objects and all that are named with them, parents first.
    pub(crate) fn all(these: &[Identified]) -> Vec<&Identified> {
        let each = these.iter();
        each.flat_map(|named| std::iter::once(named).chain(named.named()))
            .collect()
    }

    /// Appends it as an `ObjectId` in JSON, with `modifiers` always `[]`.
    pub(super) fn write_json(&self, manager: &TableManager, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"obj_id\":");
        match &self.key {
            Some(key) => key.write_json(out),
            None => out.extend_from_slice(b"null"),
        }
        out.extend_from_slice(b",\"entity\":");
        crate::value::write_string(&manager.table(self.table).entity, out);
        out.extend_from_slice(b",\"modifiers\":\"[]\",\"dependencies\":[");
        for (at, named) in self.dependencies.iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            named.write_json(manager, out);
        }
        out.extend_from_slice(b"]}");
    }
}
