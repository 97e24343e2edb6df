//! The kitchen: made by SeaORM of its entities, and exposed as it is.

use std::collections::BTreeMap;

use blazelink::table::{TableManager, TableManagerBuilder};
use blazelink_sample::{kitchen, with_chains};
use serde_json::Value;

use crate::relations;
use crate::support::App;

const ROWS: &str = include_str!("../../kitchen.sql");

fn builder() -> TableManagerBuilder {
    TableManager::builder()
        .open_unless_said()
        .discover("blazelink_sample::kitchen")
}

async fn start(builder: TableManagerBuilder) -> App {
    let tables = kitchen::tables();
    let mut texts: Vec<&str> = tables.iter().map(|it| &*it.sql).collect();
    texts.push(ROWS);
    App::start(builder, &texts).await
}

#[tokio::test]
async fn every_relation_of_every_kind_answers_what_a_join_does() {
    let app = start(builder()).await;
    assert!(app.manager.tables().len() >= 22);
    let junctions = ["follow", "membership", "post_tag", "order_line"];
    relations::compare_all(&app, &junctions).await;
}

/// The root of where a chain begins, the chain, the same as a join of `a` with `z`, and the key of `a`.
const CHAINS: [(&str, &str, &str, &str); 4] = [
    (
        "accounts",
        "teammates(size: 200) { count items { row { id } } }",
        "SELECT a.id::text, z.id::text, z.id FROM account a
            LEFT JOIN (membership m JOIN membership n ON n.team_slug = m.team_slug
                JOIN account z ON z.id = n.account_id) ON m.account_id = a.id",
        "id",
    ),
    (
        "shelfs",
        "neighbours(size: 200) { count items { row { id } } }",
        "SELECT a.id::text, z.id::text, z.id FROM shelf a
            LEFT JOIN shelf z ON (z.region, z.number) = (a.region, a.number)",
        "id",
    ),
    (
        "posts",
        "wider_category { row { id } }",
        "SELECT a.id::text, z.id::text, z.id FROM post a
            LEFT JOIN (category c JOIN category z ON z.id = c.parent_id) ON c.id = a.category_id",
        "id",
    ),
    (
        "warehouses",
        "all_shelves(size: 200) { count items { row { id } } }",
        "SELECT a.region || ' ' || a.number, z.id::text, z.id FROM warehouse a
            LEFT JOIN shelf z ON (z.region, z.number) = (a.region, a.number)",
        "region number",
    ),
];

#[tokio::test]
async fn chains_answer_what_a_join_does() {
    let app = start(with_chains!(builder())).await;
    for (root, field, join, key) in CHAINS {
        let mut expected: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // However many ways lead to a row, it is there once.
        let join = format!("SELECT DISTINCT * FROM ({join}) AS way ORDER BY 3");
        for row in app.sql(&join).await {
            let ends = expected.entry(row.try_get_by_index(0).unwrap());
            let end: Option<String> = row.try_get_by_index(1).unwrap();
            ends.or_default().extend(end);
        }
        assert!(expected.values().any(|ends| ends.len() != 1), "{root}");
        assert!(expected.values().any(|ends| !ends.is_empty()), "{root}");
        let query =
            format!("{{ {root}(size: 200) {{ items {{ row {{ {key} it: {field} }} }} }} }}");
        let answer = app.ask(&query).await;
        let rows = answer[root]["items"].as_array().unwrap();
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let mut found = BTreeMap::new();
        for row in rows {
            let row = &row["row"];
            let parts: Vec<String> = key.split(' ').map(|column| text(&row[column])).collect();
            let ends: Vec<String> = match &row["it"] {
                Value::Null => Vec::new(),
                it => match it["items"].as_array() {
                    Some(items) => {
                        assert_eq!(it["count"], items.len(), "{row}");
                        items.iter().map(|item| text(&item["row"]["id"])).collect()
                    }
                    None => vec![text(&it["row"]["id"])],
                },
            };
            found.insert(parts.join(" "), ends);
        }
        assert_eq!(found, expected, "{query}");
    }
}
