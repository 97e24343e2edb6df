//! Mutations on real tables: what they write, who may, and what they answer.

use std::time::{Duration, Instant};

use blazelink::table::{Draft, Invalid, Operation, TableManagerBuilder, Writes};
use blazelink::{Access, Rule, Viewer, WriteAccess};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, Statement, TransactionTrait};
use serde_json::{Value, json};

use crate::document;
use crate::entities::*;
use crate::support::{App, builder};

/// Documents belong to their owners; everybody sees what is public, and owners their own.
fn visible(viewer: &Viewer) -> Access {
    let public = Rule::eq(document::Column::State, "public");
    Access::rows(match viewer.get::<i32>() {
        Some(&user) => public.or(Rule::eq(document::Column::OwnerId, user)),
        None => public,
    })
}

fn own(viewer: &Viewer) -> WriteAccess {
    match viewer.get::<i32>() {
        Some(&user) => {
            let own = Rule::eq(document::Column::OwnerId, user);
            let all = WriteAccess::none().create(own.clone()).update(own.clone());
            all.delete(own).except([document::Column::Stars])
        }
        None => WriteAccess::none(),
    }
}

fn documents() -> TableManagerBuilder {
    let tables = builder().table::<document::Entity>();
    tables.visible::<document::Entity>(visible)
}

async fn start() -> App {
    let tables = documents().writes::<document::Entity>(Writes::all().allow(own));
    App::beside(document::TABLE, tables).await
}

fn user(id: i32) -> Viewer {
    Viewer::new(id)
}

const CREATE: &str = "mutation($input: CreateDocumentInput!) { createDocument(input: $input) \
                      { obj_id entity version row { owner_id title state body size number } } }";
const UPDATE: &str = "mutation($of: ObjectIdInput!, $input: UpdateDocumentInput!) \
                      { updateDocument(identifier: $of, input: $input) \
                      { obj_id version row { title state body team_id } } }";
const DELETE: &str = "mutation($of: ObjectIdInput!) { deleteDocument(identifier: $of) \
                      { obj_id entity version } }";

async fn create(app: &App, owner: i32, title: &str) -> Value {
    let input = json!({"input": {"owner_id": owner, "title": title}});
    let answer = app.to(&user(owner), CREATE, input).await;
    answer["data"]["createDocument"]["obj_id"].clone()
}

/// The one text that a statement gives.
async fn text(app: &App, sql: &str) -> Option<String> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = app.database.query_one_raw(statement).await.unwrap();
    row.and_then(|row| row.try_get_by_index(0).unwrap())
}

/// The messages of an answer's errors; it has no data besides null.
fn refused(answer: &Value) -> Vec<&str> {
    let data = answer["data"].as_object().unwrap();
    assert!(data.values().all(Value::is_null), "{answer}");
    let errors = answer["errors"].as_array().unwrap();
    let messages = errors
        .iter()
        .map(|error| error["message"].as_str().unwrap());
    messages.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn inputs_have_the_columns_that_may_be_given_and_ask_for_those_that_must() {
    let app = start().await;
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    let of = |name: &str| {
        let start = sdl.find(&format!("input {name} {{")).unwrap();
        let text = &sdl[start..start + sdl[start..].find('}').unwrap()];
        let lines = text.lines().skip(1).map(str::trim);
        lines.filter(|line| !line.is_empty()).collect::<Vec<_>>()
    };
    assert_eq!(
        of("CreateDocumentInput"),
        [
            "id: String",
            "owner_id: Int!",
            "title: String!",
            "state: String",
            "body: String",
            "team_id: Int",
            "stars: Int",
            "rank: Int",
            "due: String"
        ]
    );
    assert!(
        of("UpdateDocumentInput").contains(&"title: String"),
        "{sdl}"
    );
    assert!(
        !of("UpdateDocumentInput")
            .iter()
            .any(|line| line.starts_with("id:"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_is_created_and_answered_with_its_version() {
    let app = start().await;
    let input = json!({"input": {"owner_id": 1, "title": "one"}});
    let answer = app.to(&user(1), CREATE, input).await;
    let created = &answer["data"]["createDocument"];
    let row = json!({"owner_id": 1, "title": "one", "state": "new", "body": null, "size": 3, "number": 1});
    assert_eq!(created["row"], row, "{answer}");
    assert_eq!(created["entity"], "Document");
    let version = text(&app, "SELECT xmin::text FROM document").await;
    assert_eq!(created["version"].as_str(), version.as_deref());
    let key = text(&app, "SELECT id::text FROM document").await;
    assert_eq!(created["obj_id"].as_str(), key.as_deref());
    let own = "mutation { createDocument(input: {id: \"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\", owner_id: 1, title: \"two\", state: \"x\"}) { __typename obj_id row { __typename state } } __typename }";
    let expected = json!({"data": {"createDocument": {"__typename": "DocumentWritten", "obj_id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "row": {"__typename": "Document", "state": "x"}}, "__typename": "Mutation"}});
    assert_eq!(app.to(&user(1), own, json!({})).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_tells_null_from_what_was_left_out() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    let of = json!({"obj_id": id});
    let change = json!({"of": of, "input": {"body": "text", "team_id": 1}});
    let answer = app.to(&user(1), UPDATE, change).await;
    let row = json!({"title": "one", "state": "new", "body": "text", "team_id": 1});
    assert_eq!(answer["data"]["updateDocument"]["row"], row, "{answer}");
    let change = json!({"of": of, "input": {"body": null}});
    let answer = app.to(&user(1), UPDATE, change).await;
    let row = json!({"title": "one", "state": "new", "body": null, "team_id": 1});
    assert_eq!(answer["data"]["updateDocument"]["row"], row, "{answer}");
    let with_variable = "mutation($of: ObjectIdInput!, $body: String) { updateDocument(identifier: $of, \
                         input: {body: $body, state: \"b\"}) { row { body state } } }";
    let answer = app.to(&user(1), with_variable, json!({"of": of})).await;
    assert_eq!(
        answer["data"]["updateDocument"]["row"],
        json!({"body": null, "state": "b"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_nothing_has_no_version_that_one_could_wait_for() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    let answer = app
        .to(&user(1), UPDATE, json!({"of": {"obj_id": id}, "input": {}}))
        .await;
    let updated = &answer["data"]["updateDocument"];
    assert_eq!(
        (&updated["version"], &updated["row"]["title"]),
        (&Value::Null, &json!("one"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_is_gone() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    let answer = app
        .to(&user(1), DELETE, json!({"of": {"obj_id": id}}))
        .await;
    let deleted = &answer["data"]["deleteDocument"];
    assert_eq!(
        (&deleted["obj_id"], &deleted["entity"]),
        (&id, &json!("Document"))
    );
    assert!(deleted["version"].is_string(), "{answer}");
    assert_eq!(text(&app, "SELECT id::text FROM document").await, None);
    let again = app
        .to(&user(1), DELETE, json!({"of": {"obj_id": id}}))
        .await;
    assert_eq!(refused(&again), ["No row was found when one was required"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_for_is_not_there_and_without_a_rule_nobody_writes() {
    let app = App::of(builder()).await;
    let (status, body) = app
        .answer("mutation { createTag(input: {id: 3, label: \"x\"}) { obj_id } }")
        .await;
    assert_eq!(status, 200);
    assert!(
        body.contains("Schema is not configured to execute mutation operation."),
        "{body}"
    );
    let tables = documents().writes::<document::Entity>(Writes::of([Operation::Create]));
    let app = App::beside(document::TABLE, tables).await;
    let input = json!({"input": {"owner_id": 1, "title": "one"}});
    let answer = app.to(&user(1), CREATE, input).await;
    assert_eq!(refused(&answer), ["Whoever asks may not create the row"]);
    assert_eq!(
        answer["errors"][0]["extensions"],
        json!({"code": "BLZ5010"})
    );
    let (status, body) = app
        .answer("mutation { deleteDocument(identifier: {obj_id: \"x\"}) { obj_id } }")
        .await;
    assert_eq!(
        (status, body.contains("Unknown field")),
        (400, true),
        "{body}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_out_of_sight_answers_as_one_that_is_not_there() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    let nobody = json!("b0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11");
    for (document, input) in [(UPDATE, json!({"title": "x"})), (DELETE, json!(null))] {
        let mut answers = Vec::new();
        for of in [&id, &nobody] {
            let mut variables = json!({"of": {"obj_id": of}, "input": input});
            if input.is_null() {
                variables.as_object_mut().unwrap().remove("input");
            }
            answers.push(app.to(&user(2), document, variables).await);
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(
            refused(&answers[0]),
            ["No row was found when one was required"]
        );
    }
    let title = text(&app, "SELECT title FROM document").await;
    assert_eq!(title.as_deref(), Some("one"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_in_sight_that_is_not_ones_own_is_not_written() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    app.sql("UPDATE document SET state = 'public'").await;
    let change = json!({"of": {"obj_id": id}, "input": {"title": "x"}});
    let answer = app.to(&user(2), UPDATE, change).await;
    let sentence = "Whoever asks may not update the row, or not like this";
    assert_eq!(refused(&answer), [sentence]);
    let answer = app
        .to(&user(2), DELETE, json!({"of": {"obj_id": id}}))
        .await;
    assert_eq!(refused(&answer), ["Whoever asks may not delete the row"]);
    assert_eq!(
        text(&app, "SELECT title FROM document").await.as_deref(),
        Some("one")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gives_rows_away_or_makes_rows_of_others() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    let change = json!({"of": {"obj_id": id}, "input": {"owner_id": 2}});
    let answer = app.to(&user(1), UPDATE, change).await;
    refused(&answer);
    let input = json!({"input": {"owner_id": 2, "title": "forged"}});
    let answer = app.to(&user(1), CREATE, input).await;
    assert_eq!(refused(&answer), ["Whoever asks may not create the row"]);
    let owners = text(&app, "SELECT string_agg(owner_id::text, ',') FROM document").await;
    assert_eq!(owners.as_deref(), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_finds_out_by_writing_what_rows_of_others_hold() {
    let app = start().await;
    create(&app, 1, "secret").await;
    let mine = create(&app, 2, "mine").await;
    let mut answers = Vec::new();
    for title in ["secret", "free"] {
        let input = json!({"input": {"owner_id": 1, "title": title}});
        let created = app.to(&user(2), CREATE, input).await;
        let input = json!({"owner_id": 1, "title": title});
        let of = json!({"of": {"obj_id": mine}, "input": input});
        answers.push((created, app.to(&user(2), UPDATE, of).await));
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(
        refused(&answers[0].0),
        ["Whoever asks may not create the row"]
    );
    let again = json!({"input": {"owner_id": 2, "title": "mine"}});
    let answer = app.to(&user(2), CREATE, again).await;
    assert_eq!(
        refused(&answer),
        ["`owner_id` and `title` are taken by another row"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_know_the_defaults_of_rows_that_are_taken() {
    let writes = Writes::all()
        .allow(|_| WriteAccess::all().create(Rule::eq(document::Column::State, "new")));
    let tables = builder().table::<document::Entity>();
    let tables = tables.writes::<document::Entity>(writes);
    let app = App::beside(document::TABLE, tables).await;
    create(&app, 1, "one").await;
    let input = json!({"input": {"owner_id": 1, "title": "one"}});
    let answer = app.to(&user(1), CREATE, input).await;
    assert_eq!(
        refused(&answer),
        ["`owner_id` and `title` are taken by another row"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_become_what_the_rule_for_updated_ones_says() {
    let writes = Writes::all().allow(|_| {
        let draft = Rule::eq(document::Column::State, "draft");
        let review = Rule::eq(document::Column::State, "review");
        WriteAccess::all().update(draft).becoming(review)
    });
    let tables = builder().table::<document::Entity>();
    let app = App::beside(document::TABLE, tables.writes::<document::Entity>(writes)).await;
    app.sql("INSERT INTO document (id, owner_id, title, state) VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 1, 'one', 'draft')").await;
    let to = |state: &str| json!({"of": {"obj_id": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}, "input": {"state": state}});
    refused(&app.to(&user(1), UPDATE, to("draft")).await);
    let answer = app.to(&user(1), UPDATE, to("review")).await;
    assert_eq!(
        answer["data"]["updateDocument"]["row"]["state"], "review",
        "{answer}"
    );
    refused(&app.to(&user(1), UPDATE, to("review")).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_are_written_by_those_who_may() {
    let app = start().await;
    let input = json!({"input": {"owner_id": 1, "title": "one", "stars": 5}});
    let answer = app.to(&user(1), CREATE, input).await;
    assert_eq!(
        refused(&answer),
        ["`stars` may not be written by whoever asks"]
    );
    let extensions = json!({"code": "BLZ5010", "input": ["input", "stars"]});
    assert_eq!(answer["errors"][0]["extensions"], extensions);
    assert_eq!(answer["errors"][0]["path"], json!(["createDocument"]));

    let hidden = |access: WriteAccess| {
        let tables = builder().table::<document::Entity>();
        let tables =
            tables.visible::<document::Entity>(|_| Access::all().hide(document::Column::Body));
        tables.writes::<document::Entity>(Writes::all().allow(move |_| access.clone()))
    };
    let input = json!({"input": {"owner_id": 1, "title": "one", "body": "b"}});
    let app = App::beside(document::TABLE, hidden(WriteAccess::all())).await;
    let answer = app.to(&user(1), CREATE, input.clone()).await;
    assert_eq!(
        refused(&answer),
        ["`body` may not be written by whoever asks"]
    );
    let named = [
        document::Column::OwnerId,
        document::Column::Title,
        document::Column::Body,
    ];
    let app = App::beside(document::TABLE, hidden(WriteAccess::all().only(named))).await;
    let answer = app.to(&user(1), CREATE, input).await;
    assert_eq!(answer["data"]["createDocument"]["row"]["body"], Value::Null);
    assert_eq!(
        text(&app, "SELECT body FROM document").await.as_deref(),
        Some("b")
    );
}

/// Waits until a statement of another connection waits for a lock.
async fn until_somebody_waits(app: &App) {
    let watcher = app.other_connection().await;
    let waits = "SELECT pid::text FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let statement = Statement::from_string(DbBackend::Postgres, waits);
        if watcher.query_one_raw(statement).await.unwrap().is_some() {
            return;
        }
        assert!(Instant::now() < deadline, "nobody waits");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_is_given_away_meanwhile_is_judged_as_it_then_is() {
    let app = start().await;
    let id = create(&app, 1, "one").await;
    for (document, state, expected) in [
        (UPDATE, "new", "No row was found when one was required"),
        (
            UPDATE,
            "public",
            "Whoever asks may not update the row, or not like this",
        ),
        (DELETE, "public", "Whoever asks may not delete the row"),
    ] {
        app.sql("UPDATE document SET owner_id = 1, state = 'new'")
            .await;
        let other = app.other_connection().await;
        let transaction = other.begin().await.unwrap();
        let away = format!("UPDATE document SET owner_id = 2, state = '{state}'");
        transaction.execute_unprepared(&away).await.unwrap();
        let mut variables = json!({"of": {"obj_id": id}});
        if document == UPDATE {
            variables["input"] = json!({"title": "mine"});
        }
        let viewer = user(1);
        let (answer, ()) = tokio::join!(app.to(&viewer, document, variables), async {
            until_somebody_waits(&app).await;
            transaction.commit().await.unwrap();
        });
        assert_eq!(refused(&answer), [expected], "{state}");
    }
    assert_eq!(
        text(&app, "SELECT title FROM document").await.as_deref(),
        Some("one")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_are_written_in_order_and_one_that_fails_keeps_none_back() {
    let app = start().await;
    let document = "mutation { a: createDocument(input: {owner_id: 1, title: \"a\"}) { row { number } } \
                    b: createDocument(input: {owner_id: 2, title: \"b\"}) { row { number } } \
                    c: createDocument(input: {owner_id: 1, title: \"c\"}) { row { title } version } \
                    d: createDocument(input: {owner_id: 1, title: \"d\"}) { version } }";
    let answer = app.to(&user(1), document, json!({})).await;
    let data = &answer["data"];
    assert_eq!(data["a"], json!({"row": {"number": 1}}));
    assert_eq!(data["b"], Value::Null);
    assert_eq!(answer["errors"][0]["path"], json!(["b"]));
    assert_eq!(data["c"]["row"], json!({"title": "c"}));
    let version = |of: &Value| of["version"].as_str().unwrap().parse::<u64>().unwrap();
    assert!(version(&data["c"]) < version(&data["d"]), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn authors_check_and_complete_rows_before_they_are_saved() {
    let writes = Writes::all()
        .allow(|_| WriteAccess::all())
        .fills([document::Column::OwnerId])
        .validate(|draft: &Draft| match draft.text(document::Column::Title) {
            Some("") => Err(Invalid::field(document::Column::Title, "must not be empty")
                .and(Invalid::row("Such a document makes no sense"))),
            Some("panic") => panic!("on purpose"),
            _ => Ok(()),
        })
        .before_save(|draft: &mut Draft, transaction| {
            Box::pin(async move {
                if draft.operation() == Operation::Delete {
                    return Err(Invalid::row("Documents are kept"));
                }
                if let Some(&user) = draft.viewer::<i32>() {
                    draft.set(document::Column::OwnerId, user);
                }
                draft.set(document::Column::Secret, "s3cret");
                let teams = team::Entity::find().all(transaction).await?;
                draft.set(document::Column::State, format!("{} teams", teams.len()));
                transaction
                    .execute_unprepared("INSERT INTO tag VALUES (7, 'by a hook')")
                    .await?;
                Ok(())
            })
        });
    let tables = builder().table::<document::Entity>();
    let app = App::beside(document::TABLE, tables.writes::<document::Entity>(writes)).await;
    let create = |title: &str| json!({"input": {"title": title}});
    let answer = app.to(&user(4), CREATE, create("")).await;
    let sentences = [
        "`title` must not be empty",
        "Such a document makes no sense",
    ];
    assert_eq!(refused(&answer), sentences);
    let extensions = json!({"code": "BLZ5011", "input": ["input", "title"]});
    assert_eq!(answer["errors"][0]["extensions"], extensions);
    let answer = app.to(&user(4), CREATE, create("panic")).await;
    assert_eq!(refused(&answer), ["The row could not be checked"]);
    let answer = app.to(&user(4), CREATE, create("01234567890")).await;
    assert_eq!(refused(&answer), ["`title` is too long"]);
    let tags = "SELECT label FROM tag WHERE id = 7";
    assert_eq!(
        text(&app, tags).await,
        None,
        "the hook's own row goes with it"
    );
    let answer = app.to(&user(4), CREATE, create("one")).await;
    let created = &answer["data"]["createDocument"];
    assert_eq!(created["row"]["owner_id"], 4, "{answer}");
    assert_eq!(created["row"]["state"], "2 teams");
    assert!(text(&app, tags).await.is_some());
    assert_eq!(
        text(&app, "SELECT secret FROM document").await.as_deref(),
        Some("s3cret")
    );
    let answer = app
        .to(
            &user(4),
            DELETE,
            json!({"of": {"obj_id": created["obj_id"]}}),
        )
        .await;
    assert_eq!(refused(&answer), ["Documents are kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_with_keys_of_several_columns_are_written() {
    let free = || Writes::all().allow(|_| WriteAccess::all());
    let tables = builder()
        .writes::<stock::Entity>(free())
        .writes::<user_tag::Entity>(free());
    let app = App::of(tables).await;
    let document = "mutation { a: createStock(input: {product_id: \"9007199254740993\", warehouse: \"S9\", qty: 1}) { obj_id } \
                    b: updateStock(identifier: {obj_id: [\"9007199254740993\", \"S9\"]}, input: {qty: 2}) { row { product_id qty } } \
                    c: deleteStock(identifier: {obj_id: [1, \"S1\"]}) { obj_id } \
                    d: createUserTag(input: {user_id: 3, tag_id: 1}) { obj_id } \
                    e: deleteUserTag(identifier: {obj_id: [1, 1]}) { obj_id } }";
    let answer = app.to(&user(1), document, json!({})).await;
    let expected = json!({"data": {"a": {"obj_id": ["9007199254740993", "S9"]}, "b": {"row": {"product_id": "9007199254740993", "qty": 2}}, "c": {"obj_id": [1, "S1"]}, "d": {"obj_id": [3, 1]}, "e": {"obj_id": [1, 1]}}});
    assert_eq!(answer, expected);
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    assert!(!sdl.contains("updateUserTag"), "it is nothing but its key");
}

#[tokio::test(flavor = "multi_thread")]
async fn values_of_every_kind_are_answered_as_they_were_written() {
    let tables = builder().writes::<kinds::Entity>(Writes::all().allow(|_| WriteAccess::all()));
    let app = App::of(tables).await;
    let text = r#"{"c_int2": -32768, "c_int8": "9223372036854775807", "c_float4": 1.5,
        "c_float8": 1.7976931348623157e+308, "c_numeric": "12345678901234567890.123456789010",
        "c_money": "$1.50", "c_bool": true, "c_text": "\"it's\" \\ \u00e4\n", "c_varchar": "",
        "c_char": "ab", "c_citext": "Mixed", "c_mood": "very happy", "c_domain": 3,
        "c_uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "c_date": "infinity",
        "c_time": "12:00:00.000001", "c_timetz": "12:00:00+02", "c_timestamp": "2024-01-02 03:04:05.6",
        "c_timestamptz": "0044-03-15 00:00:00+00 BC", "c_interval": "1 mon -1 days",
        "c_json": {"b": 12345678901234567890123456789.10, "a": [null, "x"]},
        "c_jsonb": {"a": 1.10, "b": 123456789012345678901234567890}, "c_bytea": "\\x00ff",
        "c_inet": "10.0.0.1/8", "c_cidr": "10.0.0.0/8", "c_point": "(1,2)", "c_range": "[1,5)",
        "c_bit": "101", "c_ints": [1, null, -3], "c_texts": ["NULL", "", "a\"b\\", null, "{,}"],
        "c_bools": [true, false], "c_jsons": [{"a": [1]}, [2], "s", null],
        "c_moods": ["very happy", "sad"]}"#;
    let values: Value = serde_json::from_str(text).unwrap();
    let names: Vec<&String> = values.as_object().unwrap().keys().collect();
    let selection = names
        .iter()
        .map(|name| format!("{name} "))
        .collect::<String>();
    let row = format!("{{ row {{ {selection} }} }}");
    let create =
        format!("mutation($input: CreateKindsInput!) {{ createKinds(input: $input) {row} }}");
    let update = format!(
        "mutation($input: UpdateKindsInput!) {{ updateKinds(identifier: {{obj_id: 7}}, input: $input) {row} }}"
    );
    let mut input = values.clone();
    input["id"] = json!(7);
    let answer = app.to(&user(1), &create, json!({"input": input})).await;
    assert_eq!(answer["data"]["createKinds"]["row"], values, "{answer}");
    let nulls: Value = names
        .iter()
        .map(|name| (String::clone(name), Value::Null))
        .collect();
    let answer = app.to(&user(1), &update, json!({"input": nulls})).await;
    assert_eq!(answer["data"]["updateKinds"]["row"], nulls, "{answer}");
    let answer = app.to(&user(1), &update, json!({"input": values})).await;
    assert_eq!(answer["data"]["updateKinds"]["row"], values, "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entity_says_by_itself_which_mutations_it_has() {
    let table = "CREATE TABLE reminder (id int PRIMARY KEY, text varchar NOT NULL)";
    let app = App::beside(table, builder().table::<memo::Entity>()).await;
    let sdl = blazelink::graphql::sdl(&app.manager).unwrap();
    assert!(
        sdl.contains("createReminder(") && sdl.contains("deleteReminder("),
        "{sdl}"
    );
    assert!(!sdl.contains("updateReminder("), "{sdl}");
}

/// An entity with the attribute.
mod memo {
    use sea_orm::entity::prelude::*;

    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel, blazelink::Table)]
    #[sea_orm(table_name = "reminder")]
    #[blazelink(writes(create, delete))]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i32,
        pub text: String,
    }

    #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
