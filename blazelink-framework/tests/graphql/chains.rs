//! Chains of relations, lists, and the names of roots: what an app says beside its entities.

use blazelink::codes::Code;
use blazelink::table::{TableManager, TableManagerBuilder};
use blazelink::{Access, Rule};
use sea_orm::{Linked, RelationDef, RelationTrait};

use crate::entities::*;
use crate::support::{App, builder, unnumbered};

/// Declares a chain: a name, from where to where, over these relations.
macro_rules! chain {
    ($name:ident, $from:ident, $to:ident, $($relation:expr),*) => {
        struct $name;

        impl Linked for $name {
            type FromEntity = $from::Entity;
            type ToEntity = $to::Entity;

            fn link(&self) -> Vec<RelationDef> {
                vec![$($relation),*]
            }
        }
    };
}

chain!(
    EventsOfTeam,
    team,
    game_event,
    user::Relation::Team.def().rev(),
    game_event::Relation::User.def().rev()
);
chain!(
    GamesOfTeam,
    team,
    game,
    user::Relation::Team.def().rev(),
    game_event::Relation::User.def().rev(),
    game_event::Relation::Game.def()
);
chain!(
    TeamOfEvent,
    game_event,
    team,
    game_event::Relation::User.def(),
    user::Relation::Team.def()
);
chain!(
    Grandparent,
    category,
    category,
    category::Relation::Parent.def(),
    category::Relation::Parent.def()
);
chain!(TeamOfUser, user, team, user::Relation::Team.def());
chain!(
    Broken,
    team,
    game,
    user::Relation::Team.def(),
    game_event::Relation::Game.def()
);

mod person {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "user")]
    #[blazelink(name = "Person", root = "person", page_root = "people")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod happening {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "game")]
    #[blazelink(name = "Happening", list)]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub name: String,
        #[sea_orm(has_many)]
        #[blazelink(list)]
        pub events: HasMany<super::happening_event::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod happening_event {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "game_event")]
    #[blazelink(name = "Event", root = "persons")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub r#type: String,
        pub game_id: i32,
        #[sea_orm(belongs_to, from = "game_id", to = "id")]
        pub game: BelongsTo<super::happening::Entity>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

fn chains() -> TableManagerBuilder {
    builder()
        .linked("all_events", EventsOfTeam)
        .linked("games", GamesOfTeam)
        .linked("team", TeamOfEvent)
        .linked("grandparent", Grandparent)
        .linked("same_team", TeamOfUser)
}

async fn check(app: &App, rows: &[(&str, &str)]) {
    for (query, data) in rows {
        let expected = (200, format!("{{\"data\":{data}}}"));
        assert_eq!(app.answer(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn chains_lead_over_all_their_tables() {
    let app = App::of(chains()).await;
    check(&app, &[
        (
            "{team(identifier:{obj_id:1}){all_events(size:2){count items{obj_id row{type}}}}}",
            r#"{"team":{"all_events":{"count":12,"items":[{"obj_id":1,"row":{"type":"death"}},{"obj_id":2,"row":{"type":"kill"}}]}}}"#,
        ),
        // Twelve ways lead to two games.
        ("{team(identifier:{obj_id:1}){games{count items{obj_id row{name}}}}}", r#"{"team":{"games":{"count":2,"items":[{"obj_id":1,"row":{"name":"g1"}},{"obj_id":2,"row":{"name":"g2"}}]}}}"#),
        ("{team(identifier:{obj_id:2}){games{count items{obj_id}}}}", r#"{"team":{"games":{"count":0,"items":[]}}}"#),
        (
            "{team(identifier:{obj_id:1}){games(where:{name:{ne:\"g1\"}},orderBy:{name:DESC}){count items{obj_id}}}}",
            r#"{"team":{"games":{"count":1,"items":[{"obj_id":2}]}}}"#,
        ),
        ("{gameEvent(identifier:{obj_id:1}){team{obj_id entity row{name}}}}", r#"{"gameEvent":{"team":{"obj_id":1,"entity":"Team","row":{"name":"red"}}}}"#),
        ("{gameEvent(identifier:{obj_id:13}){team{obj_id}}}", r#"{"gameEvent":{"team":null}}"#),
        ("{gameEvent(identifier:{obj_id:14}){team{obj_id}}}", r#"{"gameEvent":{"team":null}}"#),
        ("{category(identifier:{obj_id:3}){grandparent{obj_id row{name}}}}", r#"{"category":{"grandparent":{"obj_id":1,"row":{"name":"all"}}}}"#),
        ("{category(identifier:{obj_id:2}){grandparent{obj_id}}}", r#"{"category":{"grandparent":null}}"#),
        ("{user(identifier:{obj_id:1}){same_team{obj_id}}}", r#"{"user":{"same_team":{"obj_id":1}}}"#),
    ]).await;
    let statements = app
        .statements_of("{gameEvents(size:50){items{row{team{row{name}}}}}}")
        .await;
    assert_eq!(statements.len(), 2, "{statements:#?}");
    let statements = app
        .statements_of("{teams(size:50){items{row{all_events(size:5,orderBy:{type:ASC}){items{row{type}} next}}}}}")
        .await;
    assert_eq!(statements.len(), 2, "{statements:#?}");
}

#[tokio::test]
async fn chains_watch_every_table_on_their_way() {
    let app = App::of(chains()).await;
    let rows: &[(&str, &[&str])] = &[
        (
            "{team(identifier:{obj_id:1}){games{items{row{name}} count}}}",
            &[
                "begin Team 1",
                "declared Team 1",
                "derived User where team_id = 1",
                "derived GameEvent",
                "derived Game",
                "finish",
            ],
        ),
        (
            "{gameEvent(identifier:{obj_id:1}){team{row{name}}}}",
            &[
                "begin GameEvent 1",
                "declared GameEvent 1",
                "derived User 1",
                "derived Team",
                "finish",
            ],
        ),
    ];
    for (query, expected) in rows {
        let (body, lines) = app.watched(query).await;
        assert_eq!(unnumbered(&lines), *expected, "{query}\n{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_lead_over_visible_rows_only() {
    let builder = chains()
        .visible::<user::Entity>(|_| Access::rows(Rule::eq(user::Column::Id, 2)))
        .visible::<game::Entity>(|_| Access::all().hide(game::Column::Name));
    let app = App::of(builder).await;
    check(
        &app,
        &[
            (
                "{team(identifier:{obj_id:1}){games{count items{obj_id}}}}",
                r#"{"team":{"games":{"count":0,"items":[]}}}"#,
            ),
            (
                "{gameEvent(identifier:{obj_id:1}){team{obj_id}}}",
                r#"{"gameEvent":{"team":null}}"#,
            ),
        ],
    )
    .await;
    let builder = chains().visible::<user::Entity>(|_| Access::all().hide(user::Column::TeamId));
    let app = App::of(builder).await;
    for query in [
        "{team(identifier:{obj_id:1}){games{count}}}",
        "{gameEvent(identifier:{obj_id:1}){team{obj_id}}}",
    ] {
        let (_, body) = app.answer(query).await;
        assert!(body.contains("hidden from whoever asks"), "{query}\n{body}");
    }
}

#[test]
fn chains_that_lead_nowhere_are_refused_at_the_start() {
    let error = builder().linked("broken", Broken).build().unwrap_err();
    assert_eq!(error.code(), Code::SchemaDefinition);
    assert!(
        error
            .sentence()
            .starts_with("The chain `broken` of table `team`")
    );
    let error = TableManager::builder()
        .table::<user::Entity>()
        .linked("games", GamesOfTeam)
        .build()
        .unwrap_err();
    assert_eq!(
        error.sentence(),
        "The chain `games` begins at an entity that is not exposed"
    );
    let error = builder().linked("name", EventsOfTeam).build().unwrap_err();
    assert_eq!(
        error.sentence(),
        "Table `team` has two fields called `name`"
    );
}

fn lists() -> TableManagerBuilder {
    TableManager::builder()
        .open_unless_said()
        .table::<happening::Entity>()
        .table::<happening_event::Entity>()
}

#[tokio::test]
async fn lists_hold_all_their_rows() {
    let app = App::of(lists()).await;
    check(&app, &[
        ("{happenings{obj_id row{name}}}", r#"{"happenings":[{"obj_id":1,"row":{"name":"g1"}},{"obj_id":2,"row":{"name":"g2"}}]}"#),
        ("{happenings(where:{name:{eq:\"g2\"}}){obj_id}}", r#"{"happenings":[{"obj_id":2}]}"#),
        ("{happenings(orderBy:{name:DESC}){obj_id}}", r#"{"happenings":[{"obj_id":2},{"obj_id":1}]}"#),
        (
            "{happening(identifier:{obj_id:2}){events(where:{id:{gt:6}},orderBy:{id:DESC}){obj_id row{type}}}}",
            r#"{"happening":{"events":[{"obj_id":11,"row":{"type":"death"}},{"obj_id":9,"row":{"type":"death"}},{"obj_id":7,"row":{"type":"death"}}]}}"#,
        ),
    ]).await;
    let (body, lines) = app
        .watched("{happening(identifier:{obj_id:2}){events{obj_id}}}")
        .await;
    assert_eq!(
        unnumbered(&lines),
        [
            "begin Happening 2",
            "declared Happening 2",
            "derived Event where game_id = 2",
            "finish"
        ],
        "{body}"
    );
}

#[tokio::test]
async fn a_list_that_is_too_long_is_null_and_not_cut() {
    let app = App::of(lists()).await;
    app.sql("INSERT INTO game_event SELECT n, 'join', NULL, 1 FROM generate_series(100, 1200) n")
        .await;
    let told = "The list has more than 1000 rows: ask for fewer with `where`";
    let (_, body) = app.answer("{happenings{row{events{obj_id}}}}").await;
    assert!(
        body.contains(r#"{"row":{"events":null}},{"row":{"events":[{"obj_id":1},"#),
        "{body:.200}"
    );
    assert!(body.contains(told));
    app.sql("INSERT INTO game SELECT n, 'g' FROM generate_series(100, 1200) n")
        .await;
    let (_, body) = app.answer("{happenings{obj_id}}").await;
    assert!(
        body.starts_with(r#"{"data":{"happenings":null}"#) && body.contains(told),
        "{body:.200}"
    );
}

#[tokio::test]
async fn relations_without_a_field_are_lists_by_name() {
    let app = App::of(
        builder()
            .list::<team::Entity>("users")
            .list::<tag::Entity>("users"),
    )
    .await;
    check(&app, &[
        ("{team(identifier:{obj_id:1}){users{obj_id}}}", r#"{"team":{"users":[{"obj_id":1}]}}"#),
        ("{tag(identifier:{obj_id:2}){users(orderBy:{id:DESC}){obj_id row{name}}}}", r#"{"tag":{"users":[{"obj_id":2,"row":{"name":"bob"}},{"obj_id":1,"row":{"name":"ann"}}]}}"#),
    ]).await;
    let error = builder()
        .list::<team::Entity>("players")
        .build()
        .unwrap_err();
    assert_eq!(
        error.sentence(),
        "`.list::<..>(\"players\")` names no relation of an exposed entity"
    );
    let error = builder().list::<user::Entity>("team").build().unwrap_err();
    assert_eq!(
        error.sentence(),
        "Relation `team` of table `user` leads to one row, and cannot be a list"
    );
}

#[tokio::test]
async fn roots_have_the_names_that_their_entities_say() {
    let app = App::of(
        TableManager::builder()
            .open_unless_said()
            .table::<person::Entity>(),
    )
    .await;
    check(
        &app,
        &[(
            "{person(identifier:{obj_id:1}){name} people(size:1){items{obj_id entity}}}",
            r#"{"person":{"name":"ann"},"people":{"items":[{"obj_id":1,"entity":"Person"}]}}"#,
        )],
    )
    .await;
}
