//! An enum is no table.

#[derive(blazelink_macros::Table)]
pub enum Model {
    One,
}

fn main() {}
