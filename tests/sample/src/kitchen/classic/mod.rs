//! The tables of `kitchen` whose relations stand in a `Relation` that people write. SeaORM relates
//! such entities with each other only.

pub mod address;
pub mod article;
pub mod buyer;
pub mod order;
pub mod order_line;
