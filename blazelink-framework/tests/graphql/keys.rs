//! Keys of all types, in and out.

use std::sync::Arc;

use blazelink::BlazeContext;
use blazelink::graphql::{Executor, Request};

use crate::support::{App, Recorder, read};

#[tokio::test]
async fn rows_are_found_by_keys_of_any_type() {
    let app = App::start().await;
    let rows = [
        (
            "{category(identifier:{obj_id:2}){name}}",
            r#"{"category":{"name":"books"}}"#,
        ),
        (
            "{address(identifier:{obj_id:\"9007199254740993\"}){id city}}",
            r#"{"address":{"id":"9007199254740993","city":"Rome"}}"#,
        ),
        (
            "{address(identifier:{obj_id:9007199254740993}){city}}",
            r#"{"address":{"city":"Rome"}}"#,
        ),
        (
            "{stock(identifier:{obj_id:[1,\"S1\"]}){qty}}",
            r#"{"stock":{"qty":5}}"#,
        ),
        (
            "{stocks{items{obj_id row{stock_move{items{obj_id row{stock{obj_id row{qty}}}}}}}}}",
            r#"{"stocks":{"items":[{"obj_id":[1,"S1"],"row":{"stock_move":{"items":[{"obj_id":1,"row":{"stock":{"obj_id":[1,"S1"],"row":{"qty":5}}}},{"obj_id":2,"row":{"stock":{"obj_id":[1,"S1"],"row":{"qty":5}}}}]}}},{"obj_id":[1,"S2"],"row":{"stock_move":{"items":[{"obj_id":3,"row":{"stock":{"obj_id":[1,"S2"],"row":{"qty":0}}}}]}}}]}}"#,
        ),
        (
            "{memo(identifier:{obj_id:\"A0EEBC999C0B4EF8BB6D6BB9BD380A11\"}){id label{obj_id row{title}}}}",
            r#"{"memo":{"id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","label":{"obj_id":"RED","row":{"title":"a colour"}}}}"#,
        ),
        (
            "{label(identifier:{obj_id:\"rED\"}){code notes{items{obj_id}}}}",
            r#"{"label":{"code":"Red","notes":{"items":[{"obj_id":"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"}]}}}"#,
        ),
    ];
    for (query, data) in rows {
        let expected = (200, format!("{{\"data\":{data}}}"));
        assert_eq!(app.answer(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn keys_may_be_variables_of_the_types_that_they_are_made_of() {
    let app = App::start().await;
    for (declared, variables) in [
        ("$k: Key", serde_json::json!({"k": 1})),
        ("$k: Int", serde_json::json!({"k": 1})),
        ("$k: Int!", serde_json::json!({"k": 1})),
        ("$k: Int = 1", serde_json::json!({})),
    ] {
        let query = format!("query Q({declared}) {{game(identifier:{{obj_id:$k}}){{name}}}}");
        let expected = (200, r#"{"data":{"game":{"name":"g1"}}}"#.to_owned());
        assert_eq!(app.with(&query, variables).await, expected);
    }
}

#[tokio::test]
async fn keys_of_another_type_are_refused_in_words() {
    let app = App::start().await;
    let rows = [
        (
            "{category(identifier:{obj_id:40000}){name}}",
            "Invalid obj_id! Category has a key of type Int",
        ),
        (
            "{address(identifier:{obj_id:\"x\"}){city}}",
            "Invalid obj_id! Address has a key of type BigInt",
        ),
        (
            "{stock(identifier:{obj_id:[\"S1\",1]}){qty}}",
            "Invalid obj_id! Stock has a key of type [BigInt, String]",
        ),
        (
            "{stock(identifier:{obj_id:1}){qty}}",
            "Invalid obj_id! Stock has a key of type [BigInt, String]",
        ),
        (
            "{memo(identifier:{obj_id:\"x\"}){id}}",
            "Invalid obj_id! Memo has a key of type String",
        ),
        (
            "{label(identifier:{obj_id:\"a\\u0000\"}){code}}",
            "Invalid obj_id! It is no value of the key's type",
        ),
    ];
    for (query, message) in rows {
        let (status, body) = app.answer(query).await;
        assert_eq!(status, 200);
        assert!(
            body.contains(&format!("\"errors\":[{{\"message\":\"{message}\"")),
            "{query}: {body}"
        );
    }
}

/// Documents that differ in their keys are kept once; nobody must be able to tell.
#[tokio::test]
async fn documents_with_other_keys_are_answered_as_if_they_were_the_first() {
    let app = App::start().await;
    let texts = [
        "{user(identifier:{obj_id:KEY}){id name team{obj_id}}}",
        "{a:user(identifier:{obj_id:KEY}){id} b:user(identifier:{obj_id:1}){id}}",
        "{a:user(identifier:{obj_id:KEY}){id} a:user(identifier:{obj_id:1}){name}}",
        "{user(identifier:{obj_id:1,dependencies:[{entity:\"Team\",obj_id:KEY}]}){id} nothing}",
        "{user(identifier:{obj_id:1,dependencies:[{entity:\"Team\",obj_id:KEY}]}){id}}",
        "{stock(identifier:{obj_id:[KEY,\"S1\"]}){qty}}",
        "{memo(identifier:{obj_id:KEY}){body}}",
        "query A{...R} fragment R on Query{user(identifier:{obj_id:KEY}){events(size:2){count}}}",
    ];
    let keys = [
        "1",
        "2",
        "3",
        "9",
        "12",
        "-1",
        "01",
        "\"1\"",
        "\"2\"",
        "\"x\"",
        "1.5",
        "null",
        "9007199254740993",
        "9007199254740992",
        "[1]",
        "true",
        "A",
        "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
        "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12\"",
    ];
    for text in texts {
        for key in keys.iter().chain(&keys) {
            let text = text.replace("KEY", key);
            let fresh = Executor::new(Arc::clone(&app.manager), app.database.clone()).unwrap();
            let mut told = Vec::new();
            for executor in [&fresh, &app.executor] {
                let watch = Recorder::new(&app.manager);
                let context = BlazeContext::anonymous();
                let request = Request::new(&text);
                let answer = executor.execute(request, &context, &watch).await;
                told.push((read(&answer), watch.lines()));
            }
            assert_eq!(told[0], told[1], "{text}");
        }
    }
}
