//! A column has no such attribute.

#[derive(blazelink_macros::Table)]
pub struct Model {
    #[blazelink(name = "key")]
    pub id: i32,
}

fn main() {}
