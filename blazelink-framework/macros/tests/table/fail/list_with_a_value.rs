//! A list has no length of its own.

#[derive(blazelink_macros::Table)]
pub struct Model {
    #[blazelink(list = 5)]
    pub events: HasMany<super::event::Entity>,
}

fn main() {}
