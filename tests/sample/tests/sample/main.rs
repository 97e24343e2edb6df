//! Databases that no app of ours has, exposed with no code: what they are asked, compared with what
//! Postgres says itself.
#![allow(clippy::unwrap_used, missing_debug_implementations, unreachable_pub)]

mod doctor;
mod kitchen;
mod literals;
mod log;
mod relations;
mod schemas;
mod store;
mod support;
mod values;
