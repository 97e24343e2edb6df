//! A store of the app's own behind one table: what it answers, who sees what of it, and what it
//! costs when it fails.

use std::time::Duration;

use blazelink::graphql::Executor;
use blazelink::table::{TableManagerBuilder, Writes};
use blazelink::{Access, AccessorError, DataAccessor, RowQuery, Rule, StoredRow, fields};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, Linked, RelationDef, RelationTrait, Select,
};
use serde_json::Value;

use crate::entities::*;
use crate::support::{App, builder};

/// Teams in memory; Postgres has others under the same keys.
#[derive(Default)]
struct Teams {
    way: Way,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Way {
    #[default]
    Answers,
    Panics,
    Fails,
    Hangs,
    GivesAll,
    LeavesOut,
}

impl DataAccessor for Teams {
    async fn rows(&self, query: &RowQuery<'_>) -> Result<Vec<StoredRow>, AccessorError> {
        let teams = ["one", "two", "three", "four"];
        let rows = teams.iter().zip(1..).map(|(name, id)| {
            StoredRow::new()
                .with("id", i32::to_string(&id))
                .with("name", *name)
        });
        match self.way {
            Way::Answers => Ok(query.part_of(rows)),
            Way::Panics => std::panic::panic_any("secret"),
            Way::Fails => Err("secret".into()),
            Way::Hangs => std::future::pending().await,
            Way::GivesAll => Ok(rows.collect()),
            Way::LeavesOut => Ok(vec![StoredRow::new().with("id", "1")]),
        }
    }
}

/// Users in memory: many of team 1, one of team 2.
struct Users;

impl DataAccessor for Users {
    async fn rows(&self, query: &RowQuery<'_>) -> Result<Vec<StoredRow>, AccessorError> {
        let users = (1..=7).map(|id| {
            StoredRow::new()
                .with("id", id.to_string())
                .with("name", format!("u{id}"))
                .with("team_id", if id == 7 { "2" } else { "1" })
                .with("score", (id % 2).to_string())
        });
        Ok(query.part_of(users))
    }
}

fn teams(way: Way) -> TableManagerBuilder {
    builder().accessor::<team::Entity>(Teams { way })
}

async fn answers(app: &App, query: &str, data: &str) {
    assert_eq!(
        app.answer(query).await,
        (200, format!("{{\"data\":{data}}}")),
        "{query}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_answers_rows_pages_and_counts() {
    let app = App::of(teams(Way::Answers)).await;
    answers(
        &app,
        "{team(identifier:{obj_id:3}){id name}}",
        r#"{"team":{"id":3,"name":"three"}}"#,
    )
    .await;
    answers(
        &app,
        "{teams(page:1,size:2){count items{row{name}}}}",
        r#"{"teams":{"count":4,"items":[{"row":{"name":"three"}},{"row":{"name":"four"}}]}}"#,
    )
    .await;
    let (_, missing) = app.answer("{team(identifier:{obj_id:9}){id}}").await;
    assert!(missing.contains("\"errors\""), "{missing}");
    assert!(
        app.statements_of("{teams{items{row{name}}}}")
            .await
            .is_empty()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_of_postgres_lead_to_rows_of_a_store_and_back() {
    let app = App::of(teams(Way::Answers)).await;
    answers(
        &app,
        "{user(identifier:{obj_id:1}){name team{row{name users{count items{row{name}}}}}}}",
        r#"{"user":{"name":"ann","team":{"row":{"name":"one","users":{"count":1,"items":[{"row":{"name":"ann"}}]}}}}}"#,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_of_postgres_has_pages_of_rows_of_a_store() {
    let app = App::of(builder().accessor::<user::Entity>(Users)).await;
    answers(
        &app,
        "{teams{items{row{name users(page:1,size:2){count items{row{name}}}}}}}",
        r#"{"teams":{"items":[{"row":{"name":"red","users":{"count":6,"items":[{"row":{"name":"u3"}},{"row":{"name":"u4"}}]}}},{"row":{"name":"blue","users":{"count":1,"items":[]}}}]}}"#,
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_store_answers_is_watched_like_rows_of_postgres() {
    let app = App::of(teams(Way::Answers)).await;
    let other = App::start().await;
    for query in [
        "{team(identifier:{obj_id:3}){id name}}",
        "{teams{items{row{name}}}}",
        "{user(identifier:{obj_id:1}){team{row{name}}}}",
    ] {
        let (_, watched) = app.watched(query).await;
        assert_eq!(watched, other.watched(query).await.1);
        assert!(!watched.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_narrow_what_a_store_gives() {
    let rule = || Access::rows(Rule::eq(user::Column::Score, 0_i64)).hide(user::Column::Name);
    let tables = builder()
        .accessor::<user::Entity>(Users)
        .visible::<user::Entity>(move |_| rule());
    let app = App::of(tables).await;
    answers(
        &app,
        "{users(page:1,size:2){count items{row{id}}} teams{items{row{users(page:1,size:1){count items{row{id}}}}}}}",
        r#"{"users":{"count":3,"items":[{"row":{"id":6}}]},"teams":{"items":[{"row":{"users":{"count":3,"items":[{"row":{"id":4}}]}}},{"row":{"users":{"count":0,"items":[]}}}]}}"#,
    )
    .await;
    for query in [
        "{user(identifier:{obj_id:1}){id}}",
        "{user(identifier:{obj_id:2}){name}}",
    ] {
        let (_, body) = app.answer(query).await;
        assert!(
            body.contains("\"errors\"") && !body.contains("u2"),
            "{body}"
        );
    }
}

/// From teams over users, which are in a store, to events.
struct EventsOfTeam;

impl Linked for EventsOfTeam {
    type FromEntity = team::Entity;
    type ToEntity = game_event::Entity;

    fn link(&self) -> Vec<RelationDef> {
        vec![
            user::Relation::Team.def().rev(),
            game_event::Relation::User.def().rev(),
        ]
    }
}

#[fields]
impl StoredFields for user::Model {
    fn shouted(&self) -> String {
        self.name.to_uppercase()
    }
}

#[fields]
impl StoredTeamFields for team::Model {
    fn everybody(&self) -> Select<user::Entity> {
        user::Entity::find()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_sql_can_say_is_refused_by_the_tables_name() {
    let tables = || {
        builder()
            .linked("all_events", EventsOfTeam)
            .extend(StoredFields)
            .extend(StoredTeamFields)
    };
    let plain = App::of(tables()).await;
    let (_, body) = plain.answer("{users(size:1){next}}").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    let after = format!(
        "{{users(after:{}){{items{{row{{id}}}}}}}}",
        body["data"]["users"]["next"]
    );
    let app = App::of(
        tables()
            .accessor::<user::Entity>(Users)
            .accessor::<user_tag::Entity>(Teams::default()),
    )
    .await;
    for query in [
        "{users(where:{score:{eq:0}}){items{row{id}}}}",
        "{users(orderBy:[{name:DESC}]){items{row{id}}}}",
        "{users{next items{row{id}}}}",
        &after,
        // From it, to it and over it.
        "{users{count items{row{id tags{items{obj_id}}}}}}",
        "{tags{items{row{users{items{obj_id}}}}}}",
        "{teams{items{row{id all_events{count}}}}}",
        // A computed field of its `Model`, and a `Select` of it.
        "{users{items{row{id shouted}}}}",
        "{teams{items{row{id everybody{count}}}}}",
    ] {
        let (_, body) = plain.answer(query).await;
        assert!(!body.contains("errors"), "without a store: {query}\n{body}");
        let (status, body) = app.answer(query).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        let errors = answer["errors"].as_array().unwrap();
        assert_eq!(status, 200, "{body}");
        let refused = |error: &Value| {
            let table = if query.contains("tags") {
                "user_tag"
            } else {
                "user"
            };
            let sentence = format!(
                "Table `{table}` has an accessor, which cannot answer this: ask for plain pages, \
                 rows and direct relations, or keep the table in Postgres"
            );
            error["message"] == sentence
        };
        assert!(
            !errors.is_empty() && errors.iter().all(refused),
            "{query}\n{body}"
        );
        assert!(
            !body.contains("\"ann\"") && !body.contains("\"ANN\""),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_policy_in_sql_refuses_the_rows_of_a_store() {
    let tables =
        teams(Way::Answers).visible::<team::Entity>(|_| Access::sql(team::Column::Id.gt(0)));
    let app = App::of(tables).await;
    let (_, body) = app.answer("{teams{count items{row{name}}}}").await;
    assert!(
        body.contains("without SQL") && body.contains("{\"teams\":null}"),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_fails_costs_its_field_alone() {
    let query = "{user(identifier:{obj_id:1}){name team{row{name}}} teams{items{row{name}}}}";
    let ways = [
        Way::Panics,
        Way::Fails,
        Way::Hangs,
        Way::GivesAll,
        Way::LeavesOut,
    ];
    for way in ways {
        let mut app = App::of(teams(way)).await;
        let executor = Executor::new(app.manager.clone(), app.database.clone()).unwrap();
        app.executor = executor.with_field_timeout(Duration::from_millis(50));
        let (status, body) = app.answer(query).await;
        assert_eq!(status, 200);
        assert!(body.contains("\"name\":\"ann\""), "{body}");
        assert!(
            body.contains("\"team\":null") && body.contains("\"errors\""),
            "{body}"
        );
        assert!(!body.contains("secret") && !body.contains("red"), "{body}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_to_the_table_in_postgres_changes_nothing_that_the_store_says() {
    let app = App::of(teams(Way::Answers)).await;
    app.database
        .execute_unprepared("DELETE FROM team")
        .await
        .unwrap();
    answers(
        &app,
        "{team(identifier:{obj_id:1}){name}}",
        r#"{"team":{"name":"one"}}"#,
    )
    .await;
}

#[test]
fn a_store_is_refused_that_is_said_twice_or_of_a_table_with_mutations() {
    let twice = teams(Way::Answers).accessor::<team::Entity>(Teams::default());
    assert!(
        twice
            .build()
            .unwrap_err()
            .to_string()
            .contains("said twice")
    );
    let written = teams(Way::Answers).writes::<team::Entity>(Writes::all());
    assert!(
        written
            .build()
            .unwrap_err()
            .to_string()
            .contains("`team` has mutations")
    );
}
