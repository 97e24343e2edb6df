//! `InCall`: what a context knows while a computed field is called with it. Made by the executor
//! for all calls of one field; read by `connection`. It does not keep the reading alive: a context
//! that outlives its call reads nothing.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use blazelink_codes::Code;
use sea_orm::DatabaseConnection;

use crate::error::{Error, ErrorKind, Result};
use crate::exposure::Exposure;
use crate::subscription::{Dependency, Reading, Role};

/// The database of one call, and where it says what it reads.
pub(crate) struct InCall {
    pub(super) database: DatabaseConnection,
    exposure: Arc<Exposure>,
    reading: Weak<dyn Reading>,
    /// Set when a dependency was refused: the answer must not count as watched.
    refused: AtomicBool,
}

impl InCall {
    pub(crate) fn new(
        database: DatabaseConnection,
        exposure: Arc<Exposure>,
        reading: &Arc<dyn Reading>,
    ) -> InCall {
        InCall {
            database,
            exposure,
            reading: Arc::downgrade(reading),
            refused: AtomicBool::new(false),
        }
    }

    /// Watches one more dependency.
    ///
    /// # Errors
    ///
    /// If the session may not watch more, or the call is over.
    pub(crate) fn depend(&self, dependency: Dependency) -> Result<()> {
        let reading = self.reading.upgrade().ok_or_else(outside)?;
        let watched = reading.depend(Role::Derived, dependency);
        watched.inspect_err(|_| self.refused.store(true, Ordering::Relaxed))
    }

    /// Whether the answer must not count as watched.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Watches what a statement reads. To be called before it is sent.
    pub(super) fn watch(&self) -> Result<()> {
        let mut tables = self.exposure.tables().iter();
        tables.try_for_each(|table| self.depend(Dependency::Table(table.id)))
    }
}

impl fmt::Debug for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InCall").finish_non_exhaustive()
    }
}

/// The error of a context that belongs to no call, or to one that is over.
pub(super) fn outside() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::ReadingOver,
        "A context reads the database during the call of a computed field only",
    )
    .with_hint("read through call.context(), and wait for the read before the field returns")
}
