//! What the database has against a row is told by field, and tells nothing of other rows.

use blazelink::table::Writes;
use blazelink::{Access, Rule, Viewer, WriteAccess};
use serde_json::{Value, json};

use crate::document;
use crate::entities::*;
use crate::support::{App, builder};

const DOCUMENT: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";

async fn start() -> App {
    let tables = builder().table::<document::Entity>();
    let tables = tables.writes::<document::Entity>(Writes::all().allow(|_| WriteAccess::all()));
    let tables = tables.visible::<team::Entity>(|_| Access::rows(Rule::eq(team::Column::Id, 1)));
    let app = App::beside(document::TABLE, tables).await;
    let row = format!(
        "INSERT INTO document (id, owner_id, title, body) VALUES ('{DOCUMENT}', 1, 'one', 'taken')"
    );
    app.sql(&row).await;
    app
}

async fn update(app: &App, input: Value) -> Value {
    let document = "mutation($of: ObjectIdInput!, $input: UpdateDocumentInput!) \
                    { updateDocument(identifier: $of, input: $input) { version } }";
    let variables = json!({"of": {"obj_id": DOCUMENT}, "input": input});
    app.to(&Viewer::anonymous(), document, variables).await
}

async fn create(app: &App, input: Value) -> Value {
    let document = "mutation($input: CreateDocumentInput!) { createDocument(input: $input) \
                    { version } }";
    app.to(&Viewer::anonymous(), document, json!({"input": input}))
        .await
}

/// The only error: its message, its code and the value that it is about.
fn error(answer: &Value) -> (&str, &str, Option<&str>) {
    let errors = answer["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 1, "{answer}");
    let extensions = &errors[0]["extensions"];
    let message = errors[0]["message"].as_str().unwrap();
    (
        message,
        extensions["code"].as_str().unwrap(),
        extensions["input"][1].as_str(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_column_does_not_take_are_told_by_field() {
    let app = start().await;
    let rows = [
        (
            json!({"title": "01234567890"}),
            "`title` is too long",
            "BLZ5011",
            "title",
        ),
        (
            json!({"title": null}),
            "`title` must not be null",
            "BLZ5011",
            "title",
        ),
        (
            json!({"title": "a\u{0}"}),
            "`title` must not contain the character U+0000",
            "BLZ5011",
            "title",
        ),
        (
            json!({"due": "soon"}),
            "`due` is no date or time",
            "BLZ5011",
            "due",
        ),
        (
            json!({"state": "x", "due": "2024-02-31"}),
            "`due` is no date or time",
            "BLZ5011",
            "due",
        ),
        (
            json!({"stars": 0}),
            "`stars` has a value that the database does not allow",
            "BLZ5014",
            "stars",
        ),
        (
            json!({"rank": -1}),
            "`rank` has a value that the database does not allow",
            "BLZ5011",
            "rank",
        ),
    ];
    for (input, message, code, field) in rows {
        let answer = update(&app, input).await;
        assert_eq!(error(&answer), (message, code, Some(field)));
        assert_eq!(answer["data"]["updateDocument"], Value::Null);
    }
    let answer = create(&app, json!({"id": "no uuid", "owner_id": 1, "title": "x"})).await;
    assert_eq!(
        error(&answer),
        ("`id` is no value of its type", "BLZ5011", Some("id"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_one_row_may_have_is_told_by_field() {
    let app = start().await;
    let input = json!({"owner_id": 2, "title": "two", "body": "taken"});
    let answer = create(&app, input).await;
    assert_eq!(
        error(&answer),
        ("`body` is taken by another row", "BLZ5012", Some("body"))
    );
    let answer = create(&app, json!({"owner_id": 1, "title": "one"})).await;
    let sentence = "`owner_id` and `title` are taken by another row";
    assert_eq!(error(&answer), (sentence, "BLZ5012", Some("owner_id")));
}

#[tokio::test(flavor = "multi_thread")]
async fn references_to_rows_out_of_sight_are_as_those_to_no_row() {
    let app = start().await;
    let missing = update(&app, json!({"team_id": 9})).await;
    assert_eq!(
        error(&missing),
        ("`team_id` leads to no row", "BLZ5013", Some("team_id"))
    );
    assert_eq!(update(&app, json!({"team_id": 2})).await, missing);
    let hidden = create(&app, json!({"owner_id": 1, "title": "x", "team_id": 2})).await;
    let missing = create(&app, json!({"owner_id": 1, "title": "x", "team_id": 9})).await;
    assert_eq!(hidden, missing);
    let answer = update(&app, json!({"team_id": 1})).await;
    assert!(
        answer["data"]["updateDocument"]["version"].is_string(),
        "{answer}"
    );
    let answer = update(&app, json!({"team_id": null})).await;
    assert!(
        answer["data"]["updateDocument"]["version"].is_string(),
        "{answer}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_others_refer_to_stay() {
    let app = start().await;
    app.sql(&format!("INSERT INTO page VALUES ('{DOCUMENT}')"))
        .await;
    let document = "mutation { deleteDocument(identifier: {obj_id: \"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"}) { version } }";
    let answer = app.to(&Viewer::anonymous(), document, json!({})).await;
    assert_eq!(
        error(&answer),
        ("Other rows refer to the row", "BLZ5013", None)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn constraints_that_are_checked_last_are_told_the_same_way() {
    let app = start().await;
    app.sql(
        "ALTER TABLE document ADD CONSTRAINT later UNIQUE (stars) DEFERRABLE INITIALLY DEFERRED",
    )
    .await;
    create(&app, json!({"owner_id": 2, "title": "two", "stars": 5})).await;
    let answer = update(&app, json!({"stars": 5})).await;
    assert_eq!(
        error(&answer),
        ("`stars` is taken by another row", "BLZ5012", Some("stars"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_trigger_says_stays_in_the_log() {
    let app = start().await;
    app.sql("CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'secret %', OLD.title; END $$").await;
    app.sql("CREATE TRIGGER no BEFORE UPDATE ON document FOR EACH ROW EXECUTE FUNCTION no()")
        .await;
    let answer = update(&app, json!({"state": "x"})).await;
    assert_eq!(
        error(&answer),
        ("The database refused the row", "BLZ5017", None)
    );
    app.sql("CREATE OR REPLACE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$").await;
    let answer = update(&app, json!({"state": "x"})).await;
    assert_eq!(error(&answer).1, "BLZ5017");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_that_are_none_are_refused_before_anything_is_written() {
    let app = start().await;
    let document = "mutation { deleteDocument(identifier: {obj_id: 5}) { version } }";
    let (status, body) = app.answer(document).await;
    assert_eq!(status, 200);
    assert!(
        body.contains("Invalid obj_id! Document has a key of type String"),
        "{body}"
    );
    let input = "mutation { createDocument(input: {owner_id: 1}) { version } }";
    let (status, body) = app.answer(input).await;
    assert_eq!(status, 400);
    assert!(
        body.contains("Field 'title' of required type 'String!' was not provided."),
        "{body}"
    );
}
