//! A name must be one that GraphQL allows.

#[derive(blazelink_macros::Table)]
#[blazelink(name = "game event")]
pub struct Model {
    pub id: i32,
}

fn main() {}
