//! A row is created, updated or deleted, and nothing else.

#[derive(blazelink_macros::Table)]
#[blazelink(writes(create, replace))]
pub struct Model {
    pub id: i32,
}

fn main() {}
