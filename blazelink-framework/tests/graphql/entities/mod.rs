//! The tables of the tests: dense entities in one connected group, classic ones in another.

pub mod address;
pub mod category;
pub mod customer;
pub mod game;
pub mod game_event;
pub mod kinds;
pub mod label;
pub mod note;
pub mod profile;
pub mod stock;
pub mod stock_move;
pub mod tag;
pub mod team;
pub mod user;
pub mod user_tag;
