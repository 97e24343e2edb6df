//! What is no valid document: told with 400 and without `data`, quickly, and without harm.

use crate::support::App;

#[tokio::test]
async fn invalid_documents_are_refused_without_data() {
    let app = App::start().await;
    for query in [
        "",
        "{",
        "{game(identifier:{obj_id:1}){id",
        "\u{0}\u{FEFF}{{}}",
        "{nothing{id}}",
        "{game(identifier:{obj_id:1}){nope}}",
        "{game(identifier:{obj_id:1})}",
        "{game(identifier:{id:1}){id}}",
        "{game(identifier:{obj_id:1.5}){id}}",
        "{game(identifier:{obj_id:{a:1}}){id}}",
        "{game(identifier:5){id}}",
        "{game(identifier:{obj_id:1,entity:5}){id}}",
        "{game(identifier:{obj_id:1,dependencies:\"x\"}){id}}",
        "{game(identifier:{obj_id:1,dependencies:[{dependencies:[7]}]}){id}}",
        "{game(id:1){id}}",
        "{users(page:\"1\"){count}}",
        "{users(page:2147483648){count}}",
        "{user(identifier:{obj_id:1}){email}}",
        "{gameEvent(identifier:{obj_id:1}){player}}",
        "{users{count{x}}}",
        "{...F}",
        "{...F} fragment F on Query {...F}",
        "{...F} fragment F on Game {id}",
        "query($i: Nothing){game(identifier:$i){id}}",
        "query($i: Int){game(identifier:$i){id}}",
        "query($i: ObjectIdInput){game{id}}",
        "query($i: String){game(identifier:{dependencies:[{obj_id:$i},$i]}){id}}",
        "query($i: [ObjectIdInput]){game(identifier:$i){id}}",
        "query($i: String){...F} fragment F on Query {users(page:$i){count}}",
        "query($i: Boolean){users{count @skip(if:$i)}}",
        "query($i: String!){users{...{count} @include(if:$i)}}",
        "{game(identifier:$i){id}}",
        "{game(identifier:{obj_id:1}){id @nope}}",
        "{a:users{count} a:games{count}}",
        "{__schema{types{fields{type{fields{type{fields{type{fields{name}}}}}}}}}}",
    ] {
        let (status, body) = app.answer(query).await;
        assert_eq!(status, 400, "{query}: {body}");
        assert!(
            body.starts_with("{\"errors\":[{\"message\":"),
            "{query}: {body}"
        );
        assert!(!body.contains("\"data\""), "{query}: {body}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_told_where_it_stands() {
    let app = App::start().await;
    for (query, columns) in [
        ("{users(page:\"1\"){count}}", &[13][..]),
        ("{users(page:2147483648){count}}", &[13]),
        ("{game(identifier:{id:1}){id}}", &[19]),
        ("{game(identifier:{entity:\"{\",obj_id:1.5}){id}}", &[37]),
        (
            "{game(identifier:{dependencies:[{obj_id:1},{entity:7}]}){id}}",
            &[52],
        ),
        ("{game(identifier:5){id}}", &[18]),
        (
            "query($e:Int){game(identifier:{obj_id:1,entity:$e}){id}}",
            &[7, 48],
        ),
    ] {
        let (status, body) = app.answer(query).await;
        assert_eq!(status, 400, "{query}: {body}");
        let answer: serde_json::Value = serde_json::from_str(&body).unwrap();
        let places: Vec<_> = columns
            .iter()
            .map(|column| serde_json::json!({"line": 1, "column": column}))
            .collect();
        assert_eq!(
            answer["errors"][0]["locations"],
            serde_json::json!(places),
            "{query}: {body}"
        );
    }
}

#[tokio::test]
async fn other_operations_than_queries_are_refused_with_null_data() {
    let app = App::start().await;
    for kind in ["mutation", "subscription"] {
        let expected = format!(
            "{{\"data\":null,\"errors\":[{{\"message\":\"Schema is not configured to execute {kind} \
             operation.\",\"locations\":[{{\"line\":1,\"column\":1}}]}}]}}"
        );
        assert_eq!(
            app.answer(&format!("{kind} {{ x }}")).await,
            (200, expected)
        );
    }
}

#[tokio::test]
async fn documents_made_to_exhaust_the_server_are_refused() {
    let app = App::start().await;
    let wide: String = (0..6_000).map(|at| format!("a{at}:name ")).collect();
    let doubling: String = (0..40)
        .map(|at| format!(" fragment f{at} on Query {{...f{0} ...f{0}}}", at + 1))
        .collect();
    let cycles: String = (0..2_000)
        .map(|at| format!(" fragment f{at} on Query {{...f{}}}", at + 1))
        .collect();
    for query in [
        "{".repeat(500_000),
        "[".repeat(500_000),
        format!("{{game(identifier:{}", "{dependencies:[".repeat(100_000)),
        format!("{{game(identifier:{{obj_id:1}}){{{wide}}}}}"),
        format!("{{...f0}}{doubling} fragment f40 on Query {{__typename}}"),
        format!("{{...f0}}{cycles} fragment f2000 on Query {{__typename}}"),
        "{user(identifier:{obj_id:1}){team{row{".to_owned()
            + &"users{items{row{team{row{".repeat(12)
            + "id"
            + &"}}}}}".repeat(12)
            + "}}}}",
    ] {
        let (status, body) = app.answer(&query).await;
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(app.answer("{__typename}").await.0, 200);
}

#[tokio::test]
async fn random_documents_never_harm_the_server() {
    use proptest::prelude::*;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;

    let app = App::start().await;
    let words = prop::sample::select(vec![
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "$",
        "@",
        "!",
        "...",
        "\"",
        "\"\"\"",
        "#",
        "query",
        "fragment",
        "on",
        "User",
        "user",
        "users",
        "identifier",
        "obj_id",
        "items",
        "row",
        "events",
        "count",
        "__typename",
        "1",
        "null",
        "-1",
        "@skip(if:true)",
        "{obj_id:1}",
        "identifier:{obj_id:1}",
        "\n",
        "{id}",
        "{count}",
        "\u{1F600}",
    ]);
    let texts = prop::collection::vec(words, 0..24);
    let mut runner = TestRunner::deterministic();
    for _ in 0..500 {
        let text = texts.new_tree(&mut runner).unwrap().current().join(" ");
        let (status, _) = app.answer(&text).await;
        assert!(status == 200 || status == 400, "{text}");
    }
}
