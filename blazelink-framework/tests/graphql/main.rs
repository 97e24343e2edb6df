//! The executor against Postgres: what is answered, what is watched before it is read, and how
//! many statements it takes.
#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod accessor;
mod answers;
mod capture;
mod catalog;
mod chains;
mod computed;
mod dependencies;
mod document;
mod entities;
mod fields;
mod fields_of_virtual_tables;
mod keys;
mod malformed;
mod pages;
mod refusals;
mod registry;
mod rules;
mod statements;
mod support;
mod values;
mod virtual_tables;
mod visibility;
mod watching;
mod write_errors;
mod writes;
