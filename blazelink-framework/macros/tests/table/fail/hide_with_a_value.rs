//! `hide` takes no value.

#[derive(blazelink_macros::Table)]
pub struct Model {
    pub id: i32,
    #[blazelink(hide = true)]
    pub password: String,
}

fn main() {}
