//! The mutex around the index, and all who come to it.
//!
//! One for the process. Requests watch through it (`session_watch`), the Signaler publishes through
//! it (`publish`), sockets' tasks take from outboxes through it. The mutex is held for a few lines
//! and never across an await.

use std::collections::HashSet;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use blazelink_codes::limits;

use super::dependency::{Dependency, Role};
use super::index::SubscriptionIndex;
use super::judging::{Conditions, Verdicts};
use super::ledger::{Ledger, View, ViewName, Visit};
use super::rules::Rules;
use super::session_watch::SessionWatch;
use crate::change::Transaction;
use crate::debugger::{Moment, Recorder, Watching, What};
use crate::exposure::Exposure;
use crate::meters::Meters;
use crate::monitor::MonitorHub;
use crate::object_id::ObjectId;
use crate::session::{
    AnotherViewer, Bound, ConnectionManager, Entry, Session, SessionId, Socket, Taken,
};
use crate::table::TableManager;
use crate::viewer::Viewer;

/// Who watches what, and how they are told.
pub struct SubscriptionManager {
    index: Mutex<SubscriptionIndex>,
    connections: Arc<ConnectionManager>,
    exposure: Arc<Exposure>,
    ledger: OnceLock<Arc<dyn Ledger>>,
    /// Dependencies that one session may hold.
    pub(super) per_session: usize,
    monitors: Arc<MonitorHub>,
    meters: Meters,
    recorder: Arc<Recorder>,
    /// The tables, if there are rules on who sees what of them.
    pub(super) guarded: Option<Arc<TableManager>>,
    pub(super) rules: Arc<Rules>,
    /// Who puts conditions in SQL to Postgres; without it nobody knows whom they let through.
    pub(super) conditions: Option<Arc<dyn Conditions>>,
    /// What viewers see of the transaction that is published next.
    pub(super) judged: Mutex<Option<(Arc<Transaction>, Verdicts)>>,
}

impl SubscriptionManager {
    /// A manager in which nobody watches anything yet.
    pub fn new(exposure: Arc<Exposure>, connections: Arc<ConnectionManager>) -> Self {
        SubscriptionManager {
            index: Mutex::default(),
            connections,
            exposure,
            ledger: OnceLock::new(),
            per_session: limits::SUBSCRIPTIONS_PER_SESSION,
            monitors: Arc::default(),
            meters: Meters::default(),
            recorder: Arc::default(),
            guarded: None,
            rules: Arc::default(),
            conditions: None,
            judged: Mutex::default(),
        }
    }

    /// From now on has written down what is watched.
    #[must_use]
    pub fn with_ledger(self, ledger: Arc<dyn Ledger>) -> Self {
        self.go_on_in(ledger);
        self
    }

    /// From now on has written down what is watched, and first what is watched already. A second
    /// ledger is none.
    pub(crate) fn go_on_in(&self, ledger: Arc<dyn Ledger>) {
        if self.ledger.set(ledger).is_err() {
            return;
        }
        for session in self.connections.all() {
            let reads = self.lock().reads(session.number());
            for (object, selection) in reads {
                self.write_down(&session, &ViewName { object, selection });
            }
        }
    }

    /// Lets each session hold so many dependencies, instead of
    /// [`limits::SUBSCRIPTIONS_PER_SESSION`].
    #[must_use]
    pub fn with_limit_per_session(mut self, dependencies: usize) -> Self {
        self.per_session = dependencies;
        self
    }

    /// From now on tells each session only what its viewer may see of these tables.
    #[must_use]
    pub fn with_visibility(mut self, tables: &Arc<TableManager>) -> Self {
        self.guarded = tables.is_guarded().then(|| Arc::clone(tables));
        self
    }

    /// From now on has Postgres asked whom conditions in SQL let through.
    #[must_use]
    pub(crate) fn with_conditions(mut self, conditions: Arc<dyn Conditions>) -> Self {
        self.conditions = Some(conditions);
        self
    }

    /// Makes a session watch again what it watched in an earlier process, and owes it one update
    /// per object: nobody knows what it has missed. What it watches here already stays as it is.
    /// Writes nothing to the ledger, which knows.
    pub fn restore(
        &self,
        id: &SessionId,
        views: impl Iterator<Item = (ViewName, View)>,
        now: Instant,
    ) {
        let session = self.connections.open(id, now);
        for (name, view) in views {
            let mut index = self.lock();
            let known = index.dependencies(session.number(), &name.object, name.selection);
            if !known.is_empty() {
                continue;
            }
            let answer = index.begin(session.number(), name.object, name.selection);
            for (role, dependency) in view {
                // Beyond the limit the object is still told of, through what fits.
                let _ = index.depend(&answer, role, dependency, self.per_session);
            }
            index.finish(answer);
        }
        session.reset();
    }

    /// The sessions.
    pub fn connections(&self) -> &Arc<ConnectionManager> {
        &self.connections
    }

    /// Where is counted what sessions are told, and all else that the app counts.
    pub(crate) fn meters(&self) -> &Meters {
        &self.meters
    }

    /// Where the debugger is told what sessions are told.
    pub(crate) fn recorder(&self) -> &Arc<Recorder> {
        &self.recorder
    }

    /// The exposed tables.
    pub fn exposure(&self) -> &Arc<Exposure> {
        &self.exposure
    }

    /// Who is told what happens here.
    pub fn monitors(&self) -> &Arc<MonitorHub> {
        &self.monitors
    }

    /// Where the executor says what it reads for this session. Holds the session: while a request
    /// is answered, its session does not end.
    pub fn watch_for(self: &Arc<Self>, session: &Arc<Session>) -> SessionWatch {
        SessionWatch::new(Arc::clone(self), Arc::clone(session))
    }

    /// Lets a session belong to a viewer. If it was anonymous until now, it is owed one update per
    /// object that it watches: its viewer may see what it has not been told of.
    ///
    /// # Errors
    ///
    /// If it belongs to another viewer.
    pub fn bind(&self, session: &Session, viewer: &Viewer) -> Result<(), AnotherViewer> {
        if session.bind(viewer)? == Bound::Now {
            if self.recorder.is_keeping() {
                self.record_watching(session, self.recorder.now(), None);
            }
            if self.lock().watched_by(session.number()) > 0 {
                session.reset();
            }
        }
        Ok(())
    }

    /// A request of the session has been answered as this viewer sees it. If the session has become
    /// another viewer's meanwhile, it is owed one update per object that it watches, as in
    /// [`SubscriptionManager::bind`]: from then on it is told what that viewer sees.
    pub(crate) fn answered(&self, session: &Session, viewer: &Viewer) {
        if session.viewer() != *viewer {
            session.reset();
        }
    }

    /// Has a session watch nothing any more, and lets go of what waits for it. A read that is being
    /// answered meanwhile is watched all the same.
    pub(crate) fn revoke(&self, session: &Session) {
        let began = self.recorder.now();
        let mut index = self.lock();
        let reads = index.reads(session.number());
        index.forget(session.number());
        drop(index);
        session.reset();
        for (object, selection) in reads {
            let name = ViewName { object, selection };
            self.write_down(session, &name);
            if self.recorder.is_keeping() {
                self.record_watching(session, began, Some((name, View::new())));
            }
        }
    }

    /// Owes every session one update per object that it watches: for when changes may have been
    /// missed.
    pub(crate) fn reset_all(&self) {
        for session in self.connections.all() {
            session.reset();
        }
    }

    /// Ends the sessions that have been idle for the grace time, and tidies the ledger, which may
    /// write files. To be called every few seconds, by one thread. Returns how many ended.
    pub(crate) fn sweep(&self, now: Instant) -> usize {
        let ended = self.connections.expire(now, limits::GRACE);
        for session in &ended {
            self.tell_ended(session);
            self.recorder.step(session.label(), What::Ended);
            self.lock().forget(session.number());
            self.connections.release(session);
            if let Some(ledger) = self.ledger.get() {
                ledger.ended(session.id(), &|| !self.connections.has(session.id()));
            }
        }
        if let Some(ledger) = self.ledger.get() {
            ledger.tidy(&|visit| self.living(visit));
        }
        ended.len()
    }

    /// Takes about `bytes` of what waits for the socket, a due reset included. False if the
    /// socket is no longer its session's.
    pub(crate) fn take(
        &self,
        session: &Session,
        socket: &Arc<Socket>,
        bytes: usize,
        out: &mut Vec<Entry>,
    ) -> bool {
        loop {
            match session.take(socket, bytes, out) {
                Taken::Entries => return true,
                Taken::Detached => return false,
                Taken::Reset => {
                    let objects = self.lock().watched(session.number());
                    session.refill(objects);
                    self.recorder.step(session.label(), What::Reset);
                }
            }
        }
    }

    /// Lets one read of a session go.
    pub fn unsubscribe(&self, session: &Session, object: &ObjectId, selection: u64) {
        self.lock().unsubscribe(session.number(), object, selection);
        let object = object.clone();
        let now = self.recorder.now();
        self.changed(session, &ViewName { object, selection }, now);
    }

    /// What a session's reads of this object depend on by now, whichever selections they are:
    /// declared by the client or derived while they were answered, captured ones too. Each once,
    /// in no particular order. [`TableManager::in_words`] puts one into words.
    pub fn dependencies(&self, session: &Session, object: &ObjectId) -> Vec<(Role, Dependency)> {
        let index = self.lock();
        let reads = index.reads(session.number()).into_iter();
        let selections =
            reads.filter_map(|(read, selection)| (read == *object).then_some(selection));
        let mut seen = HashSet::new();
        selections
            .flat_map(|selection| index.dependencies(session.number(), object, selection))
            .filter(|dependency| seen.insert(dependency.clone()))
            .collect()
    }

    /// Number of dependencies that a session holds.
    pub(crate) fn watched_by(&self, session: &Session) -> usize {
        self.lock().watched_by(session.number())
    }

    /// Number of dependencies that all sessions hold.
    pub fn subscriptions(&self) -> usize {
        self.lock().len()
    }

    /// What a read watches has changed, and it began to then: has it written down. The index must not
    /// be locked.
    pub(super) fn changed(&self, session: &Session, name: &ViewName, began: Moment) {
        self.write_down(session, name);
        if self.recorder.is_keeping() {
            let view = self.view(session, name);
            self.record_watching(session, began, Some((name.clone(), view)));
        }
    }

    fn write_down(&self, session: &Session, name: &ViewName) {
        if let Some(ledger) = self.ledger.get() {
            ledger.changed(session.id(), name, &|| self.view(session, name));
        }
    }

    /// Tells the recorder what a session watches by now, or only whose it is.
    fn record_watching(&self, session: &Session, began: Moment, view: Option<(ViewName, View)>) {
        self.recorder.watching(Watching {
            session: session.label(),
            viewer: session.viewer(),
            began,
            at: self.recorder.now(),
            view,
        });
    }

    fn view(&self, session: &Session, name: &ViewName) -> View {
        let index = self.lock();
        index.dependencies(session.number(), &name.object, name.selection)
    }

    /// Hands over everything that is watched, and locks the index for one read at a time.
    fn living(&self, visit: &mut Visit<'_>) {
        for session in self.connections.all() {
            let reads = self.lock().reads(session.number());
            for (object, selection) in reads {
                let name = ViewName { object, selection };
                visit(session.id(), &name, self.view(&session, &name));
            }
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, SubscriptionIndex> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for SubscriptionManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SubscriptionManager")
            .field("connections", &self.connections.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {

    use blazelink_codes::Code;

    use super::*;
    use crate::change::{Change, ChangeKind, Old, Row, Transaction};
    use crate::exposure::ExposedTable;
    use crate::object_id::{Key, TableId};
    use crate::subscription::Watch;
    use crate::subscription::testing::{USER, manager, open};

    fn declare(manager: &Arc<SubscriptionManager>, session: &Arc<Session>, key: i64) {
        let watch = manager.watch_for(session);
        let reading = watch.begin(ObjectId::row(USER, Key::from(key)), 0);
        let row = Dependency::Row(USER, Key::from(key));
        reading.depend(Role::Declared, row).unwrap();
        reading.finish();
    }

    fn renamed(key: i64, name: &str) -> Change {
        let row = |name| Row::from_texts(&[Some(&key.to_string()), Some(name)]);
        Change {
            table: USER,
            kind: ChangeKind::Update,
            key: Key::from(key),
            moved: None,
            old: Old::Full(row("before")),
            new: Some(row(name)),
        }
    }

    fn commit(changes: Vec<Change>) -> Arc<Transaction> {
        Arc::new(Transaction::of(changes, Vec::new()))
    }

    fn received(manager: &Arc<SubscriptionManager>, session: &Arc<Session>) -> Vec<String> {
        let attached = manager.connections().attach(session, Instant::now());
        let mut out = Vec::new();
        assert!(manager.take(session, attached.socket(), usize::MAX, &mut out));
        let text = |entry: Entry| {
            let changes = entry.update.changes().unwrap_or(b"null");
            format!("{:?} {}", entry.kind, String::from_utf8_lossy(changes))
        };
        out.into_iter().map(text).collect()
    }

    #[test]
    fn what_an_object_depends_on_is_told_over_all_its_selections() {
        let manager = manager();
        let session = open(&manager, "one");
        let object = ObjectId::row(USER, Key::from(1));
        let watch = manager.watch_for(&session);
        for (selection, key) in [(0, 1), (1, 2)] {
            let reading = watch.begin(object.clone(), selection);
            let own = Dependency::Row(USER, Key::from(1));
            reading.depend(Role::Declared, own).unwrap();
            let row = Dependency::Row(USER, Key::from(key));
            reading.depend(Role::Derived, row).unwrap();
            reading.finish();
        }
        let mut found = manager.dependencies(&session, &object);
        found.sort_by_key(|one| format!("{one:?}"));
        let row = |key| Dependency::Row(USER, Key::from(key));
        let expected = [
            (Role::Declared, row(1)),
            (Role::Derived, row(1)),
            (Role::Derived, row(2)),
        ];
        assert_eq!(found, expected);
        let other = ObjectId::row(USER, Key::from(2));
        assert!(manager.dependencies(&session, &other).is_empty());
    }

    #[test]
    fn a_commit_reaches_whom_it_concerns_in_order_and_nobody_else() {
        let manager = manager();
        let (one, both) = (open(&manager, "one"), open(&manager, "both"));
        declare(&manager, &one, 1);
        declare(&manager, &both, 1);
        declare(&manager, &both, 2);
        manager.publish(&commit(vec![
            renamed(2, "b"),
            renamed(1, "a"),
            renamed(3, "c"),
        ]));
        assert_eq!(received(&manager, &one), [r#"Update {"id":1,"name":"a"}"#]);
        assert_eq!(
            received(&manager, &both),
            [
                r#"Update {"id":2,"name":"b"}"#,
                r#"Update {"id":1,"name":"a"}"#
            ]
        );
        assert!(received(&manager, &open(&manager, "other")).is_empty());
    }

    #[test]
    fn what_a_virtual_table_has_read_is_told_as_the_virtual_table() {
        let virtual_table = |id| ExposedTable {
            id,
            schema: String::new(),
            table: String::new(),
            entity: "Stats".into(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        const STATS: TableId = TableId(1);
        let exposure = Exposure::clone(manager().exposure());
        let exposure = exposure.with_virtual_tables(vec![virtual_table(STATS)]);
        let connections = Arc::new(ConnectionManager::default());
        let manager = Arc::new(SubscriptionManager::new(Arc::new(exposure), connections));
        let session = open(&manager, "a");
        let watch = manager.watch_for(&session);
        let reading = watch.begin(ObjectId::table(STATS), 0);
        let named = Dependency::Table(STATS);
        reading.depend(Role::Declared, named).unwrap();
        let read = Dependency::Row(USER, Key::from(1));
        reading.depend(Role::Derived, read).unwrap();
        reading.finish();
        manager.publish(&commit(vec![renamed(2, "b"), renamed(1, "a")]));
        let attached = manager.connections().attach(&session, Instant::now());
        let mut out = Vec::new();
        assert!(manager.take(&session, attached.socket(), usize::MAX, &mut out));
        let told: Vec<_> = out.iter().map(|entry| &entry.update.object).collect();
        assert_eq!(told, [&ObjectId::table(STATS)]);
        assert_eq!(out[0].update.changes(), Some(&b"{}"[..]));
    }

    #[test]
    fn a_failed_reading_withdraws_what_it_added() {
        let manager = manager();
        let session = open(&manager, "a");
        let watch = manager.watch_for(&session);
        let reading = watch.begin(ObjectId::table(USER), 0);
        reading
            .depend(Role::Declared, Dependency::Table(USER))
            .unwrap();
        drop(reading);
        assert_eq!(manager.subscriptions(), 0);
    }

    #[test]
    fn a_reset_names_every_watched_object() {
        let manager = manager();
        let session = open(&manager, "a");
        declare(&manager, &session, 1);
        declare(&manager, &session, 2);
        manager.reset_all();
        manager.publish(&commit(vec![renamed(1, "a")]));
        assert_eq!(received(&manager, &session), ["Update {}", "Update {}"]);
    }

    #[test]
    fn a_swept_session_is_forgotten_and_its_number_is_free() {
        let manager = manager();
        let session = open(&manager, "a");
        let number = session.number();
        declare(&manager, &session, 1);
        let later = Instant::now() + limits::GRACE * 2;
        assert_eq!(manager.sweep(later), 0, "somebody holds the session");
        drop(session);
        assert_eq!(manager.sweep(later), 1);
        assert_eq!(manager.subscriptions(), 0);
        let next = open(&manager, "b");
        assert_eq!(next.number(), number);
        manager.publish(&commit(vec![renamed(1, "a")]));
        assert!(received(&manager, &next).is_empty());
    }

    #[test]
    fn a_session_that_watches_too_much_is_refused_and_keeps_what_it_has() {
        let manager = manager();
        let session = open(&manager, "a");
        declare(&manager, &session, -1);
        let watch = manager.watch_for(&session);
        let reading = watch.begin(ObjectId::table(USER), 0);
        let row = |key: usize| Dependency::Row(USER, Key::from(key as i64));
        for key in 1..limits::SUBSCRIPTIONS_PER_SESSION {
            reading.depend(Role::Derived, row(key)).unwrap();
        }
        let refused = reading.depend(Role::Derived, row(0)).unwrap_err();
        assert_eq!(refused.code(), Code::TooManySubscriptions);
        assert!(reading.depend(Role::Derived, row(1)).is_ok(), "a repeat");
        drop(reading);
        assert_eq!(manager.subscriptions(), 1);
    }
}
