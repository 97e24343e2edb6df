//! `#[derive(blazelink::Table)]` as a user meets it: entities in all the forms that SeaORM knows.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod classic;
mod dense;
mod hygiene;
mod later;
