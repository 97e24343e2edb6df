//! `SessionWatch`: where the executor says what it reads for one session. Made for each request by
//! the `SubscriptionManager`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::Code;

use super::dependency::{Dependency, Reading, Role, Watch};
use super::index::{Answer, SubscriptionIndex};
use super::ledger::ViewName;
use super::manager::SubscriptionManager;
use crate::debugger::{Moment, What, read};
use crate::error::{Error, ErrorKind, Result};
use crate::object_id::ObjectId;
use crate::session::Session;

/// The [`Watch`] of one session.
#[derive(Debug)]
pub struct SessionWatch {
    watching: Arc<Watching>,
}

/// What a request's readings share.
#[derive(Debug)]
struct Watching {
    manager: Arc<SubscriptionManager>,
    session: Arc<Session>,
    /// Whether monitors are to be told what the session watches by the end of the request.
    changed: AtomicBool,
}

impl SessionWatch {
    pub(super) fn new(manager: Arc<SubscriptionManager>, session: Arc<Session>) -> SessionWatch {
        SessionWatch {
            watching: Arc::new(Watching {
                manager,
                session,
                changed: AtomicBool::new(false),
            }),
        }
    }
}

impl Drop for SessionWatch {
    fn drop(&mut self) {
        let watching = &self.watching;
        if watching.changed.load(Ordering::Relaxed) {
            watching.manager.tell_list(&watching.session);
        }
    }
}

impl Watch for SessionWatch {
    fn begin(&self, object: ObjectId, selection: u64) -> Arc<dyn Reading> {
        let name = ViewName { object, selection };
        let Watching {
            manager, session, ..
        } = &*self.watching;
        let object = name.object.clone();
        let recorder = manager.recorder();
        let began = recorder.is_keeping().then(|| recorder.now());
        let answer = manager.lock().begin(session.number(), object, selection);
        Arc::new(SessionReading {
            watching: Arc::clone(&self.watching),
            name,
            began: began.unwrap_or_default(),
            answer: Mutex::new(Some(answer)),
        })
    }

    fn is_new(&self, object: &ObjectId, selection: u64) -> bool {
        let Watching {
            manager, session, ..
        } = &*self.watching;
        let index = manager.lock();
        index
            .dependencies(session.number(), object, selection)
            .is_empty()
    }
}

struct SessionReading {
    watching: Arc<Watching>,
    name: ViewName,
    /// The beginning of time if nobody wanted to know.
    began: Moment,
    /// Taken when the reading ends. Locked before the index, never after it.
    answer: Mutex<Option<Answer>>,
}

impl Reading for SessionReading {
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()> {
        let answer = self.answer();
        let Some(answer) = &*answer else {
            return Err(over());
        };
        let manager = &self.watching.manager;
        let limit = manager.per_session;
        let added = manager.lock().depend(answer, role, dependency, limit);
        added.map_err(|_| too_many(limit))
    }

    fn finish(&self) {
        if self.end(SubscriptionIndex::finish) {
            let Watching {
                manager, session, ..
            } = &*self.watching;
            manager.tell_added(session, &self.name);
            let recorder = manager.recorder();
            if recorder.is_on() {
                let read = read(&self.name.object, self.name.selection);
                recorder.step(session.label(), What::Watched { read });
            }
        }
    }
}

impl Drop for SessionReading {
    fn drop(&mut self) {
        self.end(SubscriptionIndex::fail);
    }
}

impl SessionReading {
    fn answer(&self) -> MutexGuard<'_, Option<Answer>> {
        self.answer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the reading if it has not ended. Whether that has changed what the session watches.
    fn end(&self, how: fn(&mut SubscriptionIndex, Answer) -> bool) -> bool {
        let Some(answer) = self.answer().take() else {
            return false;
        };
        let Watching {
            manager, session, ..
        } = &*self.watching;
        let changed = how(&mut manager.lock(), answer);
        if changed {
            manager.changed(session, &self.name, self.began);
            self.watching.changed.store(true, Ordering::Relaxed);
        }
        changed
    }
}

fn over() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::ReadingOver,
        "Something is read for an answer that was given already",
    )
    .with_hint("let the computed field wait for what it reads, instead of spawning a task for it")
}

fn too_many(limit: usize) -> Error {
    Error::new(
        ErrorKind::Request,
        Code::TooManySubscriptions,
        format!("The session watches {limit} dependencies, the most it may"),
    )
    .with_hint("read less at once: smaller pages, fewer relations, or several sessions")
}
