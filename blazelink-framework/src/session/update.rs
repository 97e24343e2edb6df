//! One thing a session is told of: an object and, where known, its columns as JSON.
//!
//! Made once per commit by the `SubscriptionManager` and shared by every session that gets it;
//! what differs per session (the message id, the kind once updates are merged) is in the outbox.

use bytes::Bytes;

use crate::change::Row;
use crate::exposure::ExposedTable;
use crate::monitor::UpdateId;
use crate::object_id::{Atom, Key, ObjectId, Scope};
use crate::value;

/// What a change did to the row with one key.
///
/// A row that moved to another key is two events, the end of the old key and the beginning of the
/// new one, each told to whoever watches that key; who watches the whole table is told of both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UpdateKind {
    /// A row with this key is there now.
    Create,
    /// The row has other values, or may have.
    Update,
    /// No row with this key is there any more.
    Delete,
}

/// An object that changed. The dialect of the session's socket makes a frame of it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Update {
    /// What changed.
    pub(crate) object: ObjectId,
    /// Under which id monitors were told of the change; nothing if none was attached.
    pub(crate) id: Option<UpdateId>,
    changes: Option<Bytes>,
}

impl Update {
    /// A row changed; `row` is its image, if one is known.
    pub(crate) fn row(table: &ExposedTable, key: &Key, row: Option<&Row>) -> Update {
        Update::row_without(table, key, row, &[])
    }

    /// The same without the columns at these positions.
    pub(crate) fn row_without(
        table: &ExposedTable,
        key: &Key,
        row: Option<&Row>,
        hidden: &[usize],
    ) -> Update {
        let changes = row.map(|row| {
            let mut json = Vec::new();
            value::write_row_without(table, row, hidden, &mut json);
            json.into()
        });
        Update {
            object: ObjectId::row(table.id, key.clone()),
            id: None,
            changes,
        }
    }

    /// An object is to be read again; which columns changed is not said.
    pub(crate) fn again(object: ObjectId) -> Update {
        Update {
            object,
            id: None,
            changes: Some(Bytes::from_static(b"{}")),
        }
    }

    /// The same, known to monitors under this id.
    pub(crate) fn with_id(mut self, id: Option<UpdateId>) -> Update {
        self.id = id;
        self
    }

    /// The row's columns as a JSON object: empty if the object is only to be read again, nothing
    /// if the row is gone and not known.
    pub(crate) fn changes(&self) -> Option<&[u8]> {
        self.changes.as_deref()
    }

    /// Whether the update names columns or says that the row is gone.
    pub(crate) fn tells_row(&self) -> bool {
        self.changes.as_deref() != Some(b"{}")
    }

    /// Bytes that the update keeps alive.
    pub(crate) fn weight(&self) -> usize {
        let text = match &self.object.scope {
            Scope::Table | Scope::Row(Key::One(_)) => 0,
            Scope::Row(Key::Many(atoms)) => atoms.len() * size_of::<Atom>(),
        };
        size_of::<Update>() + text + self.changes.as_ref().map_or(0, Bytes::len)
    }
}

impl std::fmt::Debug for Update {
    /// The object and the size of its values, which never print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.changes.as_ref().map_or(0, Bytes::len);
        write!(f, "Update({:?}, {bytes} bytes)", self.object.table)
    }
}
