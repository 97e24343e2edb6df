//! A table has no such attribute.

#[derive(blazelink_macros::Table)]
#[blazelink(rename = "Player")]
pub struct Model {
    pub id: i32,
}

fn main() {}
