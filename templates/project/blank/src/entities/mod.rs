//! The tables, one SeaORM entity each: they are GraphQL without further code. Yours to edit.

pub mod note;
