//! Fields that are methods of a `Model`: what they take, what they give, what is read for them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use blazelink::graphql::Executor;
use blazelink::table::ArgumentType;
use blazelink::{Access, Rule};
use blazelink::{BlazeContext, FieldError, FieldResult, Page, RowRef, Struct, Viewer, fields};
use sea_orm::prelude::*;
use sea_orm::sea_query::Expr;
use sea_orm::{ExprTrait, FromQueryResult, QueryOrder, QuerySelect};
use std::sync::Arc;

use crate::entities::*;
use crate::support::{App, builder, unnumbered};

/// A struct of every kind of member.
#[derive(Struct)]
pub struct Streak {
    pub best: i64,
    pub marks: Vec<Mark>,
    #[blazelink(name = "in_game")]
    pub game: Option<game::Model>,
    #[blazelink(hide)]
    pub _secret: i32,
}

#[derive(Clone, Debug, Struct)]
pub struct Mark {
    pub note: Option<String>,
    pub r#type: i32,
    pub inner: Vec<Mark>,
}

/// An alias that hides that it is a result.
type Perhaps<T> = Result<T, DbErr>;

#[derive(Debug)]
struct Unhappy;

impl std::fmt::Display for Unhappy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret")
    }
}

impl std::error::Error for Unhappy {}

#[derive(FromQueryResult)]
struct Counted {
    player_id: i32,
    kills: i64,
}

/// Calls of the batched field.
static BATCHES: AtomicUsize = AtomicUsize::new(0);

#[fields]
impl UserFields for user::Model {
    /// Kills, of a kind.
    async fn kills(
        &self,
        cx: &BlazeContext,
        #[arg(default = "kill")] kind: String,
    ) -> Perhaps<u64> {
        let events = game_event::Entity::find()
            .filter(game_event::Column::PlayerId.eq(self.id))
            .filter(game_event::Column::Type.eq(kind));
        events.count(cx).await
    }

    fn shout(&self, times: Option<i32>, #[arg(default = 1 + 1)] marks: i16) -> String {
        let marks = "!".repeat(usize::try_from(marks).unwrap_or(0));
        vec![format!("{}{marks}", self.name); usize::try_from(times.unwrap_or(1)).unwrap_or(0)]
            .join(" ")
    }

    fn own_name(&self) -> &str {
        &self.name
    }

    fn hidden_too(&self) -> Option<String> {
        self.email.clone()
    }

    fn recent(&self, kind: Option<String>) -> Select<game_event::Entity> {
        let events = game_event::Entity::find()
            .filter(game_event::Column::PlayerId.eq(self.id))
            .order_by_desc(game_event::Column::Id);
        match kind {
            Some(kind) => events.filter(game_event::Column::Type.eq(kind)),
            None => events,
        }
    }

    fn last_three(&self) -> FieldResult<Select<game_event::Entity>> {
        Ok(game_event::Entity::find()
            .filter(game_event::Column::PlayerId.eq(self.id))
            .order_by_desc(game_event::Column::Id)
            .limit(3))
    }

    async fn best_friend(&self, cx: &BlazeContext) -> Perhaps<Option<user::Model>> {
        let others = user::Entity::find().filter(user::Column::Id.ne(self.id));
        others.order_by_asc(user::Column::Id).one(cx).await
    }

    async fn others(cx: &BlazeContext) -> Perhaps<Vec<Self>> {
        user::Entity::find().all(cx).await
    }

    fn streak(&self) -> Streak {
        let inner = Mark {
            note: None,
            r#type: 2,
            inner: Vec::new(),
        };
        Streak {
            best: self.score,
            marks: vec![Mark {
                note: Some("x".to_owned()),
                r#type: 1,
                inner: vec![inner],
            }],
            game: Some(game::Model {
                id: 2,
                name: "a lie".to_owned(),
            }),
            _secret: 7,
        }
    }

    fn echo(&self, marks: Vec<Mark>) -> Vec<Mark> {
        marks
    }

    async fn game_named(
        &self,
        game: RowRef<game::Entity>,
        cx: &BlazeContext,
    ) -> FieldResult<String> {
        let found = game::Entity::find_by_id(game.id()?).one(cx).await?;
        Ok(found
            .ok_or_else(|| FieldError::new("There is no such game"))?
            .name)
    }

    #[computed(name = "type")]
    fn kind(&self) -> &'static str {
        "person"
    }

    fn unhappy(&self) -> Result<i32, Unhappy> {
        Err(Unhappy)
    }

    fn panics(&self) -> i32 {
        self.name.parse().unwrap()
    }

    async fn late(&self) -> i32 {
        std::future::pending().await
    }

    fn number() -> i32 {
        42
    }

    fn numbers(&self, upto: i32) -> Page<i32> {
        Page::of((0..upto).collect())
    }

    #[batch]
    async fn total(users: &[user::Model], cx: &BlazeContext) -> FieldResult<HashMap<i32, i64>> {
        BATCHES.fetch_add(1, Ordering::Relaxed);
        let ids = users.iter().map(|user| user.id);
        let counted = game_event::Entity::find()
            .select_only()
            .column(game_event::Column::PlayerId)
            .column_as(Expr::col(game_event::Column::Id).count(), "kills")
            .filter(game_event::Column::PlayerId.is_in(ids))
            .group_by(game_event::Column::PlayerId);
        let counted = counted.into_model::<Counted>().all(cx).await?.into_iter();
        Ok(counted.map(|it| (it.player_id, it.kills)).collect())
    }

    #[batch]
    fn place(users: &[user::Model], #[arg(default = 1)] from: i64) -> Vec<i64> {
        (from..).take(users.len()).collect()
    }
}

async fn start() -> App {
    App::of(builder().extend(UserFields)).await
}

async fn check(app: &App, query: &str, expected: &str) {
    let (status, body) = app.answer(query).await;
    assert_eq!((status, body.as_str()), (200, expected), "{query}");
}

/// The answer to fields of the first user.
async fn of_ann(app: &App, fields: &str, expected: &str) {
    let query = format!("{{user(identifier:{{obj_id:1}}){{{fields}}}}}");
    let expected = format!("{{\"data\":{{\"user\":{{{expected}}}}}}}");
    check(app, &query, &expected).await;
}

#[tokio::test]
async fn methods_are_fields_with_typed_arguments() {
    let app = start().await;
    of_ann(&app, "kills d:kills(kind:\"death\")", r#""kills":6,"d":6"#).await;
    of_ann(
        &app,
        "shout(times:2) loud:shout(marks:4) own_name hidden_too number type",
        r#""shout":"ann!! ann!!","loud":"ann!!!!","own_name":"ann","hidden_too":"a@x","number":42,"type":"person""#,
    )
    .await;
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    for expected in [
        "\tkills(kind: String = \"kill\"): BigInt\n",
        "\tshout(times: Int, marks: Int = 2): String\n",
        "\trecent(kind: String, page: Int, size: Int): GenericHelper__Page__GameEventTable\n",
        "\tbest_friend: UserRef\n",
        "\tothers: [UserRef]\n",
        "\techo(marks: [MarkInput]): [Mark]\n",
        "\tgame_named(game: Key): String\n",
        "\ttotal: BigInt\n",
        "type Streak {\n\tbest: BigInt\n\tmarks: [Mark]\n\tin_game: GameRef\n}",
        "input MarkInput {\n\tnote: String\n\ttype: Int\n\tinner: [MarkInput]\n}",
    ] {
        assert!(sdl.contains(expected), "{expected}\n{sdl}");
    }
}

#[tokio::test]
async fn a_method_is_still_a_method() {
    let user = user::Model {
        id: 1,
        name: "ann".to_owned(),
        email: None,
        team_id: None,
        score: 3,
    };
    assert_eq!(user.shout(None, 1), "ann!");
    assert_eq!(user.own_name(), "ann");
    let context = BlazeContext::anonymous();
    assert!(user.kills(&context, "kill".to_owned()).await.is_err());
}

#[tokio::test]
async fn a_select_pages_by_itself() {
    let app = start().await;
    of_ann(
        &app,
        "recent(page:1,size:2){count items{obj_id row{type}}}",
        r#""recent":{"count":12,"items":[{"obj_id":10,"row":{"type":"kill"}},{"obj_id":9,"row":{"type":"death"}}]}"#,
    )
    .await;
    of_ann(
        &app,
        "recent(kind:\"kill\",page:9){count items{obj_id}} last_three(page:1,size:2){count items{obj_id}}",
        r#""recent":{"count":6,"items":[]},"last_three":{"count":3,"items":[{"obj_id":10}]}"#,
    )
    .await;
    let keys = "{user(identifier:{obj_id:1}){recent(size:2){items{obj_id}}}}";
    let statements = app.statements_of(keys).await;
    assert_eq!(statements.len(), 3, "{statements:#?}");
    assert!(statements[2].contains("LIMIT"), "{statements:#?}");
    let count = "{user(identifier:{obj_id:1}){recent{count}}}";
    let statements = app.statements_of(count).await;
    assert_eq!(statements.len(), 3, "{statements:#?}");
    assert!(!statements[2].contains("ORDER BY"), "{statements:#?}");
}

#[tokio::test]
async fn entities_are_read_again_by_their_keys() {
    let app = start().await;
    of_ann(
        &app,
        "best_friend{obj_id row{name}} streak{best marks{note type inner{type}} in_game{obj_id row{name}}}",
        r#""best_friend":{"obj_id":2,"row":{"name":"bob"}},"streak":{"best":10,"marks":[{"note":"x","type":1,"inner":[{"type":2}]}],"in_game":{"obj_id":2,"row":{"name":"g2"}}}"#,
    )
    .await;
    check(
        &app,
        "{users{items{row{best_friend{row{name}}}}}}",
        r#"{"data":{"users":{"items":[{"row":{"best_friend":{"row":{"name":"bob"}}}},{"row":{"best_friend":{"row":{"name":"ann"}}}},{"row":{"best_friend":{"row":{"name":"ann"}}}}]}}}"#,
    )
    .await;
    // The page, its rows typed, one read of each row's friend, and all friends again.
    let statements = app
        .statements_of("{users{items{row{best_friend{row{name}}}}}}")
        .await;
    assert_eq!(statements.len(), 1 + 1 + 3 + 1, "{statements:#?}");
}

#[tokio::test]
async fn structs_and_keys_are_arguments() {
    let app = start().await;
    of_ann(
        &app,
        "echo(marks:[{type:3,inner:[{type:4,note:\"y\",inner:[]}]}]){note type inner{note type}} game_named(game:2)",
        r#""echo":[{"note":null,"type":3,"inner":[{"note":"y","type":4}]}],"game_named":"g2""#,
    )
    .await;
    let query = "query($m:[MarkInput],$g:Int){user(identifier:{obj_id:1}){echo(marks:$m){type} game_named(game:$g)}}";
    let variables = serde_json::json!({"m": [{"type": 1, "inner": []}], "g": 1});
    let (_, body) = app.with(query, variables).await;
    assert_eq!(
        body,
        r#"{"data":{"user":{"echo":[{"type":1}],"game_named":"g1"}}}"#
    );
    for (fields, message) in [
        (
            "echo(marks:[{type:3}]){type}",
            "`marks` must be of type [MarkInput]",
        ),
        ("game_named(game:\\\"x\\\")", "`game` must be of type Key"),
        ("echo(marks:[{type:true,inner:[]}]){type}", "Int"),
        ("game_named(game:9)", "There is no such game"),
        ("game_named", "`game` is missing"),
    ] {
        let fields = fields.replace("\\\"", "\"");
        let (status, body) = app
            .answer(&format!("{{user(identifier:{{obj_id:1}}){{{fields}}}}}"))
            .await;
        assert!([200, 400].contains(&status), "{body}");
        assert!(body.contains(message), "{message}\n{body}");
    }
}

#[tokio::test]
async fn a_batch_is_one_call_for_all_siblings() {
    let app = start().await;
    let before = BATCHES.load(Ordering::Relaxed);
    check(
        &app,
        "{users{items{row{total place(from:5)}}}}",
        r#"{"data":{"users":{"items":[{"row":{"total":12,"place":5}},{"row":{"total":1,"place":6}},{"row":{"total":null,"place":7}}]}}}"#,
    )
    .await;
    assert_eq!(BATCHES.load(Ordering::Relaxed) - before, 1);
    // The page, its rows typed for both fields, the batch's own.
    let statements = app.statements_of("{users{items{row{total place}}}}").await;
    assert_eq!(statements.len(), 3, "{statements:#?}");
}

#[tokio::test]
async fn a_row_is_read_as_its_model_only_for_a_field_that_needs_it() {
    let app = start().await;
    let statements = app.statements_of("{users{items{row{number name}}}}").await;
    assert_eq!(statements.len(), 1, "{statements:#?}");
}

#[tokio::test]
async fn what_a_field_reads_is_watched() {
    let app = start().await;
    let (_, lines) = app.watched("{user(identifier:{obj_id:1}){kills}}").await;
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("derived GameEvent")),
        "{lines:?}"
    );
    assert_eq!(lines.last().unwrap(), "finish");
    let (_, lines) = app
        .watched("{user(identifier:{obj_id:1}){recent{items{obj_id}}}}")
        .await;
    assert!(
        unnumbered(&lines)
            .iter()
            .any(|line| line.starts_with("derived GameEvent")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn fields_that_fail_fail_alone() {
    let app = start().await;
    let (_, body) = app
        .answer("{user(identifier:{obj_id:1}){unhappy name}}")
        .await;
    assert!(
        body.starts_with(r#"{"data":{"user":{"unhappy":null,"name":"ann"}}"#),
        "{body}"
    );
    assert!(body.contains("The field could not be computed"), "{body}");
    assert!(!body.contains("secret"), "{body}");
}

#[tokio::test]
async fn a_field_that_panics_fails_alone_and_stays_watched() {
    let app = start().await;
    let (body, lines) = app
        .watched("{user(identifier:{obj_id:1}){panics name}}")
        .await;
    assert!(
        body.starts_with(r#"{"data":{"user":{"panics":null,"name":"ann"}}"#),
        "{body}"
    );
    assert!(!body.contains("unwrap"), "{body}");
    assert_eq!(lines.last().unwrap(), "finish");
}

#[tokio::test]
async fn a_field_that_takes_too_long_fails_alone() {
    let mut app = start().await;
    let executor = Executor::new(Arc::clone(&app.manager), app.database.clone()).unwrap();
    app.executor = executor.with_field_timeout(Duration::from_millis(20));
    let (body, lines) = app
        .watched("{user(identifier:{obj_id:1}){late name}}")
        .await;
    assert!(
        body.starts_with(r#"{"data":{"user":{"late":null,"name":"ann"}}"#),
        "{body}"
    );
    assert!(body.contains("The field took too long"), "{body}");
    assert!(!lines.contains(&"finish".to_owned()), "{lines:?}");
}

#[fields]
impl KindsFields for kinds::Model {
    fn half(&self) -> Option<f64> {
        self.c_float8.map(|number| number / 2.0)
    }
}

#[tokio::test]
async fn a_value_that_its_rust_type_cannot_hold_fails_the_field_and_names_the_column() {
    let app = App::of(builder().extend(KindsFields)).await;
    app.sql("INSERT INTO kinds (id, c_float8, c_numeric) VALUES (1, 3, 1), (2, 5, 'NaN')")
        .await;
    let (_, body) = app.answer("{kindsPage{items{row{id half}}}}").await;
    assert!(
        body.contains(r#"{"row":{"id":1,"half":1.5}},{"row":{"id":2,"half":null}}"#),
        "{body}"
    );
    assert!(
        body.contains("The column `c_numeric` holds what its Rust type cannot"),
        "{body}"
    );
}

fn of_own_team(viewer: &Viewer) -> Access {
    match viewer.get::<i32>() {
        Some(&team) => Access::rows(Rule::eq(user::Column::TeamId, team)),
        None => Access::none(),
    }
}

#[fields(hide(body), read = everything, on_subscribe = on_sundays)]
impl NoteFields for note::Model {}

fn everything(_: &Viewer) -> Access {
    Access::all()
}

#[allow(clippy::unused_async)]
async fn on_sundays(_: &BlazeContext, _: &blazelink::object_id::ObjectId) -> FieldResult<()> {
    Err(FieldError::new("Only on Sundays"))
}

#[fields(read = of_own_team)]
impl GuardedFields for user::Model {}

#[fields]
impl TeamFields for team::Model {
    fn everybody() -> Select<user::Entity> {
        user::Entity::find()
    }

    async fn first(&self, cx: &BlazeContext) -> Perhaps<Vec<user::Model>> {
        user::Entity::find()
            .order_by_asc(user::Column::Id)
            .all(cx)
            .await
    }
}

#[tokio::test]
async fn fields_give_only_rows_that_their_reader_sees() {
    let app = App::of(builder().extend(GuardedFields).extend(TeamFields)).await;
    let query =
        "{team(identifier:{obj_id:1}){everybody{count items{obj_id row{name}}} first{row{name}}}}";
    let answer = |viewer: Viewer| {
        let (app, context) = (&app, BlazeContext::new(viewer));
        async move {
            let request = blazelink::graphql::Request::new(query);
            let unwatched = blazelink::subscription::Unwatched;
            let response = app.executor.execute(request, &context, &unwatched).await;
            crate::support::read(&response).1
        }
    };
    assert_eq!(
        answer(Viewer::new(1_i32)).await,
        r#"{"data":{"team":{"everybody":{"count":1,"items":[{"obj_id":1,"row":{"name":"ann"}}]},"first":[{"row":{"name":"ann"}}]}}}"#
    );
    assert_eq!(
        answer(Viewer::anonymous()).await,
        r#"{"data":{"team":{"everybody":{"count":0,"items":[]},"first":[]}}}"#
    );
}

#[tokio::test]
async fn extensions_hide_and_ask_before_anything_is_watched() {
    let app = App::of(builder().extend(NoteFields)).await;
    let (status, _) = app.answer("{memos{items{row{body}}}}").await;
    assert_eq!(status, 400);
    let id = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
    let query = format!("{{memo(identifier:{{obj_id:\"{id}\"}}){{id}}}}");
    // Without a session nothing is watched, so nobody is asked.
    check(
        &app,
        &query,
        &format!("{{\"data\":{{\"memo\":{{\"id\":\"{id}\"}}}}}}"),
    )
    .await;
    let (body, lines) = app.watched(&query).await;
    assert!(body.contains("Only on Sundays"), "{body}");
    assert!(lines.is_empty(), "{lines:?}");
}

#[test]
fn an_extension_that_is_found_and_given_counts_once() {
    let found = builder()
        .discover("graphql::fields")
        .extend(TeamFields)
        .extend(TeamFields);
    let manager = found.build().unwrap();
    let sdl = blazelink::graphql::sdl(&manager).unwrap();
    assert_eq!(sdl.matches("everybody(").count(), 1);
}

#[tokio::test]
async fn defaults_are_written_as_graphql_writes_them() {
    let mark = Mark {
        note: None,
        r#type: 1,
        inner: Vec::new(),
    };
    assert_eq!(
        mark.to_value().to_string(),
        "{note: null, type: 1, inner: []}"
    );
}
