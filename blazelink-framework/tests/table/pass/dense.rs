//! Dense entities: relations in all the forms that SeaORM knows.

mod user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink :: Table)]
    #[sea_orm(table_name = "user", schema_name = "app", comment = "who plays")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique, indexed, column_type = "String(StringLen::N(20))", default_value = "nobody")]
        pub name: String,
        #[blazelink(hide)]
        pub password: String,
        pub r#type: Option<i32>,
        #[sea_orm(self_ref, relation_enum = "Mentor", from = "type", to = "id")]
        pub mentor: BelongsTo<Option<Entity>>,
        #[sea_orm(has_one)]
        pub profile: HasOne<super::profile::Entity>,
        #[sea_orm(has_many, via = "user_tag")]
        pub tags: HasMany<super::tag::Entity>,
        #[sea_orm(self_ref, via = "follower", from = "User", to = "Follower")]
        pub followers: HasMany<Entity>,
        #[sea_orm(self_ref, via = "follower", reverse)]
        pub following: HasMany<Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod profile {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "profile", schema_name = "app")]
    #[blazelink(name = "Card")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(unique)]
        pub user_id: i32,
        #[blazelink(hide)]
        #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
        pub user: BelongsTo<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod tag {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "tag", schema_name = "app")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        #[sea_orm(has_many, via = "user_tag::Tag")]
        pub users: HasMany<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod user_tag {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "user_tag", schema_name = "app")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub tag_id: i32,
        #[sea_orm(belongs_to, from = "user_id", to = "id")]
        pub user: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, from = "tag_id", to = "id")]
        pub tag: BelongsTo<super::tag::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod follower {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "follower", schema_name = "app")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub user_id: i32,
        #[sea_orm(primary_key, auto_increment = false)]
        pub follower_id: i32,
        #[sea_orm(belongs_to, relation_enum = "User", from = "user_id", to = "id")]
        pub user: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, relation_enum = "Follower", from = "follower_id", to = "id")]
        pub follower: BelongsTo<super::user::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn main() {
    let manager = blazelink::table::TableManager::builder()
        .table::<user::Entity>()
        .table::<profile::Entity>()
        .table::<tag::Entity>()
        .table::<user_tag::Entity>()
        .table::<follower::Entity>()
        .build()
        .unwrap();
    let names = |entity: &str| -> Vec<String> {
        let relations = &manager.named(entity).unwrap().relations;
        relations.iter().map(|relation| relation.name.clone()).collect()
    };
    assert_eq!(
        names("User"),
        ["mentor", "profile", "tags", "followers", "following", "followers_by_user", "followers_by_follower", "user_by_mentor", "user_tags"]
    );
    assert!(names("Card").is_empty());
}
