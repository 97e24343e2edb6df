//! Answers over tables of which not everything is visible: everywhere that rows come from.

use blazelink::table::{
    Call, Extension, Field, FieldError, Page, Parameter, RowRef, VirtualRef, VirtualTable,
};
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use blazelink::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use blazelink::data;
use blazelink::object_id::ObjectId;
use blazelink::session::{ConnectionManager, SessionId, UpdateKind};
use blazelink::subscription::{Dependency, Role, SubscriptionManager, Watch};
use blazelink::table::{TableManager, TableManagerBuilder};
use blazelink::visibility::{Sight, summary};
use blazelink::{Access, Rule};
use sea_orm::{EntityTrait, PaginatorTrait, QueryFilter};

use crate::entities::*;
use crate::support::{App, builder};

async fn visible_tags(call: Call<'_>) -> Result<i64, FieldError> {
    let tags = tag::Entity::find().filter(call.visible::<tag::Entity>()?);
    Ok(tags.count(call.database()).await?.try_into().unwrap_or(0))
}

/// A virtual table that needs a tag.
struct Usage;

impl VirtualTable for Usage {
    const NAME: &'static str = "Usage";

    fn parameters() -> Vec<Parameter> {
        vec![Parameter::row::<tag::Entity>()]
    }

    fn fields() -> Vec<Field> {
        vec![Field::new("times", |_| Ok(1))]
    }
}

fn usage(call: &Call<'_>, tag: i64) -> Result<VirtualRef<Usage>, FieldError> {
    Ok(VirtualRef::new([call.row::<tag::Entity>(tag)?]))
}

fn usages(call: &Call<'_>) -> Result<Vec<VirtualRef<Usage>>, FieldError> {
    [2, 1, 9].into_iter().map(|tag| usage(call, tag)).collect()
}

fn of_user() -> Vec<Field> {
    vec![
        Field::new("first_usage", |call| usage(call, 1)),
        Field::new("second_usage", |call| usage(call, 2)),
        Field::new("usages", usages),
        Field::new("usage_page", |call| Ok(Page::of(usages(call)?))),
        Field::new("first_tag", |_| Ok(RowRef::<tag::Entity>::new(1))),
        Field::new("second_tag", |_| Ok(RowRef::<tag::Entity>::new(2))),
        Field::new("all_tags", |_| {
            Ok([2, 1, 9].map(RowRef::<tag::Entity>::new).to_vec())
        }),
        Field::new("tag_page", |_| {
            let tags = [2, 2, 1, 1].map(RowRef::<tag::Entity>::new);
            Ok(Page::of(tags.to_vec()))
        }),
        Field::reading("visible_tags", |call| Box::pin(visible_tags(call))),
    ]
}

/// Of tags the first, of users all but for their teams.
async fn start() -> App {
    let builder = builder()
        .virtual_table::<Usage>()
        .extend(Extension::of::<user::Entity>(of_user))
        .visible::<tag::Entity>(|_| Access::rows(Rule::eq(tag::Column::Id, 1)))
        .visible::<user::Entity>(|_| Access::all().hide(user::Column::TeamId));
    App::of(builder).await
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_out_of_sight_are_in_no_relation_over_a_junction() {
    let app = start().await;
    let query = "{user(identifier:{obj_id:1}){tags{count items{obj_id}}} \
                 two:user(identifier:{obj_id:2}){tags{count items{obj_id row{label}}}}}";
    let data = r#"{"user":{"tags":{"count":1,"items":[{"obj_id":1}]}},"two":{"tags":{"count":0,"items":[]}}}"#;
    let expected = (200, format!("{{\"data\":{data}}}"));
    assert_eq!(app.answer(query).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_out_of_sight_are_in_no_computed_value() {
    let app = start().await;
    let query = "{user(identifier:{obj_id:1}){first_tag{obj_id} second_tag{obj_id} \
                 all_tags{obj_id} tag_page(page:0,size:1){count items{obj_id row{label}}} \
                 counted:tag_page(page:0,size:9){count} visible_tags}}";
    let data = r#"{"user":{"first_tag":{"obj_id":1},"second_tag":null,"all_tags":[{"obj_id":1}],"tag_page":{"count":2,"items":[{"obj_id":1,"row":{"label":"new"}}]},"counted":{"count":2},"visible_tags":1}}"#;
    let expected = (200, format!("{{\"data\":{data}}}"));
    assert_eq!(app.answer(query).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_out_of_sight_are_named_with_no_virtual_table() {
    let app = start().await;
    let query = "{user(identifier:{obj_id:1}){first_usage{dependencies{obj_id}} \
                 second_usage{dependencies{obj_id}} usages{dependencies{obj_id}} \
                 usage_page(page:0,size:9){count items{entity}}}}";
    let data = r#"{"user":{"first_usage":{"dependencies":[{"obj_id":1}]},"second_usage":null,"usages":[{"dependencies":[{"obj_id":1}]}],"usage_page":{"count":1,"items":[{"entity":"Usage"}]}}}"#;
    let expected = (200, format!("{{\"data\":{data}}}"));
    assert_eq!(app.answer(query).await, expected);
    let (_, watched) = app
        .watched("{user(identifier:{obj_id:1}){second_usage{entity}}}")
        .await;
    assert!(watched.contains(&"derived Tag 2".to_owned()), "{watched:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_column_is_told_by_no_relation_in_either_direction() {
    let app = start().await;
    for query in [
        "{user(identifier:{obj_id:1}){it:team_id}}",
        "{user(identifier:{obj_id:2}){it:team_id}}",
        "{user(identifier:{obj_id:1}){it:team{obj_id}}}",
        "{team(identifier:{obj_id:1}){it:users{count}}}",
        "{team(identifier:{obj_id:1}){it:users(page:0,size:1){items{obj_id}}}}",
    ] {
        let (_, body) = app.answer(query).await;
        assert!(body.contains(r#"{"it":null}"#), "{query}: {body}");
        assert!(body.contains("hidden from whoever asks"), "{query}: {body}");
    }
}

/// As in production: nothing is open unless it is said.
fn said() -> TableManagerBuilder {
    TableManager::builder()
        .table::<tag::Entity>()
        .table::<user::Entity>()
        .table::<user_tag::Entity>()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_table_of_which_nothing_is_said_answers_as_if_it_had_no_rows() {
    let app = App::of(said().public::<user::Entity>().public::<user_tag::Entity>()).await;
    let query = "{user(identifier:{obj_id:1}){name tags{count items{obj_id}}} \
                 tag(identifier:{obj_id:1}){label} tags(page:0,size:9){count items{obj_id}} \
                 userTag(identifier:{obj_id:[1,1]}){tag{obj_id row{label}}}}";
    let (_, body) = app.answer(query).await;
    let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
    let nothing = serde_json::json!({"count": 0, "items": []});
    assert_eq!(
        answer["data"],
        serde_json::json!({
            "user": {"name": "ann", "tags": nothing},
            "tag": null,
            "tags": nothing,
            "userTag": {"tag": null},
        })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_to_whom_is_told_a_line_per_table() {
    let seen = |_: &blazelink::Viewer| {
        Access::rows(Rule::eq(user::Column::Name, "secret")).hide(user::Column::TeamId)
    };
    let lines = |builder: TableManagerBuilder| {
        let manager = builder.build().unwrap();
        let lines = summary(&manager);
        lines.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    let closed = lines(said().public::<tag::Entity>().visible::<user::Entity>(seen));
    assert_eq!(closed[0], "Tag: everybody sees everything");
    assert_eq!(
        closed[1],
        "User: each viewer what the app says; nobody in particular sees rows by a rule on \
         name = .., without `team_id`"
    );
    assert_eq!(
        closed[2],
        "UserTag: nobody sees anything, for nobody says who may: say .visible::<..>(..) of the \
         entity of `user_tag`, or #[blazelink(public)] on it"
    );
    let lent = lines(said().open_unless_said());
    assert!(
        lent.iter()
            .all(|line| line.contains("in production nobody would")),
        "{lent:?}"
    );
}

#[test]
fn who_may_read_a_table_is_said_once_and_of_an_exposed_one() {
    let twice = said()
        .public::<tag::Entity>()
        .visible::<tag::Entity>(|_| Access::all());
    let sentence = twice.build().unwrap_err().sentence().to_owned();
    assert!(
        sentence.contains("twice who may read table `tag`"),
        "{sentence}"
    );
    let elsewhere = said().public::<game::Entity>().build().unwrap_err();
    assert!(elsewhere.sentence().contains("not exposed"), "{elsewhere}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_told_of_rows_of_a_table_of_which_nothing_is_said() {
    let told = |manager: TableManager| {
        let manager = Arc::new(manager);
        let exposure = manager.exposure();
        let connections = Arc::new(ConnectionManager::default());
        let subscriptions = SubscriptionManager::new(Arc::clone(&exposure), connections);
        let subscriptions = Arc::new(subscriptions.with_visibility(&manager));
        let id = SessionId::new("a").unwrap();
        let session = subscriptions.connections().open(&id, Instant::now());
        let table = exposure.by_entity("Tag").unwrap().id;
        let watch = subscriptions.watch_for(&session);
        let reading = watch.begin(ObjectId::table(table), 0);
        for dependency in [Dependency::Table(table), Dependency::Row(table, 1.into())] {
            reading.depend(Role::Declared, dependency).unwrap();
        }
        reading.finish();
        let row = Row::from_texts(&[Some("1"), Some("new")]);
        let insert = Change {
            table,
            kind: ChangeKind::Insert,
            key: 1.into(),
            moved: None,
            old: Old::None,
            new: Some(row),
        };
        for (changes, whole) in [(vec![insert], Vec::new()), (Vec::new(), vec![table])] {
            subscriptions.publish(&Arc::new(Transaction {
                xid: 7,
                commit_lsn: Lsn(1),
                end_lsn: Lsn(2),
                committed_at: SystemTime::UNIX_EPOCH,
                read_at: std::time::Instant::now(),
                cause: None,
                changes,
                whole,
            }));
        }
        session.outbox_bytes()
    };
    assert_eq!(told(said().build().unwrap()), 0);
    assert!(told(said().open_unless_said().build().unwrap()) > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generated_column_changes_with_a_hidden_one_that_it_is_made_from() {
    let app = App::start().await;
    app.sql(
        "ALTER TABLE \"user\" DROP COLUMN name; ALTER TABLE \"user\" ADD COLUMN name varchar \
         GENERATED ALWAYS AS (lower(email)) STORED",
    )
    .await;
    let access = |_: &blazelink::Viewer| Access::rows(Rule::eq(user::Column::Id, 1));
    let builder = builder().visible::<user::Entity>(access);
    let manager = data::verify(builder.build().unwrap(), &app.database);
    let manager = manager.await.unwrap();
    let table = manager.named("User").unwrap();
    let row = |email| {
        let mut cells = vec![Some("1"); table.exposed().count()];
        cells.push(Some(email));
        Row::from_texts(&cells)
    };
    let access = Access::rows(Rule::eq(user::Column::Id, 1));
    let told = |access: Access| {
        let sight = Sight::bind(&access, table).unwrap();
        let told = sight.told(UpdateKind::Update, Some(&row("a")), Some(&row("b")));
        told.map(|told| told.kind)
    };
    assert_eq!(told(access.clone()), Some(UpdateKind::Update));
    assert_eq!(
        told(access.hide(user::Column::Name)),
        None,
        "nothing seen is made from it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_columns_neither_narrow_nor_order_pages() {
    let app = start().await;
    let told = "`team_id` is hidden from whoever asks: it can neither narrow nor order a page";
    let queries = [
        "{users(where:{team_id:{eq:1}}){count}}",
        "{users(where:{team_id:{eq:77}}){count}}",
        "{users(where:{or:[{id:{eq:1}},{not:{team_id:{is_null:true}}}]}){count}}",
        "{users(orderBy:[{id:ASC},{team_id:DESC}]){items{obj_id} next}}",
        "{tag(identifier:{obj_id:1}){users(where:{team_id:{eq:1}}){count}}}",
        "{tag(identifier:{obj_id:1}){users(orderBy:{team_id:ASC}){items{obj_id}}}}",
    ];
    for query in queries {
        let (_, body) = app.answer(query).await;
        assert!(body.contains(told), "{query}\n{body}");
        // Neither does what is there: nothing was read by it.
        assert!(
            !body.contains("\"items\"") && !body.contains("\"count\""),
            "{body}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_and_ordered_pages_hold_visible_rows_only() {
    let app = start().await;
    let rows = [
        (
            "{tags(where:{id:{gte:1}},orderBy:{id:DESC}){count items{obj_id} next}}",
            r#"{"tags":{"count":1,"items":[{"obj_id":1}],"next":null}}"#,
        ),
        (
            "{tags(where:{id:{eq:2}}){count items{obj_id}}}",
            r#"{"tags":{"count":0,"items":[]}}"#,
        ),
        (
            "{user(identifier:{obj_id:1}){tags(where:{id:{gte:1}},orderBy:{label:DESC}){count items{obj_id row{label}} next}}}",
            r#"{"user":{"tags":{"count":1,"items":[{"obj_id":1,"row":{"label":"new"}}],"next":null}}}"#,
        ),
        (
            "{user(identifier:{obj_id:1}){tags(size:1){items{obj_id} next}}}",
            r#"{"user":{"tags":{"items":[{"obj_id":1}],"next":null}}}"#,
        ),
        (
            "{user(identifier:{obj_id:2}){tags(orderBy:{id:ASC}){count items{obj_id}}}}",
            r#"{"user":{"tags":{"count":0,"items":[]}}}"#,
        ),
    ];
    for (query, data) in rows {
        let expected = (200, format!("{{\"data\":{data}}}"));
        assert_eq!(app.answer(query).await, expected, "{query}");
    }
    // Tags that come into sight come into the page.
    let (_, lines) = app
        .watched("{user(identifier:{obj_id:2}){tags{count}}}")
        .await;
    assert!(lines.contains(&"derived Tag".to_owned()), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_none_tell_nothing_of_hidden_rows() {
    let builder =
        builder().visible::<kinds::Entity>(|_| Access::rows(Rule::eq(kinds::Column::Id, 1)));
    let app = App::of(builder).await;
    app.sql(
        "INSERT INTO kinds (id, c_text, c_mood) VALUES (1, 'seen', 'sad'), (2, 'unseen', 'sad')",
    )
    .await;
    // A plan for all values evaluates them only when a row comes so far.
    app.sql("SET plan_cache_mode = force_generic_plan").await;
    // Whether Postgres gets so far as to read the second value would tell that a row is there.
    let mut told = Vec::new();
    for text in ["seen", "unseen", "nowhere"] {
        let query = format!(
            "{{kindsPage(where:{{c_text:{{eq:\"{text}\"}},c_mood:{{eq:\"glad\"}}}}){{count}}}}"
        );
        told.push(app.answer(&query).await);
    }
    assert!(told[0].1.contains("none of its column's type"), "{told:?}");
    assert_eq!(told[0], told[1]);
    assert_eq!(told[0], told[2]);
}
