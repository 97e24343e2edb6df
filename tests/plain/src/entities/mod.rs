//! The tables of the shooter, as SeaORM entities and nothing else.

pub mod game;
pub mod game_event;
pub mod team;
pub mod user;
