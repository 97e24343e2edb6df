//! A field for which SeaORM declares no relation.

#[derive(blazelink_macros::Table)]
pub struct Model {
    #[blazelink(list)]
    pub events: HasMany<super::event::Entity>,
}

fn main() {}
