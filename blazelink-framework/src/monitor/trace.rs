//! From a transaction, and whom it concerns, to what monitors are told of it.
//!
//! Pure; the `SubscriptionManager` asks once per transaction while a monitor is attached. The
//! order is the original's: a change, then session by session whether it is to be told. The index
//! finds only sessions that are; that others are not follows from who watches anything.

use std::ops::Range;

use blazelink_codes::limits;

use super::event::{Event, UpdateId};
use crate::change::{ChangeKind, Transaction};
use crate::object_id::ObjectId;
use crate::session::SessionLabel;
use crate::subscription::Notice;

/// What the trace is made from, besides the transaction.
#[derive(Debug)]
pub(crate) struct Findings<'a> {
    /// Of what sessions are told: the rows in the order of the changes, then the rest.
    pub(crate) notices: &'a [Notice<'a>],
    /// (session's number, position of the notice).
    pub(crate) hits: Vec<(u32, u32)>,
    /// The sessions that monitors are told of, by number and label.
    pub(crate) sessions: Vec<(u32, SessionLabel)>,
}

/// What monitors are told of one transaction.
#[derive(Debug)]
pub(crate) struct Trace {
    /// In order. About [`limits::MONITOR_EVENTS`] of them at most.
    pub(crate) events: Vec<Event>,
    /// The id of each notice's change.
    pub(crate) ids: Vec<UpdateId>,
}

struct Tracer<'a> {
    findings: &'a Findings<'a>,
    trace: Trace,
    next: UpdateId,
    lost: usize,
}

impl Findings<'_> {
    /// Number of ids that the trace of this transaction gives.
    pub(crate) fn ids(&self, transaction: &Transaction) -> usize {
        let again = |notice: &&Notice<'_>| matches!(notice, Notice::Again(_));
        let again = self.notices.iter().filter(again).count();
        transaction.changes.len() + transaction.whole.len() + again
    }

    /// The trace of this transaction; its ids begin with `first`.
    pub(crate) fn trace(mut self, transaction: &Transaction, first: UpdateId) -> Trace {
        self.hits.sort_unstable();
        let mut tracer = Tracer {
            findings: &self,
            trace: Trace {
                events: Vec::new(),
                ids: Vec::with_capacity(self.notices.len()),
            },
            next: first,
            lost: 0,
        };
        tracer.changes(transaction);
        let only = transaction.changes.len() + transaction.whole.len() == 1;
        tracer.read_again(only.then_some(first));
        tracer.end()
    }
}

impl Tracer<'_> {
    /// The rows and whole tables of the transaction.
    fn changes(&mut self, transaction: &Transaction) {
        for (number, change) in (0..).zip(&transaction.changes) {
            let object = ObjectId::row(change.table, change.key.clone());
            let update = self.log(None, change.kind, &object);
            let from = self.trace.ids.len();
            while self.next_notice_is_of(number) {
                self.trace.ids.push(update);
            }
            self.compare(update, from..self.trace.ids.len(), Some(&object));
        }
        for &table in &transaction.whole {
            self.log(None, ChangeKind::Update, &ObjectId::table(table));
        }
    }

    fn next_notice_is_of(&self, number: u32) -> bool {
        let next = self.findings.notices.get(self.trace.ids.len());
        matches!(next, Some(Notice::Row { change, .. }) if *change == number)
    }

    /// The objects that are to be read again.
    fn read_again(&mut self, cause: Option<UpdateId>) {
        let findings = self.findings;
        for notice in &findings.notices[self.trace.ids.len()..] {
            let at = self.trace.ids.len();
            let update = self.log(cause, ChangeKind::Update, &notice.object());
            self.trace.ids.push(update);
            self.compare(update, at..at + 1, None);
        }
    }

    fn log(&mut self, cause: Option<UpdateId>, kind: ChangeKind, object: &ObjectId) -> UpdateId {
        let update = self.next;
        self.next = update.after(1);
        if self.has_room(1) {
            self.trace.events.push(Event::ChangeLogged {
                update,
                cause,
                kind,
                object: object.clone(),
            });
        }
        update
    }

    /// Which sessions are to be told of these notices of a change. Who is not is mentioned if
    /// `changed` says what it is not told of.
    fn compare(&mut self, update: UpdateId, notices: Range<usize>, changed: Option<&ObjectId>) {
        let findings = self.findings;
        if !self.has_room(findings.sessions.len() * 2) {
            return;
        }
        let events = &mut self.trace.events;
        for &(number, session) in &findings.sessions {
            let before = |at: usize| {
                let end = (number, at as u32);
                findings.hits.partition_point(|hit| *hit < end)
            };
            let found = &findings.hits[before(notices.start)..before(notices.end)];
            if found.is_empty() && changed.is_none() {
                continue;
            }
            events.push(Event::SessionChecked { update, session });
            events.extend(found.iter().map(|&(_, at)| Event::MatchFound {
                update,
                session,
                object: findings.notices[at as usize].object(),
            }));
            if let Some(object) = changed.filter(|_| found.is_empty()) {
                events.push(Event::MatchNotFound {
                    update,
                    session,
                    object: object.clone(),
                });
            }
        }
    }

    /// Whether more may be told; else counts so many events as lost.
    fn has_room(&mut self, events: usize) -> bool {
        let room = self.lost == 0 && self.trace.events.len() < limits::MONITOR_EVENTS;
        if !room {
            self.lost += events;
        }
        room
    }

    fn end(mut self) -> Trace {
        if self.lost > 0 {
            let count = self.lost as u64;
            self.trace.events.push(Event::EventsLost { count });
        }
        self.trace
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::change::{Change, Old};
    use crate::object_id::{Key, Scope, TableId};
    use crate::session::UpdateKind;

    const TABLE: TableId = TableId(0);

    fn object(key: i64) -> ObjectId {
        ObjectId::row(TABLE, Key::from(key))
    }

    /// A transaction that inserts these rows.
    fn inserted(keys: &[i64]) -> Transaction {
        let changes = keys.iter().map(|&key| Change {
            table: TABLE,
            kind: ChangeKind::Insert,
            key: Key::from(key),
            moved: None,
            old: Old::None,
            new: None,
        });
        Transaction::of(changes.collect(), Vec::new())
    }

    fn row(change: u32, key: &Key) -> Notice<'_> {
        Notice::Row {
            change,
            kind: UpdateKind::Create,
            table: TABLE,
            key,
            before: None,
            row: None,
        }
    }

    /// Update numbers, sessions by the letter of their position, and what happened.
    fn told(trace: &Trace, sessions: &[(u32, SessionLabel)]) -> Vec<String> {
        let letter = |label: &SessionLabel| {
            let at = sessions.iter().position(|(_, other)| other == label);
            at.map_or('?', |at| char::from(b'a' + at as u8))
        };
        let key = |object: &ObjectId| match &object.scope {
            Scope::Table => "all".to_owned(),
            Scope::Row(key) => key.atoms()[0].to_string(),
        };
        let line = |event: &Event| match event {
            Event::ChangeLogged {
                update,
                cause,
                object,
                ..
            } => {
                let cause = cause.map_or(String::new(), |id| format!(" for {}", id.number()));
                format!("{} log {}{cause}", update.number(), key(object))
            }
            Event::SessionChecked { update, session } => {
                format!("{} check {}", update.number(), letter(session))
            }
            Event::MatchFound {
                update,
                session,
                object,
            } => format!(
                "{} found {} {}",
                update.number(),
                letter(session),
                key(object)
            ),
            Event::MatchNotFound {
                update,
                session,
                object,
            } => format!(
                "{} none {} {}",
                update.number(),
                letter(session),
                key(object)
            ),
            other => format!("{other:?}"),
        };
        trace.events.iter().map(line).collect()
    }

    fn sessions(count: u32) -> Vec<(u32, SessionLabel)> {
        (0..count).map(|at| (at, SessionLabel::fresh())).collect()
    }

    fn trace(
        transaction: &Transaction,
        notices: &[Notice<'_>],
        hits: &[(u32, u32)],
        sessions: &[(u32, SessionLabel)],
    ) -> Trace {
        let findings = Findings {
            notices,
            hits: hits.to_vec(),
            sessions: sessions.to_vec(),
        };
        findings.trace(transaction, UpdateId::nth(0))
    }

    #[test]
    fn each_change_is_followed_by_every_session_and_its_match() {
        let transaction = inserted(&[7, 8]);
        let sessions = sessions(2);
        let notices = [row(1, &transaction.changes[1].key)];
        let trace = trace(&transaction, &notices, &[(1, 0)], &sessions);
        assert_eq!(
            told(&trace, &sessions),
            [
                "1 log 7",
                "1 check a",
                "1 none a 7",
                "1 check b",
                "1 none b 7",
                "2 log 8",
                "2 check a",
                "2 none a 8",
                "2 check b",
                "2 found b 8",
            ]
        );
        assert_eq!(trace.ids, [UpdateId::nth(1)]);
    }

    #[test]
    fn a_moved_row_is_found_under_both_keys() {
        let transaction = inserted(&[7]);
        let sessions = sessions(1);
        let before = Key::from(6);
        let notices = [row(0, &before), row(0, &transaction.changes[0].key)];
        let trace = trace(&transaction, &notices, &[(0, 1), (0, 0)], &sessions);
        assert_eq!(
            told(&trace, &sessions)[1..],
            ["1 check a", "1 found a 6", "1 found a 7"]
        );
        assert_eq!(trace.ids, [UpdateId::nth(0), UpdateId::nth(0)]);
    }

    #[test]
    fn what_is_to_be_read_again_comes_last_and_has_the_only_change_as_its_cause() {
        let sessions = sessions(2);
        let again = || [Notice::Again(object(1))];
        let one = inserted(&[7]);
        let trace_of_one = trace(&one, &again(), &[(1, 0)], &sessions);
        assert_eq!(
            told(&trace_of_one, &sessions)[5..],
            ["2 log 1 for 1", "2 check b", "2 found b 1"]
        );
        assert_eq!(trace_of_one.ids, [UpdateId::nth(1)]);
        let whole = Transaction {
            whole: vec![TABLE],
            ..inserted(&[7])
        };
        let trace_of_two = trace(&whole, &again(), &[(1, 0)], &sessions);
        assert_eq!(
            told(&trace_of_two, &sessions)[5..],
            ["2 log all", "3 log 1", "3 check b", "3 found b 1"]
        );
        let findings = Findings {
            notices: &again(),
            hits: Vec::new(),
            sessions,
        };
        assert_eq!(findings.ids(&whole), 3);
    }

    #[test]
    fn a_large_transaction_is_told_in_part_and_the_rest_counted() {
        let keys: Vec<i64> = (0..5_000).collect();
        let transaction = inserted(&keys);
        let sessions = sessions(100);
        let trace = trace(&transaction, &[], &[], &sessions);
        let [told @ .., last] = trace.events.as_slice() else {
            panic!("something is told");
        };
        let of_change = 1 + sessions.len() * 2;
        assert!(told.len() < limits::MONITOR_EVENTS + of_change);
        let count = (keys.len() * of_change - told.len()) as u64;
        assert_eq!(*last, Event::EventsLost { count });
    }
}
