//! Postgres as the oracle of values: whatever somebody types into a column of any type, a query
//! answers what the pushed change of the row says, and both say what Postgres prints.
//!
//! `VALUES_ROWS=20000` tries more rows than the few of an ordinary run, `VALUES_SEED` the same ones
//! again.

use std::collections::{BTreeMap, HashMap};

use blazelink::change::{Change, Old, Row};
use blazelink::table::{TableDef, TableManager};
use blazelink::value::{Kind, write_row};
use blazelink_sample::kitchen;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sea_orm::ConnectionTrait;
use serde_json::value::RawValue;

use crate::literals::literal;
use crate::log::Log;
use crate::support::App;

/// The rows of one statement, which are compared together.
const AT_ONCE: usize = 100;

/// A row's values by column, each as it is written in JSON.
type Values = HashMap<String, Box<RawValue>>;

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

#[tokio::test]
async fn answers_and_changes_say_what_postgres_prints() {
    compare("nullable_kinds").await;
}

#[tokio::test]
async fn answers_and_changes_say_what_postgres_prints_of_arrays() {
    compare("nullable_lists").await;
}

async fn compare(table: &str) {
    let seed = setting("VALUES_SEED").unwrap_or_else(rand::random);
    eprintln!("VALUES_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let tables = kitchen::tables();
    let texts: Vec<&str> = tables.iter().map(|it| &*it.sql).collect();
    let builder = TableManager::builder()
        .open_unless_said()
        .discover("blazelink_sample::kitchen");
    let app = App::start(builder, &texts).await;
    let mut log = Log::follow(&app, &[table]).await;
    let types = types(&app, table).await;
    let tables = app.manager.tables().iter();
    let table = tables.clone().find(|it| it.table == table).unwrap();
    assert_eq!(types.len() + 1, table.columns.len());

    let rounds = setting("VALUES_ROWS").map_or(3, |rows| (rows as usize).div_ceil(AT_ONCE));
    for _ in 0..rounds {
        insert(&app, table, &types, &mut random).await;
        let answered = answered(&app, table).await;
        let printed = printed(&app, table).await;
        assert_eq!(answered.len(), AT_ONCE);
        for (id, row) in &answered {
            for (column, text) in &printed[id] {
                let kind = &table.columns[table.column(column).unwrap()].kind;
                let ours = row[column].get();
                assert!(
                    agrees(kind, ours, text.as_deref()),
                    "{column} ({kind:?}) is {text:?} in Postgres, {ours} in an answer"
                );
            }
        }
        compare_with_log(&app, &mut log, table, &answered).await;
    }
}

/// Each row as the log tells it: when it comes, when another column of it changes, and when it goes.
async fn compare_with_log(
    app: &App,
    log: &mut Log,
    table: &TableDef,
    answered: &BTreeMap<i64, Values>,
) {
    let name = &table.table;
    let changes = log.changes().await;
    assert_eq!(changes.len(), AT_ONCE);
    for change in changes {
        same(app, table, answered, &change, change.new.as_ref().unwrap());
    }
    for statement in [
        format!("UPDATE {name} SET id = id"),
        format!("DELETE FROM {name}"),
    ] {
        app.database.execute_unprepared(&statement).await.unwrap();
        let changes = log.changes().await;
        assert_eq!(changes.len(), AT_ONCE, "{statement}");
        for change in changes {
            let Old::Full(old) = &change.old else {
                panic!("the old row is told whole")
            };
            same(app, table, answered, &change, old);
            if let Some(new) = &change.new {
                same(app, table, answered, &change, new);
            }
        }
    }
}

fn same(
    app: &App,
    table: &TableDef,
    answered: &BTreeMap<i64, Values>,
    change: &Change,
    image: &Row,
) {
    let mut out = Vec::new();
    write_row(app.manager.exposure().table(table.id), image, &mut out);
    let told: Values = serde_json::from_slice(&out).unwrap();
    let id: i64 = told["id"].get().parse().unwrap();
    let answer = &answered[&id];
    assert_eq!(told.len(), answer.len(), "no column is left out");
    for (column, value) in answer {
        let told = told[column].get();
        assert_eq!(told, value.get(), "{column} in {:?} of {id}", change.kind);
    }
}

/// The columns but the key, with their types as Postgres writes them.
async fn types(app: &App, table: &str) -> Vec<(String, String)> {
    let text = format!(
        "SELECT attname::text, format_type(atttypid, atttypmod) FROM pg_attribute \
         WHERE attrelid = '{table}'::regclass AND attnum > 1 ORDER BY attnum"
    );
    let rows = app.sql(&text).await;
    let cell = |row: &sea_orm::QueryResult, at| row.try_get_by_index(at).unwrap();
    rows.iter()
        .map(|row| (cell(row, 0), cell(row, 1)))
        .collect()
}

async fn insert(app: &App, table: &TableDef, types: &[(String, String)], random: &mut StdRng) {
    let mut rows = Vec::new();
    for id in 0..AT_ONCE {
        let values = types.iter().map(|(_, ty)| match random.random_bool(0.1) {
            true => "NULL".to_owned(),
            false => format!("'{}'", literal(ty, random).replace('\'', "''")),
        });
        rows.push(format!("({id}, {})", values.collect::<Vec<_>>().join(", ")));
    }
    let statement = format!("INSERT INTO {} VALUES {}", table.table, rows.join(", "));
    app.database.execute_unprepared(&statement).await.unwrap();
}

/// What a query answers of every row, by key.
async fn answered(app: &App, table: &TableDef) -> BTreeMap<i64, Values> {
    let columns: Vec<&str> = table.columns.iter().map(|it| &*it.name).collect();
    let root = table.page_root();
    let columns = columns.join(" ");
    let body = app
        .body(&format!(
            "{{{root}(size:{AT_ONCE}){{items{{row{{{columns}}}}}}}}}"
        ))
        .await;
    type Items = HashMap<String, Vec<HashMap<String, Values>>>;
    let mut answer: HashMap<String, HashMap<String, Items>> = serde_json::from_str(&body).unwrap();
    let items = answer
        .remove("data")
        .unwrap()
        .remove(root)
        .unwrap()
        .remove("items")
        .unwrap();
    items
        .into_iter()
        .map(|mut item| {
            let row = item.remove("row").unwrap();
            (row["id"].get().parse().unwrap(), row)
        })
        .collect()
}

/// What each type's output function prints; an array's text read by Postgres, as JSON of texts,
/// unless it has bounds of its own.
async fn printed(app: &App, table: &TableDef) -> BTreeMap<i64, Vec<(String, Option<String>)>> {
    let columns = table.columns.iter().map(|column| {
        let name = &column.name;
        let text = format!("CASE WHEN \"{name}\" IS NOT NULL THEN format('%s', \"{name}\") END");
        match &column.kind {
            Kind::Array(_) => format!(
                "CASE WHEN {text} LIKE '[%' THEN {text} ELSE to_json(({text})::text[])::text END"
            ),
            _ => text,
        }
    });
    let columns: Vec<String> = columns.collect();
    let text = format!(
        "SELECT id::text, {} FROM {}",
        columns.join(", "),
        table.table
    );
    let mut rows = BTreeMap::new();
    for row in app.sql(&text).await {
        let id: String = row.try_get_by_index(0).unwrap();
        let cells = table.columns.iter().enumerate().map(|(at, column)| {
            let text = row.try_get_by_index(at + 1).unwrap();
            (column.name.clone(), text)
        });
        rows.insert(id.parse().unwrap(), cells.collect());
    }
    rows
}

/// Whether JSON says what Postgres printed.
fn agrees(kind: &Kind, ours: &str, printed: Option<&str>) -> bool {
    let Some(printed) = printed else {
        return ours == "null";
    };
    let string = || serde_json::from_str::<String>(ours).unwrap_or_default();
    match kind {
        Kind::Int => ours == printed,
        Kind::BigInt => {
            let number: i64 = printed.parse().unwrap();
            let exact = number.unsigned_abs() < 1 << 53;
            if exact {
                ours == printed
            } else {
                string() == printed
            }
        }
        Kind::Float if printed.contains(['N', 'I']) => string() == printed,
        Kind::Float => ours == printed && serde_json::from_str::<f64>(ours).is_ok(),
        Kind::Bool => ours == if printed == "t" { "true" } else { "false" },
        Kind::Json => ours == printed.trim(),
        Kind::Char => string() == printed.trim_end_matches(' '),
        Kind::Text => string() == printed,
        Kind::Array(_) => match serde_json::from_str(printed) {
            Ok(elements) => list_agrees(kind.innermost(), ours, &elements),
            Err(_) => string() == printed,
        },
    }
}

fn list_agrees(element: &Kind, ours: &str, printed: &serde_json::Value) -> bool {
    match printed {
        serde_json::Value::Array(printed) => {
            let ours: Vec<&RawValue> = serde_json::from_str(ours).unwrap();
            ours.len() == printed.len()
                && ours
                    .iter()
                    .zip(printed)
                    .all(|(ours, printed)| list_agrees(element, ours.get(), printed))
        }
        printed => agrees(element, ours, printed.as_str()),
    }
}
