//! Queries and the bytes that answer them.

use blazelink::BlazeContext;
use serde_json::json;

use crate::support::App;

/// Asks each query and compares the value of `data`.
async fn check(app: &App, rows: &[(&str, &str)]) {
    for (query, data) in rows {
        let expected = (200, format!("{{\"data\":{data}}}"));
        assert_eq!(app.answer(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn rows_and_relations_are_answered() {
    let app = App::start().await;
    check(&app, &[
        ("{game(identifier:{obj_id:1}){id name}}", r#"{"game":{"id":1,"name":"g1"}}"#),
        (
            "{gameEvent(identifier:{obj_id:1,entity:\"GameEvent\",modifiers:\"undefined\"}){type player_id \
             player{obj_id entity modifiers dependencies{obj_id entity}} game{obj_id row{name}}}}",
            r#"{"gameEvent":{"type":"death","player_id":1,"player":{"obj_id":1,"entity":"User","modifiers":"[]","dependencies":[]},"game":{"obj_id":2,"row":{"name":"g2"}}}}"#,
        ),
        ("{gameEvent(identifier:{obj_id:14}){player_id player{obj_id row{id}}}}", r#"{"gameEvent":{"player_id":null,"player":null}}"#),
        // A foreign key that leads nowhere is still a reference.
        ("{user(identifier:{obj_id:3}){team{obj_id row{id}}}}", r#"{"user":{"team":{"obj_id":9,"row":null}}}"#),
        ("{user(identifier:{obj_id:1}){profile{obj_id}}}", r#"{"user":{"profile":{"obj_id":1}}}"#),
        ("{user(identifier:{obj_id:2}){profile{obj_id}}}", r#"{"user":{"profile":null}}"#),
        (
            "{user(identifier:{obj_id:1}){tags{count items{obj_id entity row{label users{count items{obj_id}}}}}}}",
            r#"{"user":{"tags":{"count":2,"items":[{"obj_id":1,"entity":"Tag","row":{"label":"new","users":{"count":1,"items":[{"obj_id":1}]}}},{"obj_id":2,"entity":"Tag","row":{"label":"pro","users":{"count":2,"items":[{"obj_id":1},{"obj_id":2}]}}}]}}}"#,
        ),
        ("{user(identifier:{obj_id:3}){tags{count items{obj_id row{label}}}}}", r#"{"user":{"tags":{"count":0,"items":[]}}}"#),
        (
            "{category(identifier:{obj_id:2}){parent{obj_id row{name}} categorys_by_parent{items{row{name}}}}}",
            r#"{"category":{"parent":{"obj_id":1,"row":{"name":"all"}},"categorys_by_parent":{"items":[{"row":{"name":"novels"}}]}}}"#,
        ),
        (
            "{customer(identifier:{obj_id:1}){home_address{obj_id row{city}} work_address{obj_id row{city}}}}",
            r#"{"customer":{"home_address":{"obj_id":1,"row":{"city":"Oslo"}},"work_address":{"obj_id":"9007199254740993","row":{"city":"Rome"}}}}"#,
        ),
        ("{address(identifier:{obj_id:1}){customers_by_home_address{count} customers_by_work_address{count}}}", r#"{"address":{"customers_by_home_address":{"count":2},"customers_by_work_address":{"count":0}}}"#),
        ("{user(identifier:{obj_id:2}){score}}", r#"{"user":{"score":"9007199254740993"}}"#),
    ]).await;
}

#[tokio::test]
async fn pages_are_cut_by_their_rules() {
    let app = App::start().await;
    check(&app, &[
        ("{users{count items{obj_id}}}", r#"{"users":{"count":3,"items":[{"obj_id":1},{"obj_id":2},{"obj_id":3}]}}"#),
        ("{users(page:1,size:2){count items{obj_id row{name}}}}", r#"{"users":{"count":3,"items":[{"obj_id":3,"row":{"name":"cy"}}]}}"#),
        ("{users(page:7){items{obj_id}}}", r#"{"users":{"items":[]}}"#),
        ("{users(page:2147483647,size:1000){items{obj_id}}}", r#"{"users":{"items":[]}}"#),
        ("{users(size:0){count items{obj_id}}}", r#"{"users":{"count":3,"items":[]}}"#),
        ("{users(size:-1){items{obj_id}}}", r#"{"users":{"items":[]}}"#),
        ("{users(page:-1){items{obj_id}}}", r#"{"users":{"items":[]}}"#),
        (
            "{user(identifier:{obj_id:1}){events{count items{obj_id}}}}",
            r#"{"user":{"events":{"count":12,"items":[{"obj_id":1},{"obj_id":2},{"obj_id":3},{"obj_id":4},{"obj_id":5},{"obj_id":6},{"obj_id":7},{"obj_id":8},{"obj_id":9},{"obj_id":10}]}}}"#,
        ),
        ("{user(identifier:{obj_id:1}){events(page:1,size:11){items{obj_id row{type}}}}}", r#"{"user":{"events":{"items":[{"obj_id":12,"row":{"type":"kill"}}]}}}"#),
        ("{user(identifier:{obj_id:1}){events(page:9,size:11){count items{obj_id}}}}", r#"{"user":{"events":{"count":12,"items":[]}}}"#),
        ("{user(identifier:{obj_id:1}){events(size:0){count items{obj_id}}}}", r#"{"user":{"events":{"count":12,"items":[]}}}"#),
        ("{user(identifier:{obj_id:3}){events{count items{obj_id}}}}", r#"{"user":{"events":{"count":0,"items":[]}}}"#),
        (
            "{users{items{obj_id row{events(page:1,size:1){count items{obj_id}}}}}}",
            r#"{"users":{"items":[{"obj_id":1,"row":{"events":{"count":12,"items":[{"obj_id":2}]}}},{"obj_id":2,"row":{"events":{"count":1,"items":[]}}},{"obj_id":3,"row":{"events":{"count":0,"items":[]}}}]}}"#,
        ),
    ]).await;
}

#[tokio::test]
async fn fields_merge_in_document_order() {
    let app = App::start().await;
    check(&app, &[
        ("{b:game(identifier:{obj_id:2}){id} a:game(identifier:{obj_id:1}){n:name id n:name}}", r#"{"b":{"id":2},"a":{"n":"g1","id":1}}"#),
        ("{game(identifier:{obj_id:1}){id} game(identifier:{obj_id:1}){name id}}", r#"{"game":{"id":1,"name":"g1"}}"#),
        (
            "query Q { g: game(identifier:{obj_id:1}) { ...F ...F } } fragment F on Game { nn: name ...G } fragment G on Game { id }",
            r#"{"g":{"nn":"g1","id":1}}"#,
        ),
        (
            "{users(size:1){items{obj_id ...{row{id}}} items{row{name ... on User{team{row{id}}}}} count ... on GenericHelper__Page__UserTable{count}}}",
            r#"{"users":{"items":[{"obj_id":1,"row":{"id":1,"name":"ann","team":{"row":{"id":1}}}}],"count":3}}"#,
        ),
        // Aliases of the same row are read together and printed apart.
        (
            "{users(size:1){a:items{x:row{id} y:row{name events(size:1){items{obj_id}}}} b:items{row{team{row{name}}}}}}",
            r#"{"users":{"a":[{"x":{"id":1},"y":{"name":"ann","events":{"items":[{"obj_id":1}]}}}],"b":[{"row":{"team":{"row":{"name":"red"}}}}]}}"#,
        ),
        (
            "{__typename users(size:1){__typename items{__typename row{__typename team{__typename}}}} game(identifier:{obj_id:1}){__typename}}",
            r#"{"__typename":"Query","users":{"__typename":"GenericHelper__Page__UserTable","items":[{"__typename":"UserRef","row":{"__typename":"User","team":{"__typename":"TeamRef"}}}]},"game":{"__typename":"Game"}}"#,
        ),
        (
            "{a:__typename __type(name:\"Team\"){name kind fields{name}} game(identifier:{obj_id:1}){id} __schema{queryType{name}}}",
            r#"{"a":"Query","__type":{"name":"Team","kind":"OBJECT","fields":[{"name":"id"},{"name":"name"},{"name":"users"}]},"game":{"id":1},"__schema":{"queryType":{"name":"Query"}}}"#,
        ),
        ("{game(identifier:{obj_id:1}){id @skip(if:true) name @include(if:false) __typename @skip(if:false)}}", r#"{"game":{"__typename":"Game"}}"#),
        ("{game(identifier:{obj_id:1}) @skip(if:true){id}}", "{}"),
    ]).await;
}

#[tokio::test]
async fn variables_fill_arguments_and_directives() {
    let app = App::start().await;
    let row = "query Q($i: ObjectIdInput, $k: Key, $s: Int = 1, $p: Int, $with: Boolean!) { \
               user(identifier: $i) { name team @include(if: $with) { obj_id } events(page: $p, size: $s) { items { obj_id } } } \
               game(identifier: {obj_id: $k}) { id } }";
    let rows = [
        (
            json!({"i": {"obj_id": 1, "entity": "User"}, "k": 2, "with": true}),
            r#"{"data":{"user":{"name":"ann","team":{"obj_id":1},"events":{"items":[{"obj_id":1}]}},"game":{"id":2}}}"#,
        ),
        // The same document again: a directive that a variable decides is decided each time.
        (
            json!({"i": {"obj_id": 1}, "k": 1, "s": 2, "p": 1, "with": false}),
            r#"{"data":{"user":{"name":"ann","events":{"items":[{"obj_id":3},{"obj_id":4}]}},"game":{"id":1}}}"#,
        ),
        (
            json!({"i": {"obj_id": 1}, "with": false, "p": null}),
            r#"{"data":{"user":{"name":"ann","events":null},"game":null},"errors":[{"message":"The argument `page` must not be null","locations":[{"line":1,"column":142}],"path":["user","events"]},{"message":"No row was found when one was required","locations":[{"line":1,"column":192}],"path":["game"]}]}"#,
        ),
        (
            json!({"i": {"obj_id": 1}}),
            r#"{"data":null,"errors":[{"message":"Variable '$with' of required type 'Boolean!' was not provided.","locations":[{"line":1,"column":59}]}]}"#,
        ),
        (
            json!({"i": {"obj_id": {}}, "with": true}),
            r#"{"data":null,"errors":[{"message":"Variable '$i' got invalid value at 'i.obj_id'; Key cannot represent the value.","locations":[{"line":1,"column":9}]}]}"#,
        ),
    ];
    for (variables, expected) in rows {
        assert_eq!(app.with(row, variables).await, (200, expected.to_owned()));
    }
}

#[tokio::test]
async fn several_operations_need_a_name() {
    use blazelink::graphql::Request;
    use blazelink::subscription::Unwatched;

    let app = App::start().await;
    let mut request = Request::new(
        "query Q{game(identifier:{obj_id:1}){id}} query R{game(identifier:{obj_id:2}){id}}",
    );
    for (name, expected) in [
        (Some("R"), r#"{"data":{"game":{"id":2}}}"#),
        (Some("Q"), r#"{"data":{"game":{"id":1}}}"#),
        (
            None,
            r#"{"data":null,"errors":[{"message":"Must provide operation name if query contains multiple operations."}]}"#,
        ),
        (
            Some("X"),
            r#"{"data":null,"errors":[{"message":"Unknown operation named 'X'."}]}"#,
        ),
    ] {
        request.operation_name = name.map(str::to_owned);
        let answer = app
            .executor
            .execute(request.clone(), &BlazeContext::anonymous(), &Unwatched)
            .await;
        assert_eq!(crate::support::read(&answer), (200, expected.to_owned()));
    }
}

#[tokio::test]
async fn failures_are_null_with_an_error_at_their_path() {
    let app = App::start().await;
    let rows = [
        (
            "{a:game(identifier:{obj_id:1}){id} b:game(identifier:{obj_id:77}){name}}",
            r#"{"data":{"a":{"id":1},"b":null},"errors":[{"message":"No row was found when one was required","locations":[{"line":1,"column":36}],"path":["b"]}]}"#,
        ),
        (
            "{users(size:2){items{row{e:events(size:1001){count}}}}}",
            r#"{"data":{"users":{"items":[{"row":{"e":null}},{"row":{"e":null}}]}},"errors":[{"message":"`size` must be at most 1000 (BLZ5007)","locations":[{"line":1,"column":26}],"path":["users","items",0,"row","e"]},{"message":"`size` must be at most 1000 (BLZ5007)","locations":[{"line":1,"column":26}],"path":["users","items",1,"row","e"]}]}"#,
        ),
        (
            "{users(size:1001){count}}",
            r#"{"data":{"users":null},"errors":[{"message":"`size` must be at most 1000 (BLZ5007)","locations":[{"line":1,"column":2}],"path":["users"]}]}"#,
        ),
        (
            "{game(identifier:{obj_id:1,entity:\"game\"}){id}}",
            r#"{"data":{"game":null},"errors":[{"message":"Invalid entity type! Expected: Game, got game","locations":[{"line":1,"column":2}],"path":["game"]}]}"#,
        ),
    ];
    for (query, expected) in rows {
        assert_eq!(
            app.answer(query).await,
            (200, expected.to_owned()),
            "{query}"
        );
    }
    for query in [
        "{game{id}}",
        "{game(identifier:null){id}}",
        "{game(identifier:{}){id}}",
        "{game(identifier:{obj_id:null}){id}}",
        "{game(identifier:{obj_id:\"1\"}){id}}",
        "{game(identifier:{obj_id:[1]}){id}} # one column may be a list",
        "{game(identifier:{obj_id:[1,2]}){id}}",
        "{game(identifier:{obj_id:2147483648}){id}}",
        "{game(identifier:{obj_id:1,dependencies:null}){id}}",
        "{game(identifier:{obj_id:1,dependencies:[{obj_id:3}]}){id}}",
        "{game(identifier:{obj_id:1,dependencies:[{entity:\"Nothing\"}]}){id}}",
        "{game(identifier:{obj_id:1,dependencies:[{entity:\"User\",obj_id:\"x\"}]}){id}}",
    ] {
        let (status, body) = app.answer(query).await;
        let is_list = query.contains("[1])") || query.contains("obj_id:[1]");
        assert_eq!(
            body.contains(r#""data":{"game":null},"errors":[{"message":"#),
            !is_list,
            "{body}"
        );
        assert_eq!(status, 200);
    }
}

#[tokio::test]
async fn failed_statements_tell_nothing_of_sql() {
    let app = App::start().await;
    app.sql("ALTER TABLE team RENAME TO gone").await;
    let (status, body) = app
        .answer("{user(identifier:{obj_id:1}){name team{obj_id row{name}}}}")
        .await;
    assert_eq!(status, 200);
    assert_eq!(
        body,
        r#"{"data":{"user":{"name":"ann","team":null}},"errors":[{"message":"The database did not answer a statement","locations":[{"line":1,"column":35}],"path":["user","team"]}]}"#
    );
}

#[tokio::test]
async fn requests_for_too_many_rows_are_refused_where_they_ask() {
    let app = App::start().await;
    app.sql("INSERT INTO \"user\" SELECT n, 'n' FROM generate_series(4, 200) n")
        .await;
    let (_, body) = app
        .answer("{users(size:200){items{row{events(size:1000){items{obj_id}}}}}}")
        .await;
    assert!(body.contains("The request asks for more than 100000 rows"));
    assert_eq!(body.matches("\"message\"").count(), 100);
    assert_eq!(body.matches("\"events\":null").count(), 200);
}
