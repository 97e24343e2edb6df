//! What computed fields read through their context: it is answered, watched, and only read.

use std::cell::Cell;
use std::sync::Mutex;

use blazelink::BlazeContext;
use blazelink::object_id::{Atom, Key};
use blazelink::subscription::{Dependency, Residual};
use blazelink::table::{Call, Extension, Field, FieldError};
use sea_orm::prelude::*;
use sea_orm::{ActiveValue, Condition, ConnectionTrait, DbBackend, LoaderTrait, Statement};

use crate::entities::*;
use crate::support::{App, builder, unnumbered};

/// A context that has outlived its call.
static KEPT: Mutex<Option<BlazeContext>> = Mutex::new(None);

async fn kills(call: Call<'_>) -> Result<i64, FieldError> {
    let id: i32 = call.value(user::Column::Id)?;
    let kills = game_event::Entity::find()
        .filter(game_event::Column::PlayerId.eq(id))
        .filter(game_event::Column::Type.eq("kill"));
    Ok(kills.count(call.context()).await?.try_into().unwrap_or(0))
}

fn kept(call: &Call<'_>) -> Result<bool, FieldError> {
    *KEPT.lock().unwrap() = Some(call.context().clone());
    Ok(true)
}

/// The number of rows that a statement gives.
async fn sql(call: Call<'_>) -> Result<i32, FieldError> {
    let text: String = call.argument("text")?;
    let statement = Statement::from_string(DbBackend::Postgres, text);
    let rows = call.context().query_all_raw(statement).await?;
    Ok(rows.len().try_into().unwrap_or(0))
}

/// What an author writes with SeaORM, by number.
async fn written(call: Call<'_>) -> Result<i32, FieldError> {
    let cx = call.context();
    let events = game_event::Entity::find;
    match call.argument::<i32>("number")? {
        0 => drop(user::Entity::find_by_id(1).one(cx).await?),
        1 => drop(
            events()
                .filter(game_event::Column::PlayerId.eq(1))
                .filter(game_event::Column::Type.eq("kill"))
                .count(cx)
                .await?,
        ),
        2 => drop(
            events()
                .filter(game_event::Column::PlayerId.eq(1))
                .paginate(cx, 5)
                .fetch_page(0)
                .await?,
        ),
        3 => drop(
            events()
                .filter(game_event::Column::GameId.gt(1))
                .filter(game_event::Column::PlayerId.eq(2))
                .all(cx)
                .await?,
        ),
        4 => drop(
            events()
                .filter(game_event::Column::PlayerId.is_in([1, 2]))
                .all(cx)
                .await?,
        ),
        5 => drop(
            events()
                .filter(game_event::Column::PlayerId.eq_any([1, 2]))
                .all(cx)
                .await?,
        ),
        6 => {
            let any = Condition::any()
                .add(game_event::Column::PlayerId.eq(1))
                .add(game_event::Column::GameId.eq(2));
            drop(events().filter(any).all(cx).await?);
        }
        7 => drop(
            events()
                .filter(game_event::Column::PlayerId.eq(3))
                .find_also_related(user::Entity)
                .all(cx)
                .await?,
        ),
        8 => {
            let key = (1_i64, "S1".to_owned());
            drop(stock::Entity::find_by_id(key).one(cx).await?);
        }
        9 => drop(
            user_tag::Entity::find()
                .filter(user_tag::Column::UserId.eq(1))
                .all(cx)
                .await?,
        ),
        10 => {
            let users = user::Entity::find()
                .filter(user::Column::Id.is_in([1, 2]))
                .all(cx)
                .await?;
            drop(users.load_many(game_event::Entity, cx).await?);
        }
        _ => return Err(FieldError::new("no such number")),
    }
    Ok(0)
}

fn of_user() -> Vec<Field> {
    vec![
        Field::reading("kills", |call| Box::pin(kills(call))),
        Field::new("kept", kept),
        Field::reading("sql", |call| Box::pin(sql(call))).argument::<String>("text"),
        Field::reading("writes", |call| Box::pin(writes(call))),
        Field::reading("written", |call| Box::pin(written(call))).argument::<i32>("number"),
    ]
}

/// Reads all events, whatever it says of itself.
async fn says(call: Call<'_>) -> Result<i64, FieldError> {
    Ok(game_event::Entity::find()
        .count(call.context())
        .await?
        .try_into()
        .unwrap_or(0))
}

fn declared(on: &'static str) -> Field {
    Field::reading("says", |call| Box::pin(says(call)))
        .argument::<String>("kind")
        .depends_on(on)
}

thread_local! {
    /// What the next field says of itself: fields are made by functions.
    static SAID: Cell<&'static str> = const { Cell::new("") };
}

fn set(on: &'static str) {
    SAID.set(on);
}

fn get() -> &'static str {
    SAID.get()
}

async fn writes(call: Call<'_>) -> Result<bool, FieldError> {
    let new = tag::ActiveModel {
        id: ActiveValue::Set(77),
        label: ActiveValue::Set("x".to_owned()),
    };
    new.insert(call.context()).await?;
    Ok(true)
}

async fn start() -> App {
    App::of(builder().extend(Extension::of::<user::Entity>(of_user))).await
}

#[tokio::test]
async fn a_field_that_counts_through_its_context_is_watched_without_a_declaration() {
    let app = start().await;
    let (body, lines) = app.watched("{user(identifier:{obj_id:1}){kills}}").await;
    assert_eq!(body, r#"{"data":{"user":{"kills":6}}}"#);
    let expected = [
        "begin User 1",
        "declared User 1",
        "derived GameEvent where player_id = 1 and type = kill",
        "finish",
    ];
    assert_eq!(unnumbered(&lines), expected);
}

#[tokio::test]
async fn a_context_outside_of_a_call_reads_nothing_and_says_so() {
    let app = start().await;
    let (status, _) = app.answer("{user(identifier:{obj_id:1}){kept}}").await;
    assert_eq!(status, 200);
    let kept = KEPT.lock().unwrap().take().unwrap();
    for context in [BlazeContext::anonymous(), kept] {
        let error = user::Entity::find().count(&context).await.unwrap_err();
        assert!(error.to_string().contains("during the call"), "{error}");
    }
}

#[tokio::test]
async fn a_context_does_not_write() {
    let refused = BlazeContext::anonymous()
        .execute_unprepared("DELETE FROM tag")
        .await;
    assert!(refused.unwrap_err().to_string().contains("only reads"));
}

/// What is captured for a query, without what its root declares.
async fn captured(app: &App, field: &str) -> String {
    let (body, lines) = app
        .watched(&format!("{{user(identifier:{{obj_id:1}}){{{field}}}}}"))
        .await;
    let derived = lines
        .iter()
        .filter_map(|line| line.strip_prefix("derived "));
    let derived: Vec<&str> = derived.collect();
    assert_eq!(lines.last().unwrap(), "finish", "{field} {body}");
    derived.join(", ")
}

#[tokio::test]
async fn what_seaorm_sends_is_narrowed_to_the_rows_that_count() {
    let app = start().await;
    for (number, expected) in [
        "User 1",
        "GameEvent where player_id = 1 and type = kill",
        "GameEvent where player_id = 1",
        "GameEvent where player_id = 2",
        "GameEvent where player_id = 1, GameEvent where player_id = 2",
        "GameEvent where player_id = 1, GameEvent where player_id = 2",
        "GameEvent",
        "GameEvent where player_id = 3, User 3",
        "Stock [1,\"S1\"]",
        "UserTag where user_id = 1",
        "User 1, User 2, GameEvent where player_id = 1, GameEvent where player_id = 2",
    ]
    .into_iter()
    .enumerate()
    {
        let found = captured(&app, &format!("written(number:{number})")).await;
        assert_eq!(found, expected, "{number}");
    }
}

#[tokio::test]
async fn a_text_is_narrowed_as_far_as_it_is_understood() {
    let app = start().await;
    app.sql("CREATE VIEW kills AS SELECT * FROM game_event WHERE type = 'kill'")
        .await;
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("SELECT 1", ""),
        ("SELECT now()", ""),
        ("SELECT * FROM game_event", "GameEvent"),
        ("TABLE game_event", "everything"),
        (
            "SELECT * FROM public.game_event e WHERE e.player_id = 7",
            "GameEvent where player_id = 7",
        ),
        (
            "SELECT * FROM game_event WHERE player_id = 7 OR player_id = 8",
            "GameEvent where player_id = 7, GameEvent where player_id = 8",
        ),
        (
            "SELECT * FROM \"user\" WHERE lower(name) = 'x' AND NOT (id = 1)",
            "User",
        ),
        (
            "SELECT * FROM \"user\" WHERE id IN (SELECT player_id FROM game_event WHERE type = 'kill')",
            "User, GameEvent where type = kill",
        ),
        (
            "WITH t AS (SELECT * FROM \"user\" WHERE team_id = 4) SELECT * FROM t",
            "User where team_id = 4",
        ),
        (
            "SELECT * FROM game_event a, game_event b WHERE a.player_id = 1 AND a.type < b.type",
            "GameEvent",
        ),
        (
            "SELECT * FROM game_event a JOIN \"user\" u ON u.id = a.player_id WHERE a.player_id = 7",
            "GameEvent where player_id = 7, User 7",
        ),
        (
            "SELECT * FROM game_event a LEFT JOIN \"user\" u ON u.id = a.player_id WHERE a.player_id = 7",
            "GameEvent where player_id = 7, User 7",
        ),
        (
            "SELECT * FROM game_event a RIGHT JOIN \"user\" u ON u.id = a.player_id AND a.player_id = 7",
            "GameEvent, User",
        ),
        (
            "SELECT * FROM tag WHERE EXISTS (SELECT 1 FROM game WHERE name = 'g1')",
            "Tag, Game where name = g1",
        ),
        (
            "SELECT id FROM tag WHERE id = 1 UNION SELECT id FROM game WHERE id = 2",
            "Tag 1, Game 2",
        ),
        (
            "SELECT (SELECT count(*) FROM tag) FROM game ORDER BY (SELECT 1 FROM team WHERE id = 3)",
            "Game, Tag, Team 3",
        ),
        (
            "SELECT * FROM user_tag WHERE (user_id, tag_id) IN ((1, 2), (3, 4))",
            "UserTag [1,2], UserTag [1,4], UserTag [3,2], UserTag [3,4]",
        ),
        (
            "SELECT * FROM game_event WHERE player_id = ANY (ARRAY[5, 6])",
            "GameEvent where player_id = 5, GameEvent where player_id = 6",
        ),
        (
            "SELECT * FROM game_event AS e(a, b, player_id) WHERE player_id = 1",
            "GameEvent",
        ),
        (
            "SELECT * FROM game_event TABLESAMPLE system (50) WHERE player_id = 1",
            "GameEvent",
        ),
        ("SELECT * FROM \"user\" WHERE id = '01'", "User"),
        ("SELECT * FROM \"user\" WHERE id = '1'::int", "User"),
        ("SELECT * FROM label WHERE code = 'red'", "Label"),
        ("SELECT * FROM kinds WHERE c_numeric = 1", "Kinds"),
        (
            "SELECT * FROM kinds WHERE c_mood = 'sad'::mood",
            "Kinds where c_mood = sad",
        ),
        (
            "SELECT * FROM kinds WHERE c_bool AND c_date = '2024-02-29'",
            "Kinds where c_date = 2024-02-29 and c_bool = t",
        ),
        (
            "SELECT * FROM game_event WHERE type IN ('kill', 'join') AND player_id = 7 AND game_id = 2",
            "GameEvent where player_id = 7 and type = join|kill and game_id = 2",
        ),
        (
            "SELECT * FROM game_event WHERE player_id IN (7, 8) AND type = 'kill'",
            "GameEvent where player_id = 7 and type = kill, \
             GameEvent where player_id = 8 and type = kill",
        ),
        (
            "SELECT * FROM game_event WHERE player_id = 7 AND type > 'a' AND type = 'kill'",
            "GameEvent where player_id = 7 and type = kill",
        ),
        (
            "SELECT * FROM game_event WHERE player_id = 7 AND type = 'kill'::text",
            "GameEvent where player_id = 7",
        ),
        (
            "SELECT * FROM \"user\" WHERE score = 5 AND team_id = 1",
            "User where team_id = 1 and score = 5",
        ),
        (
            "SELECT * FROM kinds WHERE NOT c_bool",
            "Kinds where c_bool = f",
        ),
        ("SELECT * FROM generate_series(1, 3)", ""),
        ("SELECT pg_sleep(0)", "everything"),
        (
            "SELECT query_to_xml('select * from tag', true, true, '')",
            "everything",
        ),
        ("SELECT * FROM kills", "everything"),
    ] {
        let text = serde_json::to_string(text).unwrap();
        let found = captured(&app, &format!("sql(text:{text})")).await;
        if found != expected {
            wrong.push(format!("{text}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn statements_that_write_or_change_settings_are_not_sent() {
    let app = start().await;
    let (body, lines) = app.watched("{user(identifier:{obj_id:1}){writes}}").await;
    assert!(body.contains("errors"), "{body}");
    assert!(!lines.contains(&"finish".to_owned()), "{lines:?}");
    for text in [
        "DELETE FROM tag",
        "WITH gone AS (DELETE FROM tag RETURNING id) SELECT * FROM gone",
        "SELECT * INTO copied FROM tag",
        "SET default_transaction_read_only = off",
        "BEGIN READ WRITE",
        "SELECT 1; DELETE FROM tag",
        "SELECT set_config('default_transaction_read_only', 'off', false)",
        "SELECT pg_catalog.\\\"set_config\\\"('transaction_read_only', 'off', false)",
        "EXPLAIN ANALYZE SELECT 1",
        "COPY tag TO STDOUT",
        "LISTEN x",
    ] {
        app.statements.lock().unwrap().clear();
        let query = format!("{{user(identifier:{{obj_id:1}}){{sql(text:\"{text}\")}}}}");
        let (_, body) = app.answer(&query).await;
        assert!(body.contains("errors"), "{text}: {body}");
        let sent = app.statements.lock().unwrap().len();
        assert_eq!(sent, 1, "the root's row only: {text}");
    }
    assert_eq!(tag::Entity::find().count(&app.database).await.unwrap(), 2);
}

#[tokio::test]
async fn a_field_that_says_what_it_depends_on_is_not_looked_at() {
    for (on, asked, expected) in [
        ("", "says", ""),
        ("team", "says", "Team"),
        (
            "game_event(player_id = id)",
            "says",
            "GameEvent where player_id = 1",
        ),
        (
            "game_event(player_id = id, type = 'kill'), Team(id = team_id)",
            "says",
            "GameEvent where player_id = 1 and type = kill, Team 1",
        ),
        (
            "game_event(type = kind)",
            "says(kind:\"kill\")",
            "GameEvent where type = kill",
        ),
        ("game_event(type = kind)", "says", "GameEvent"),
        ("label(code = 'x')", "says", "Label"),
        ("game_event(player_id = 'x')", "says", "GameEvent"),
    ] {
        set(on);
        let app =
            App::of(builder().extend(Extension::of::<user::Entity>(|| vec![declared(get())])));
        let app = app.await;
        assert_eq!(captured(&app, asked).await, expected, "{on}");
    }
    let fields = || vec![declared("team(id = team_id)")];
    let app = App::of(builder().extend(Extension::of::<user::Entity>(fields))).await;
    let (_, lines) = app.watched("{user(identifier:{obj_id:2}){says}}").await;
    let expected = ["begin User 2", "declared User 2", "finish"];
    assert_eq!(unnumbered(&lines), expected, "the column is null");
}

#[test]
fn what_a_field_says_wrongly_is_refused_at_the_start() {
    for (on, wrong) in [
        (
            "game_evnt(player_id = id)",
            "`game_evnt`, which is no exposed table",
        ),
        (
            "game_event(player = id)",
            "`player`, which is no column of `game_event`",
        ),
        (
            "game_event(player_id = ix)",
            "`ix`, which is neither a column nor an argument",
        ),
        ("game_event(player_id = id", "lacks a `)` at its end"),
    ] {
        set(on);
        let error = builder()
            .extend(Extension::of::<user::Entity>(|| vec![declared(get())]))
            .build()
            .unwrap_err();
        assert!(error.to_string().contains(wrong), "{error}");
        assert!(error.to_string().contains("`User.says`"), "{error}");
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("kind = 'kill'")),
            "{error}"
        );
    }
}

const MORE: &str = "
CREATE TABLE audit (id int);
CREATE TABLE game_kept () INHERITS (game);
CREATE MATERIALIZED VIEW frozen AS SELECT * FROM team;
CREATE VIEW kills AS SELECT * FROM game_event WHERE type = 'kill';
CREATE VIEW killers AS SELECT u.* FROM \"user\" u WHERE EXISTS (SELECT FROM kills k WHERE k.player_id = u.id);
CREATE VIEW audited AS SELECT a.id, t.label FROM audit a JOIN tag t USING (id);
CREATE FUNCTION all_tags() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM tag';
CREATE VIEW counted AS SELECT all_tags() AS tags;
CREATE VIEW asked AS SELECT query_to_xml('SELECT * FROM tag', true, true, '') AS tags;
CREATE FUNCTION lower(int) RETURNS text LANGUAGE sql AS 'SELECT name FROM game WHERE id = $1';
CREATE SCHEMA archive;
CREATE TABLE archive.tag (id int, label text);
CREATE VIEW archive.team AS SELECT * FROM tag;
CREATE DOMAIN known AS int CHECK (all_tags() > VALUE);
ALTER TABLE profile ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON profile USING (user_id IN (SELECT id FROM \"user\" WHERE score > 0));
";

#[tokio::test]
async fn names_lead_to_the_tables_that_are_read_in_the_end() {
    let builder = builder().extend(Extension::of::<user::Entity>(of_user));
    let app = App::with_more(builder, MORE).await;
    let mut wrong = Vec::new();
    for (text, expected) in [
        ("SELECT * FROM kills WHERE player_id = 1", "GameEvent"),
        ("SELECT * FROM killers", "GameEvent, User"),
        ("SELECT * FROM game WHERE id = 1", "Game 1"),
        ("SELECT * FROM archive.team", "Tag"),
        ("SELECT * FROM archive.tag WHERE id = 1", ""),
        ("SELECT * FROM public.tag WHERE id = 1", "Tag 1"),
        ("SELECT * FROM audit", ""),
        ("SELECT * FROM audited", "Tag"),
        ("SELECT * FROM frozen", ""),
        ("SELECT oid FROM pg_class WHERE relname = 'x'", ""),
        ("SELECT 1 FROM information_schema.tables", ""),
        ("SELECT * FROM profile WHERE id = 1", "Profile 1, User"),
        ("SELECT * FROM counted", "everything"),
        ("SELECT * FROM asked", "everything"),
        ("SELECT all_tags()", "everything"),
        ("SELECT lower(label) FROM tag WHERE id = 1", "everything"),
        (
            "SELECT pg_catalog.lower(label) FROM tag WHERE id = 1",
            "Tag 1",
        ),
        (
            "SELECT * FROM tag WHERE id = 1 AND 0::known = 0",
            "everything",
        ),
        (
            "WITH game AS (SELECT * FROM tag WHERE id = 3) SELECT * FROM game WHERE id = 3",
            "Tag 3, Game",
        ),
    ] {
        let text = serde_json::to_string(text).unwrap();
        let found = captured(&app, &format!("sql(text:{text})")).await;
        if found != expected {
            wrong.push(format!("{text}: {found}, not {expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn dependencies_are_told_in_words_that_hold_no_values_but_keys() {
    let app = start().await;
    let table = |entity: &str| {
        let mut tables = app.manager.tables().iter();
        tables.find(|table| table.entity == entity).unwrap()
    };
    let position = |entity: &str, column: &str| {
        let table = table(entity);
        let column = table.column(column).unwrap();
        table.columns[column].exposed.unwrap()
    };
    let equal = |entity: &str, column: &str, value: Atom| {
        Dependency::equal(table(entity).id, position(entity, column), value)
    };
    let ints = |numbers: &[i64]| numbers.iter().copied().map(Atom::Int).collect();
    let narrowed = Dependency::Equal {
        table: table("GameEvent").id,
        column: position("GameEvent", "player_id"),
        value: Atom::Int(17),
        residual: Residual::of([
            (position("GameEvent", "game_id"), ints(&[4, 3])),
            (
                position("GameEvent", "type"),
                vec![Atom::Text("kill".into())],
            ),
        ]),
    };
    let stock = Key::Many(Box::new([Atom::Int(1), Atom::Text("S1".into())]));
    for (dependency, words) in [
        (Dependency::Everything, "everything"),
        (Dependency::Table(table("GameEvent").id), "GameEvent"),
        (Dependency::Row(table("User").id, Key::from(17)), "User 17"),
        (Dependency::Row(table("Stock").id, stock), "Stock 1 S1"),
        (
            equal("GameEvent", "player_id", Atom::Int(17)),
            "GameEvent where player_id = 17",
        ),
        (
            narrowed,
            "GameEvent where player_id = 17 and type = .. and game_id in (3, 4)",
        ),
        (
            equal("User", "name", Atom::Text("ann".into())),
            "User where name = ..",
        ),
    ] {
        assert_eq!(app.manager.in_words(&dependency), words);
    }
}
