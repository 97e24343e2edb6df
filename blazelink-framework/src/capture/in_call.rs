//! `InCall`: what a context knows while a computed field is called with it. Made by the executor
//! for all calls of one field; read by `connection`. It does not keep the reading alive: a context
//! that outlives its call reads nothing.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use blazelink_codes::Code;
use sea_orm::{DatabaseConnection, Statement};

use crate::error::{Error, ErrorKind, Result};
use crate::object_id::TableId;
use crate::subscription::{Dependency, Reading, Role};

/// Finds out what statements read.
pub(crate) trait Captures: fmt::Debug + Send + Sync {
    /// What the statement depends on. `field` is who sends it, for the log.
    ///
    /// # Errors
    ///
    /// If it must not be sent.
    fn dependencies(&self, statement: &Statement, field: FieldName) -> Result<Vec<Dependency>>;

    /// The same for a field that says by itself what it depends on.
    ///
    /// # Errors
    ///
    /// As there.
    fn check(&self, statement: &Statement) -> Result<()>;
}

/// A computed field, by its table and its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FieldName {
    pub(crate) table: TableId,
    pub(crate) field: &'static str,
    /// Whether it says by itself what it depends on.
    pub(crate) declared: bool,
}

/// The database of one call, and where it says what it reads.
pub(crate) struct InCall {
    pub(super) database: DatabaseConnection,
    captures: Arc<dyn Captures>,
    field: FieldName,
    reading: Weak<dyn Reading>,
    /// Set when a dependency was refused: the answer must not count as watched.
    refused: AtomicBool,
}

impl InCall {
    pub(crate) fn new(
        database: DatabaseConnection,
        captures: Arc<dyn Captures>,
        field: FieldName,
        reading: &Arc<dyn Reading>,
    ) -> InCall {
        InCall {
            database,
            captures,
            field,
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
        self.depend_on([dependency])
    }

    /// Whether the answer must not count as watched.
    pub(crate) fn was_refused(&self) -> bool {
        self.refused.load(Ordering::Relaxed)
    }

    /// Watches what a statement reads. To be called before it is sent.
    ///
    /// # Errors
    ///
    /// As [`InCall::depend`], and if the statement must not be sent.
    pub(super) fn watch(&self, statement: &Statement) -> Result<()> {
        if self.field.declared {
            self.captures.check(statement)?;
            return self.depend_on([]);
        }
        self.depend_on(self.captures.dependencies(statement, self.field)?)
    }

    fn depend_on(&self, dependencies: impl IntoIterator<Item = Dependency>) -> Result<()> {
        let reading = self.reading.upgrade().ok_or_else(outside)?;
        for dependency in dependencies {
            let watched = reading.depend(Role::Derived, dependency);
            watched.inspect_err(|_| self.refused.store(true, Ordering::Relaxed))?;
        }
        Ok(())
    }
}

impl fmt::Debug for InCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InCall")
            .field("field", &self.field)
            .finish_non_exhaustive()
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
