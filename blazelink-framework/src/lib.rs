//! Blazelink: a realtime web framework on Postgres.

// The derive writes `::blazelink::` paths; this crate's own tests use it too.
extern crate self as blazelink;

pub mod bus;
pub mod change;
pub mod data;
pub mod error;
pub mod exposure;
pub mod graphql;
pub mod object_id;
pub mod replication;
pub mod session;
pub mod subscription;
pub mod table;
pub mod transport;
pub mod value;

pub use blazelink_codes as codes;
pub use blazelink_macros::Table;
