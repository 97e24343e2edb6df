//! `docs/examples.md`: the README of the Python project in Rust. The page's code is this file's,
//! its requests and commits are sent, and its answers and messages are what must come.

use blazelink::Blazelink;
use blazelink::config::{Config, Environment, SlotMode};
use blazelink_tests::app::{Probe, catch_up_by, connect};
use blazelink_tests::client::Client;
use blazelink_tests::project::FIXTURE;
use serde_json::{Value, json};

const PAGE: &str = include_str!("../../docs/examples.md");
const CODE: &str = include_str!("original_readme.rs");

/// Nobody watches these users.
const USERS: Probe = Probe {
    entity: "User",
    insert: "INSERT INTO \"user\" (id, name) VALUES ($1, 'probe')",
    delete: "DELETE FROM \"user\" WHERE id = $1",
};

/// The examples that the Python project's README has; the page has each.
const TITLES: [&str; 8] = [
    "Tables",
    "Relations",
    "Pages",
    "Computed fields",
    "Virtual tables",
    "Structs",
    "Whoever asks",
    "The client",
];

#[allow(unreachable_pub)]
mod game {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "game")]
    #[blazelink(public)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub)]
mod user {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "user")]
    #[blazelink(public)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
        #[sea_orm(has_many)]
        pub events: HasMany<super::game_event::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub)]
mod game_event {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "gameevent")]
    #[blazelink(name = "GameEvent", public)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub r#type: String,
        pub player_id: i32,
        pub game_id: i32,
        #[sea_orm(belongs_to, from = "player_id", to = "id")]
        pub player: BelongsTo<super::user::Entity>,
        #[sea_orm(belongs_to, from = "game_id", to = "id")]
        #[blazelink(hide)]
        pub game: BelongsTo<super::game::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

#[allow(unreachable_pub)]
mod computed {
    use super::user;
    use blazelink::{Page, fields};

    #[fields]
    impl UserFields for user::Model {
        fn get_paginated_data(range_arg: Option<i32>) -> Page<i32> {
            Page::of((0..range_arg.unwrap_or(1_000)).collect())
        }
    }
}

#[allow(unreachable_pub)]
mod player_stats {
    use super::{game_event, user};
    use blazelink::{BlazeContext, Dep, FieldResult, VirtualTable, fields};
    use sea_orm::prelude::*;

    #[derive(Debug, VirtualTable)]
    pub struct PlayerStats {
        pub user: Dep<user::Entity>,
    }

    #[fields(virtual_table)]
    impl PlayerStats {
        async fn kills(&self, cx: &BlazeContext) -> FieldResult<i32> {
            let kills = game_event::Entity::find()
                .filter(game_event::Column::PlayerId.eq(self.user.key()))
                .filter(game_event::Column::Type.eq("kill"));
            Ok(kills.count(cx).await?.try_into()?)
        }
    }
}

#[allow(unreachable_pub, dead_code)]
mod queryable {
    use super::game;
    use blazelink::{Dep, Struct, VirtualTable, fields};

    #[derive(Clone, Copy, Debug, Struct)]
    pub struct StructA {
        pub a: i32,
    }

    #[derive(Clone, Copy, Debug, Struct)]
    pub struct StructB {
        pub b: StructA,
        pub c: i32,
    }

    #[derive(Debug, VirtualTable)]
    pub struct Queryable {
        pub game: Option<Dep<game::Entity>>,
    }

    #[fields(virtual_table)]
    impl Queryable {
        fn get_struct() -> StructB {
            let b = StructA { a: 1 };
            StructB { b, c: 2 }
        }
    }
}

#[allow(unreachable_pub, clippy::unused_async)]
mod asking {
    use super::game;
    use blazelink::object_id::ObjectId;
    use blazelink::{BlazeContext, ContextFactory, ContextRequest};
    use blazelink::{FieldError, FieldResult, Refused, fields};

    #[derive(Debug)]
    pub struct Keys;

    impl ContextFactory for Keys {
        type Viewer = i32;

        async fn viewer(&self, request: &ContextRequest<'_>) -> Result<Option<i32>, Refused> {
            Ok(request.authorization().and_then(|key| key.parse().ok()))
        }
    }

    async fn signed_in(cx: &BlazeContext, _watched: &ObjectId) -> FieldResult<()> {
        match cx.viewer().get::<i32>() {
            Some(_) => Ok(()),
            None => Err(FieldError::new("Sign in to watch games")),
        }
    }

    #[fields(on_subscribe = signed_in)]
    impl GameFields for game::Model {
        fn seen_by(cx: &BlazeContext) -> Option<i32> {
            cx.viewer().get::<i32>().copied()
        }
    }
}

fn app(blaze: blazelink::Builder) -> blazelink::Builder {
    blaze
        .table::<game::Entity>()
        .table::<user::Entity>()
        .table::<game_event::Entity>()
        .extend(computed::UserFields)
        .extend(asking::GameFields)
        .virtual_table::<player_stats::PlayerStats>()
        .virtual_table::<queryable::Queryable>()
        .context(asking::Keys)
}

/// The blocks of a part of the page in this language.
fn blocks<'a>(part: &'a str, language: &str) -> Vec<&'a str> {
    let start = format!("```{language}\n");
    part.split(start.as_str())
        .skip(1)
        .map(|rest| rest.split_once("```").expect("the block ends").0)
        .collect()
}

/// The lines without what stands before and after them.
fn trimmed(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .fold(String::from("\n"), |text, line| text + line + "\n")
}

/// The parts of the page: title and text.
fn parts() -> Vec<(&'static str, &'static str)> {
    PAGE.split("\n## ")
        .skip(1)
        .map(|part| part.split_once('\n').expect("a part has a text"))
        .collect()
}

#[test]
fn the_page_has_every_example_and_its_code_is_the_code_that_runs() {
    let titles: Vec<&str> = parts().iter().map(|(title, _)| *title).collect();
    assert_eq!(titles, TITLES);
    let code = trimmed(CODE);
    let shown = blocks(PAGE, "rust");
    assert!(shown.len() >= TITLES.len() - 2, "most examples show code");
    for block in shown {
        assert!(
            code.contains(&trimmed(block)),
            "nothing runs this:\n{block}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_answers_and_is_pushed_as_the_page_says() {
    let database = FIXTURE.database().await;
    let mut config = Config::new("examples", database.url());
    config.slot = SlotMode::Temporary;
    config.environment = Environment::Development;
    config.listen = ([127, 0, 0, 1], 0).into();
    let running = app(Blazelink::builder()).start(config).await;
    let running = running.expect("the app starts on a migrated database");
    running.live().await;
    let sql = connect(database.url()).await;
    for (title, part) in parts() {
        let requests = blocks(part, "graphql");
        let commits = blocks(part, "sql");
        let json = blocks(part, "json");
        assert!(!requests.is_empty() && commits.len() == 1, "{title}");
        assert_eq!(json.len(), requests.len() + 1, "{title}");
        let mut expected = json.iter().map(|text| {
            serde_json::from_str::<Value>(text).unwrap_or_else(|error| panic!("{title}: {error}"))
        });

        let mut client = Client::without_socket(running.address());
        if let Some((_, key)) = part.split_once("# Authorization: ") {
            client.set_key(key.lines().next().expect("the key is there"));
        }
        client.open().await;
        let mut stranger = Client::connect(running.address()).await;
        for request in requests {
            let anonymous = part.contains("# Authorization: ") && !request.contains("# Auth");
            let asking = if anonymous { &stranger } else { &client };
            let (status, answer) = asking.ask(request, json!({})).await;
            assert_eq!(
                (status, Some(answer)),
                (200, expected.next()),
                "{title}: {request}"
            );
        }
        let commit = commits.concat();
        let done = sql.batch_execute(&commit).await;
        done.unwrap_or_else(|error| panic!("{title}: {error}"));
        let mut frame = client.frame().await;
        client.confirm(&frame).await;
        let members = frame.as_object_mut().expect("a message is an object");
        assert!(members.remove("msg_id").is_some(), "{title}");
        assert_eq!(Some(frame), expected.next(), "{title}");
        catch_up_by(USERS, running.address(), &sql).await;
        assert_eq!(client.frames_so_far().await, [Value::Null; 0], "{title}");
        assert_eq!(stranger.frames_so_far().await, [Value::Null; 0], "{title}");
    }
    running.stop().await;
}
