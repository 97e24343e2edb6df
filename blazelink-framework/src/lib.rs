//! Blazelink: a realtime web framework on Postgres.

pub mod bus;
pub mod change;
pub mod error;
pub mod exposure;
pub mod object_id;
pub mod session;
pub mod subscription;
pub mod transport;
pub mod value;

pub use blazelink_codes as codes;
