//! `blazelink db`: the project's private Postgres by hand.

pub(crate) mod branch;
