//! Replication against a real server.
#![allow(clippy::unwrap_used)]

mod decoding;
mod gate;
mod preflight;
mod reader;
mod streaming;
mod support;
