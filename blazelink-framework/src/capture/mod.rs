//! What computed fields read, found out while they read it: the database handle of
//! [`BlazeContext`](crate::BlazeContext), which watches what a statement reads before it is sent.

mod analyse;
mod catalog;
mod conditions;
mod connection;
mod declared;
mod facts;
mod in_call;
mod names;
mod operand;
mod shape;
mod statements;

pub(crate) use catalog::Catalog;
pub(crate) use declared::{Declared, Said, Term, bind as bind_declared};
pub(crate) use facts::read as read_catalog;
pub(crate) use in_call::{Captures, FieldName, InCall};
pub(crate) use statements::CapturedStatements;
