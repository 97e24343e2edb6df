//! The state folder of a running app: who holds it, and from when on the journal in it is ours.
//!
//! `app` opens it at start-up. One process holds the folder, by a lock that ends with it. An app that
//! is to take the place of another answers already while that one still writes: it goes without a
//! journal until the other has gone, and then takes up what that one has left.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::config::Config;
use crate::subscription::SubscriptionManager;
use crate::transport::Journal;

/// Name of the file whose lock says who holds the folder.
const LOCK: &str = "sessions.lock";

/// How often it is looked whether another process has let the folder go.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The folder, before it is known whose it is.
#[derive(Debug)]
pub(crate) struct StateFolder {
    folder: PathBuf,
    journal_bytes: usize,
    subscriptions: Arc<SubscriptionManager>,
    /// Locked while the folder is ours. Without it nobody can say whose the folder is.
    lock: Option<File>,
    /// Whether another process has the lock.
    anothers: bool,
}

impl StateFolder {
    /// The folder that the settings name, if they name one. If no other process holds it, what its
    /// journal says is watched is watched from now on.
    pub(crate) fn open(
        config: &Config,
        subscriptions: &Arc<SubscriptionManager>,
    ) -> Option<StateFolder> {
        let folder = config.state.clone()?;
        let lock = lock_file(&folder);
        let locked = lock.as_ref().map(File::try_lock);
        let state = StateFolder {
            anothers: matches!(locked, Some(Err(TryLockError::WouldBlock))),
            lock,
            folder,
            journal_bytes: config.limits.journal_bytes,
            subscriptions: Arc::clone(subscriptions),
        };
        if !state.anothers {
            state.take_up();
        }
        Some(state)
    }

    /// Keeps the folder until it is dropped, and waits for it as long as it is another's.
    pub(crate) async fn keep(self) {
        if let (Some(lock), true) = (&self.lock, self.anothers) {
            while matches!(lock.try_lock(), Err(TryLockError::WouldBlock)) {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            self.take_up();
        }
        std::future::pending().await
    }

    /// Restores what the journal says is watched, and goes on in it.
    fn take_up(&self) {
        let exposure = Arc::clone(self.subscriptions.exposure());
        let (sessions, journal) = Journal::open(&self.folder, exposure, self.journal_bytes);
        let now = Instant::now();
        for (session, views) in sessions {
            self.subscriptions.restore(&session, views.into_iter(), now);
        }
        if let Some(journal) = journal {
            self.subscriptions.go_on_in(Arc::new(journal));
        }
    }
}

/// Nothing where it cannot be made: the journal tells of that.
fn lock_file(folder: &Path) -> Option<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).mode(0o600);
    std::fs::create_dir_all(folder).ok()?;
    options.open(folder.join(LOCK)).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
    use crate::object_id::{Key, ObjectId, TableId};
    use crate::session::{ConnectionManager, SessionId};
    use crate::subscription::{Dependency, Role, Watch};
    use crate::value::Kind;

    const USER: TableId = TableId(0);

    /// An app's sessions and its state folder.
    fn app(config: &Config) -> (Arc<SubscriptionManager>, StateFolder) {
        let id = ExposedColumn {
            renamed: None,
            name: "id".into(),
            kind: Kind::Int,
        };
        let exposure = Arc::new(Exposure::new(vec![ExposedTable {
            id: USER,
            schema: "public".into(),
            table: "user".into(),
            entity: "User".into(),
            columns: vec![id],
            key: vec![0],
        }]));
        let connections = Arc::new(ConnectionManager::default());
        let manager = Arc::new(SubscriptionManager::new(exposure, connections));
        let state = StateFolder::open(config, &manager).unwrap();
        (manager, state)
    }

    fn watch(manager: &Arc<SubscriptionManager>, session: &str, key: i64) {
        let id = SessionId::new(session).unwrap();
        let session = manager.connections().open(&id, Instant::now());
        let watch = manager.watch_for(&session);
        let reading = watch.begin(ObjectId::row(USER, Key::from(key)), 0);
        let row = Dependency::Row(USER, Key::from(key));
        reading.depend(Role::Declared, row).unwrap();
        reading.finish();
    }

    #[tokio::test]
    async fn the_next_app_takes_up_what_the_one_before_wrote_to_its_end_and_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::new("test", "postgres://nowhere");
        config.state = Some(folder.path().to_owned());
        let (old, held) = app(&config);
        let (new, waiting) = app(&config);
        let keeping = tokio::spawn(waiting.keep());
        watch(&old, "a", 1);
        watch(&new, "b", 2);
        assert_eq!(new.subscriptions(), 1, "the old one still has the folder");

        drop((old, held));
        // Takes as long as it takes: the harness ends a test that hangs.
        while new.subscriptions() < 2 {
            tokio::task::yield_now().await;
        }
        keeping.abort();
        assert!(keeping.await.unwrap_err().is_cancelled());
        drop(new);
        assert_eq!(app(&config).0.subscriptions(), 2, "both are written down");
    }
}
