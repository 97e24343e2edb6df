//! Two databases that no app of ours has, for tests.
//!
//! `dense`, `compact` and `expanded` are the DVD rental store of `schema.sql` as
//! `sea-orm-cli generate entity` has written it in its three formats, committed as it is: nobody
//! edits these files, `generate` makes them anew. What the generator writes is exposed by its flag
//! `--model-extra-derives blazelink::Table` and by nothing else. `kitchen` has what that database
//! lacks. `schemas/` holds their GraphQL schemas, and the shooter's.
//!
//! Used by this package's tests only.

#[allow(missing_docs)]
#[rustfmt::skip]
pub mod compact;
#[allow(missing_docs)]
#[rustfmt::skip]
pub mod dense;
#[allow(missing_docs)]
#[rustfmt::skip]
pub mod expanded;
#[allow(missing_docs)]
pub mod kitchen;

/// What makes the tables of the DVD rental store.
pub const SCHEMA: &str = include_str!("../schema.sql");
