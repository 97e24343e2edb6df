//! A small live game on Blazelink: two teams, their players, and every kill the moment it is
//! committed, whoever recorded it.
#![allow(missing_docs, reason = "an app's columns say what they are")]

pub mod api;
mod app;
pub mod entities;
pub mod kills;
pub mod seed;
pub mod tables;

pub use app::app;
