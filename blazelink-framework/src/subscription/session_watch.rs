//! `SessionWatch`: where the executor says what it reads for one session. Made for each request by
//! the `SubscriptionManager`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use blazelink_codes::Code;

use super::dependency::{Dependency, Reading, Role, Watch};
use super::index::{Answer, SubscriptionIndex};
use super::ledger::ViewName;
use super::manager::SubscriptionManager;
use crate::error::{Error, ErrorKind, Result};
use crate::object_id::ObjectId;
use crate::session::Session;

/// The [`Watch`] of one session.
#[derive(Debug)]
pub struct SessionWatch {
    manager: Arc<SubscriptionManager>,
    session: Arc<Session>,
    /// Whether monitors are to be told what the session watches by the end of the request.
    changed: AtomicBool,
}

impl SessionWatch {
    pub(super) fn new(manager: Arc<SubscriptionManager>, session: Arc<Session>) -> SessionWatch {
        SessionWatch {
            manager,
            session,
            changed: AtomicBool::new(false),
        }
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        if *self.changed.get_mut() {
            self.manager.tell_list(&self.session);
        }
    }
}

impl Watch for SessionWatch {
    fn begin(&self, object: ObjectId, selection: u64) -> Box<dyn Reading + '_> {
        let name = ViewName { object, selection };
        let mut index = self.manager.lock();
        let answer = index.begin(self.session.number(), name.object.clone(), selection);
        Box::new(SessionReading {
            watch: self,
            name,
            answer: Some(answer),
        })
    }
}

struct SessionReading<'a> {
    watch: &'a SessionWatch,
    name: ViewName,
    /// Taken when the reading ends.
    answer: Option<Answer>,
}

impl Reading for SessionReading<'_> {
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()> {
        let Some(answer) = &self.answer else {
            return Ok(());
        };
        let manager = &self.watch.manager;
        let limit = manager.per_session;
        let added = manager.lock().depend(answer, role, dependency, limit);
        added.map_err(|_| too_many(limit))
    }

    fn finish(mut self: Box<Self>) {
        if self.end(SubscriptionIndex::finish) {
            let SessionWatch {
                manager, session, ..
            } = self.watch;
            manager.tell_added(session, &self.name);
        }
    }
}

impl Drop for SessionReading<'_> {
    fn drop(&mut self) {
        self.end(SubscriptionIndex::fail);
    }
}

impl SessionReading<'_> {
    /// Ends the reading if it has not ended. Whether that has changed what the session watches.
    fn end(&mut self, how: fn(&mut SubscriptionIndex, Answer) -> bool) -> bool {
        let Some(answer) = self.answer.take() else {
            return false;
        };
        let SessionWatch {
            manager, session, ..
        } = self.watch;
        let changed = how(&mut manager.lock(), answer);
        if changed {
            manager.write_down(session, &self.name);
            self.watch.changed.store(true, Ordering::Relaxed);
        }
        changed
    }
}

fn too_many(limit: usize) -> Error {
    Error::new(
        ErrorKind::Request,
        Code::TooManySubscriptions,
        format!("The session watches {limit} dependencies, the most it may"),
    )
    .with_hint("read less at once: smaller pages, fewer relations, or several sessions")
}
