//! The tables, one SeaORM entity each: they are GraphQL without further code. Yours to edit.

pub mod game;
pub mod game_event;
pub mod team;
pub mod user;
