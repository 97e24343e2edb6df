//! What the recorder is told: a value for each transaction that was published, and one for each step
//! that a session made with what it was told.
//!
//! Made by `subscription/publish` and by sockets' tasks, read by the picture. What must stay true: a
//! record names sessions by their label and never by their id. The rows of a commit are those of the
//! transaction itself, shared and not copied.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crc::{CRC_64_XZ, Crc, Table};

use crate::change::Transaction;
use crate::object_id::{ObjectId, Scope};
use crate::session::{Delivered, Pushed, SessionLabel, Update, UpdateKind};
use crate::subscription::{View, ViewName};
use crate::viewer::Viewer;

static PRINT: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_XZ);

/// A moment: microseconds since the recorder was made. Growing within a process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Moment(pub(crate) u64);

impl Moment {
    /// Microseconds from `earlier` to here; 0 if it is later.
    pub(crate) fn since(self, earlier: Moment) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The same as milliseconds since 1970, by a clock that showed `began` when moments began.
    pub(crate) fn unix_ms(self, began: SystemTime) -> u64 {
        let at = began + Duration::from_micros(self.0);
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// One thing that happened.
#[derive(Debug)]
pub(crate) enum Record {
    /// A transaction was published.
    Commit(Box<Commit>),
    /// A transaction was published that is not followed, as it is not one of the sample.
    Passed(Times),
    /// A session went on.
    Step(Step),
    /// What a session watches is another by now, or whose it is; while that is kept.
    Watching(Box<Watching>),
}

/// What a session watches by then.
#[derive(Debug)]
pub(crate) struct Watching {
    /// The session.
    pub(crate) session: SessionLabel,
    /// Whose it is.
    pub(crate) viewer: Viewer,
    /// From when on it may have been told because of it already: the read had begun.
    pub(crate) began: Moment,
    /// Since when it is so.
    pub(crate) at: Moment,
    /// The read and all that it watches; nothing if only the viewer is another.
    pub(crate) view: Option<(ViewName, View)>,
}

/// A transaction, and whom it was told.
#[derive(Debug)]
pub(crate) struct Commit {
    /// The transaction with its rows.
    pub(crate) transaction: Arc<Transaction>,
    /// When it was where.
    pub(crate) times: Times,
    /// Of what sessions were told.
    pub(crate) notices: Vec<Noticed>,
    /// Subscriptions that were looked at, as they were found by what it changed.
    pub(crate) candidates: u32,
    /// How often a session was not told of a row because its viewer sees no difference.
    pub(crate) denied: u32,
    /// Each session that was told, and is followed.
    pub(crate) deliveries: Vec<Delivery>,
    /// How many more were told, as usual.
    pub(crate) others: u32,
    /// Positions of notices: each delivery has its part of them.
    pub(crate) told: Vec<u32>,
    /// What was said each time; empty unless that is kept.
    pub(crate) said: Vec<Said>,
}

/// What a session was told of an object, as its viewer sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// What has happened to the object for it.
    pub(crate) kind: UpdateKind,
    /// A number for the columns and values that it was told (CRC-64), the same in every build.
    pub(crate) print: u64,
}

/// When a transaction was where, in the order of its way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// All of it had been read from the log.
    pub(crate) decoded: Moment,
    /// A new snapshot of the database saw it, and its turn had come.
    pub(crate) visible: Moment,
    /// It was known whom it concerns.
    pub(crate) matched: Moment,
    /// It was in every outbox.
    pub(crate) told: Moment,
}

/// Of what sessions were told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Noticed {
    /// The row, or what is to be read again.
    pub(crate) object: ObjectId,
    /// What happened to it.
    pub(crate) kind: UpdateKind,
    /// The change of the transaction that it is; nothing for what is to be read again.
    pub(crate) change: Option<u32>,
}

/// What one session was told of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Delivery {
    /// The session.
    pub(crate) session: SessionLabel,
    /// Its part of [`Commit::told`].
    pub(crate) told: Range<u32>,
    /// The message id of the first; the others follow. Of no meaning where the outbox took nothing.
    pub(crate) first: u64,
    /// What became of it in the outbox.
    pub(crate) pushed: Pushed,
}

impl Delivery {
    /// Its part of [`Commit::told`].
    fn range(&self) -> Range<usize> {
        self.told.start as usize..self.told.end as usize
    }

    /// The message id of the last update.
    pub(crate) fn last(&self) -> u64 {
        self.first + u64::from(self.told.end - self.told.start).saturating_sub(1)
    }
}

/// What a session did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The session.
    pub(crate) session: SessionLabel,
    /// When.
    pub(crate) at: Moment,
    /// What.
    pub(crate) what: What,
}

/// See [`Step::what`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A socket of its client was opened.
    Attached,
    /// Its socket has ended.
    Detached,
    /// Updates were written to its socket.
    Sent {
        /// The message id of the last.
        up_to: u64,
        /// Number of updates.
        updates: u32,
        /// Bytes of their frames.
        bytes: u32,
    },
    /// It has been paid a reset: an update for each object that it watches waits.
    Reset,
    /// Its client has handled the updates up to this message id.
    Confirmed {
        /// The message id.
        up_to: u64,
    },
    /// A read has made it watch something else than before.
    Watched {
        /// Which read; see [`read`].
        read: u64,
    },
    /// It has ended, and with it all that it watched.
    Ended,
}

/// A number for a read of a session: for this selection of this object.
pub(crate) fn read(object: &ObjectId, selection: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (object, selection).hash(&mut hasher);
    hasher.finish()
}

/// A commit that is being published.
#[derive(Debug)]
pub(crate) struct Draft {
    times: Times,
    candidates: u32,
    denied: u32,
    deliveries: Vec<Delivery>,
    others: u32,
    told: Vec<u32>,
    /// Nothing if it is not kept.
    said: Option<Vec<Said>>,
    /// Whether it is followed however it goes.
    followed: bool,
}

impl Draft {
    /// Of a transaction that is visible since then; with what sessions are told, if that is kept.
    /// Unless it is `followed`, it is so only to those sessions for which something out of the ordinary
    /// comes of it.
    pub(crate) fn begin(visible: Moment, kept: bool, followed: bool) -> Draft {
        Draft {
            followed,
            times: Times {
                visible,
                ..Times::default()
            },
            candidates: 0,
            denied: 0,
            deliveries: Vec::new(),
            others: 0,
            told: Vec::new(),
            said: kept.then(Vec::new),
        }
    }

    /// It is known whom it concerns: so many are told of something. So many subscriptions were looked at,
    /// and so many sessions were denied a row.
    pub(crate) fn matched(
        &mut self,
        at: Moment,
        hits: usize,
        sessions: usize,
        (candidates, denied): (u32, u32),
    ) {
        self.candidates = candidates;
        self.times.matched = at;
        self.denied = denied;
        self.followed |= denied > 0;
        if self.followed {
            self.told.reserve_exact(hits);
            self.deliveries.reserve_exact(sessions);
        }
    }

    /// Whether it is followed to every session.
    pub(crate) fn is_followed(&self) -> bool {
        self.followed
    }

    /// A session was told of these notices, each in this way.
    pub(crate) fn delivered<'a>(
        &mut self,
        session: SessionLabel,
        notices: impl Iterator<Item = (u32, UpdateKind, &'a Update)>,
        delivered: Delivered,
    ) {
        if !self.followed && delivered.pushed == Pushed::Appended {
            self.others += 1;
            return;
        }
        let start = self.told.len() as u32;
        let said = &mut self.said;
        self.told.extend(notices.map(|(at, kind, update)| {
            if let Some(said) = said {
                let print = print(update);
                said.push(Said { kind, print });
            }
            at
        }));
        let told = start..self.told.len() as u32;
        if !told.is_empty() {
            self.deliveries.push(Delivery {
                session,
                told,
                first: delivered.first,
                pushed: delivered.pushed,
            });
        }
    }

    /// Every session was told.
    pub(crate) fn end(
        mut self,
        at: Moment,
        transaction: &Arc<Transaction>,
        decoded: Moment,
        notices: Vec<Noticed>,
    ) -> Record {
        self.times.decoded = decoded;
        self.times.told = at;
        if !self.followed && self.deliveries.is_empty() {
            return Record::Passed(self.times);
        }
        Record::Commit(Box::new(Commit {
            transaction: Arc::clone(transaction),
            times: self.times,
            notices,
            candidates: self.candidates,
            denied: self.denied,
            deliveries: self.deliveries,
            others: self.others,
            told: self.told,
            said: self.said.unwrap_or_default(),
        }))
    }
}

/// See [`Said::print`]. 0 if nothing is known of the object but that it is gone.
fn print(update: &Update) -> u64 {
    update.changes().map_or(0, |json| PRINT.checksum(json))
}

impl Commit {
    /// Bytes that the commit keeps alive, as if nobody else held its rows.
    pub(crate) fn weight(&self) -> usize {
        let keys = self
            .notices
            .iter()
            .map(|notice| match &notice.object.scope {
                Scope::Table => 0,
                Scope::Row(key) => key.weight(),
            });
        size_of::<Commit>()
            + self.transaction.weight()
            + size_of_val(&*self.notices)
            + keys.sum::<usize>()
            + size_of_val(&*self.deliveries)
            + size_of_val(&*self.told)
            + size_of_val(&*self.said)
    }

    /// Of what this delivery tells.
    pub(crate) fn noticed(&self, delivery: &Delivery) -> impl Iterator<Item = &Noticed> {
        self.told[delivery.range()]
            .iter()
            .map(|&at| &self.notices[at as usize])
    }

    /// What this delivery says of each; nothing if that was not kept.
    pub(crate) fn said(&self, delivery: &Delivery) -> Option<&[Said]> {
        self.said.get(delivery.range())
    }
}
