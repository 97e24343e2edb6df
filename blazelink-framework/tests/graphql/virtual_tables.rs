//! Virtual tables: their parameters, what is watched for them, and how they are named.

use blazelink::BlazeContext;
use blazelink::table::{
    Call, Carried, Extension, Field, FieldError, Page, Parameter, RowRef, VirtualRef, VirtualTable,
};
use sea_orm::prelude::*;

use crate::entities::*;
use crate::support::{App, builder, unnumbered};

struct PlayerStats;

async fn kills(call: Call<'_>) -> Result<i64, FieldError> {
    let player: i32 = call.dependency_key::<user::Entity, _>()?;
    call.depend_on_equal(game_event::Column::PlayerId, i64::from(player))?;
    let kills = game_event::Entity::find()
        .filter(game_event::Column::PlayerId.eq(player))
        .filter(game_event::Column::Type.eq("kill"));
    Ok(kills.count(call.database()).await?.try_into().unwrap_or(0))
}

impl VirtualTable for PlayerStats {
    const NAME: &'static str = "PlayerStats";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::row::<user::Entity>()]
    }

    fn fields() -> Vec<Field> {
        vec![
            Field::new("player", |call| {
                let player = call.dependency::<user::Entity>().cloned();
                Ok(player.map(RowRef::<user::Entity>::new))
            }),
            Field::reading("kills", |call| Box::pin(kills(call))),
        ]
    }
}

struct ModView;

impl VirtualTable for ModView {
    const NAME: &'static str = "ModView";

    fn parameters() -> Vec<Parameter> {
        Vec::new()
    }

    fn fields() -> Vec<Field> {
        vec![
            Field::new("echo", |call| Ok(call.identifier_json())),
            Field::new("stats", |call| stats(call, 1)),
            Field::new("all_stats", |call| {
                let stats = (1..4).map(|user| stats(call, user));
                Ok(Page::of(stats.collect::<Result<_, _>>()?))
            }),
        ]
    }
}

fn stats(call: &Call<'_>, user: i64) -> Result<VirtualRef<PlayerStats>, FieldError> {
    let named = [
        call.row::<user::Entity>(user)?,
        call.whole::<team::Entity>()?,
    ];
    Ok(VirtualRef::new(named))
}

async fn start() -> App {
    App::of(
        builder()
            .virtual_table::<PlayerStats>()
            .virtual_table::<ModView>(),
    )
    .await
}

async fn check(app: &App, query: &str, expected: &str) {
    let (status, body) = app.answer(query).await;
    assert_eq!((status, body.as_str()), (200, expected), "{query}");
}

#[tokio::test]
async fn parameters_are_read_from_the_identifiers_dependencies() {
    let app = start().await;
    check(
        &app,
        "{playerStats(identifier:{obj_id:null,entity:\"PlayerStats\",modifiers:\"undefined\",\
         dependencies:[{entity:\"PlayerStats\",obj_id:null},{obj_id:1,entity:\"User\"}]})\
         {kills player{obj_id entity row{name}} __typename}}",
        r#"{"data":{"playerStats":{"kills":6,"player":{"obj_id":1,"entity":"User","row":{"name":"ann"}},"__typename":"PlayerStats"}}}"#,
    )
    .await;
    check(
        &app,
        "{playerStats(identifier:{dependencies:[{obj_id:2,entity:\"US_er\"}]}){kills}}",
        r#"{"data":{"playerStats":{"kills":1}}}"#,
    )
    .await;
}

#[tokio::test]
async fn references_to_a_virtual_table_are_what_its_root_is_asked_with() {
    let app = start().await;
    check(
        &app,
        "{modView(identifier:{}){stats{obj_id entity modifiers dependencies{entity obj_id \
         dependencies{entity}} __typename} all_stats(page:1,size:2){count items{obj_id \
         dependencies{obj_id}} __typename}}}",
        r#"{"data":{"modView":{"stats":{"obj_id":null,"entity":"PlayerStats","modifiers":"[]","dependencies":[{"entity":"User","obj_id":1,"dependencies":[]},{"entity":"Team","obj_id":null,"dependencies":[]}],"__typename":"ObjectId"},"all_stats":{"count":3,"items":[{"obj_id":null,"dependencies":[{"obj_id":3},{"obj_id":null}]}],"__typename":"GenericHelper__Page__PlayerStats"}}}}"#,
    )
    .await;
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    assert!(sdl.contains("\tstats: ObjectId\n"), "{sdl}");
    assert!(
        sdl.contains("type GenericHelper__Page__PlayerStats {\n\titems: [ObjectId]\n"),
        "{sdl}"
    );
}

#[test]
fn a_reference_to_a_virtual_table_that_is_not_exposed_is_refused_at_the_start() {
    let error = builder().virtual_table::<ModView>().build().unwrap_err();
    assert!(error.sentence().contains("`ModView.all_stats`"), "{error}");
    assert!(error.hint().is_some(), "{error}");
}

#[tokio::test]
async fn a_virtual_table_without_an_identifier_is_answered_and_not_watched() {
    let app = start().await;
    for query in ["{modView{echo}}", "{modView(identifier:null){echo}}"] {
        let (body, lines) = app.watched(query).await;
        assert!(body.contains("echo"), "{body}");
        assert_eq!(lines, Vec::<String>::new(), "{query}");
    }
    let (_, lines) = app.watched("{modView(identifier:{}){echo}}").await;
    assert_eq!(
        unnumbered(&lines),
        ["begin ModView", "declared ModView", "finish"]
    );
}

#[tokio::test]
async fn an_object_id_carries_what_its_table_says() {
    let carrying = Extension::of::<team::Entity>(Vec::new).carrying(|| {
        vec![
            Carried::whole::<user::Entity>(),
            Carried::whole::<tag::Entity>(),
        ]
    });
    let app = App::of(builder().extend(carrying)).await;
    let carried = r#"[{"obj_id":null,"entity":"User","modifiers":"[]","dependencies":[]},{"obj_id":null,"entity":"Tag","modifiers":"[]","dependencies":[]}]"#;
    check(
        &app,
        "{user(identifier:{obj_id:1}){team{obj_id dependencies{obj_id entity modifiers \
         dependencies{entity}}}}}",
        &format!(r#"{{"data":{{"user":{{"team":{{"obj_id":1,"dependencies":{carried}}}}}}}}}"#),
    )
    .await;
    check(
        &app,
        "{teams(size:1){items{dependencies{__typename obj_id}}}}",
        r#"{"data":{"teams":{"items":[{"dependencies":[{"__typename":"ObjectId","obj_id":null},{"__typename":"ObjectId","obj_id":null}]}]}}}"#,
    )
    .await;
}

#[tokio::test]
async fn missing_parameters_and_wrong_names_fail_the_root() {
    let app = start().await;
    for (identifier, message) in [
        ("", "PlayerStats needs a dependency on User with an obj_id"),
        (
            "(identifier:{dependencies:[{entity:\"User\"}]})",
            "PlayerStats needs a dependency on User with an obj_id",
        ),
        (
            "(identifier:{entity:\"Game\"})",
            "Invalid entity type! Expected: PlayerStats, got Game",
        ),
        (
            "(identifier:{dependencies:null})",
            "The dependencies must be a list",
        ),
        (
            "(identifier:{dependencies:[{entity:\"Nobody\"}]})",
            "Unknown entity in dependencies: Nobody",
        ),
    ] {
        let query = format!("{{playerStats{}{{kills}}}}", identifier);
        let expected = format!(
            r#"{{"data":{{"playerStats":null}},"errors":[{{"message":"{message}","locations":[{{"line":1,"column":2}}],"path":["playerStats"]}}]}}"#
        );
        check(&app, &query, &expected).await;
    }
}

#[tokio::test]
async fn identifiers_reach_a_virtual_table_as_they_nest_and_without_modifiers() {
    let app = start().await;
    let (_, body) = app
        .answer(
            "{modView(identifier:{obj_id:5,entity:\"ModView\",modifiers:\"x\",dependencies:[\
             {obj_id:1,entity:\"User\",modifiers:\"y\",dependencies:[{entity:\"Team\"}]}]}){echo}}",
        )
        .await;
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    let echo = answer["data"]["modView"]["echo"].as_str().unwrap();
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(echo).unwrap(),
        serde_json::json!({
            "obj_id": 5, "entity": "ModView", "modifiers": "[]", "dependencies": [{
                "obj_id": 1, "entity": "User", "modifiers": "[]", "dependencies": [
                    {"obj_id": null, "entity": "Team", "modifiers": "[]", "dependencies": []},
                ],
            }],
        })
    );
    let (_, body) = app.answer("{modView{echo}}").await;
    assert!(body.contains(r#"\"obj_id\":null"#), "{body}");
}

#[tokio::test]
async fn dependencies_are_declared_and_reads_are_derived_for_the_virtual_table() {
    let app = start().await;
    let query = "{playerStats(identifier:{dependencies:[{entity:\"user\",obj_id:1,\
                 dependencies:[{entity:\"Team\"}]}]}){kills}}";
    let (_, lines) = app.watched(query).await;
    let expected = [
        "begin PlayerStats",
        "declared PlayerStats",
        "declared User 1",
        "declared Team",
        "derived GameEvent where player_id = 1",
        "finish",
    ];
    assert_eq!(unnumbered(&lines), expected);
    let (_, lines) = app
        .watched("{game(identifier:{obj_id:1,dependencies:[{entity:\"player_stats\"}]}){id}}")
        .await;
    assert!(lines.contains(&"declared PlayerStats".to_owned()));
}

#[tokio::test]
async fn different_parameters_are_different_selections() {
    let app = start().await;
    let watch = crate::support::Recorder::new(&app.manager);
    for user in [1, 2, 1] {
        let query = format!(
            "{{playerStats(identifier:{{dependencies:[{{entity:\"User\",obj_id:{user}}}]}}){{kills}}}}"
        );
        let request = blazelink::graphql::Request::new(query);
        app.executor
            .execute(request, &BlazeContext::anonymous(), &watch)
            .await;
    }
    let selections = watch.selections();
    assert_eq!(selections[0], selections[2]);
    assert_ne!(selections[0], selections[1]);
}

#[tokio::test]
async fn virtual_tables_have_a_name_in_the_exposure_and_no_table_in_postgres() {
    let app = start().await;
    let exposure = app.manager.exposure();
    let stats = app.manager.named("PlayerStats").unwrap();
    assert_eq!(exposure.table(stats.id).entity, "PlayerStats");
    assert!(exposure.tables().iter().all(|table| table.id != stats.id));
    assert_eq!(exposure.by_name("", ""), None);
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    assert!(sdl.contains("type PlayerStats {\n\tkills: BigInt\n\tplayer: UserRef\n}"));
    assert!(sdl.contains("\tplayerStats(identifier: ObjectIdInput): PlayerStats\n"));
    assert!(!sdl.contains("PlayerStatsRef") && !sdl.contains("playerStatsPage"));
}
