//! What Postgres committed: transactions of changes, with the values of exposed columns.
//!
//! Words only. The decoder makes a [`Transaction`] at its commit; from there it travels as one
//! value through the bus to the subscription index and the outboxes. Values in it leave the
//! process only through what a viewer may see, and never through a log: `Debug` prints shapes,
//! not contents.

use std::fmt;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use bytes::Bytes;

use crate::object_id::{Key, TableId};

/// A position in the write-ahead log (PostgreSQL manual, section 8.20, `pg_lsn`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lsn(pub u64);

impl fmt::Display for Lsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl std::str::FromStr for Lsn {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (high, low) = text.split_once('/').ok_or(())?;
        let high = u32::from_str_radix(high, 16).map_err(|_| ())?;
        let low = u32::from_str_radix(low, 16).map_err(|_| ())?;
        Ok(Lsn(u64::from(high) << 32 | u64::from(low)))
    }
}

/// One cell of a [`Row`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A value stored out of line that the statement did not touch, and that no old image
    /// carried: not known, and not NULL (manual, section 54.9, `TupleData`).
    Unchanged,
    /// The value as its type's output function prints it.
    Text(&'a str),
}

/// The exposed columns of one row image, in the order of [`ExposedTable::columns`]; behind them
/// the hidden columns of a guarded table, for its rules only.
///
/// [`ExposedTable::columns`]: crate::exposure::ExposedTable::columns
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    bytes: Bytes,
    spans: Box<[Span]>,
}

/// Where a cell lies in a row's bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Span {
    Null,
    Unchanged,
    Text { start: u32, end: u32 },
}

impl Row {
    /// A row whose cells lie in `bytes`.
    ///
    /// Returns nothing if a span lies outside of `bytes` or is not UTF-8.
    pub(crate) fn new(bytes: Bytes, spans: Box<[Span]>) -> Option<Row> {
        let sound = spans.iter().all(|span| match *span {
            Span::Null | Span::Unchanged => true,
            Span::Text { start, end } => bytes
                .get(start as usize..end as usize)
                .is_some_and(|text| std::str::from_utf8(text).is_ok()),
        });
        sound.then_some(Row { bytes, spans })
    }

    /// A row of these texts, `None` being NULL. For tests and for rows that do not come from the
    /// log.
    pub fn from_texts(texts: &[Option<&str>]) -> Row {
        let cells = texts.iter();
        Row::of_cells(cells.map(|text| text.map_or(Cell::Null, Cell::Text)))
    }

    /// A row of these cells.
    pub(crate) fn of_cells<'a>(cells: impl Iterator<Item = Cell<'a>>) -> Row {
        let mut bytes = Vec::new();
        let spans = cells.map(|cell| match cell {
            Cell::Null => Span::Null,
            Cell::Unchanged => Span::Unchanged,
            Cell::Text(text) => {
                let start = bytes.len() as u32;
                bytes.extend_from_slice(text.as_bytes());
                let end = bytes.len() as u32;
                Span::Text { start, end }
            }
        });
        let spans = spans.collect();
        Row {
            bytes: bytes.into(),
            spans,
        }
    }

    /// The cell of the exposed column at this position; NULL beyond the last one.
    pub fn cell(&self, column: usize) -> Cell<'_> {
        match self.spans.get(column) {
            None | Some(Span::Null) => Cell::Null,
            Some(Span::Unchanged) => Cell::Unchanged,
            Some(&Span::Text { start, end }) => {
                match std::str::from_utf8(&self.bytes[start as usize..end as usize]) {
                    Ok(text) => Cell::Text(text),
                    // `new` has checked every span.
                    Err(_) => Cell::Unchanged,
                }
            }
        }
    }

    /// The cell's text, if it has one.
    pub fn text(&self, column: usize) -> Option<&str> {
        match self.cell(column) {
            Cell::Text(text) => Some(text),
            Cell::Null | Cell::Unchanged => None,
        }
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.spans.len()
    }

    /// Whether the row has no cells.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Bytes that the row keeps alive, its cells' text and their places.
    pub fn weight(&self) -> usize {
        self.bytes.len() + self.spans.len() * size_of::<Span>()
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row({} cells)", self.spans.len())
    }
}

/// What a statement did to a row. SQL's words; the original client's `Create` is made in its
/// dialect only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    /// The row is new.
    Insert,
    /// The row was there and still is, perhaps under another key.
    Update,
    /// The row is gone.
    Delete,
}

/// What the log tells of the row before the change; decided by the table's replica identity
/// (manual, section 29.1.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Old {
    /// Nothing: an insert, or an update without replica identity FULL that left the key as it was.
    None,
    /// Its key only; every other column is unknown.
    Key(Key),
    /// The whole row.
    Full(Row),
}

/// One row that a transaction changed.
///
/// An update that moves a row to another key is one `Update` with the old key in [`Change::moved`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The row's table.
    pub table: TableId,
    /// What happened.
    pub kind: ChangeKind,
    /// The row's key: after the change, or before it for a delete.
    pub key: Key,
    /// The key before the change, where it differs from [`Change::key`].
    pub moved: Option<Key>,
    /// The row before the change, as far as it is known.
    pub old: Old,
    /// The row after the change; nothing for a delete.
    pub new: Option<Row>,
}

/// What has made a transaction: written into the log by the transaction itself, as a logical message
/// (manual, section 9.28.6, `pg_logical_emit_message`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// What was asked for, such as `mutation createGameEvent`.
    pub operation: Box<str>,
    /// The label of the session that asked, if one did.
    pub session: Option<Box<str>>,
    /// What names the request.
    pub request: Box<str>,
    /// Whether this process wrote it: whoever may write to the log can write one.
    pub verified: bool,
}

/// One committed transaction: the changes of exposed tables, in the order of their statements.
///
/// Handed on whole, in commit order, and only after a new snapshot on the server that answers
/// reads sees it. Per table it holds either all changes, or the table's id in
/// [`Transaction::whole`].
#[derive(Clone, Debug)]
pub struct Transaction {
    /// Postgres' transaction id, without its epoch.
    pub xid: u32,
    /// Where the commit record begins.
    pub commit_lsn: Lsn,
    /// Where the next record begins: the position to confirm once the transaction is handed on.
    pub end_lsn: Lsn,
    /// The server's clock at the commit.
    pub committed_at: SystemTime,
    /// When all of it had been read.
    pub read_at: Instant,
    /// What has made it, if that has said so in the transaction itself.
    pub cause: Option<Arc<Cause>>,
    /// Changes in the order of their statements, across tables.
    pub changes: Vec<Change>,
    /// Tables of which anything may have changed: truncated, altered, or changed in more rows
    /// than are kept. Ascending, without repeats.
    pub whole: Vec<TableId>,
}

#[cfg(test)]
impl Transaction {
    /// A transaction of these changes and whole tables, for tests that look at nothing else of it.
    pub(crate) fn of(changes: Vec<Change>, whole: Vec<TableId>) -> Transaction {
        Transaction {
            xid: 1,
            commit_lsn: Lsn(1),
            end_lsn: Lsn(2),
            committed_at: SystemTime::UNIX_EPOCH,
            read_at: Instant::now(),
            cause: None,
            changes,
            whole,
        }
    }
}

impl Change {
    /// Bytes that the change keeps alive, its rows' text included.
    pub fn weight(&self) -> usize {
        let old = match &self.old {
            Old::None => 0,
            Old::Key(key) => key.weight(),
            Old::Full(row) => row.weight(),
        };
        size_of::<Change>()
            + old
            + self.key.weight()
            + self.moved.as_ref().map_or(0, Key::weight)
            + self.new.as_ref().map_or(0, Row::weight)
    }
}

impl Transaction {
    /// Bytes that the transaction keeps alive.
    pub fn weight(&self) -> usize {
        let changes = self.changes.iter().map(Change::weight);
        size_of::<Transaction>() + changes.sum::<usize>() + size_of_val(&*self.whole)
    }

    /// Whether the transaction touched no exposed table.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.whole.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lsn_prints_and_reads_as_postgres_does() {
        let lsn = Lsn(0x1_A3F2_C800);
        assert_eq!(lsn.to_string(), "1/A3F2C800");
        assert_eq!("1/A3F2C800".parse(), Ok(lsn));
        assert_eq!("1".parse::<Lsn>(), Err(()));
    }

    #[test]
    fn row_debug_holds_no_values() {
        let row = Row::from_texts(&[Some("secret"), None]);
        assert_eq!(format!("{row:?}"), "Row(2 cells)");
        assert_eq!(row.cell(0), Cell::Text("secret"));
        assert_eq!(row.cell(1), Cell::Null);
    }

    #[test]
    fn row_refuses_spans_that_are_not_text() {
        let bytes = Bytes::from_static(&[b'a', 0xFF]);
        assert!(Row::new(bytes.clone(), Box::new([Span::Text { start: 0, end: 1 }])).is_some());
        assert!(Row::new(bytes.clone(), Box::new([Span::Text { start: 0, end: 2 }])).is_none());
        assert!(Row::new(bytes, Box::new([Span::Text { start: 0, end: 3 }])).is_none());
    }
}
