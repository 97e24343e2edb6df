//! Only an entity's `Model` is a table.

#[derive(blazelink_macros::Table)]
pub struct User {
    pub id: i32,
}

fn main() {}
