//! Rows from Postgres: the statements that read them, the form they are kept in, and the check
//! that entities and database agree.
//!
//! Nothing here knows GraphQL. Whoever reads has declared its dependencies before
//! (`subscription::Reading`).

mod accessor;
mod batch;
mod catalog;
mod children;
mod conditions;
mod filter;
mod indexes;
mod page_order;
mod page_query;
mod printed;
mod ran;
mod runner;
mod selected;
mod statement;
mod stored;
mod typed;
mod write;
mod write_error;
mod write_judge;
mod write_sql;
mod write_value;

pub(crate) use accessor::SeaOrmAccessor;
pub(crate) use batch::Batch;
pub use catalog::{follow_reads, verify};
pub(crate) use children::{Children, Keys};
pub(crate) use conditions::SqlConditions;
pub(crate) use filter::{Comparison, Filter};
pub use indexes::{MissingIndex, missing_indexes};
pub(crate) use page_order::{Ordered, Term};
pub(crate) use page_query::{Hop, Onward, PageQuery, Way};
pub(crate) use ran::{Ran, Running, noting};
pub(crate) use selected::Selection;
pub(crate) use statement::{CountStatement, Lookup, RowStatement, Select};
pub(crate) use typed::TypedStatement;
pub(crate) use write::{Intent, write};
pub(crate) use write_error::Refusal;
