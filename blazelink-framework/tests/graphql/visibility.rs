//! Answers over tables of which not everything is visible: everywhere that rows come from.

use blazelink::table::{
    Call, Extension, Field, FieldError, Page, Parameter, RowRef, VirtualRef, VirtualTable,
};
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
