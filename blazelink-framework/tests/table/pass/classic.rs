//! A classic entity, and a junction that joins without a word.

mod product {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "product", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[blazelink(hide)]
        pub cost_price: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod warehouse {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "warehouse")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

mod stock {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "stock")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub product_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub warehouse_id: i32,
        pub qty: i32,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {
        #[sea_orm(belongs_to = "super::product::Entity", from = "Column::ProductId", to = "super::product::Column::Id")]
        Product,
        #[sea_orm(belongs_to = "super::warehouse::Entity", from = "Column::WarehouseId", to = "super::warehouse::Column::Id")]
        Warehouse,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() {
    let manager = blazelink::table::TableManager::builder()
        .table::<product::Entity>()
        .table::<warehouse::Entity>()
        .table::<stock::Entity>()
        .build()
        .unwrap();
    let product = manager.named("Product").unwrap();
    let names: Vec<&str> = product.relations.iter().map(|relation| relation.name.as_str()).collect();
    assert_eq!(names, ["stocks", "warehouses"]);
    let shown: Vec<&str> = product.exposed().map(|(_, column)| column.name.as_str()).collect();
    assert_eq!(shown, ["id"]);
}
