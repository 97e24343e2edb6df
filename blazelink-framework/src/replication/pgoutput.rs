//! pgoutput: the bytes of one message of the logical replication stream, taken apart.
//!
//! The decoder calls [`Message::parse`] for every message that the stream carries. Total: any
//! bytes give a message or a [`Malformed`], never a panic. Nothing is copied: a message borrows
//! from the bytes it was made of. Protocol versions 1 to 4 (PostgreSQL manual, section 55.9),
//! with the messages of streamed and of prepared transactions.

use std::fmt;

use crate::change::Lsn;

/// One message of pgoutput.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The variants are the manual's, their fields' types say the rest.
pub enum Message<'a> {
    Begin {
        final_lsn: Lsn,
        committed_at: Timestamp,
        xid: u32,
    },
    Commit(Commit),
    Origin {
        lsn: Lsn,
        name: &'a str,
    },
    Relation {
        xid: Option<u32>,
        relation: Relation<'a>,
    },
    Type {
        xid: Option<u32>,
        oid: u32,
        schema: &'a str,
        name: &'a str,
    },
    Insert {
        xid: Option<u32>,
        relation: u32,
        new: Tuple<'a>,
    },
    Update {
        xid: Option<u32>,
        relation: u32,
        old: Option<OldTuple<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        xid: Option<u32>,
        relation: u32,
        old: OldTuple<'a>,
    },
    Truncate {
        xid: Option<u32>,
        cascade: bool,
        restart_identity: bool,
        relations: Oids<'a>,
    },
    Logical {
        xid: Option<u32>,
        transactional: bool,
        lsn: Lsn,
        prefix: &'a str,
        content: &'a [u8],
    },
    StreamStart {
        xid: u32,
        first: bool,
    },
    StreamStop,
    StreamCommit {
        xid: u32,
        commit: Commit,
    },
    /// With `subxid == xid` the whole transaction is rolled back.
    StreamAbort {
        xid: u32,
        subxid: u32,
    },
    BeginPrepare(Prepared<'a>),
    Prepare(Prepared<'a>),
    StreamPrepare(Prepared<'a>),
    CommitPrepared {
        commit: Commit,
        xid: u32,
        gid: &'a str,
    },
    RollbackPrepared {
        end_lsn: Lsn,
        xid: u32,
        gid: &'a str,
    },
}

/// Microseconds since 2000-01-01 00:00 UTC, the server's clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timestamp(pub i64);

/// Where and when a transaction was committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Where the commit record begins.
    pub lsn: Lsn,
    /// Where the next record begins.
    pub end_lsn: Lsn,
    /// The server's clock at the commit.
    pub at: Timestamp,
}

/// What identifies a prepared transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prepared<'a> {
    /// Where the prepare record begins.
    pub lsn: Lsn,
    /// Where the next record begins.
    pub end_lsn: Lsn,
    /// The transaction.
    pub xid: u32,
    /// The name given with PREPARE TRANSACTION.
    pub gid: &'a str,
}

/// How a table looks from here on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Relation<'a> {
    /// Object id; a table made anew has another one.
    pub oid: u32,
    /// Schema; empty for `pg_catalog`.
    pub schema: &'a str,
    /// Table name.
    pub name: &'a str,
    /// `pg_class.relreplident`.
    pub identity: u8,
    /// Number of columns.
    pub columns: u16,
    /// The columns as they came; equal bytes mean equal columns.
    pub described: &'a [u8],
}

/// One column of a [`Relation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column<'a> {
    /// Whether the column is part of the replica identity; with FULL all are.
    pub key: bool,
    /// Column name.
    pub name: &'a str,
    /// Type's object id.
    pub type_oid: u32,
}

impl<'a> Relation<'a> {
    /// The columns, in the order of the cells of a [`Tuple`].
    pub fn columns(&self) -> impl Iterator<Item = Column<'a>> + use<'a> {
        let mut cursor = Cursor::new(self.described);
        // `parse` has walked the same bytes, so that the walk ends with the last column.
        std::iter::from_fn(move || cursor.column().ok())
    }
}

/// Which columns an old row image has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OldTuple<'a> {
    /// Only those of the replica identity; the others are sent as NULL.
    Key(Tuple<'a>),
    /// All: replica identity FULL.
    Full(Tuple<'a>),
}

/// The cells of one row image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tuple<'a> {
    columns: u16,
    bytes: &'a [u8],
}

/// One cell as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WireCell<'a> {
    /// SQL NULL.
    Null,
    /// A value out of line that the statement left alone.
    Unchanged,
    /// Text, not yet checked for UTF-8.
    Text(&'a [u8]),
    /// The type's binary form; we never ask for it.
    Binary(&'a [u8]),
}

impl<'a> Tuple<'a> {
    /// Number of cells.
    pub fn len(&self) -> usize {
        usize::from(self.columns)
    }

    /// Whether there are no cells.
    pub fn is_empty(&self) -> bool {
        self.columns == 0
    }

    /// Bytes of the cells as they came: never less than their text.
    pub fn wire_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The cells as they came.
    pub(super) fn wire(&self) -> &'a [u8] {
        self.bytes
    }

    /// The cells, in the relation's column order.
    #[inline]
    pub fn cells(&self) -> impl Iterator<Item = WireCell<'a>> + use<'a> {
        self.cells_with_ends().map(|(_, cell)| cell)
    }

    /// The cells, each with the offset in [`Tuple::wire`] at which it ends.
    #[inline]
    pub(super) fn cells_with_ends(&self) -> impl Iterator<Item = (usize, WireCell<'a>)> + use<'a> {
        let length = self.bytes.len();
        let mut cursor = Cursor::new(self.bytes);
        // `parse` has walked the same bytes, so that the walk ends with the last cell.
        std::iter::from_fn(move || {
            let cell = cursor.cell().ok()?;
            Some((length - cursor.0.len(), cell))
        })
    }
}

/// Object ids of truncated tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Oids<'a>(&'a [u8]);

impl Oids<'_> {
    /// The object ids, in the message's order.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.0
            .as_chunks::<4>()
            .0
            .iter()
            .map(|oid| u32::from_be_bytes(*oid))
    }
}

/// Bytes that pgoutput does not define.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// The message's first byte; nothing for an empty message.
    pub tag: Option<u8>,
    /// What was expected and did not come.
    pub expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tag {
            Some(tag) => write!(
                f,
                "message `{}` lacks {}",
                tag.escape_ascii(),
                self.expected
            ),
            None => f.write_str("empty message"),
        }
    }
}

impl std::error::Error for Malformed {}

impl<'a> Message<'a> {
    /// Takes one message apart. `streamed` says whether it stands between a
    /// [`Message::StreamStart`] and its [`Message::StreamStop`]: there, messages begin with their
    /// transaction's id.
    ///
    /// # Errors
    ///
    /// If the bytes are not exactly one message.
    pub fn parse(bytes: &'a [u8], streamed: bool) -> Result<Message<'a>, Malformed> {
        let Some((&tag, body)) = bytes.split_first() else {
            return Err(Malformed {
                tag: None,
                expected: "a tag",
            });
        };
        let mut cursor = Cursor::new(body);
        cursor
            .message(tag, streamed)
            .and_then(|message| cursor.end().map(|()| message))
            .map_err(|expected| Malformed {
                tag: Some(tag),
                expected,
            })
    }
}

/// What is missing, for [`Malformed::expected`].
type Parsed<T> = Result<T, &'static str>;

/// The unread rest of a message.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn new(bytes: &'a [u8]) -> Cursor<'a> {
        Cursor(bytes)
    }

    fn message(&mut self, tag: u8, streamed: bool) -> Parsed<Message<'a>> {
        Ok(match tag {
            b'I' => Message::Insert {
                xid: self.xid(streamed)?,
                relation: self.u32()?,
                new: self.new_tuple()?,
            },
            b'U' => Message::Update {
                xid: self.xid(streamed)?,
                relation: self.u32()?,
                old: self.old_tuple()?,
                new: self.new_tuple()?,
            },
            b'D' => Message::Delete {
                xid: self.xid(streamed)?,
                relation: self.u32()?,
                old: self.old_tuple()?.ok_or("an old tuple")?,
            },
            b'B' => Message::Begin {
                final_lsn: self.lsn()?,
                committed_at: self.timestamp()?,
                xid: self.u32()?,
            },
            b'C' => Message::Commit(self.commit()?),
            b'R' => Message::Relation {
                xid: self.xid(streamed)?,
                relation: self.relation()?,
            },
            b'Y' => Message::Type {
                xid: self.xid(streamed)?,
                oid: self.u32()?,
                schema: self.text()?,
                name: self.text()?,
            },
            b'O' => Message::Origin {
                lsn: self.lsn()?,
                name: self.text()?,
            },
            b'T' => self.truncate(streamed)?,
            b'M' => self.logical(streamed)?,
            b'S' => Message::StreamStart {
                xid: self.u32()?,
                first: self.u8()? == 1,
            },
            b'E' => Message::StreamStop,
            b'c' => Message::StreamCommit {
                xid: self.u32()?,
                commit: self.commit()?,
            },
            b'A' => self.stream_abort()?,
            b'b' => Message::BeginPrepare(self.prepared(false)?),
            b'P' => Message::Prepare(self.prepared(true)?),
            b'p' => Message::StreamPrepare(self.prepared(true)?),
            b'K' => self.commit_prepared()?,
            b'r' => self.rollback_prepared()?,
            _ => return Err("a known tag"),
        })
    }

    fn relation(&mut self) -> Parsed<Relation<'a>> {
        let oid = self.u32()?;
        let schema = self.text()?;
        let name = self.text()?;
        let identity = self.u8()?;
        let columns = self.u16()?;
        let start = self.0;
        for _ in 0..columns {
            self.column()?;
        }
        Ok(Relation {
            oid,
            schema,
            name,
            identity,
            columns,
            described: &start[..start.len() - self.0.len()],
        })
    }

    fn column(&mut self) -> Parsed<Column<'a>> {
        let key = self.u8()? & 1 == 1;
        let name = self.text()?;
        let type_oid = self.u32()?;
        self.u32()?; // Type modifier.
        Ok(Column {
            key,
            name,
            type_oid,
        })
    }

    fn truncate(&mut self, streamed: bool) -> Parsed<Message<'a>> {
        let xid = self.xid(streamed)?;
        let count = self.u32()? as usize;
        let options = self.u8()?;
        let length = count.checked_mul(4).ok_or("its object ids")?;
        Ok(Message::Truncate {
            xid,
            cascade: options & 1 != 0,
            restart_identity: options & 2 != 0,
            relations: Oids(self.take(length).ok_or("its object ids")?),
        })
    }

    fn logical(&mut self, streamed: bool) -> Parsed<Message<'a>> {
        let xid = self.xid(streamed)?;
        let transactional = self.u8()? & 1 != 0;
        let lsn = self.lsn()?;
        let prefix = self.text()?;
        let length = self.u32()? as usize;
        Ok(Message::Logical {
            xid,
            transactional,
            lsn,
            prefix,
            content: self.take(length).ok_or("its content")?,
        })
    }

    /// Since version 4, and only with `streaming 'parallel'`, position and time follow.
    fn stream_abort(&mut self) -> Parsed<Message<'a>> {
        let xid = self.u32()?;
        let subxid = self.u32()?;
        if !self.0.is_empty() {
            self.lsn()?;
            self.timestamp()?;
        }
        Ok(Message::StreamAbort { xid, subxid })
    }

    fn prepared(&mut self, flags: bool) -> Parsed<Prepared<'a>> {
        if flags {
            self.u8()?;
        }
        let lsn = self.lsn()?;
        let end_lsn = self.lsn()?;
        self.timestamp()?;
        Ok(Prepared {
            lsn,
            end_lsn,
            xid: self.u32()?,
            gid: self.text()?,
        })
    }

    fn commit_prepared(&mut self) -> Parsed<Message<'a>> {
        Ok(Message::CommitPrepared {
            commit: self.commit()?,
            xid: self.u32()?,
            gid: self.text()?,
        })
    }

    fn rollback_prepared(&mut self) -> Parsed<Message<'a>> {
        self.u8()?;
        self.lsn()?; // Where the prepare record ended.
        let end_lsn = self.lsn()?;
        self.timestamp()?;
        self.timestamp()?;
        Ok(Message::RollbackPrepared {
            end_lsn,
            xid: self.u32()?,
            gid: self.text()?,
        })
    }

    fn commit(&mut self) -> Parsed<Commit> {
        self.u8()?;
        Ok(Commit {
            lsn: self.lsn()?,
            end_lsn: self.lsn()?,
            at: self.timestamp()?,
        })
    }

    fn new_tuple(&mut self) -> Parsed<Tuple<'a>> {
        match self.u8()? {
            b'N' => self.tuple(),
            _ => Err("a new tuple"),
        }
    }

    /// Reads an old tuple if one begins here.
    fn old_tuple(&mut self) -> Parsed<Option<OldTuple<'a>>> {
        match self.0 {
            [b'K', rest @ ..] => {
                self.0 = rest;
                Ok(Some(OldTuple::Key(self.tuple()?)))
            }
            [b'O', rest @ ..] => {
                self.0 = rest;
                Ok(Some(OldTuple::Full(self.tuple()?)))
            }
            _ => Ok(None),
        }
    }

    fn tuple(&mut self) -> Parsed<Tuple<'a>> {
        let columns = self.u16()?;
        let start = self.0;
        for _ in 0..columns {
            self.cell()?;
        }
        Ok(Tuple {
            columns,
            bytes: &start[..start.len() - self.0.len()],
        })
    }

    #[inline]
    fn cell(&mut self) -> Parsed<WireCell<'a>> {
        match self.u8()? {
            b'n' => Ok(WireCell::Null),
            b'u' => Ok(WireCell::Unchanged),
            b't' => Ok(WireCell::Text(self.value()?)),
            b'b' => Ok(WireCell::Binary(self.value()?)),
            _ => Err("a known kind of cell"),
        }
    }

    #[inline]
    fn value(&mut self) -> Parsed<&'a [u8]> {
        let length = self.u32()? as usize;
        self.take(length).ok_or("a cell's value")
    }

    fn xid(&mut self, streamed: bool) -> Parsed<Option<u32>> {
        if streamed {
            self.u32().map(Some)
        } else {
            Ok(None)
        }
    }

    fn text(&mut self) -> Parsed<&'a str> {
        let end = memchr::memchr(0, self.0).ok_or("the end of a name")?;
        let (text, rest) = self.0.split_at(end);
        self.0 = &rest[1..];
        std::str::from_utf8(text).map_err(|_| "a name in UTF-8")
    }

    fn lsn(&mut self) -> Parsed<Lsn> {
        self.fixed().map(|bytes| Lsn(u64::from_be_bytes(bytes)))
    }

    fn timestamp(&mut self) -> Parsed<Timestamp> {
        self.fixed()
            .map(|bytes| Timestamp(i64::from_be_bytes(bytes)))
    }

    #[inline]
    fn u32(&mut self) -> Parsed<u32> {
        self.fixed().map(u32::from_be_bytes)
    }

    #[inline]
    fn u16(&mut self) -> Parsed<u16> {
        self.fixed().map(u16::from_be_bytes)
    }

    #[inline]
    fn u8(&mut self) -> Parsed<u8> {
        self.fixed().map(u8::from_be_bytes)
    }

    #[inline]
    fn fixed<const N: usize>(&mut self) -> Parsed<[u8; N]> {
        let (bytes, rest) = self.0.split_first_chunk::<N>().ok_or("its rest")?;
        self.0 = rest;
        Ok(*bytes)
    }

    #[inline]
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    fn end(&self) -> Parsed<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err("its end")
        }
    }
}

#[cfg(test)]
mod tests;
