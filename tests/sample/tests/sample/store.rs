//! The DVD rental store, as `sea-orm-cli` wrote it, in each of its formats.

use blazelink::graphql::sdl;
use blazelink::table::TableManager;
use blazelink::value::write_value;
use blazelink_sample::SCHEMA;

use crate::relations;
use crate::support::App;

const ROWS: &str = include_str!("../../rows.sql");

const FORMATS: [&str; 3] = [
    "blazelink_sample::dense",
    "blazelink_sample::compact",
    "blazelink_sample::expanded",
];

async fn store(format: &str) -> App {
    App::start(
        TableManager::builder().open_unless_said().discover(format),
        &[SCHEMA, ROWS],
    )
    .await
}

#[tokio::test]
async fn every_relation_in_every_direction_answers_what_a_join_does() {
    for format in FORMATS {
        let app = store(format).await;
        assert_eq!(app.manager.tables().len(), 15, "{format}");
        let ways = relations::compare_all(&app, &["film_actor", "film_category"]).await;
        assert_eq!(ways, 2 * 22 + 4, "{format}");
    }
}

/// Relations are called after the fields of dense entities and the variants of the others, so their
/// names differ; what there is does not. Only the expanded format has the text search vector.
#[test]
fn the_formats_of_the_generator_have_the_same_roots_and_ways() {
    let [dense, compact, expanded] = FORMATS.map(|format| {
        let manager = TableManager::builder()
            .open_unless_said()
            .discover(format)
            .build()
            .unwrap();
        let sdl = sdl(&manager).unwrap();
        let (_, roots) = sdl.split_once("type Query {").unwrap();
        let roots = roots.split('}').next().unwrap().to_owned();
        let tables = manager.tables().iter();
        let ways: Vec<usize> = tables.map(|table| table.relations.len()).collect();
        (roots, ways)
    });
    assert_eq!(dense, compact);
    assert_eq!(dense, expanded);
}

#[tokio::test]
async fn every_column_answers_what_postgres_prints() {
    let app = store("blazelink_sample::expanded").await;
    for table in app.manager.tables() {
        let columns: Vec<&str> = table.exposed().map(|(_, column)| &*column.name).collect();
        let root = table.page_root();
        let query = format!(
            "{{{root}(size:200){{items{{row{{{}}}}}}}}}",
            columns.join(" ")
        );
        let answer = app.ask(&query).await;
        let printed: Vec<String> = columns
            .iter()
            .map(|it| format!("CASE WHEN \"{it}\" IS NOT NULL THEN format('%s', \"{it}\") END"))
            .collect();
        let key: Vec<&str> = table
            .key
            .iter()
            .map(|&at| &*table.columns[at].name)
            .collect();
        let (printed, key) = (printed.join(", "), key.join(", "));
        let text = format!("SELECT {printed} FROM \"{}\" ORDER BY {key}", table.table);
        let rows = app.sql(&text).await;
        assert_eq!(answer[&root]["items"].as_array().unwrap().len(), rows.len());
        assert!(!rows.is_empty(), "{}", table.table);
        for (at, row) in rows.iter().enumerate() {
            for (slot, (_, column)) in table.exposed().enumerate() {
                let text: Option<String> = row.try_get_by_index(slot).unwrap();
                let mut expected = b"null".to_vec();
                if let Some(text) = text {
                    expected.clear();
                    write_value(&column.kind, &text, &mut expected);
                }
                let expected: serde_json::Value = serde_json::from_slice(&expected).unwrap();
                let met = &answer[&root]["items"][at]["row"][&column.name];
                assert_eq!(
                    met, &expected,
                    "{}.{} of row {at}",
                    table.table, column.name
                );
            }
        }
    }
}
