//! What an answer depends on, and the seam through which the executor says so.

use std::sync::Arc;

use super::residual::Residual;
use crate::error::Result;
use crate::object_id::{Atom, Key, ObjectId, TableId};

/// A set of rows such that an answer can only change when one of them does.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Dependency {
    /// Any row of any exposed table: for what is read in a way that cannot be looked through.
    Everything,
    /// Any row of the table.
    Table(TableId),
    /// The row with this key, whether or not it exists now.
    Row(TableId, Key),
    /// The rows in which the column at this position has this value and of which the residual
    /// holds, both before the change or both after it.
    Equal {
        /// The rows' table.
        table: TableId,
        /// Position of the column among the exposed ones.
        column: u32,
        /// The value looked for.
        value: Atom,
        /// What else must hold.
        residual: Residual,
    },
}

impl Dependency {
    /// The rows in which a column has a value, whatever else is in them.
    pub fn equal(table: TableId, column: u32, value: Atom) -> Dependency {
        Dependency::Equal {
            table,
            column,
            value,
            residual: Residual::NONE,
        }
    }
}

/// How a session is told when a dependency is hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The client named it: it is told of the changed row itself.
    Declared,
    /// The answer needed it: the client is told that the object it read is to be read again.
    Derived,
}

/// Where the executor says what it reads. One per request; made from the request's session.
pub trait Watch: Send + Sync {
    /// Begins the answer for one root of a document.
    ///
    /// `object` is what the root names; `selection` tells apart different selections of the same
    /// object, so that a repeated read replaces what it watched before and nothing else.
    fn begin(&self, object: ObjectId, selection: u64) -> Arc<dyn Reading>;

    /// Whether a session would begin to watch this object with this selection: there is one, and it
    /// does not yet.
    fn is_new(&self, object: &ObjectId, selection: u64) -> bool {
        let _ = (object, selection);
        false
    }
}

/// One root while it is being answered.
///
/// Dependencies count from the moment they are declared, and are declared before the statement
/// that reads them: no commit falls between reading and watching. Dropped without
/// [`Reading::finish`], the read has failed: what it newly added is withdrawn. Whoever may outlive
/// the read holds it weakly.
pub trait Reading: Send + Sync {
    /// Watches one more dependency. Repeats cost nothing.
    ///
    /// # Errors
    ///
    /// If the session may not watch more, or the reading is over; the read must then fail.
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()>;

    /// The read is complete: what an earlier read of the same object and selection watched, and
    /// this one did not, is let go.
    fn finish(&self);
}

/// Watches nothing: for requests without a session.
#[derive(Clone, Copy, Debug, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn begin(&self, _: ObjectId, _: u64) -> Arc<dyn Reading> {
        Arc::new(Unwatched)
    }
}

impl Reading for Unwatched {
    fn depend(&self, _: Role, _: Dependency) -> Result<()> {
        Ok(())
    }

    fn finish(&self) {}
}
