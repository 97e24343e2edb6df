//! What the program and the tests share. Yours to edit.

mod app;
pub mod entities;
mod policy;
mod seed;
pub mod tables;

pub use app::app;
