//! The tables, one SeaORM entity per file. Each of them is a GraphQL type without further code.

pub mod game;
pub mod game_event;
pub mod team;
pub mod user;
