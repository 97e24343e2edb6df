//! Computed fields: what they are given, what they may return, and what is watched for them.

use blazelink::table::{
    Call, Extension, Field, FieldError, FieldType, Member, Output, Page, RowRef, Struct,
};
use sea_orm::prelude::*;
use sea_orm::{QueryOrder, QuerySelect};

use crate::entities::*;
use crate::support::{App, builder, unnumbered};

struct Inner {
    a: i32,
}

impl Struct for Inner {
    const NAME: &'static str = "Inner";

    fn members() -> Vec<Member> {
        vec![Member::of::<i32>("a")]
    }

    fn into_members(self) -> Vec<Output> {
        vec![self.a.into_output()]
    }
}

struct Outer {
    inner: Option<Inner>,
    marks: Vec<f64>,
    favourite: RowRef<game::Entity>,
}

impl Struct for Outer {
    const NAME: &'static str = "Outer";

    fn members() -> Vec<Member> {
        vec![
            Member::of::<Inner>("inner"),
            Member::of::<Vec<f64>>("marks"),
            Member::of::<RowRef<game::Entity>>("favourite"),
        ]
    }

    fn into_members(self) -> Vec<Output> {
        vec![
            self.inner.into_output(),
            self.marks.into_output(),
            self.favourite.into_output(),
        ]
    }
}

fn greeting(call: &Call<'_>) -> Result<String, FieldError> {
    let word: String = call.argument("word")?;
    let times = call.argument::<Option<i32>>("times")?.unwrap_or(1);
    let name: String = call.value(user::Column::Name)?;
    let words = vec![word; usize::try_from(times).unwrap_or(0)];
    Ok(format!("{} {name}", words.join(" ")))
}

async fn kills(call: Call<'_>) -> Result<i64, FieldError> {
    let id: i32 = call.value(user::Column::Id)?;
    call.depend_on_equal(game_event::Column::PlayerId, i64::from(id))?;
    let kills = game_event::Entity::find()
        .filter(game_event::Column::PlayerId.eq(id))
        .filter(game_event::Column::Type.eq("kill"));
    Ok(kills.count(call.database()).await?.try_into().unwrap_or(0))
}

async fn latest(call: Call<'_>) -> Result<Page<RowRef<game_event::Entity>>, FieldError> {
    let id: i32 = call.value(user::Column::Id)?;
    call.depend_on_equal(game_event::Column::PlayerId, i64::from(id))?;
    let events = game_event::Entity::find().filter(game_event::Column::PlayerId.eq(id));
    let count = events.clone().count(call.database()).await?;
    let window = call.window();
    let page = events.order_by_desc(game_event::Column::Id);
    let page = page.offset(window.offset).limit(window.limit);
    let items = page.all(call.database()).await?.into_iter();
    let items = items.map(|event| RowRef::new(i64::from(event.id)));
    Ok(Page::part(items.collect(), count.try_into().unwrap_or(0)))
}

async fn broken(call: Call<'_>) -> Result<i32, FieldError> {
    call.database().execute_unprepared("SELECT secret").await?;
    Ok(1)
}

fn of_user() -> Vec<Field> {
    vec![
        Field::new("greeting", greeting)
            .argument::<String>("word")
            .argument::<i32>("times")
            .reads([user::Column::Name]),
        Field::reading("kills", |call| Box::pin(kills(call))),
        Field::reading("latest", |call| Box::pin(latest(call))),
        Field::reading("broken", |call| Box::pin(broken(call))),
        Field::new("echo", |call| call.argument::<Option<String>>("name"))
            .argument::<String>("name"),
        Field::new("sum", |call| {
            Ok(call.argument::<Vec<i32>>("of")?.into_iter().sum::<i32>())
        })
        .argument::<Vec<i32>>("of"),
        Field::new("refused", |_| {
            Err::<i32, _>(FieldError::new("Only on Sundays"))
        }),
        Field::new("numbers", |call| {
            let upto = call.argument::<Option<i32>>("upto")?.unwrap_or(1_000);
            Ok(Page::of((0..upto).collect()))
        })
        .argument::<i32>("upto"),
    ]
}

fn of_game() -> Vec<Field> {
    vec![
        Field::new("scores", |_| Ok(vec![Some(1), None, Some(3)])),
        Field::new("rows", |_| Ok(vec![Inner { a: 1 }, Inner { a: 2 }])),
        Field::new("pages", |_| {
            Ok(Page::of((0..25).map(|a| Inner { a }).collect()))
        }),
        Field::new("stars", |_| {
            let keys = [2, 99, 2, 1];
            Ok(keys.map(RowRef::<user::Entity>::new).to_vec())
        }),
        Field::new("best", |call| {
            Ok(Outer {
                inner: Some(Inner { a: 7 }),
                marks: vec![0.5, f64::NAN],
                favourite: RowRef::new(call.value::<i64>(game::Column::Id)?),
            })
        }),
    ]
}

async fn start() -> App {
    let builder = builder()
        .extend(Extension::of::<user::Entity>(of_user))
        .extend(Extension::of::<game::Entity>(of_game));
    App::of(builder).await
}

async fn check(app: &App, query: &str, expected: &str) {
    let (status, body) = app.answer(query).await;
    assert_eq!((status, body.as_str()), (200, expected), "{query}");
}

#[tokio::test]
async fn schema_tells_computed_fields_before_declared_ones() {
    let app = start().await;
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    for expected in [
        "type Game {\n\tbest: Outer\n\tpages(page: Int, size: Int): GenericHelper__Page__Inner\n\
         \trows: [Inner]\n\tscores: [Int]\n\tstars: [UserRef]\n\tid: Int\n",
        "\tgreeting(word: String, times: Int): String\n\tkills: BigInt\n\
         \tlatest(page: Int, size: Int): GenericHelper__Page__GameEventTable\n\
         \tnumbers(upto: Int, page: Int, size: Int): GenericHelper__Page__int\n",
        "\tsum(of: [Int]): Int\n",
        "type GenericHelper__Page__int {\n\titems: [Int]\n\tcount: Int\n}",
        "type Outer {\n\tinner: Inner\n\tmarks: [Float]\n\tfavourite: GameRef\n}",
    ] {
        assert!(sdl.contains(expected), "{expected}\n{sdl}");
    }
}

#[tokio::test]
async fn scalars_are_computed_from_arguments_and_columns() {
    let app = start().await;
    check(
        &app,
        "{user(identifier:{obj_id:1}){greeting(word:\"hi\",times:3) kills}}",
        r#"{"data":{"user":{"greeting":"hi hi hi ann","kills":6}}}"#,
    )
    .await;
    check(
        &app,
        "{users{items{row{id k:kills}}}}",
        r#"{"data":{"users":{"items":[{"row":{"id":1,"k":6}},{"row":{"id":2,"k":1}},{"row":{"id":3,"k":0}}]}}}"#,
    )
    .await;
    let query = "query($w:String){user(identifier:{obj_id:2}){greeting(word:$w)}}";
    let (_, body) = app.with(query, serde_json::json!({"w": "yo"})).await;
    assert_eq!(body, r#"{"data":{"user":{"greeting":"yo bob"}}}"#);
}

#[tokio::test]
async fn arguments_take_variables_that_fit_their_type() {
    let app = start().await;
    let query = "query($n:String){user(identifier:{obj_id:2}){echo(name:$n)}}";
    let (_, body) = app.with(query, serde_json::json!({"n": "x"})).await;
    assert_eq!(body, r#"{"data":{"user":{"echo":"x"}}}"#);
    let (_, body) = app.with(query, serde_json::json!({})).await;
    assert_eq!(body, r#"{"data":{"user":{"echo":null}}}"#);
    let query =
        "query($t:String){user(identifier:{obj_id:2}){greeting(word:\"hi\",times:$t) name}}";
    let (status, body) = app.with(query, serde_json::json!({"t": "3"})).await;
    assert_eq!(status, 400, "{body}");
    assert!(body.contains("'$t' of type 'String'"), "{body}");
    let query = query.replace("$t:String", "$t:Int");
    let (status, body) = app.with(&query, serde_json::json!({"t": "x"})).await;
    assert_eq!(status, 200, "{body}");
    assert!(body.starts_with(r#"{"data":null,"errors":"#), "{body}");
}

#[tokio::test]
async fn an_argument_may_be_a_list_and_a_single_value_is_one() {
    let app = start().await;
    for (given, sum) in [("[1,2,3]", "6"), ("4", "4"), ("[]", "0")] {
        let query = format!("{{user(identifier:{{obj_id:1}}){{sum(of:{given})}}}}");
        let expected = format!(r#"{{"data":{{"user":{{"sum":{sum}}}}}}}"#);
        check(&app, &query, &expected).await;
    }
    let query = "query($n:[Int]){user(identifier:{obj_id:1}){sum(of:$n)}}";
    let (_, body) = app.with(query, serde_json::json!({"n": [7, 8]})).await;
    assert_eq!(body, r#"{"data":{"user":{"sum":15}}}"#);
    let (_, body) = app
        .answer("{user(identifier:{obj_id:1}){sum(of:[1,null])}}")
        .await;
    assert!(body.contains("`of` must be of type [Int]"), "{body}");
    let (status, _) = app
        .answer("{user(identifier:{obj_id:1}){sum(of:[1,true])}}")
        .await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn failed_fields_are_null_and_tell_no_more_than_the_author_says() {
    let app = start().await;
    check(
        &app,
        "{user(identifier:{obj_id:1}){greeting name}}",
        r#"{"data":{"user":{"greeting":null,"name":"ann"}},"errors":[{"message":"The argument `word` is missing","locations":[{"line":1,"column":30}],"path":["user","greeting"]}]}"#,
    )
    .await;
    let (_, lines) = app.watched("{user(identifier:{obj_id:1}){refused}}").await;
    assert_eq!(lines.last().unwrap(), "finish");
    let (body, lines) = app.watched("{user(identifier:{obj_id:1}){broken}}").await;
    assert!(body.contains("The database did not answer"), "{body}");
    assert!(!body.contains("secret"), "{body}");
    assert!(!lines.contains(&"finish".to_owned()), "{lines:?}");
}

#[tokio::test]
async fn structs_lists_and_pages_print_as_they_nest() {
    let app = start().await;
    check(
        &app,
        "{game(identifier:{obj_id:1}){scores rows{a} pages(page:2){count items{a __typename}} \
         best{inner{a} marks favourite{obj_id row{name}} __typename}}}",
        r#"{"data":{"game":{"scores":[1,null,3],"rows":[{"a":1},{"a":2}],"pages":{"count":25,"items":[{"a":20,"__typename":"Inner"},{"a":21,"__typename":"Inner"},{"a":22,"__typename":"Inner"},{"a":23,"__typename":"Inner"},{"a":24,"__typename":"Inner"}]},"best":{"inner":{"a":7},"marks":[0.5,"NaN"],"favourite":{"obj_id":1,"row":{"name":"g1"}},"__typename":"Outer"}}}}"#,
    )
    .await;
    check(
        &app,
        "{user(identifier:{obj_id:1}){numbers(upto:7,page:1,size:3){count items} \
         past:numbers(page:-1){count items}}}",
        r#"{"data":{"user":{"numbers":{"count":7,"items":[3,4,5]},"past":{"count":1000,"items":[]}}}}"#,
    )
    .await;
    check(
        &app,
        "{user(identifier:{obj_id:1}){numbers(page:null){count}}}",
        r#"{"data":{"user":{"numbers":null}},"errors":[{"message":"The argument `page` must not be null","locations":[{"line":1,"column":30}],"path":["user","numbers"]}]}"#,
    )
    .await;
}

#[tokio::test]
async fn references_are_read_once_and_only_if_more_than_the_key_is_asked_for() {
    let app = start().await;
    check(
        &app,
        "{game(identifier:{obj_id:1}){stars{obj_id entity modifiers dependencies{obj_id} row{name team{obj_id}}}}}",
        r#"{"data":{"game":{"stars":[{"obj_id":2,"entity":"User","modifiers":"[]","dependencies":[],"row":{"name":"bob","team":null}},{"obj_id":99,"entity":"User","modifiers":"[]","dependencies":[],"row":null},{"obj_id":2,"entity":"User","modifiers":"[]","dependencies":[],"row":{"name":"bob","team":null}},{"obj_id":1,"entity":"User","modifiers":"[]","dependencies":[],"row":{"name":"ann","team":{"obj_id":1}}}]}}}"#,
    )
    .await;
    let keys = "{game(identifier:{obj_id:1}){stars{obj_id}}}";
    assert_eq!(app.statements_of(keys).await.len(), 1);
    let rows = "{game(identifier:{obj_id:1}){stars{row{name}}}}";
    assert_eq!(app.statements_of(rows).await.len(), 2);
    check(
        &app,
        "{user(identifier:{obj_id:1}){latest(page:1,size:2){count items{obj_id row{type}}}}}",
        r#"{"data":{"user":{"latest":{"count":12,"items":[{"obj_id":10,"row":{"type":"kill"}},{"obj_id":9,"row":{"type":"death"}}]}}}}"#,
    )
    .await;
}

#[tokio::test]
async fn what_a_field_says_and_refers_to_is_watched_for_its_root() {
    let app = start().await;
    let (_, lines) = app.watched("{user(identifier:{obj_id:1}){kills}}").await;
    let expected = [
        "begin User 1",
        "declared User 1",
        "derived GameEvent where player_id = 1",
        "finish",
    ];
    assert_eq!(unnumbered(&lines), expected);
    let (_, lines) = app
        .watched("{game(identifier:{obj_id:1}){stars{row{name}}}}")
        .await;
    let expected = [
        "begin Game 1",
        "declared Game 1",
        "derived User 2",
        "derived User 99",
        "derived User 1",
        "finish",
    ];
    assert_eq!(unnumbered(&lines), expected);
}
