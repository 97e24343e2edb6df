//! Keys of `sea_orm(..)` that a later release may bring are passed over, in all their forms.

mod entity {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
    #[sea_orm(table_name = "game")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod declared {
    pub use super::entity::Entity;

    #[derive(blazelink::Table)]
    #[sea_orm(table_name = "game", flag, value = 3, list(a, b = "c", d(e)), path::to)]
    pub struct Model {
        #[sea_orm(primary_key, flag, value = "x", list(a))]
        pub id: i32,
    }
}

fn main() {
    let _ = declared::Model { id: 1 }.id;
    let builder = blazelink::table::TableManager::builder().table::<declared::Entity>();
    assert!(builder.build().is_ok());
}
