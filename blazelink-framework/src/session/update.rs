//! One thing a session is told of: an object and, where known, its columns as JSON.
//!
//! Made once per commit by the `SubscriptionManager` and shared by every session that gets it;
//! what differs per session (the message id, the kind once updates are merged) is in the outbox.

use blazelink_codes::limits;
use bytes::Bytes;

use crate::exposure::ExposedTable;
use crate::monitor::UpdateId;
use crate::object_id::{Atom, Key, ObjectId, Scope};
use crate::visibility::VisibleRow;

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
    changes: Changes,
}

/// What an update says of its object's columns.
#[derive(Clone, PartialEq, Eq)]
enum Changes {
    /// Nothing is known: the row is gone.
    Unknown,
    /// Nothing is said: the object is to be read again.
    Again,
    /// Nothing is said, for it would be more than [`limits::UPDATE_BYTES`]: the row is to be read
    /// again.
    TooLarge,
    /// Their values, as a JSON object.
    Columns(Bytes),
}

impl Changes {
    fn of(table: &ExposedTable, row: VisibleRow<'_>) -> Changes {
        if !row.is_some() {
            return Changes::Unknown;
        }
        if row.len(table) > limits::UPDATE_BYTES {
            return Changes::TooLarge;
        }
        let mut json = Vec::new();
        row.write(table, &mut json);
        if json.len() > limits::UPDATE_BYTES {
            return Changes::TooLarge;
        }
        Changes::Columns(json.into())
    }

    fn len(&self) -> usize {
        match self {
            Changes::Columns(json) => json.len(),
            Changes::Unknown | Changes::Again | Changes::TooLarge => 0,
        }
    }
}

impl Update {
    /// A row changed; `row` is of its image what may be seen.
    pub(crate) fn row(table: &ExposedTable, key: &Key, row: VisibleRow<'_>) -> Update {
        Update {
            object: ObjectId::row(table.id, key.clone()),
            id: None,
            changes: Changes::of(table, row),
        }
    }

    /// An object is to be read again; which columns changed is not said.
    pub(crate) fn again(object: ObjectId) -> Update {
        Update {
            object,
            id: None,
            changes: Changes::Again,
        }
    }

    /// The same, known to monitors under this id.
    pub(crate) fn with_id(mut self, id: Option<UpdateId>) -> Update {
        self.id = id;
        self
    }

    /// The row's columns as a JSON object: empty if the object is to be read again, nothing if the
    /// row is gone and not known.
    pub(crate) fn changes(&self) -> Option<&[u8]> {
        match &self.changes {
            Changes::Unknown => None,
            Changes::Again | Changes::TooLarge => Some(b"{}"),
            Changes::Columns(json) => Some(json),
        }
    }

    /// Whether the update tells of the row itself: what it says of it replaces what was said before.
    pub(crate) fn tells_row(&self) -> bool {
        self.changes != Changes::Again
    }

    /// Bytes that the update keeps alive.
    pub(crate) fn weight(&self) -> usize {
        let text = match &self.object.scope {
            Scope::Table | Scope::Row(Key::One(_)) => 0,
            Scope::Row(Key::Many(atoms)) => atoms.len() * size_of::<Atom>(),
        };
        size_of::<Update>() + text + self.changes.len()
    }
}

impl std::fmt::Debug for Update {
    /// The object and the size of its values, which never print.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes = self.changes.len();
        write!(f, "Update({:?}, {bytes} bytes)", self.object.table)
    }
}

/// An image of a table that everybody sees.
#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) fn open(row: Option<&crate::change::Row>) -> VisibleRow<'_> {
    let exposure = crate::exposure::Exposure::default();
    VisibleRow::of_open(&exposure, crate::object_id::TableId(0), row).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::Row;
    use crate::exposure::ExposedColumn;
    use crate::object_id::TableId;
    use crate::value::Kind;

    fn update(text: &str) -> Update {
        let table = ExposedTable {
            id: TableId(0),
            schema: "public".into(),
            table: "page".into(),
            entity: "Page".into(),
            columns: vec![ExposedColumn {
                renamed: None,
                name: "text".into(),
                kind: Kind::Text,
            }],
            key: vec![0],
        };
        let row = Row::from_texts(&[Some(text)]);
        Update::row(&table, &Key::from(1), open(Some(&row)))
    }

    #[test]
    fn a_row_beyond_the_limit_is_to_be_read_again_and_replaces_what_was_said_before() {
        let around = r#"{"text":""}"#.len();
        let fits = update(&"x".repeat(limits::UPDATE_BYTES - around));
        assert_eq!(fits.changes().map(<[u8]>::len), Some(limits::UPDATE_BYTES));
        // One byte more, or many more once they are escaped.
        let bytes = "x".repeat(limits::UPDATE_BYTES - around + 1);
        let escaped = "\u{1}".repeat(limits::UPDATE_BYTES / 2);
        for large in [&bytes, &escaped, &"x".repeat(limits::UPDATE_BYTES * 4)] {
            let update = update(large);
            assert_eq!(update.changes(), Some(&b"{}"[..]));
            assert!(update.tells_row());
            assert!(update.weight() < 200);
        }
    }
}
