//! Messages of pgoutput to transactions of exposed tables.
//!
//! The reader feeds every message of the stream to one [`Decoder`], in order. Pure: no clock, no
//! socket. What must stay true:
//! - a transaction comes out whole, at its commit, in commit order; rolled back work never;
//! - what cannot be told row by row makes its table whole, it is never left out;
//! - the bytes held stay within [`Limits`], whatever a transaction's size, streamed or not.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use hashbrown::HashMap;

use super::binding::Binding;
use super::pending::Pending;
use super::pgoutput::{Commit, Malformed, Message, Oids, OldTuple, Relation, Timestamp, Tuple};
use crate::cause::{self, Seal};
use crate::change::{Change, ChangeKind, Lsn, Old, Transaction};
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::{Key, TableId};

pub use super::pending::Limits;

/// Prefix of a logical message that makes one table whole: `{"table": "game"}`, or
/// `{"table": "schema.game"}`.
pub const INVALIDATE: &str = "blazelink.invalidate";

/// Prefix of a logical message that makes all tables whole.
pub const SCHEMA: &str = "blazelink.schema";

/// When a message came.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    /// When the server sent it, by the server's clock.
    pub sent: Timestamp,
    /// When it was read here.
    pub read_at: Instant,
}

/// What a message completed.
#[derive(Debug)]
pub enum Decoded {
    /// A transaction that touched exposed tables.
    Transaction(Transaction),
    /// A transaction of no interest: everything up to this position has been decoded.
    Progress(Lsn),
}

/// From messages to transactions.
#[derive(Debug)]
pub struct Decoder {
    exposure: Arc<Exposure>,
    limits: Limits,
    /// By object id; kept across reconnects, so that a change of columns in between is noticed.
    relations: HashMap<u32, Binding>,
    /// Between Begin and Commit, or between StreamStart and StreamStop.
    current: Option<Current>,
    /// Streamed transactions between two of their pieces.
    parked: HashMap<u32, Streamed>,
    parked_bytes: usize,
    /// By which it is known what our own transactions say of themselves.
    seal: Seal,
}

#[derive(Debug)]
enum Current {
    Transaction(Pending),
    Stream(Streamed),
}

/// A transaction that is streamed before its end. Relations that it describes hold for others
/// only once it commits, and not at all if their subtransaction is rolled back.
#[derive(Debug)]
struct Streamed {
    pending: Pending,
    relations: Vec<Described>,
}

/// A relation described within a streamed transaction.
#[derive(Debug)]
struct Described {
    subxid: u32,
    oid: u32,
    binding: Binding,
}

impl Current {
    /// The transaction, and the relations that only it knows.
    fn parts(&mut self) -> (&mut Pending, &[Described]) {
        match self {
            Current::Transaction(pending) => (pending, &[]),
            Current::Stream(Streamed { pending, relations }) => (pending, relations),
        }
    }
}

/// One row change with its images as they came.
struct Images<'a> {
    kind: ChangeKind,
    old: Option<OldTuple<'a>>,
    new: Option<Tuple<'a>>,
}

impl<'a> Images<'a> {
    fn new(kind: ChangeKind, old: Option<OldTuple<'a>>, new: Option<Tuple<'a>>) -> Images<'a> {
        Images { kind, old, new }
    }
}

impl Decoder {
    /// A decoder that knows no relation yet.
    pub fn new(exposure: Arc<Exposure>, limits: Limits) -> Decoder {
        Decoder {
            exposure,
            limits,
            relations: HashMap::new(),
            current: None,
            parked: HashMap::new(),
            parked_bytes: 0,
            seal: Seal::default(),
        }
    }

    /// The same, which believes what was sealed with this.
    #[must_use]
    pub(crate) fn with_seal(mut self, seal: Seal) -> Decoder {
        self.seal = seal;
        self
    }

    /// Forgets unfinished transactions: the connection was lost, they will be told anew.
    pub fn restart(&mut self) {
        self.current = None;
        self.parked.clear();
        self.parked_bytes = 0;
    }

    /// Whether no message is inside of a transaction now: then everything up to a keepalive's
    /// position has been decoded.
    pub fn is_between_transactions(&self) -> bool {
        self.current.is_none()
    }

    /// Bytes of row images held for unfinished transactions.
    pub fn held_bytes(&self) -> usize {
        let current = match &self.current {
            Some(Current::Transaction(pending)) => pending.bytes(),
            Some(Current::Stream(streamed)) => streamed.pending.bytes(),
            None => 0,
        };
        self.parked_bytes + current
    }

    /// Takes the next message.
    ///
    /// # Errors
    ///
    /// If the bytes are no message, or one that cannot stand here. The connection must then be
    /// given up and [`Decoder::restart`] called.
    pub fn decode(&mut self, bytes: &[u8], arrival: Arrival) -> Result<Option<Decoded>, Malformed> {
        let streamed = matches!(self.current, Some(Current::Stream(_)));
        let unexpected = |expected| Malformed {
            tag: bytes.first().copied(),
            expected,
        };
        match Message::parse(bytes, streamed)? {
            Message::Insert { xid, relation, new } => {
                let images = Images::new(ChangeKind::Insert, None, Some(new));
                self.change(xid, relation, images).map_err(unexpected)?;
            }
            Message::Update {
                xid,
                relation,
                old,
                new,
            } => {
                let images = Images::new(ChangeKind::Update, old, Some(new));
                self.change(xid, relation, images).map_err(unexpected)?;
            }
            Message::Delete { xid, relation, old } => {
                let images = Images::new(ChangeKind::Delete, Some(old), None);
                self.change(xid, relation, images).map_err(unexpected)?;
            }
            Message::Begin { xid, .. } => {
                if self.current.is_some() {
                    return Err(unexpected("the end of the transaction before"));
                }
                self.current = Some(Current::Transaction(Pending::new(xid)));
            }
            Message::Commit(commit) => match self.current.take() {
                Some(Current::Transaction(pending)) => {
                    return Ok(Some(finish(pending, commit, arrival)));
                }
                _ => return Err(unexpected("its begin")),
            },
            Message::Relation { xid, relation } => self.relation(xid, &relation),
            Message::Truncate { xid, relations, .. } => {
                self.truncate(xid, relations).map_err(unexpected)?;
            }
            Message::Logical {
                xid,
                lsn,
                prefix,
                content,
                ..
            } => return Ok(self.logical(xid, lsn, arrival, prefix, content)),
            Message::StreamStart { xid, .. } => {
                if self.current.is_some() {
                    return Err(unexpected("the end of the piece before"));
                }
                self.resume(xid);
            }
            Message::StreamStop => match self.current.take() {
                Some(Current::Stream(streamed)) => {
                    self.parked_bytes += streamed.pending.bytes();
                    self.parked.insert(streamed.pending.xid, streamed);
                }
                _ => return Err(unexpected("its start")),
            },
            Message::StreamCommit { xid, commit } => {
                return Ok(Some(self.commit_streamed(xid, commit, arrival)));
            }
            Message::StreamAbort { xid, subxid } => self.abort_streamed(xid, subxid),
            Message::Origin { .. } | Message::Type { .. } => {}
            Message::BeginPrepare(_)
            | Message::Prepare(_)
            | Message::StreamPrepare(_)
            | Message::CommitPrepared { .. }
            | Message::RollbackPrepared { .. } => {
                return Err(unexpected("the option `two_phase`, which is off"));
            }
        }
        Ok(None)
    }

    /// Adds one row change to the current transaction.
    fn change(
        &mut self,
        xid: Option<u32>,
        relation: u32,
        images: Images<'_>,
    ) -> Result<(), &'static str> {
        let current = self.current.as_mut().ok_or("a transaction around it")?;
        let (pending, own) = current.parts();
        let binding = find(&self.relations, own, relation).ok_or("its relation")?;
        let Some(table) = binding.table else {
            return Ok(());
        };
        let subxid = xid.unwrap_or(pending.xid);
        if pending.skips(table, subxid) {
            return Ok(());
        }
        match read(binding, self.exposure.table(table), &images) {
            Some(change) => {
                let room = self.limits.open_bytes.saturating_sub(self.parked_bytes);
                pending.push(change, subxid, &self.limits, room);
            }
            None => pending.make_whole(table, subxid),
        }
        Ok(())
    }

    /// Binds a relation. If it reads differently from before, its table is whole.
    fn relation(&mut self, xid: Option<u32>, relation: &Relation<'_>) {
        let binding = Binding::new(relation, &self.exposure);
        let Some(current) = &mut self.current else {
            return self.bind(relation.oid, binding);
        };
        let (pending, own) = current.parts();
        let subxid = xid.unwrap_or(pending.xid);
        let altered = match find(&self.relations, own, relation.oid) {
            Some(known) if known.differs(&binding) => [known.table, binding.table],
            Some(_) => [None, None],
            // Dropped and made again under the same name: the rows of the old one are gone.
            None => {
                let mut known = self.relations.values();
                let remade = known.any(|other| other.table == binding.table);
                [binding.table.filter(|_| remade), None]
            }
        };
        for table in altered.into_iter().flatten() {
            pending.make_whole(table, subxid);
        }
        match current {
            Current::Transaction(_) => self.bind(relation.oid, binding),
            Current::Stream(streamed) => streamed.describe(subxid, relation.oid, binding),
        }
    }

    /// One exposed table has one relation: an older one of the same name was dropped.
    fn bind(&mut self, oid: u32, binding: Binding) {
        if binding.table.is_some() {
            self.relations
                .retain(|_, other| other.table != binding.table);
        }
        self.relations.insert(oid, binding);
    }

    fn truncate(&mut self, xid: Option<u32>, relations: Oids<'_>) -> Result<(), &'static str> {
        let current = self.current.as_mut().ok_or("a transaction around it")?;
        let (pending, own) = current.parts();
        let subxid = xid.unwrap_or(pending.xid);
        for relation in relations.iter() {
            let binding = find(&self.relations, own, relation).ok_or("its relation")?;
            if let Some(table) = binding.table {
                pending.make_whole(table, subxid);
            }
        }
        Ok(())
    }

    /// Logical messages are how one says what the log does not: refreshed views, rewritten or
    /// detached tables, migrations. Anyone who may write may say so.
    fn logical(
        &mut self,
        xid: Option<u32>,
        lsn: Lsn,
        arrival: Arrival,
        prefix: &str,
        content: &[u8],
    ) -> Option<Decoded> {
        let tables: Vec<TableId> = match prefix {
            SCHEMA => self
                .exposure
                .tables()
                .iter()
                .map(|table| table.id)
                .collect(),
            INVALIDATE => invalidated(content, &self.exposure),
            _ => Vec::new(),
        };
        if let Some(current) = &mut self.current {
            let (pending, _) = current.parts();
            let subxid = xid.unwrap_or(pending.xid);
            if prefix == cause::PREFIX
                && let Some(cause) = self.seal.read(content)
            {
                pending.caused_by(cause, subxid);
            }
            for table in tables {
                pending.make_whole(table, subxid);
            }
            return None;
        }
        // The record begins at `lsn`, and so may the position behind the commit before it.
        let end_lsn = Lsn(lsn.0.saturating_add(1));
        let mut pending = Pending::new(0);
        for table in tables {
            pending.make_whole(table, 0);
        }
        let commit = Commit {
            lsn,
            end_lsn,
            at: arrival.sent,
        };
        Some(finish(pending, commit, arrival))
    }

    /// The next piece of a streamed transaction begins.
    fn resume(&mut self, xid: u32) {
        let streamed = match self.parked.remove(&xid) {
            Some(streamed) => {
                self.parked_bytes -= streamed.pending.bytes();
                streamed
            }
            None => Streamed {
                pending: Pending::new(xid),
                relations: Vec::new(),
            },
        };
        self.current = Some(Current::Stream(streamed));
    }

    fn commit_streamed(&mut self, xid: u32, commit: Commit, arrival: Arrival) -> Decoded {
        let Some(streamed) = self.parked.remove(&xid) else {
            return Decoded::Progress(commit.end_lsn);
        };
        self.parked_bytes -= streamed.pending.bytes();
        for described in streamed.relations {
            self.bind(described.oid, described.binding);
        }
        finish(streamed.pending, commit, arrival)
    }

    fn abort_streamed(&mut self, xid: u32, subxid: u32) {
        let Some(streamed) = self.parked.get_mut(&xid) else {
            return;
        };
        self.parked_bytes -= streamed.pending.bytes();
        if subxid == xid {
            self.parked.remove(&xid);
            return;
        }
        streamed.pending.roll_back(subxid);
        streamed
            .relations
            .retain(|described| described.subxid != subxid);
        self.parked_bytes += streamed.pending.bytes();
    }
}

impl Streamed {
    fn describe(&mut self, subxid: u32, oid: u32, binding: Binding) {
        self.relations
            .retain(|described| (described.subxid, described.oid) != (subxid, oid));
        self.relations.push(Described {
            subxid,
            oid,
            binding,
        });
    }
}

/// The binding that holds here: the transaction's own, else the committed one.
fn find<'a>(
    committed: &'a HashMap<u32, Binding>,
    own: &'a [Described],
    oid: u32,
) -> Option<&'a Binding> {
    let own = own.iter().rfind(|described| described.oid == oid);
    own.map(|described| &described.binding)
        .or_else(|| committed.get(&oid))
}

/// One row change, or nothing if the row cannot be told: then its table is whole.
fn read(binding: &Binding, table: &ExposedTable, images: &Images<'_>) -> Option<Change> {
    let old = images.old.map(|old| binding.believe(old));
    let old_is_full = matches!(old, Some(OldTuple::Full(_)));
    let told = binding.key_is_told && (old_is_full || !binding.guarded);
    if images.kind != ChangeKind::Insert && !told {
        return None;
    }
    let before = match &old {
        Some(OldTuple::Key(tuple) | OldTuple::Full(tuple)) => Some(tuple),
        None => None,
    };
    let old_row = match before {
        Some(tuple) => Some(binding.project(tuple, None)?),
        None => None,
    };
    let new = match &images.new {
        Some(tuple) => Some(binding.project(tuple, before)?),
        None => None,
    };
    let old_key = match &old_row {
        Some(row) => Some(table.key_of(row)?),
        None => None,
    };
    let key = match &new {
        Some(row) => table.key_of(row)?,
        None => old_key.clone()?,
    };
    let old = match (&old, old_row) {
        (Some(OldTuple::Full(_)), Some(row)) => Old::Full(row),
        (Some(OldTuple::Key(_)), _) => Old::Key(old_key.clone()?),
        _ => Old::None,
    };
    let moved: Option<Key> = old_key.filter(|old_key| *old_key != key);
    Some(Change {
        table: table.id,
        kind: images.kind,
        key,
        moved,
        old,
        new,
    })
}

fn finish(pending: Pending, commit: Commit, arrival: Arrival) -> Decoded {
    let committed_at = system_time(commit.at);
    let transaction = pending.commit(commit.lsn, commit.end_lsn, committed_at, arrival.read_at);
    if transaction.is_empty() {
        Decoded::Progress(commit.end_lsn)
    } else {
        Decoded::Transaction(transaction)
    }
}

/// The exposed tables that an [`INVALIDATE`] message names; none if it names no exposed table.
fn invalidated(content: &[u8], exposure: &Exposure) -> Vec<TableId> {
    #[derive(serde::Deserialize)]
    struct Invalidate {
        table: String,
    }
    let Ok(Invalidate { table: named }) = serde_json::from_slice(content) else {
        return Vec::new();
    };
    let is_named = |table: &&ExposedTable| match named.split_once('.') {
        Some((schema, name)) => table.schema == schema && table.table == name,
        None => table.table == named,
    };
    let tables = exposure.tables().iter().filter(is_named);
    tables.map(|table| table.id).collect()
}

/// Seconds from 1970 to 2000, where Postgres' clock begins.
pub(super) const POSTGRES_EPOCH: Duration = Duration::from_secs(946_684_800);

fn system_time(at: Timestamp) -> SystemTime {
    let epoch = SystemTime::UNIX_EPOCH + POSTGRES_EPOCH;
    let distance = Duration::from_micros(at.0.unsigned_abs());
    let time = if at.0 < 0 {
        epoch.checked_sub(distance)
    } else {
        epoch.checked_add(distance)
    };
    time.unwrap_or(epoch)
}

#[cfg(test)]
mod tests;
