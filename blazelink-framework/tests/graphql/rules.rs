//! Rules against Postgres: what a rule says of a row's image is what its SQL says of the row.

use blazelink::change::Row;
use blazelink::visibility::Sight;
use blazelink::{Access, Rule, data};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::prelude::Uuid;
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, QueryFilter, QuerySelect, QueryTrait};
use sea_orm::{Statement, Value};

use crate::entities::kinds::{Column, Entity};
use crate::entities::{tag, user};
use crate::support::{App, builder};

const ROWS: &str = "\
    INSERT INTO kinds (id, c_int2, c_int8, c_bool, c_text, c_varchar, c_char, c_mood, c_domain, \
                       c_uuid, c_date) \
    SELECT n, CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 END, \
           CASE n % 4 WHEN 0 THEN NULL WHEN 1 THEN 9007199254740993 ELSE n % 4 END, \
           CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 = 1 END, \
           (ARRAY[NULL, '', 'a', 'A', 'a '])[1 + n % 5], (ARRAY[NULL, 'a', 'ab'])[1 + n % 3], \
           (ARRAY[NULL, 'a', 'ab '])[1 + n % 3], (ARRAY[NULL, 'sad', 'very happy']::mood[])[1 + n % 3], \
           CASE n % 3 WHEN 0 THEN NULL ELSE n % 3 END, \
           (ARRAY[NULL, '00000000-0000-0000-0000-00000000000a']::uuid[])[1 + n % 2], \
           (ARRAY[NULL, '2024-02-29']::date[])[1 + n % 2] \
    FROM generate_series(1, 60) AS n";

/// A column that rules compare, and a value of its type that may or may not be there.
fn compared(random: &mut StdRng) -> (Column, Value) {
    let pick = random.random_range(0..5_i64);
    let text = |texts: [&str; 5]| Value::from(texts[pick as usize]);
    match random.random_range(0..10) {
        0 => (Column::Id, Value::from(pick * 10)),
        1 => (Column::CInt2, Value::from(100_000 * (pick / 3) + pick)),
        2 => (Column::CInt8, Value::from(9_007_199_254_740_990 + pick)),
        3 => (Column::CBool, Value::from(pick % 2 == 0)),
        4 => (Column::CText, text(["", "a", "A", "a ", "b"])),
        5 => (Column::CVarchar, text(["a", "ab", "ab ", "abc", ""])),
        6 => (Column::CChar, text(["a", "ab", "ab ", "abcdefgh", ""])),
        7 => (
            Column::CMood,
            text(["sad", "very happy", "none", "", "SAD"]),
        ),
        8 => (
            Column::CDate,
            text(["2024-02-29", "2024-2-29", "", "x", "2024-03-01"]),
        ),
        _ if pick == 0 => (Column::CUuid, Value::Uuid(None)),
        _ => (
            Column::CUuid,
            Value::from(Uuid::from_u128(10 * (pick as u128 % 2))),
        ),
    }
}

fn rule(random: &mut StdRng, depth: u32) -> Rule {
    let deeper = if depth == 0 { 0 } else { 4 };
    match random.random_range(0..5 + deeper) {
        0 => Rule::all(),
        1 => Rule::none(),
        2 => Rule::is_null(compared(random).0),
        3 => {
            let (column, value) = compared(random);
            Rule::eq(column, value)
        }
        4 => {
            let (column, first) = compared(random);
            let nothing = Value::String(None);
            let all = [first.clone(), nothing, first];
            let from = random.random_range(0..4);
            Rule::is_in(column, all.into_iter().skip(from))
        }
        5 => !rule(random, depth - 1),
        6 => rule(random, depth - 1).and(rule(random, depth - 1)),
        _ => rule(random, depth - 1).or(rule(random, depth - 1)),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_means_of_a_row_what_postgres_says_of_it() {
    let app = App::start().await;
    app.sql("DELETE FROM kinds").await;
    app.sql(ROWS).await;
    let exposure = app.manager.exposure();
    let exposed = exposure.by_entity("Kinds").unwrap();
    let table = app.manager.table(exposed.id);
    let texts = exposed.columns.iter();
    let texts: Vec<String> = texts
        .map(|column| {
            format!(
                "CASE WHEN {0} IS NOT NULL THEN format('%s', {0}) END",
                column.name
            )
        })
        .collect();
    let sql = format!("SELECT {} FROM kinds ORDER BY id", texts.join(", "));
    let images = Statement::from_string(DbBackend::Postgres, sql);
    let images: Vec<(i32, Row)> = app
        .database
        .query_all_raw(images)
        .await
        .unwrap()
        .iter()
        .map(|row| {
            let cells = (0..exposed.columns.len()).map(|at| row.try_get_by_index(at).unwrap());
            let cells: Vec<Option<String>> = cells.collect();
            let texts: Vec<Option<&str>> = cells.iter().map(Option::as_deref).collect();
            (texts[0].unwrap().parse().unwrap(), Row::from_texts(&texts))
        })
        .collect();
    assert_eq!(images.len(), 60);

    let mut random = StdRng::seed_from_u64(7);
    let mut undecided = 0;
    for _ in 0..500 {
        let rule = rule(&mut random, 3);
        let sight = Sight::bind(&Access::rows(rule.clone()), table).unwrap();
        let seen = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(sight.condition("\"kinds\""))
            .build(DbBackend::Postgres);
        let seen = app.database.query_all_raw(seen).await.unwrap();
        let mut seen: Vec<i32> = seen
            .iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect();
        seen.sort_unstable();
        let matched = images.iter().filter(|(_, row)| sight.matches(row));
        let matched: Vec<i32> = matched.map(|(id, _)| *id).collect();
        assert_eq!(matched, seen, "{rule:?}");
        undecided += usize::from(!seen.is_empty() && seen.len() < 60);
    }
    assert!(undecided > 100, "only {undecided} rules told rows apart");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_that_cannot_be_compared_exactly_is_refused() {
    let app = App::start().await;
    let exposure = app.manager.exposure();
    let table = app.manager.table(exposure.by_entity("Kinds").unwrap().id);
    for access in [
        Access::rows(Rule::eq(Column::CNumeric, "1")),
        Access::rows(Rule::eq(Column::CCitext, "a")),
        Access::rows(Rule::eq(Column::CInt2, "1")),
        Access::rows(Rule::eq(Column::CText, 1)),
        Access::rows(Rule::eq(
            Column::CUuid,
            "00000000-0000-0000-0000-00000000000A",
        )),
        Access::rows(!Rule::eq(user::Column::Id, 1)),
        Access::all().hide(Column::Id),
        Access::all().hide(user::Column::Name),
    ] {
        assert!(Sight::bind(&access, table).is_err(), "{access:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_by_a_column_that_postgres_generates_is_refused() {
    let app = App::start().await;
    app.sql(
        "ALTER TABLE tag DROP COLUMN label; \
         ALTER TABLE tag ADD COLUMN label text GENERATED ALWAYS AS ('tag ' || id) STORED",
    )
    .await;
    let manager = data::verify(builder().build().unwrap(), &app.database);
    let manager = manager.await.unwrap();
    let table = manager.exposure().by_entity("Tag").unwrap().id;
    for rule in [
        Rule::eq(tag::Column::Label, "tag 1"),
        Rule::is_in(tag::Column::Label, ["tag 1"]),
        Rule::is_null(tag::Column::Label),
    ] {
        let refused = Sight::bind(&Access::rows(rule), manager.table(table));
        let sentence = refused.unwrap_err().sentence().to_owned();
        assert!(sentence.contains("Postgres generates"), "{sentence}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_looks_at_a_hidden_column_which_rows_carry_behind_the_exposed_ones() {
    let visible = builder().visible::<user::Entity>(|_| Access::none());
    let app = App::of(visible).await;
    let exposure = app.manager.exposure();
    let exposed = exposure.by_entity("User").unwrap();
    let carried = exposure.guarded(exposed.id).unwrap();
    let names: Vec<&str> = carried.iter().map(|column| &*column.name).collect();
    assert_eq!(names, ["email"]);
    let rule = Rule::eq(user::Column::Email, "a@x");
    let sight = Sight::bind(&Access::rows(rule), app.manager.table(exposed.id)).unwrap();
    let mut cells = vec![Some("1"); exposed.columns.len()];
    cells.push(Some("a@x"));
    assert!(sight.matches(&Row::from_texts(&cells)));
    cells.pop();
    cells.push(None);
    assert!(!sight.matches(&Row::from_texts(&cells)));
}
