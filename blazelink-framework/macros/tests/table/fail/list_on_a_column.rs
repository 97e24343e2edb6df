//! A column is no list.

#[derive(blazelink_macros::Table)]
pub struct Model {
    #[blazelink(list)]
    pub id: i32,
}

fn main() {}
