//! `Rules`: asks the app's own code what viewers see, for one commit, and does not wait for it
//! without end.
//!
//! The code runs on a thread of its own, so that one that blocks costs its table and nobody else's.
//! What must stay true: no lock of the index is held here, and of a table whose code has not
//! answered yet no second thread asks.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::limits;

use crate::object_id::TableId;
use crate::table::TableManager;
use crate::viewer::Viewer;
use crate::visibility::Sight;

/// What a viewer sees of a table; nothing stands for everything. `None` outside: the app has not
/// answered in time.
pub(super) type Answer = Option<Option<Sight>>;

/// The tables whose rules are not asked for commits, because they have not answered yet.
#[derive(Debug, Default)]
pub(super) struct Rules {
    slow: Mutex<HashSet<TableId>>,
}

/// How far the questions of one commit have come.
#[derive(Default)]
struct Progress {
    answers: Vec<Answer>,
    /// The table whose code runs now.
    running: Option<TableId>,
    given_up: bool,
}

/// What each viewer sees, asked here and now.
pub(super) fn ask_here(tables: &TableManager, wanted: &[(TableId, Viewer)]) -> Vec<Answer> {
    let ask = |(table, viewer): &(TableId, Viewer)| tables.sight(tables.table(*table), viewer);
    wanted.iter().map(ask).map(Some).collect()
}

impl Rules {
    /// What each viewer sees, as far as the app says so within [`limits::RULES_TIMEOUT`]. Needs a
    /// runtime of tokio's.
    pub(super) async fn ask(
        self: &Arc<Self>,
        tables: &Arc<TableManager>,
        wanted: Vec<(TableId, Viewer)>,
    ) -> Vec<Answer> {
        let count = wanted.len();
        let progress = Arc::new(Mutex::new(Progress::default()));
        let asking = {
            let (rules, tables) = (Arc::clone(self), Arc::clone(tables));
            let progress = Arc::clone(&progress);
            tokio::task::spawn_blocking(move || rules.work(&tables, &wanted, &progress))
        };
        let ended = tokio::time::timeout(limits::RULES_TIMEOUT, asking).await;
        let mut progress = lock(&progress);
        if ended.is_err() {
            progress.given_up = true;
            if let Some(table) = progress.running {
                tracing::error!(
                    table = %tables.table(table).table,
                    "what `.visible::<..>(..)` says of a table takes too long: until it has \
                     answered, who watches the table is told to read again at every commit"
                );
                lock(&self.slow).insert(table);
            }
        }
        let mut answers = std::mem::take(&mut progress.answers);
        answers.resize_with(count, || None);
        answers
    }

    fn work(
        &self,
        tables: &TableManager,
        wanted: &[(TableId, Viewer)],
        progress: &Mutex<Progress>,
    ) {
        for (table, viewer) in wanted {
            let skipped = lock(&self.slow).contains(table);
            {
                let mut progress = lock(progress);
                if progress.given_up {
                    return;
                }
                if skipped {
                    progress.answers.push(None);
                    continue;
                }
                progress.running = Some(*table);
            }
            let sight = tables.sight(tables.table(*table), viewer);
            let mut progress = lock(progress);
            progress.running = None;
            progress.answers.push(Some(sight));
            if progress.given_up {
                lock(&self.slow).remove(table);
                return;
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
