//! `Rehearsal`: a transaction put once more to what somebody watches, by the code that publishes, with
//! nobody listening. The debugger asks it why a session was, or was not, told, and replays recordings
//! on it.
//!
//! What must stay true: it changes nothing of the manager that it is made of.

use std::sync::Arc;
use std::time::Instant;

use super::ledger::{View, ViewName};
use super::manager::SubscriptionManager;
use crate::change::Transaction;
use crate::debugger::{Commit, Noticed, Record};
use crate::object_id::ObjectId;
use crate::session::{ConnectionManager, Session, SessionId};
use crate::viewer::Viewer;

/// What one viewer would be told.
#[derive(Debug, Default)]
pub(crate) struct Rehearsed {
    /// Of what it would be told.
    pub(crate) told: Vec<Noticed>,
    /// How often it would not be told of a row because it sees no difference.
    pub(crate) denied: u32,
}

impl SubscriptionManager {
    /// What a session watches, read by read.
    pub(crate) fn views(&self, session: &Session) -> Vec<(ObjectId, u64, View)> {
        let reads = self.lock().reads(session.number()).into_iter();
        reads
            .map(|(object, selection)| {
                let index = self.lock();
                let view = index.dependencies(session.number(), &object, selection);
                drop(index);
                (object, selection, view)
            })
            .collect()
    }

    /// What somebody who watches this would be told of a transaction, as this viewer sees it now.
    pub(crate) async fn rehearse(
        &self,
        viewer: &Viewer,
        views: Vec<(ObjectId, u64, View)>,
        transaction: &Arc<Transaction>,
    ) -> Rehearsed {
        let mut stage = self.stage();
        let Some(session) = stage.enter(viewer) else {
            return Rehearsed::default();
        };
        for (object, selection, view) in views {
            stage.watch(&session, ViewName { object, selection }, view);
        }
        let Some(commit) = stage.perform(transaction).await else {
            return Rehearsed::default();
        };
        let deliveries = commit.deliveries.iter();
        let told = deliveries.flat_map(|delivery| commit.noticed(delivery));
        Rehearsed {
            told: told.cloned().collect(),
            denied: commit.denied,
        }
    }

    /// An empty stage, with the tables and rules of this manager.
    pub(crate) fn stage(&self) -> Stage {
        let nobody = Arc::new(ConnectionManager::default());
        let mut manager = SubscriptionManager::new(Arc::clone(self.exposure()), nobody);
        manager.guarded.clone_from(&self.guarded);
        manager.rules = Arc::clone(&self.rules);
        manager.conditions.clone_from(&self.conditions);
        manager.recorder().switch_on();
        manager.recorder().keep(true);
        Stage {
            manager,
            entered: 0,
        }
    }
}

/// Where transactions are published to sessions that nobody listens in.
#[derive(Debug)]
pub(crate) struct Stage {
    manager: SubscriptionManager,
    entered: u64,
}

impl Stage {
    /// A session of this viewer's, which watches nothing yet.
    pub(crate) fn enter(&mut self, viewer: &Viewer) -> Option<Arc<Session>> {
        self.entered += 1;
        let id = SessionId::new(&format!("rehearsal {}", self.entered))?;
        let session = self.manager.connections().open(&id, Instant::now());
        // It belongs to nobody yet.
        let _ = session.bind(viewer);
        // Nobody takes from its outbox: so nothing is put there, and is recorded all the same.
        session.reset();
        Some(session)
    }

    /// From now on one read of the session watches this and nothing else.
    pub(crate) fn watch(&self, session: &Session, name: ViewName, view: View) {
        let mut index = self.manager.lock();
        if view.is_empty() {
            index.unsubscribe(session.number(), &name.object, name.selection);
            return;
        }
        let answer = index.begin(session.number(), name.object, name.selection);
        for (role, dependency) in view {
            // There is no limit.
            let _ = index.depend(&answer, role, dependency, usize::MAX);
        }
        index.finish(answer);
    }

    /// The session watches nothing any more.
    pub(crate) fn leave(&self, session: &Session) {
        self.manager.lock().forget(session.number());
    }

    /// Publishes a transaction. Whom it was told, by the labels of this stage's sessions.
    pub(crate) async fn perform(&self, transaction: &Arc<Transaction>) -> Option<Box<Commit>> {
        self.manager.judge(transaction).await;
        self.manager.publish(transaction);
        loop {
            match self.manager.recorder().take()? {
                Record::Commit(commit) => return Some(commit),
                Record::Passed(_) | Record::Step(_) | Record::Watching(_) => {}
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::change::{Change, ChangeKind, Old};
    use crate::object_id::Key;
    use crate::subscription::testing::{USER, manager, open};
    use crate::subscription::{Dependency, Role, Watch};

    fn deletion(key: i64) -> Arc<Transaction> {
        let change = Change {
            table: USER,
            kind: ChangeKind::Delete,
            key: Key::from(key),
            moved: None,
            old: Old::None,
            new: None,
        };
        Arc::new(Transaction::of(vec![change], Vec::new()))
    }

    #[tokio::test]
    async fn what_a_session_watches_is_put_to_a_transaction_and_nothing_is_told() {
        let manager = manager();
        let session = open(&manager, "a");
        let object = ObjectId::row(USER, Key::from(1));
        let reading = manager.watch_for(&session).begin(object.clone(), 7);
        let row = Dependency::Row(USER, Key::from(1));
        reading.depend(Role::Declared, row).unwrap();
        reading.finish();
        let views = || manager.views(&session);
        let viewer = session.viewer();
        let hit = manager.rehearse(&viewer, views(), &deletion(1)).await;
        let told: Vec<&ObjectId> = hit.told.iter().map(|told| &told.object).collect();
        assert_eq!(told, [&object]);
        let missed = manager.rehearse(&viewer, views(), &deletion(2)).await;
        assert!(missed.told.is_empty());
        assert_eq!(session.outbox_bytes(), 0);
        assert_eq!(manager.connections().len(), 1);
    }
}
