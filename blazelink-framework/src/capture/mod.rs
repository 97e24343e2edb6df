//! What computed fields read, found out while they read it: the database handle of
//! [`BlazeContext`](crate::BlazeContext), which watches what a statement reads before it is sent.

mod connection;
mod in_call;

pub(crate) use in_call::InCall;
