//! Blazelink: a realtime web framework on Postgres.

// The derive writes `::blazelink::` paths; this crate's own tests use it too.
extern crate self as blazelink;

mod app;
pub mod bus;
pub mod change;
pub mod config;
pub mod data;
pub mod error;
pub mod exposure;
pub mod graphql;
pub mod object_id;
mod pages;
pub mod replication;
mod routes;
mod run;
pub mod session;
pub mod subscription;
pub mod table;
pub mod transport;
pub mod value;

pub use app::{App, Blazelink, Builder};
pub use blazelink_codes as codes;
pub use blazelink_macros::Table;
pub use run::run;
