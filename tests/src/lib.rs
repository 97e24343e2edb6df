//! What the end to end tests and the benchmarks share: an app on a fresh database, clients that
//! speak the protocol, and a model that says from SELECTs alone what each client must be told.

pub mod app;
pub mod binaries;
pub mod browser;
pub mod client;
pub mod conversation;
pub mod deviations;
pub mod documentation;
pub mod memory;
pub mod model;
pub mod new_project;
pub mod process;
pub mod project;
pub mod raw;
pub mod recordings;
pub mod rows;
pub mod scene;
pub mod server;
pub mod whys;
pub mod witness;
