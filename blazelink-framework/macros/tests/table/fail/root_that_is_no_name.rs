//! A root's name is a GraphQL name.

#[derive(blazelink_macros::Table)]
#[blazelink(page_root = "all users")]
pub struct Model {
    pub id: i32,
}

fn main() {}
