//! Matching as a pure index: which sessions a transaction concerns, and of what they are told.
//!
//! The `SubscriptionManager` holds one index behind its mutex. Sessions are numbers given by the
//! `ConnectionManager`. Matching a change is a handful of hash look-ups (its table, its key, the
//! values of columns that somebody watches) and then costs what it finds, never what is
//! subscribed. What a residual narrows further is looked at once per residual of the value.
//!
//! What must stay true:
//! - Dependencies count from the moment they are declared until their read is settled.
//! - A session is told of a changed row once, however many of its dependencies the row meets.
//! - An object is told to be read again at most once per session and commit, after the rows of
//!   the commit, and not if the session was told of that object's own change in it.
//! - A session hears of an event of a guarded table only if its judge says so, and of an object
//!   that is to be read again only if it hears of one of the events behind that.
//! - Nothing that may have changed is passed over: where the log does not tell an old value, it may
//!   be any that is watched (see `event`).

use super::dependency::{Dependency, Role};
use super::event::{Event, events, points_met, points_of_table};
use super::graph::{Ending, Graph};
use super::judge::{Everyone, Heard, Judge};
use super::pool::NONE;
use crate::change::{Row, Transaction};
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::{Key, ObjectId, TableId};
use crate::session::UpdateKind;

/// Of what sessions are told.
#[derive(Debug)]
pub enum Notice<'a> {
    /// A row that they declared changed.
    Row {
        /// Position of the change in its transaction.
        change: u32,
        /// What happened.
        kind: UpdateKind,
        /// The row's table.
        table: TableId,
        /// The row's key.
        key: &'a Key,
        /// The row after the change, for a delete the row before it; nothing if that is unknown.
        row: Option<&'a Row>,
        /// The row before an update; nothing if that is unknown.
        before: Option<&'a Row>,
    },
    /// An object that they read is to be read again.
    Again(ObjectId),
}

impl Notice<'_> {
    /// What has changed, or is to be read again.
    pub fn object(&self) -> ObjectId {
        match self {
            Notice::Row { table, key, .. } => ObjectId::row(*table, (*key).clone()),
            Notice::Again(object) => object.clone(),
        }
    }
}

/// An answer that is being made: what [`SubscriptionIndex::begin`] gives, and what ends with
/// [`SubscriptionIndex::finish`] or [`SubscriptionIndex::fail`], exactly once.
#[derive(Debug)]
pub struct Answer {
    read: u32,
}

/// The session already holds as many dependencies as it may.
#[derive(Debug, PartialEq, Eq)]
pub struct Full;

/// Who watches what.
#[derive(Debug, Default)]
pub struct SubscriptionIndex {
    pub(super) graph: Graph,
    /// Counts commits and events, so that "already told" is a comparison and not a set.
    stamp: u32,
    scratch: Scratch,
}

/// Kept between transactions for their capacity only.
#[derive(Debug, Default)]
struct Scratch {
    /// Points that the event meets.
    points: Vec<u32>,
    /// Sessions told of the event.
    sessions: Vec<u32>,
    /// (object, session): the session was told of the object's own change in this commit.
    told: Vec<(u32, u32)>,
    /// (object, session): the session is to read the object again.
    again: Vec<(u32, u32)>,
    /// Length of `again` from which on it is looked through for repeats.
    thick: usize,
    /// Subscriptions that were looked at for the commit.
    candidates: u32,
}

/// Capacity that a scratch list may keep from one transaction to the next.
const KEPT_SCRATCH: usize = 16 << 10;

impl SubscriptionIndex {
    /// Begins an answer. It counts as open until it is finished or has failed.
    pub fn begin(&mut self, session: u32, object: ObjectId, selection: u64) -> Answer {
        Answer {
            read: self.graph.open(session, object, selection),
        }
    }

    /// Watches one more dependency, from now on. Repeats cost a look-up.
    ///
    /// # Errors
    ///
    /// If the session holds `limit` dependencies already.
    pub fn depend(
        &mut self,
        answer: &Answer,
        role: Role,
        dependency: Dependency,
        limit: usize,
    ) -> Result<(), Full> {
        let added = self.graph.ask(answer.read, role, dependency, limit);
        added.then_some(()).ok_or(Full)
    }

    /// The answer is complete: what the read watched before and was not asked for again is let
    /// go. While another answer to the same read is open, that waits for its end. Whether the read
    /// may watch anything else than before; a repeated one does not.
    pub fn finish(&mut self, answer: Answer) -> bool {
        self.graph.close(answer.read, Ending::Finished)
    }

    /// The answer has failed: what it newly added is withdrawn. While another answer to the same
    /// read is open, that waits for its end, and is not done if the other one succeeds. Whether
    /// the read had newly added anything.
    pub fn fail(&mut self, answer: Answer) -> bool {
        self.graph.close(answer.read, Ending::Failed)
    }

    /// Lets one read of a session go. Answers that are open keep what they have asked for.
    pub fn unsubscribe(&mut self, session: u32, object: &ObjectId, selection: u64) {
        if let Some(read) = self.find(session, object, selection) {
            self.graph.unsubscribe(read);
        }
    }

    /// The reads of a session, each by its object and which selection of it.
    pub fn reads(&self, session: u32) -> Vec<(ObjectId, u64)> {
        let reads = self.graph.reads_of(session);
        reads.filter_map(|read| self.graph.name_of(read)).collect()
    }

    /// What one read of a session watches.
    pub fn dependencies(
        &self,
        session: u32,
        object: &ObjectId,
        selection: u64,
    ) -> Vec<(Role, Dependency)> {
        let read = self.find(session, object, selection);
        read.map_or_else(Vec::new, |read| self.graph.dependencies_of(read))
    }

    pub(super) fn find(&self, session: u32, object: &ObjectId, selection: u64) -> Option<u32> {
        let object = self.graph.points.object(object)?;
        self.graph.find_read(session, object, selection)
    }

    /// Lets everything go that a session watches. Its number may be used anew once no answer of
    /// it is open.
    pub fn forget(&mut self, session: u32) {
        let reads: Vec<u32> = self.graph.reads_of(session).collect();
        for read in reads {
            self.graph.unsubscribe(read);
        }
    }

    /// Number of dependencies that a session holds.
    pub fn watched_by(&self, session: u32) -> usize {
        self.graph.watched_by(session)
    }

    /// Number of dependencies that all sessions hold.
    pub fn len(&self) -> usize {
        self.graph.links.len()
    }

    /// Number of points at which dependencies and changes can meet.
    pub fn points(&self) -> usize {
        self.graph.points.len()
    }

    /// Whether nobody watches anything.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Finds whom the transaction concerns and calls `tell` with each notice and the sessions,
    /// without repeats, that are to get it.
    ///
    /// Rows come in the order of the changes; then the objects to be read again, among them one
    /// for each watched object of a table in [`Transaction::whole`]. A notice without sessions is
    /// not told.
    pub fn affected<'a>(
        &mut self,
        transaction: &'a Transaction,
        exposure: &Exposure,
        tell: &mut dyn FnMut(Notice<'a>, &[u32]),
    ) {
        self.affected_as(transaction, exposure, &mut Everyone, tell);
    }

    /// The same for sessions of which this judge says what they may hear of.
    pub(super) fn affected_as<'a, J: Judge>(
        &mut self,
        transaction: &'a Transaction,
        exposure: &Exposure,
        judge: &mut J,
        tell: &mut dyn FnMut(Notice<'a>, &[u32]),
    ) {
        self.scratch.candidates = 0;
        if self.is_empty() {
            return;
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let commit = self.next_stamp();
        for (at, change) in (0..).zip(&transaction.changes) {
            let table = exposure.table(change.table);
            for event in events(at, change).into_iter().flatten() {
                self.tell_event(table, &event, commit, &mut scratch, judge, tell);
            }
            scratch.thin();
        }
        for &table in &transaction.whole {
            let guarded = judge.guards(table);
            let mut hears = |session| !guarded || judge.hears_of_table(session, table);
            self.collect_whole(table, &mut hears, &mut scratch.again);
        }
        for table in judge.seen_anew() {
            let mut sees = |session| judge.sees_anew(session, table);
            self.collect_whole(table, &mut sees, &mut scratch.again);
        }
        self.tell_again(&mut scratch, tell);
        scratch.trim();
        self.scratch = scratch;
    }

    fn tell_event<'a, J: Judge>(
        &mut self,
        table: &ExposedTable,
        event: &Event<'a>,
        commit: u32,
        scratch: &mut Scratch,
        judge: &mut J,
        tell: &mut dyn FnMut(Notice<'a>, &[u32]),
    ) {
        let stamp = self.next_stamp();
        let points = &self.graph.points;
        let row = points.row(table.id, event.key);
        scratch.points.clear();
        points_met(points, table, event, &mut scratch.points);

        scratch.sessions.clear();
        for at in 0..scratch.points.len() {
            self.walk(scratch.points[at], event, (commit, stamp), scratch, judge);
        }
        if scratch.sessions.is_empty() {
            return;
        }
        if let Some(row) = row.filter(|&row| self.graph.points[row].objects > 0) {
            let sessions = scratch.sessions.iter();
            scratch.told.extend(sessions.map(|&session| (row, session)));
        }
        let notice = Notice::Row {
            change: event.change,
            kind: event.kind,
            table: table.id,
            key: event.key,
            row: event.row,
            before: event.before(),
        };
        tell(notice, &scratch.sessions);
    }

    /// How many subscriptions were looked at for the last commit row by row: they were found by what it
    /// changed, and some were told of it.
    pub(super) fn candidates(&self) -> u32 {
        self.scratch.candidates
    }

    /// Collects who watches a point: sessions that declared it, and reads that need it. Of a
    /// guarded table only those that may hear of the event; the next one may be another's.
    fn walk<J: Judge>(
        &mut self,
        at: u32,
        event: &Event<'_>,
        (commit, stamp): (u32, u32),
        scratch: &mut Scratch,
        judge: &mut J,
    ) {
        let guarded = judge.guards(event.table);
        let point = &mut self.graph.points[at];
        // Whoever watches everything may hear of a later event, though not of this one.
        let derived_too = guarded || point.is_everything() || point.collected != commit;
        point.collected = commit;
        if !derived_too && point.declared == 0 {
            return;
        }
        let is_read_whole = point.is_whole() && point.objects > 0;
        let mut next = point.first;
        while next != NONE {
            scratch.candidates += 1;
            let link = &self.graph.links[next];
            next = self.graph.next_of_point(next);
            let tells = link.declared()
                && (is_read_whole || self.graph.sessions[link.session as usize].told != stamp);
            let again = derived_too && link.derived() && self.graph.reads[link.read].told != commit;
            // Who was told already is not judged again, which costs more than all else here.
            if !tells && !again {
                continue;
            }
            let heard = match guarded {
                true => judge.hears(link.session, event),
                false => Heard::Yes,
            };
            match heard {
                Heard::Yes => {}
                Heard::No => continue,
                // Nothing is named but what the session has named itself.
                Heard::Unknown => {
                    let read = self.graph.reads[link.read].object;
                    let declared = self.graph.points[at].object().map_or(read, |_| at);
                    if link.declared() {
                        scratch.again.push((declared, link.session));
                    }
                    if again {
                        self.graph.reads[link.read].told = commit;
                        scratch.again.push((read, link.session));
                    }
                    continue;
                }
            }
            if tells {
                let told = &mut self.graph.sessions[link.session as usize].told;
                if *told != stamp {
                    *told = stamp;
                    scratch.sessions.push(link.session);
                }
                if is_read_whole {
                    scratch.told.push((at, link.session));
                }
            }
            if again {
                let read = &mut self.graph.reads[link.read];
                read.told = commit;
                scratch.again.push((read.object, link.session));
            }
        }
    }

    /// Collects every object that sessions which hear of it watch because of this table.
    fn collect_whole(
        &self,
        table: TableId,
        hears: &mut impl FnMut(u32) -> bool,
        again: &mut Vec<(u32, u32)>,
    ) {
        for at in points_of_table(&self.graph.points, table) {
            let object = self.graph.points[at].object().map(|_| at);
            self.collect_point(at, object, hears, again);
        }
    }

    fn collect_point(
        &self,
        at: u32,
        object: Option<u32>,
        hears: &mut impl FnMut(u32) -> bool,
        again: &mut Vec<(u32, u32)>,
    ) {
        let mut next = self.graph.points[at].first;
        while next != NONE {
            let link = &self.graph.links[next];
            next = self.graph.next_of_point(next);
            if !hears(link.session) {
                continue;
            }
            let read = self.graph.reads[link.read].object;
            if link.declared() {
                again.push((object.unwrap_or(read), link.session));
            }
            if link.derived() {
                again.push((read, link.session));
            }
        }
    }

    fn tell_again<'a>(&self, scratch: &mut Scratch, tell: &mut dyn FnMut(Notice<'a>, &[u32])) {
        let Scratch {
            sessions,
            told,
            again,
            ..
        } = scratch;
        if again.is_empty() {
            return;
        }
        told.sort_unstable();
        again.sort_unstable();
        again.dedup();
        again.retain(|pair| told.binary_search(pair).is_err());
        for same in again.chunk_by(|a, b| a.0 == b.0) {
            let Some(object) = self.graph.points[same[0].0].object() else {
                continue;
            };
            sessions.clear();
            sessions.extend(same.iter().map(|&(_, session)| session));
            tell(Notice::Again(object), sessions);
        }
    }

    fn next_stamp(&mut self) -> u32 {
        if self.stamp == u32::MAX {
            self.stamp = 0;
            self.graph.points.forget_stamps();
            self.graph.reads.iter_mut().for_each(|read| read.told = 0);
            self.graph.sessions.iter_mut().for_each(|one| one.told = 0);
        }
        self.stamp += 1;
        self.stamp
    }
}

impl Scratch {
    /// Takes out repeats before they take more room than what is to be told.
    fn thin(&mut self) {
        if self.again.len() > self.thick.max(KEPT_SCRATCH) {
            self.again.sort_unstable();
            self.again.dedup();
            self.thick = 2 * self.again.len();
        }
    }

    /// Empties the lists, and gives back what an unusually large transaction made them take.
    fn trim(&mut self) {
        self.thick = 0;
        for list in [&mut self.points, &mut self.sessions] {
            list.clear();
            list.shrink_to(KEPT_SCRATCH);
        }
        for list in [&mut self.told, &mut self.again] {
            list.clear();
            list.shrink_to(KEPT_SCRATCH);
        }
    }
}
