//! From Postgres' write-ahead log to transactions.
mod binding;
mod decoder;
mod pending;
pub mod pgoutput;
pub use decoder::{Decoded, Decoder, INVALIDATE, Limits, SCHEMA};
