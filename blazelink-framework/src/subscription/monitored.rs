//! What the manager tells monitors: nothing, and without any work, while none is attached.

use blazelink_codes::limits;

use super::declared::Declared;
use super::ledger::ViewName;
use super::manager::SubscriptionManager;
use super::publish::Matched;
use crate::change::Transaction;
use crate::monitor::{Event, Findings, Subscription, UpdateId};
use crate::session::{Entry, Session, SessionLabel};

impl SubscriptionManager {
    /// A transaction was matched. Gives the id of each notice's change; none if nobody was told.
    pub(super) fn tell_commit(
        &self,
        transaction: &Transaction,
        matched: &Matched<'_>,
    ) -> Vec<UpdateId> {
        let monitors = self.monitors();
        if !monitors.is_watched() {
            return Vec::new();
        }
        let findings = Findings {
            notices: &matched.notices,
            hits: matched.hits.clone(),
            sessions: self.compared(matched),
        };
        let first = monitors.updates(findings.ids(transaction));
        let trace = findings.trace(transaction, first);
        monitors.tell(trace.events);
        trace.ids
    }

    /// A read has ended, and its session watches something else than before.
    pub(super) fn tell_added(&self, session: &Session, name: &ViewName) {
        if !self.monitors().is_watched() {
            return;
        }
        let limit = limits::MONITOR_IDENTIFIERS;
        let ViewName { object, selection } = name;
        let declared = self
            .lock()
            .declared(session.number(), object, *selection, limit);
        let session = session.label();
        let added = subscriptions(declared).map(|subscription| Event::SubscriptionAdded {
            session,
            subscription,
        });
        self.monitors().tell(added);
    }

    /// A request has ended, and its session watches something else than before.
    pub(super) fn tell_list(&self, session: &Session) {
        if !self.monitors().is_watched() {
            return;
        }
        let limit = limits::MONITOR_IDENTIFIERS;
        let declared = self.lock().declarations(session.number(), limit);
        self.monitors().tell([Event::SubscriptionsListed {
            session: session.label(),
            complete: declared.complete,
            subscriptions: subscriptions(declared).collect(),
        }]);
    }

    /// These entries are about to be written to the session's socket.
    pub(crate) fn tell_sent(&self, session: &Session, entries: &[Entry]) {
        if entries.is_empty() || !self.monitors().is_watched() {
            return;
        }
        self.monitors()
            .tell(entries.iter().map(|entry| Event::MessageSent {
                update: entry.update.id,
                session: session.label(),
                object: entry.update.object.clone(),
            }));
    }

    /// A session has ended; the index has not forgotten it yet.
    pub(super) fn tell_ended(&self, session: &Session) {
        if self.monitors().is_watched() && self.lock().watched_by(session.number()) > 0 {
            let session = session.label();
            self.monitors()
                .tell([Event::SubscriptionsDeleted { session }]);
        }
    }

    /// The sessions that monitors are told of: all that watch anything, or, if there are too many
    /// to compare, some of those that are hit.
    fn compared(&self, matched: &Matched<'_>) -> Vec<(u32, SessionLabel)> {
        let named = |session: &Session| (session.number(), session.label());
        if self.connections().len() > limits::MONITOR_SESSIONS {
            let hit = matched.sessions.iter().flatten();
            let hit = hit.take(limits::MONITOR_SESSIONS);
            return hit.map(|session| named(session)).collect();
        }
        let mut sessions = self.connections().all();
        let index = self.lock();
        sessions.retain(|session| index.watched_by(session.number()) > 0);
        drop(index);
        sessions.sort_unstable_by_key(|session| session.number());
        sessions.iter().map(|session| named(session)).collect()
    }
}

fn subscriptions(declared: Declared) -> impl Iterator<Item = Subscription> {
    let reads = declared.reads.into_iter();
    reads.flat_map(|(object, declared)| Subscription::of_read(object, declared))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::Arc;
    use std::time::Instant;

    use super::*;
    use crate::change::{Change, ChangeKind, Old};
    use crate::monitor::Monitor;
    use crate::object_id::{Key, ObjectId};
    use crate::subscription::testing::{USER, manager, open};
    use crate::subscription::{Dependency, Role, Watch};

    fn object(key: i64) -> ObjectId {
        ObjectId::row(USER, Key::from(key))
    }

    /// A request that reads a row and names others beside it.
    fn read(manager: &Arc<SubscriptionManager>, session: &Arc<Session>, keys: &[i64]) {
        let watch = manager.watch_for(session);
        let reading = watch.begin(object(keys[0]), 0);
        for &key in keys {
            let row = Dependency::Row(USER, Key::from(key));
            reading.depend(Role::Declared, row).unwrap();
        }
        reading.finish();
    }

    fn delete(manager: &SubscriptionManager, key: i64) {
        manager.publish(&Arc::new(Transaction::of(
            vec![Change {
                table: USER,
                kind: ChangeKind::Delete,
                key: Key::from(key),
                moved: None,
                old: Old::None,
                new: None,
            }],
            Vec::new(),
        )));
    }

    fn told(monitor: &Monitor) -> Vec<Event> {
        let events = monitor.take(usize::MAX).into_iter();
        events.map(|event| Event::clone(&event)).collect()
    }

    fn subscription(key: i64, dependencies: &[i64]) -> Subscription {
        Subscription {
            object: object(key),
            dependencies: dependencies.iter().copied().map(object).collect(),
        }
    }

    #[test]
    fn a_request_tells_what_it_added_and_then_all_that_is_watched_once() {
        let manager = manager();
        let session = open(&manager, "a");
        read(&manager, &session, &[1]);
        let monitor = manager.monitors().attach().unwrap();
        read(&manager, &session, &[2, 3]);
        let label = session.label();
        let all = [
            subscription(1, &[]),
            subscription(2, &[2, 3]),
            subscription(2, &[]),
            subscription(3, &[]),
        ];
        let added = all[1..].iter().map(|one| Event::SubscriptionAdded {
            session: label,
            subscription: one.clone(),
        });
        let listed = Event::SubscriptionsListed {
            session: label,
            subscriptions: all.to_vec(),
            complete: true,
        };
        let expected: Vec<Event> = added.chain([listed]).collect();
        assert_eq!(told(&monitor), expected);
        read(&manager, &session, &[2, 3]);
        assert!(told(&monitor).is_empty(), "a repeat changes nothing");
    }

    #[test]
    fn a_long_list_names_the_newest_and_says_so() {
        let manager = manager();
        let session = open(&manager, "a");
        let monitor = manager.monitors().attach().unwrap();
        let keys: Vec<i64> = (0..).take(limits::MONITOR_IDENTIFIERS * 2).collect();
        read(&manager, &session, &[-1]);
        read(&manager, &session, &keys);
        let Some(Event::SubscriptionsListed {
            subscriptions,
            complete: false,
            ..
        }) = told(&monitor).pop()
        else {
            panic!("an incomplete list comes last");
        };
        assert_eq!(subscriptions.len(), limits::MONITOR_IDENTIFIERS);
        let last = keys.last().copied().map(object);
        assert_eq!(subscriptions.last().map(|one| one.object.clone()), last);
    }

    #[test]
    fn of_many_sessions_only_those_that_are_hit_are_told() {
        let manager = manager();
        let many = limits::MONITOR_SESSIONS;
        let sessions: Vec<_> = (0..many)
            .map(|id| open(&manager, &id.to_string()))
            .collect();
        for session in &sessions {
            read(&manager, session, &[1]);
        }
        let monitor = manager.monitors().attach().unwrap();
        delete(&manager, 2);
        assert_eq!(told(&monitor).len(), 1 + 2 * many);
        let another = open(&manager, "another");
        read(&manager, &another, &[2]);
        told(&monitor);
        delete(&manager, 2);
        let events = told(&monitor);
        let session = another.label();
        assert_eq!(events.len(), 3);
        assert!(
            matches!(events[1], Event::SessionChecked { session: checked, .. } if checked == session)
        );
        assert!(matches!(events[2], Event::MatchFound { session: found, .. } if found == session));
        delete(&manager, 1);
        assert_eq!(told(&monitor).len(), 1 + 2 * many);
    }

    #[test]
    fn changes_have_no_id_while_nobody_watches() {
        let manager = manager();
        let session = open(&manager, "a");
        read(&manager, &session, &[1]);
        delete(&manager, 1);
        let monitor = manager.monitors().attach().unwrap();
        delete(&manager, 1);
        let attached = manager.connections().attach(&session, Instant::now());
        let mut entries = Vec::new();
        manager.take(&session, attached.socket(), usize::MAX, &mut entries);
        let [before, after] = entries.as_slice() else {
            panic!("two deletes wait");
        };
        assert_eq!(before.update.id, None);
        let logged = told(&monitor).into_iter().next().unwrap();
        let Event::ChangeLogged { update, .. } = logged else {
            panic!("a change is logged first");
        };
        assert_eq!(after.update.id, Some(update));
        assert_eq!(
            update.number(),
            1,
            "nobody was told, so nothing was numbered"
        );
    }

    #[test]
    fn a_session_that_ends_tells_that_its_subscriptions_are_gone() {
        let manager = manager();
        let session = open(&manager, "a");
        open(&manager, "watches nothing");
        read(&manager, &session, &[1]);
        let monitor = manager.monitors().attach().unwrap();
        let label = session.label();
        drop(session);
        assert_eq!(manager.sweep(Instant::now() + limits::GRACE * 2), 2);
        assert_eq!(
            told(&monitor),
            [Event::SubscriptionsDeleted { session: label }]
        );
    }
}
