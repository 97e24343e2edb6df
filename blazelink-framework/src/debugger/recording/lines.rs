//! The lines of a recording's file: JSON each, in the names of tables and columns.
//!
//! `file` writes and reads them. What must stay true: a line says the same to every build. Numbers of
//! tables, of columns and of sessions are none of it, and what a build has not is passed over.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::Contents;
use crate::change::{Cause, Cell, Change, ChangeKind, Lsn, Old, Row, Transaction};
use crate::debugger::record::{Commit, Delivery, Moment, Noticed, Said, Times};
use crate::debugger::trace::{Reached, Trace};
use crate::exposure::Exposure;
use crate::object_id::{Key, ObjectId, Scope, TableId};
use crate::session::{Pushed, SessionLabel, UpdateKind};
use crate::subscription::{Named, NamedView};

/// The version of the format.
pub(super) const VERSION: u32 = 1;

/// One line.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Line<'a> {
    /// The first one.
    Recording(Head),
    /// A read of a session watches this from then on, or whose it is.
    Watching {
        session: Cow<'a, str>,
        viewer: WrittenViewer,
        began: u64,
        at: u64,
        view: Option<NamedView<'a>>,
    },
    /// A session has ended.
    Ended {
        session: Cow<'a, str>,
        at: u64,
    },
    /// It is not known what a session watches from then on.
    LeftOut {
        session: Cow<'a, str>,
        at: u64,
    },
    Commit(Box<WrittenCommit<'a>>),
}

/// What a file begins with. Times are microseconds since 1970, by the app's clock.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// Of the format.
    pub(crate) version: u32,
    /// The app's name.
    pub(crate) app: String,
    /// When the app's moments began.
    pub(crate) moments_began: u64,
    /// When the recording began.
    pub(crate) began: u64,
    /// When it ended.
    pub(crate) ended: u64,
    /// Whether values, viewers and what sessions watch are left out.
    pub(crate) redacted: bool,
    /// Transactions that are not in it, for want of room in the debugger's memory.
    pub(crate) let_go: u64,
    /// Records of the app that found no room on their way to the debugger: commits, or what sessions
    /// watched.
    pub(crate) lost: u64,
    /// Sessions of which it is not known, from some moment on, what they watched, for want of room.
    pub(crate) left_out: u64,
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WrittenViewer {
    /// Nobody's in particular.
    Nobody,
    /// This viewer's, as the app writes it.
    Is(Value),
    /// The app does not say how viewers are written, or it was not to be.
    NotWritten,
}

#[derive(Serialize, Deserialize)]
pub(super) struct WrittenCommit<'a> {
    number: u64,
    commit_lsn: String,
    end_lsn: String,
    xid: u32,
    committed_at: u64,
    cause: Option<WrittenCause>,
    times: [u64; 4],
    changes: Vec<WrittenChange<'a>>,
    whole: Vec<Cow<'a, str>>,
    /// Older builds did not write it.
    #[serde(default)]
    candidates: u32,
    denied: u32,
    notices: Vec<WrittenNotice<'a>>,
    deliveries: Vec<WrittenDelivery>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCause {
    operation: String,
    session: Option<String>,
    request: String,
    verified: bool,
}

#[derive(Serialize, Deserialize)]
struct WrittenChange<'a> {
    row: Named<'a>,
    kind: Kind,
    moved: Option<Named<'a>>,
    old: WrittenOld<'a>,
    new: Option<Cells>,
}

/// Columns by name: NULL is nothing, and what is not known is not there.
type Cells = BTreeMap<String, Option<String>>;

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenOld<'a> {
    None,
    Key(Named<'a>),
    Full(Cells),
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Create,
    Update,
    Delete,
}

#[derive(Serialize, Deserialize)]
struct WrittenNotice<'a> {
    object: Named<'a>,
    kind: Kind,
    change: Option<u32>,
}

#[derive(Serialize, Deserialize)]
struct WrittenDelivery {
    session: String,
    told: Vec<WrittenTold>,
    pushed: WrittenPushed,
    sent: Option<u32>,
    confirmed: Option<u32>,
}

/// A notice by its position, and what was said of it: how, and the print of its columns.
#[derive(Serialize, Deserialize)]
struct WrittenTold(u32, Option<(Kind, u64)>);

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WrittenPushed {
    Appended,
    Merged,
    Owed,
    Emptied,
}

/// Microseconds since 1970.
pub(super) fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// The same the other way.
pub(super) fn time(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros)
}

impl<'a> WrittenCommit<'a> {
    pub(super) fn of(trace: &'a Trace, exposure: &'a Exposure, contents: Contents) -> Self {
        let commit = &trace.commit;
        let transaction = &*commit.transaction;
        let times = &commit.times;
        let deliveries = trace.deliveries().map(|(delivery, reached)| {
            let said = commit.said(delivery);
            let said = said.filter(|_| contents == Contents::Whole);
            let notices = delivery.told.start as usize..delivery.told.end as usize;
            let told = commit.told[notices].iter().enumerate();
            let told = told.map(|(at, &notice)| {
                let said = said.and_then(|said| said.get(at));
                WrittenTold(notice, said.map(|said| (said.kind.into(), said.print)))
            });
            WrittenDelivery {
                session: delivery.session.to_string(),
                told: told.collect(),
                pushed: delivery.pushed.into(),
                sent: reached.sent(),
                confirmed: reached.confirmed(),
            }
        });
        let notices = commit.notices.iter().map(|notice| WrittenNotice {
            object: Named::object(&notice.object, exposure),
            kind: notice.kind.into(),
            change: notice.change,
        });
        let changes = transaction.changes.iter();
        let entity = |table: &TableId| exposure.table(*table).entity.as_str().into();
        WrittenCommit {
            number: trace.number,
            commit_lsn: transaction.commit_lsn.to_string(),
            end_lsn: transaction.end_lsn.to_string(),
            xid: transaction.xid,
            committed_at: micros(transaction.committed_at),
            cause: transaction.cause.as_deref().map(WrittenCause::of),
            times: [times.decoded, times.visible, times.matched, times.told].map(|it| it.0),
            changes: changes
                .map(|change| WrittenChange::of(change, exposure, contents))
                .collect(),
            whole: transaction.whole.iter().map(entity).collect(),
            candidates: commit.candidates,
            denied: commit.denied,
            notices: notices.collect(),
            deliveries: deliveries.collect(),
        }
    }

    /// The transaction and whom it was told, as far as this exposure has the tables; nothing if it
    /// has not what the transaction is about.
    pub(super) fn to_trace(&self, exposure: &Exposure, read_at: Instant) -> Option<Trace> {
        // Positions of notices and changes stay: so what names a table that is gone ends it all.
        let changes = self.changes.iter().map(|change| change.to_change(exposure));
        let changes: Vec<Change> = changes.collect::<Option<_>>()?;
        let whole = self.whole.iter().map(|entity| exposure.by_entity(entity));
        let mut whole: Vec<TableId> = whole.flatten().map(|table| table.id).collect();
        whole.sort_unstable();
        let notices = self.notices.iter().map(|notice| {
            Some(Noticed {
                object: notice.object.to_object(exposure)?,
                kind: notice.kind.into(),
                change: notice.change,
            })
        });
        let notices: Vec<Noticed> = notices.collect::<Option<_>>()?;
        let [decoded, visible, matched, told_at] = self.times.map(Moment);
        let (mut told, mut said, mut deliveries) = (Vec::new(), Vec::new(), Vec::new());
        let mut reached = Vec::new();
        for delivery in &self.deliveries {
            let start = told.len() as u32;
            for WrittenTold(notice, how) in &delivery.told {
                if *notice as usize >= notices.len() {
                    return None;
                }
                told.push(*notice);
                said.extend(how.map(|(kind, print)| Said {
                    kind: kind.into(),
                    print,
                }));
            }
            deliveries.push(Delivery {
                session: delivery.session.parse().ok()?,
                told: start..told.len() as u32,
                first: 0,
                pushed: delivery.pushed.into(),
            });
            reached.push(Reached::after(delivery.sent, delivery.confirmed));
        }
        if said.len() != told.len() {
            said.clear();
        }
        let transaction = Transaction {
            xid: self.xid,
            commit_lsn: self.commit_lsn.parse().ok()?,
            end_lsn: self.end_lsn.parse::<Lsn>().ok()?,
            committed_at: time(self.committed_at),
            read_at,
            cause: self.cause.as_ref().map(WrittenCause::to_cause),
            changes,
            whole,
        };
        let commit = Commit {
            // While a recording is made, everything is followed.
            others: 0,
            candidates: self.candidates,
            transaction: Arc::new(transaction),
            times: Times {
                decoded,
                visible,
                matched,
                told: told_at,
            },
            notices,
            denied: self.denied,
            deliveries,
            told,
            said,
        };
        Some(Trace::recorded(self.number, Box::new(commit), reached))
    }
}

impl WrittenCause {
    fn of(cause: &Cause) -> WrittenCause {
        WrittenCause {
            operation: cause.operation.to_string(),
            session: cause.session.as_deref().map(ToOwned::to_owned),
            request: cause.request.to_string(),
            verified: cause.verified,
        }
    }

    fn to_cause(&self) -> Arc<Cause> {
        Arc::new(Cause {
            operation: self.operation.as_str().into(),
            session: self.session.as_deref().map(Into::into),
            request: self.request.as_str().into(),
            verified: self.verified,
        })
    }
}

impl<'a> WrittenChange<'a> {
    fn of(change: &'a Change, exposure: &'a Exposure, contents: Contents) -> Self {
        let named = |key: &'a Key| Named::row(change.table, key, exposure);
        let cells = |row: &Row| cells(row, change.table, exposure, contents);
        WrittenChange {
            row: named(&change.key),
            kind: match change.kind {
                ChangeKind::Insert => Kind::Create,
                ChangeKind::Update => Kind::Update,
                ChangeKind::Delete => Kind::Delete,
            },
            moved: change.moved.as_ref().map(named),
            old: match &change.old {
                Old::None => WrittenOld::None,
                Old::Key(key) => WrittenOld::Key(named(key)),
                Old::Full(row) => WrittenOld::Full(cells(row)),
            },
            new: change.new.as_ref().map(cells),
        }
    }

    fn to_change(&self, exposure: &Exposure) -> Option<Change> {
        let (table, key) = row_of(&self.row, exposure)?;
        let key_of = |named: &Named<'_>| row_of(named, exposure).map(|(_, key)| key);
        Some(Change {
            table,
            kind: match self.kind {
                Kind::Create => ChangeKind::Insert,
                Kind::Update => ChangeKind::Update,
                Kind::Delete => ChangeKind::Delete,
            },
            key,
            moved: self.moved.as_ref().and_then(key_of),
            old: match &self.old {
                WrittenOld::None => Old::None,
                WrittenOld::Key(named) => Old::Key(key_of(named)?),
                WrittenOld::Full(cells) => Old::Full(row(cells, table, exposure)),
            },
            new: self.new.as_ref().map(|cells| row(cells, table, exposure)),
        })
    }
}

fn row_of(named: &Named<'_>, exposure: &Exposure) -> Option<(TableId, Key)> {
    match named.to_object(exposure)? {
        ObjectId {
            table,
            scope: Scope::Row(key),
        } => Some((table, key)),
        ObjectId { .. } => None,
    }
}

/// The names of a row's cells: the exposed columns, and behind them those that only rules look at.
fn names(table: TableId, exposure: &Exposure) -> impl Iterator<Item = &str> {
    let exposed = exposure.table(table).columns.iter();
    let hidden = exposure.guarded(table).unwrap_or_default();
    exposed.chain(hidden).map(|column| column.name.as_str())
}

fn cells(row: &Row, table: TableId, exposure: &Exposure, contents: Contents) -> Cells {
    let key = &exposure.table(table).key;
    let kept = |at: &usize| contents == Contents::Whole || key.contains(at);
    let named = names(table, exposure).enumerate();
    let known = named.filter(|(at, _)| kept(at));
    let cells = known.filter_map(|(at, name)| match row.cell(at) {
        Cell::Unchanged => None,
        Cell::Null => Some((name.to_owned(), None)),
        Cell::Text(text) => Some((name.to_owned(), Some(text.to_owned()))),
    });
    cells.collect()
}

fn row(cells: &Cells, table: TableId, exposure: &Exposure) -> Row {
    let cell = |name| match cells.get(name) {
        None => Cell::Unchanged,
        Some(None) => Cell::Null,
        Some(Some(text)) => Cell::Text(text),
    };
    Row::of_cells(names(table, exposure).map(cell))
}

/// The session of a line.
pub(super) fn label(text: &str) -> Option<SessionLabel> {
    text.parse().ok()
}

impl From<UpdateKind> for Kind {
    fn from(kind: UpdateKind) -> Kind {
        match kind {
            UpdateKind::Create => Kind::Create,
            UpdateKind::Update => Kind::Update,
            UpdateKind::Delete => Kind::Delete,
        }
    }
}

impl From<Kind> for UpdateKind {
    fn from(kind: Kind) -> UpdateKind {
        match kind {
            Kind::Create => UpdateKind::Create,
            Kind::Update => UpdateKind::Update,
            Kind::Delete => UpdateKind::Delete,
        }
    }
}

impl From<Pushed> for WrittenPushed {
    fn from(pushed: Pushed) -> WrittenPushed {
        match pushed {
            Pushed::Appended => WrittenPushed::Appended,
            Pushed::Merged => WrittenPushed::Merged,
            Pushed::Owed => WrittenPushed::Owed,
            Pushed::Emptied => WrittenPushed::Emptied,
        }
    }
}

impl From<WrittenPushed> for Pushed {
    fn from(pushed: WrittenPushed) -> Pushed {
        match pushed {
            WrittenPushed::Appended => Pushed::Appended,
            WrittenPushed::Merged => Pushed::Merged,
            WrittenPushed::Owed => Pushed::Owed,
            WrittenPushed::Emptied => Pushed::Emptied,
        }
    }
}
