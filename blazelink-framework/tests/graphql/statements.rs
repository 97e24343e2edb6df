//! How many statements a query takes, and that their texts do not depend on what is asked.

use crate::support::App;

#[tokio::test]
async fn relations_take_one_statement_for_all_rows() {
    let app = App::start().await;
    app.sql("INSERT INTO \"user\" SELECT n, 'n', NULL, 1 + n % 2, 0 FROM generate_series(4, 60) n")
        .await;
    let rows = [
        (
            3,
            "{users(size:50){items{row{id name team{row{id name}} events(size:5){items{row{id type}}}}}}}",
        ),
        (
            4,
            "{users(size:50){count items{row{id name team{row{id name}} events(size:5){items{row{id type}}}}}}}",
        ),
        (
            1,
            "{users(size:50){items{obj_id row{team{obj_id entity}}}}}",
        ),
        (1, "{user(identifier:{obj_id:1}){id name}}"),
        (2, "{user(identifier:{obj_id:1}){team{row{name}}}}"),
        (2, "{users{items{row{profile{obj_id}}}}}"),
        (2, "{users{items{row{tags{items{obj_id}}}}}}"),
        (3, "{users{items{row{tags{items{row{label}}}}}}}"),
        (2, "{users{items{row{events{count}}}}}"),
        (1, "{users(size:0){count items{row{team{row{id}}}}}}"),
        (1, "{users{count}}"),
        (0, "{__typename}"),
    ];
    for (expected, query) in rows {
        let statements = app.statements_of(query).await;
        assert_eq!(statements.len(), expected, "{query}\n{statements:#?}");
    }
}

#[tokio::test]
async fn pages_are_cut_by_postgres() {
    let app = App::start().await;
    for query in [
        "{users(page:1,size:2){items{obj_id}}}",
        "{user(identifier:{obj_id:1}){events(page:1,size:5){items{obj_id}}}}",
    ] {
        let statements = app.statements_of(query).await;
        let page = statements.last().unwrap();
        assert!(page.contains("LIMIT") && page.contains("OFFSET"), "{page}");
    }
}

#[tokio::test]
async fn statement_texts_hold_no_values() {
    let app = App::start().await;
    let first = app
        .statements_of("{user(identifier:{obj_id:1}){name events(size:3){items{row{id}} count}}}")
        .await;
    let second = app
        .statements_of(
            "{user(identifier:{obj_id:2}){name events(page:1,size:4){items{row{id}} count}}}",
        )
        .await;
    assert_eq!(first, second);
    let asked = &first[0];
    assert!(
        asked.contains("t.\"name\"") && !asked.contains("score") && !asked.contains("email"),
        "{asked}"
    );
}
