//! Tables: what an entity says of itself, the registry of all of them, and the names they get.
//!
//! `#[derive(blazelink::Table)]` writes a [`Declaration`]; [`TableDef::of`] is the only code that
//! is generic over entities; everything after it works on plain [`TableDef`]s in a
//! [`TableManager`].

mod definition;
mod entity;
mod manager;
mod naming;
mod relations;

pub use definition::{Column, Read, Relation, Shape, TableDef};
pub use entity::{Declaration, Link, Path, Registration, Table, Through};
pub use manager::{TableManager, TableManagerBuilder};

// The derive's paths.
#[doc(hidden)]
pub use {inventory, sea_orm};
