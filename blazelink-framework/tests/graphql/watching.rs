//! What is watched for an answer, before it is read.

use blazelink::BlazeContext;
use blazelink::graphql::Request;

use crate::support::{App, Recorder, read, unnumbered};

async fn check(app: &App, query: &str, expected: &[&str]) {
    let (body, lines) = app.watched(query).await;
    assert_eq!(unnumbered(&lines), expected, "{query}\n{body}");
}

#[tokio::test]
async fn roots_watch_what_they_read() {
    let app = App::start().await;
    check(
        &app,
        "{game(identifier:{obj_id:1}){name}}",
        &["begin Game 1", "declared Game 1", "finish"],
    )
    .await;
    check(
        &app,
        "{users(size:1){items{row{name}} count}}",
        &["begin User", "declared User", "finish"],
    )
    .await;
    check(
        &app,
        "{a:game(identifier:{obj_id:1}){id} b:games{count}}",
        &[
            "begin Game 1",
            "declared Game 1",
            "finish",
            "begin Game",
            "declared Game",
            "finish",
        ],
    )
    .await;
    check(&app, "{__typename __schema{queryType{name}}}", &[]).await;
}

#[tokio::test]
async fn relations_watch_what_they_lead_to() {
    let app = App::start().await;
    let begin = ["begin User 1", "declared User 1"];
    let rows: &[(&str, &[&str])] = &[
        ("team{obj_id}", &[]),
        ("team{row{name}}", &["derived Team 1"]),
        ("profile{obj_id}", &["derived Profile where user_id = 1"]),
        ("events{count}", &["derived GameEvent where player_id = 1"]),
        // The children are covered: whatever changes in them, their player_id is 1 before or after.
        (
            "events{items{row{type}}}",
            &["derived GameEvent where player_id = 1"],
        ),
        (
            "events(size:0){items{obj_id}}",
            &["derived GameEvent where player_id = 1"],
        ),
        (
            "events(size:2){items{row{game{row{name}}}}}",
            &[
                "derived GameEvent where player_id = 1",
                "derived Game 2",
                "derived Game 1",
            ],
        ),
        (
            "tags{items{obj_id}}",
            &["derived UserTag where user_id = 1"],
        ),
        (
            "tags{items{row{label}}}",
            &[
                "derived UserTag where user_id = 1",
                "derived Tag 1",
                "derived Tag 2",
            ],
        ),
    ];
    for (selection, derived) in rows {
        let expected: Vec<&str> = begin
            .iter()
            .chain(*derived)
            .chain(&["finish"])
            .copied()
            .collect();
        check(
            &app,
            &format!("{{user(identifier:{{obj_id:1}}){{{selection}}}}}"),
            &expected,
        )
        .await;
    }
    check(
        &app,
        "{users{items{row{team{row{id}}}}}}",
        &[
            "begin User",
            "declared User",
            "derived Team 1",
            "derived Team 9",
            "finish",
        ],
    )
    .await;
}

#[tokio::test]
async fn keys_of_several_columns_watch_rows_or_their_columns() {
    let app = App::start().await;
    check(
        &app,
        "{stockMove(identifier:{obj_id:1}){stock{row{qty}}}}",
        &[
            "begin StockMove 1",
            "declared StockMove 1",
            "derived Stock [1,\"S1\"]",
            "finish",
        ],
    )
    .await;
    check(
        &app,
        "{stock(identifier:{obj_id:[1,\"S1\"]}){stock_move{count}}}",
        &[
            "begin Stock [1,\"S1\"]",
            "declared Stock [1,\"S1\"]",
            "derived StockMove where warehouse = S1 and product_id = 1",
            "finish",
        ],
    )
    .await;
}

#[tokio::test]
async fn keys_that_print_otherwise_than_asked_are_watched_as_printed() {
    let app = App::start().await;
    check(
        &app,
        "{label(identifier:{obj_id:\"RED\"}){title}}",
        &[
            "begin Label \"RED\"",
            "declared Label \"RED\"",
            "derived Label \"Red\"",
            "finish",
        ],
    )
    .await;
    // No row tells the form: any row of the table may be the one.
    check(
        &app,
        "{label(identifier:{obj_id:\"Blue\"}){title}}",
        &[
            "begin Label \"Blue\"",
            "declared Label \"Blue\"",
            "derived Label",
            "finish",
        ],
    )
    .await;
    check(
        &app,
        "{memo(identifier:{obj_id:\"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11\"}){label{row{title}}}}",
        &[
            "begin Memo \"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
            "declared Memo \"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"",
            "derived Label",
            "finish",
        ],
    )
    .await;
}

#[tokio::test]
async fn clients_name_dependencies_of_their_own() {
    let app = App::start().await;
    check(
        &app,
        "{game(identifier:{obj_id:1,dependencies:[{entity:\"Gameevent\"},{entity:\"User\",obj_id:2,dependencies:{entity:\"Team\",obj_id:1}}]}){id}}",
        &["begin Game 1", "declared Game 1", "declared GameEvent", "declared User 2", "declared Team 1", "finish"],
    ).await;
}

#[tokio::test]
async fn missing_rows_stay_watched() {
    let app = App::start().await;
    check(
        &app,
        "{game(identifier:{obj_id:77}){id}}",
        &["begin Game 77", "declared Game 77", "finish"],
    )
    .await;
}

#[tokio::test]
async fn requests_that_name_no_row_watch_nothing() {
    let app = App::start().await;
    for query in [
        "{game{id}}",
        "{game(identifier:{obj_id:null,dependencies:[{entity:\"User\"}]}){id}}",
        "{game(identifier:{obj_id:1,entity:\"User\"}){id}}",
        "{game(identifier:{obj_id:1,dependencies:[{entity:\"Nothing\"}]}){id}}",
        "{games(size:null){count}}",
        "{nope}",
    ] {
        check(&app, query, &[]).await;
    }
}

#[tokio::test]
async fn failed_statements_withdraw_what_was_watched() {
    let app = App::start().await;
    app.sql("ALTER TABLE team RENAME TO gone").await;
    let query =
        "{user(identifier:{obj_id:1}){name team{row{name}}} game(identifier:{obj_id:1}){id}}";
    check(
        &app,
        query,
        &[
            "begin User 1",
            "declared User 1",
            "derived Team 1",
            "begin Game 1",
            "declared Game 1",
            "finish",
        ],
    )
    .await;
}

#[tokio::test]
async fn reads_that_may_not_be_watched_are_not_made() {
    let app = App::start().await;
    let watch = Recorder::allowing(&app.manager, 1);
    let request = Request::new("{user(identifier:{obj_id:1}){name team{row{name}}}}");
    let answer = app
        .executor
        .execute(request, &BlazeContext::anonymous(), &watch)
        .await;
    assert_eq!(
        read(&answer).1,
        r#"{"data":{"user":null},"errors":[{"message":"Too many subscriptions","locations":[{"line":1,"column":2}],"path":["user"]}]}"#
    );
    assert_eq!(
        unnumbered(&watch.lines()),
        ["begin User 1", "declared User 1"]
    );
}

#[tokio::test]
async fn selections_of_one_object_are_told_apart() {
    let app = App::start().await;
    let watch = Recorder::new(&app.manager);
    let mut numbers = Vec::new();
    let query = "query($s:Int,$u:Int){user(identifier:{obj_id:1}){events(size:$s){count}} users(size:$u){count}}";
    for (query, variables) in [
        ("{game(identifier:{obj_id:1}){id}}", "{}"),
        ("{game(identifier:{obj_id:1}){name}}", "{}"),
        ("{game(identifier:{obj_id:1}){a:name}}", "{}"),
        ("{  game(identifier:{obj_id:1})\n{ id } }", "{}"),
        (query, r#"{"s":1,"u":1}"#),
        (query, r#"{"s":2,"u":1}"#),
    ] {
        let mut request = Request::new(query);
        request.variables = serde_json::from_str(variables).unwrap();
        app.executor
            .execute(request, &BlazeContext::anonymous(), &watch)
            .await;
        numbers.push(watch.selections());
    }
    assert_eq!(numbers[0], numbers[3]);
    assert!(numbers[0] != numbers[1] && numbers[1] != numbers[2]);
    assert_ne!(numbers[4][0], numbers[5][0]);
    assert_eq!(
        numbers[4][1], numbers[5][1],
        "the other root's variable does not matter"
    );
}

#[tokio::test]
async fn narrowed_roots_watch_the_rows_that_may_enter() {
    let app = App::start().await;
    let rows: &[(&str, &[&str])] = &[
        (
            "gameEvents(where:{player_id:{eq:1}}){count}",
            &["declared GameEvent where player_id = 1"],
        ),
        (
            "gameEvents(where:{type:{eq:\"kill\"},id:{gt:3},or:[{game_id:{eq:1}}]}){items{row{type}}}",
            &["declared GameEvent where type = kill"],
        ),
        (
            "gameEvents(where:{and:[{and:{player_id:{eq:1}}},{id:{lt:4}}]}){count}",
            &["declared GameEvent where player_id = 1"],
        ),
        (
            "gameEvents(where:{type:{in:[\"kill\",\"join\"]}}){count}",
            &[
                "declared GameEvent where type = kill",
                "declared GameEvent where type = join",
            ],
        ),
        // What refers to another table finds them, the rest is checked.
        (
            "gameEvents(where:{type:{in:[\"kill\",\"join\"]},game_id:{eq:2}}){count}",
            &["declared GameEvent where game_id = 2 and type = join|kill"],
        ),
        (
            "gameEvents(where:{game_id:{in:[1,2]},and:[{type:{eq:\"kill\"}},{player_id:{eq:1}}]}){count}",
            &["declared GameEvent where player_id = 1 and type = kill and game_id = 1|2"],
        ),
        (
            "gameEvents(where:{type:{eq:\"kill\"},game_id:{in:[]}}){count}",
            &[],
        ),
        (
            "users(where:{score:{eq:\"9007199254740993\"}}){count}",
            &["declared User where score = 9007199254740993"],
        ),
        (
            "kindsPage(where:{c_bool:{eq:true}}){count}",
            &["declared Kinds where c_bool = t"],
        ),
        (
            "kindsPage(where:{c_char:{eq:\"ab \"}}){count}",
            &["declared Kinds where c_char = ab"],
        ),
        (
            "kindsPage(where:{c_uuid:{eq:\"A0EE-BC99-9C0B-4EF8-BB6D6BB9BD380A11\"}}){count}",
            &["declared Kinds where c_uuid = a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"],
        ),
        // Equal values of these may print differently, or nothing is pinned.
        (
            "kindsPage(where:{c_numeric:{eq:\"1\"}}){count}",
            &["declared Kinds"],
        ),
        (
            "kindsPage(where:{c_citext:{eq:\"red\"}}){count}",
            &["declared Kinds"],
        ),
        (
            "kindsPage(where:{c_date:{eq:\"2024-2-9\"}}){count}",
            &["declared Kinds"],
        ),
        (
            "kindsPage(where:{c_float8:{eq:1}}){count}",
            &["declared Kinds"],
        ),
        (
            "kindsPage(where:{c_timestamptz:{eq:\"2024-02-29 10:00:00+02\"}}){count}",
            &["declared Kinds"],
        ),
        (
            "gameEvents(where:{not:{player_id:{eq:1}}}){count}",
            &["declared GameEvent"],
        ),
        (
            "gameEvents(where:{or:[{player_id:{eq:1}},{game_id:{eq:1}}]}){count}",
            &["declared GameEvent"],
        ),
        (
            "gameEvents(where:{player_id:{ne:1}}){count}",
            &["declared GameEvent"],
        ),
        (
            "gameEvents(where:{player_id:{is_null:true}}){count}",
            &["declared GameEvent"],
        ),
        (
            "gameEvents(where:{type:{starts_with:\"kill\"}}){count}",
            &["declared GameEvent"],
        ),
        (
            "gameEvents(orderBy:{player_id:ASC}){items{obj_id} next}",
            &["declared GameEvent"],
        ),
    ];
    for (root, watched) in rows {
        let begin = if root.starts_with("users") {
            "begin User"
        } else if root.starts_with("kinds") {
            "begin Kinds"
        } else {
            "begin GameEvent"
        };
        let expected: Vec<&str> = [&[begin][..], *watched, &["finish"]].concat();
        check(&app, &format!("{{{root}}}"), &expected).await;
    }
}

#[tokio::test]
async fn narrowed_relations_watch_by_which_rows_they_may_change() {
    let app = App::start().await;
    let rows: &[(&str, &[&str])] = &[
        // Whatever enters, leaves or moves is a child before or after.
        (
            "events(where:{type:{eq:\"kill\"}},orderBy:{game_id:DESC}){items{row{type}} next}",
            &["derived GameEvent where player_id = 1"],
        ),
        // Any tag of theirs may enter, also one that is not on the page.
        (
            "tags(where:{label:{ne:\"new\"}}){items{obj_id}}",
            &["derived UserTag where user_id = 1", "derived Tag"],
        ),
        (
            "tags(orderBy:{label:ASC}){items{row{label}}}",
            &["derived UserTag where user_id = 1", "derived Tag"],
        ),
        (
            "tags(where:{label:{eq:\"new\"}}){items{row{label}} count}",
            &[
                "derived UserTag where user_id = 1",
                "derived Tag where label = new",
            ],
        ),
        (
            "tags{items{row{label}} next}",
            &[
                "derived UserTag where user_id = 1",
                "derived Tag 1",
                "derived Tag 2",
            ],
        ),
    ];
    for (selection, derived) in rows {
        let begin = ["begin User 1", "declared User 1"];
        let expected: Vec<&str> = [&begin[..], *derived, &["finish"]].concat();
        check(
            &app,
            &format!("{{user(identifier:{{obj_id:1}}){{{selection}}}}}"),
            &expected,
        )
        .await;
    }
}

#[tokio::test]
async fn pages_that_ask_otherwise_are_other_selections() {
    let app = App::start().await;
    let watch = Recorder::new(&app.manager);
    let query = "query Q($where: UserWhere, $after: String, $way: OrderByDirection) \
                 {users(where: $where, after: $after, orderBy: {name: $way}) {items {obj_id} next}}";
    let mut selections = Vec::new();
    let first = app
        .with(
            "{users(size:1,orderBy:{name:ASC}){next}}",
            serde_json::json!({}),
        )
        .await
        .1;
    let first: serde_json::Value = serde_json::from_str(&first).unwrap();
    let next = &first["data"]["users"]["next"];
    for variables in [
        serde_json::json!({"way": "ASC"}),
        serde_json::json!({"way": "DESC"}),
        serde_json::json!({"way": "ASC", "where": {"id": {"eq": 1}}}),
        serde_json::json!({"way": "ASC", "where": {"id": {"eq": 2}}}),
        serde_json::json!({"way": "ASC", "where": {"id": {"ne": 2}}}),
        serde_json::json!({"way": "ASC", "after": next}),
        serde_json::json!({"way": "ASC"}),
    ] {
        let mut request = Request::new(query);
        request.variables = variables.as_object().unwrap().clone();
        let answer = app
            .executor
            .execute(request, &BlazeContext::anonymous(), &watch)
            .await;
        assert!(!read(&answer).1.contains("errors"), "{}", read(&answer).1);
        selections.extend(watch.selections());
    }
    assert_eq!(selections[0], selections[6]);
    let mut distinct = selections.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!((selections.len(), distinct.len()), (7, 6));
    for query in [
        "{users(where:{id:{eq:1}}){count}}",
        "{users(where:{id:{eq:2}}){count}}",
        "{users(where:{id:{ne:1}}){count}}",
        "{users(orderBy:{id:ASC}){count}}",
        "{users(orderBy:{id:DESC}){count}}",
        "{users{count}}",
    ] {
        app.executor
            .execute(Request::new(query), &BlazeContext::anonymous(), &watch)
            .await;
        distinct.extend(watch.selections());
    }
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), 12);
}
