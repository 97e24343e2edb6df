//! Rows from Postgres: the statements that read them, the form they are kept in, and the check
//! that entities and database agree.
//!
//! Nothing here knows GraphQL. Whoever reads has declared its dependencies before
//! (`subscription::Reading`).

mod accessor;
mod batch;
mod catalog;
mod conditions;
mod printed;
mod runner;
mod statement;

pub(crate) use accessor::{Children, DataAccessor, Keys};
pub(crate) use batch::Batch;
pub use catalog::verify;
pub(crate) use conditions::SqlConditions;
pub(crate) use statement::{CountStatement, Lookup, RowStatement, Select};
