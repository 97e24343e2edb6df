//! What is to be done, from catalogs as Postgres would tell them.
#![allow(clippy::unwrap_used)]

use serde_json::{Value, json};

use super::*;

fn ty(name: &str) -> Value {
    let plain = name.split('(').next().unwrap();
    let category = match plain {
        "text" | "character varying" | "citext" => "S",
        _ => "N",
    };
    json!({"name": name, "plain": plain, "base": plain, "category": category})
}

/// `name type[ not null][ = default]`
fn column(said: &str) -> Value {
    let (said, default) = match said.split_once(" = ") {
        Some((said, default)) => (said, Some(default)),
        None => (said, None),
    };
    let (said, not_null) = match said.strip_suffix(" not null") {
        Some(said) => (said, true),
        None => (said, false),
    };
    let (name, of) = said.split_once(' ').unwrap();
    json!({"name": name, "type": ty(of), "not_null": not_null, "default": default,
        "identity": false, "generated": false})
}

fn table(name: &str, columns: &[&str]) -> Value {
    let columns: Vec<Value> = columns.iter().map(|said| column(said)).collect();
    json!({"schema": "public", "name": name, "columns": columns, "key": ["id"], "indexes": [],
        "references": [], "objects": []})
}

fn catalog(tables: &[Value]) -> Catalog {
    let text = json!({"path": ["public"], "schemas": ["public"], "tables": tables, "enums": []});
    Catalog::parse(&text.to_string()).unwrap().at_home()
}

fn sql(changes: &[Change]) -> Vec<String> {
    changes.iter().flat_map(Change::sql).collect()
}

fn between(have: &[Value], wanted: &[Value]) -> Vec<String> {
    let known = Known::default();
    sql(&entities(&catalog(have), &catalog(wanted), &[], &known).changes)
}

#[test]
fn what_entities_say_nothing_of_is_no_difference() {
    let have = table(
        "t",
        &[
            "id integer not null",
            "name text not null = 'x'::text",
            "short character varying(40)",
            "price numeric(10,2)",
            "said jsonb",
            "more integer",
        ],
    );
    let wanted = table(
        "t",
        &[
            "id integer not null",
            "name character varying not null",
            "short character varying",
            "price numeric",
            "said json",
        ],
    );
    assert_eq!(between(&[have, table("other", &[])], &[wanted]), [""; 0]);
}

#[test]
fn types_defaults_and_nullability_follow_the_entity() {
    let have = table(
        "t",
        &["id integer not null", "a integer = 1", "b text not null"],
    );
    let wanted = table(
        "t",
        &["id integer not null", "a bigint not null = 2", "b text"],
    );
    assert_eq!(
        between(&[have], &[wanted]),
        [
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" DROP DEFAULT, \
             ALTER COLUMN \"a\" TYPE bigint USING \"a\"::bigint, \
             ALTER COLUMN \"a\" SET DEFAULT (1)::bigint",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" SET DEFAULT 2",
            "ALTER TABLE \"t\" ALTER COLUMN \"a\" SET NOT NULL",
            "ALTER TABLE \"t\" ALTER COLUMN \"b\" DROP NOT NULL",
        ]
    );
}

#[test]
fn only_what_an_entity_once_described_is_dropped() {
    let have = [
        table("t", &["id integer not null", "old text", "new_name text"]),
        table("gone", &["id integer not null"]),
        table("foreign", &["id integer not null"]),
    ];
    let wanted = [table("t", &["id integer not null", "name text"])];
    let name = Name {
        schema: String::new(),
        name: "t".to_owned(),
    };
    let renamed = [(name, ["new_name".to_owned(), "name".to_owned()])];
    let known = |columns: &[&str]| columns.iter().map(|it| (*it).to_owned()).collect();
    let known: Known = [
        ("t".to_owned(), known(&["id", "old"])),
        ("gone".to_owned(), known(&["id"])),
    ]
    .into();
    let found = entities(&catalog(&have), &catalog(&wanted), &renamed, &known);
    assert_eq!(
        sql(&found.changes),
        [
            "ALTER TABLE \"t\" RENAME COLUMN \"new_name\" TO \"name\"",
            "ALTER TABLE \"t\" DROP COLUMN \"old\"",
            "DROP TABLE \"gone\"",
        ]
    );
    let found = entities(
        &catalog(&have),
        &catalog(&wanted),
        &renamed,
        &Known::default(),
    );
    assert_eq!(found.changes.len(), 1, "nothing is dropped");
    assert_eq!(sql(&found.undescribed).len(), 1, "but it is told");
}

#[test]
fn every_change_of_two_whole_databases_is_taken_back_by_the_other_way_round() {
    let mut one = table("t", &["id integer not null", "a text"]);
    one["objects"] = json!([{"name": "i", "is_index": true,
        "definition": "CREATE INDEX i ON public.t USING btree (a)"}]);
    let two = table("t", &["id integer not null", "a integer = 3", "b text"]);
    let (one, two) = (
        catalog(&[one]),
        catalog(&[two, table("u", &["id integer"])]),
    );
    let there = whole(&one, &two);
    let back = whole(&two, &one);
    let inverse: BTreeSet<String> = there
        .iter()
        .filter_map(Change::inverse)
        .flat_map(|change| change.sql())
        .collect();
    let inverse: Vec<&String> = inverse.iter().collect();
    let back: BTreeSet<String> = sql(&back).into_iter().collect();
    assert_eq!(inverse.len(), back.len(), "{inverse:?} {back:?}");
    assert!(whole(&two, &two).is_empty());
}
