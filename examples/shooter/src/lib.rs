//! A small live game on Blazelink: two teams, their players, and every kill the moment it is
//! committed, whoever recorded it.

pub mod api;
mod app;
pub mod entities;
pub mod kills;
pub mod player_stats;
pub mod seed;

pub use app::app;
