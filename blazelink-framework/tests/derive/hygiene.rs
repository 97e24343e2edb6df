//! The macros in a module that imports nothing, has no prelude, and gives the prelude's names to
//! things of its own.

pub mod entity {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "player")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod bare {
    #![no_implicit_prelude]
    #![allow(dead_code)]

    // What the macros mean, they name by its path.
    struct Result;
    struct Option;
    struct String;
    struct Vec;
    struct Box;
    enum Some {}
    enum Ok {}

    type Perhaps<T> = ::std::result::Result<T, ::sea_orm::DbErr>;

    /// Made and taken.
    #[derive(::blazelink::Struct)]
    pub struct Mark {
        /// A text that may be missing.
        pub note: ::std::option::Option<::std::string::String>,
        /// Others.
        pub inner: ::std::vec::Vec<Mark>,
    }

    /// Over a player.
    #[derive(::blazelink::VirtualTable)]
    pub struct Stats {
        /// The player.
        pub player: ::blazelink::Dep<super::entity::Entity>,
    }

    #[::blazelink::fields(virtual_table)]
    impl Stats {
        fn key(&self) -> i32 {
            self.player.key()
        }

        async fn name(
            &self,
            cx: &::blazelink::BlazeContext,
        ) -> ::blazelink::FieldResult<::std::string::String> {
            ::std::result::Result::Ok(self.player.get(cx).await?.name)
        }
    }

    #[::blazelink::fields(read = everything, on_subscribe = asked)]
    impl PlayerFields for super::entity::Model {
        fn mark(
            &self,
            #[arg(default = "x")] note: ::std::string::String,
            marks: ::std::vec::Vec<Mark>,
        ) -> Mark {
            Mark {
                note: ::std::option::Option::Some(note),
                inner: marks,
            }
        }

        async fn again(
            &self,
            cx: &::blazelink::BlazeContext,
        ) -> Perhaps<::std::option::Option<Self>> {
            ::sea_orm::Select::one(
                <super::entity::Entity as ::sea_orm::EntityTrait>::find_by_id(self.id),
                cx,
            )
            .await
        }

        #[batch]
        fn place(players: &[Self]) -> ::std::vec::Vec<u64> {
            let mut places = ::std::vec::Vec::new();
            for place in 0..players.len() {
                places.push(place as u64);
            }
            places
        }
    }

    fn everything(_: &::blazelink::Viewer) -> ::blazelink::Access {
        ::blazelink::Access::all()
    }

    #[allow(clippy::unused_async)]
    async fn asked(
        _: &::blazelink::BlazeContext,
        _: &::blazelink::object_id::ObjectId,
    ) -> ::blazelink::FieldResult<()> {
        ::std::result::Result::Ok(())
    }
}

#[test]
fn macros_need_nothing_of_the_module_that_they_stand_in() {
    let builder = blazelink::table::TableManager::builder().discover("derive::hygiene");
    let sdl = blazelink::graphql::sdl(&builder.build().unwrap()).unwrap();
    for expected in [
        "\tmark(note: String = \"x\", marks: [MarkInput]): Mark\n",
        "\tagain: PlayerRef\n",
        "\tplace: BigInt\n",
        "type Stats {\n\tkey: Int\n\tname: String\n}",
    ] {
        assert!(sdl.contains(expected), "{expected}\n{sdl}");
    }
}
