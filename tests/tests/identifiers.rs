//! Identifiers and dependencies of every shape, sound and malformed: each is answered as the
//! original's clients expect, watches what it names, and harms nobody.

use blazelink_tests::app::TestApp;
use blazelink_tests::client::{Client, tells_of};
use serde_json::{Value, json};

const NOTHING: [Value; 0] = [];

/// An app with a client that watches game 2.
struct Witnessed {
    app: TestApp,
    sql: tokio_postgres::Client,
    witness: Client,
    changes: u32,
}

impl Witnessed {
    async fn start() -> Witnessed {
        let app = TestApp::fixture().await;
        let sql = app.sql().await;
        app.catch_up().await;
        let witness = Client::connect(app.address()).await;
        witness
            .read("{ game(identifier: {obj_id: 2}) { name } }")
            .await;
        Witnessed {
            app,
            sql,
            witness,
            changes: 0,
        }
    }

    /// Renames both games. The witness hears of its own.
    async fn rename(&mut self) {
        self.changes += 1;
        let statement = format!("UPDATE game SET name = '{}'", self.changes);
        self.sql
            .batch_execute(&statement)
            .await
            .expect("there are games");
        let frame = self.witness.frame().await;
        assert!(tells_of(&frame, "Game", 2), "{frame}");
        assert_eq!(frame["data"]["changes"]["name"], self.changes.to_string());
    }

    /// Whether a client is told of game 1 when it changes.
    async fn hears(&mut self, client: &mut Client) -> bool {
        self.rename().await;
        self.app.catch_up().await;
        let frames = client.frames_so_far().await;
        assert!(frames.len() <= 1, "{frames:?}");
        frames.iter().any(|frame| tells_of(frame, "Game", 1))
    }

    async fn client(&self) -> Client {
        Client::connect(self.app.address()).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_names_a_row_is_answered_and_watches_it() {
    let mut app = Witnessed::start().await;
    let long = format!("{{obj_id: 1, modifiers: \"{}\"}}", "m".repeat(10_000));
    for identifier in [
        "{obj_id: 1}",
        "{obj_id: [1]}",
        "{obj_id: 1, entity: null}",
        "{obj_id: 1, entity: \"Game\"}",
        "{obj_id: 1, modifiers: null}",
        "{obj_id: 1, modifiers: \"undefined\"}",
        "{obj_id: 1, modifiers: \"{\\\"a\\\": [\"}",
        &long,
        "{obj_id: 1, dependencies: []}",
        "{obj_id: 1, dependencies: [null, {entity: \"Team\"}]}",
        "{obj_id: 1, dependencies: {entity: \"Team\", obj_id: 1}}",
        "{obj_id: 1, dependencies: [{entity: \"Game\", obj_id: 1}, {entity: \"Team\"}]}",
        "{obj_id: 1, dependencies: [{entity: \"t_eam\", dependencies: [{entity: \"User\"}]}]}",
    ] {
        let mut client = app.client().await;
        let document = format!("{{ game(identifier: {identifier}) {{ id }} }}");
        let (status, answer) = client.ask(&document, json!({})).await;
        let expected = json!({"data": {"game": {"id": 1}}});
        assert_eq!((status, answer), (200, expected), "{identifier}");
        assert!(app.hears(&mut client).await, "{identifier} watches nothing");
    }
    app.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_names_no_row_is_null_with_an_error_and_is_told_of_none() {
    let mut app = Witnessed::start().await;
    let entities = [
        json!("game"),
        json!("User"),
        json!(""),
        json!(" Game"),
        json!("Game\u{0}"),
        json!("\u{0413}ame"),
        json!("G\u{0}\u{202e}\u{1f469}\u{200d}\u{1f680}"),
        json!("G".repeat(100_000)),
    ];
    let of_entities = entities.map(|entity| json!({"obj_id": 1, "entity": entity}));
    let keys = [
        json!(null),
        json!(""),
        json!("x"),
        json!("1"),
        json!("1.0"),
        json!("1;"),
        json!(" 1\u{0}"),
        json!("9".repeat(100_000)),
        json!(1_u64 << 40),
        json!(i64::MAX),
        json!(true),
        json!([]),
        json!([1, 2]),
        json!(["1", "x"]),
    ];
    let of_keys = keys.map(|key| json!({"obj_id": key}));
    let dependencies = [
        json!([{"entity": "Nothing"}]),
        json!([{"entity": ""}]),
        json!([{"entity": "\u{1f680}", "obj_id": 1}]),
        json!([{"entity": "T".repeat(100_000)}]),
        json!([{"obj_id": 1}]),
        json!([{}]),
        json!([{"entity": "Team", "obj_id": "x"}]),
        json!([{"entity": "Team", "obj_id": [1, 2]}]),
        json!([{"entity": "Team", "dependencies": [{"entity": "Nothing"}]}]),
    ];
    let of_dependencies = dependencies.map(|list| json!({"obj_id": 1, "dependencies": list}));
    let identifiers = of_entities
        .into_iter()
        .chain(of_keys)
        .chain(of_dependencies);
    for identifier in identifiers.chain([json!({}), json!(null)]) {
        let mut client = app.client().await;
        let shown: String = identifier.to_string().chars().take(90).collect();
        let document = "query($i: ObjectIdInput) { game(identifier: $i) { id } }";
        let (status, answer) = client.ask(document, json!({"i": identifier})).await;
        assert_eq!(
            (status, &answer["data"]),
            (200, &json!({"game": null})),
            "{shown}"
        );
        let message = answer["errors"][0]["message"].as_str();
        let message = message.expect("the error has a message");
        assert!(message.len() < 1_000, "{shown}: {} bytes", message.len());
        assert!(!app.hears(&mut client).await, "{shown} is watched");
    }
    app.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shapes_that_the_schema_does_not_have_are_refused() {
    let mut app = Witnessed::start().await;
    for identifier in [
        json!(1),
        json!("Game"),
        json!(true),
        json!([]),
        json!([{"obj_id": 1}]),
        json!([{"obj_id": 1}, {"obj_id": 2}]),
        json!({"id": 1}),
        json!({"obj_id": u64::MAX}),
        json!({"obj_id": 1.5}),
        json!({"obj_id": {}}),
        json!({"obj_id": {"id": 1}}),
        json!({"obj_id": [true]}),
        json!({"obj_id": [null]}),
        json!({"obj_id": [[1]]}),
        json!({"obj_id": 1, "entity": 7}),
        json!({"obj_id": 1, "entity": ["Game"]}),
        json!({"obj_id": 1, "entity": {}}),
        json!({"obj_id": 1, "modifiers": 7}),
        json!({"obj_id": 1, "dependencies": 7}),
        json!({"obj_id": 1, "dependencies": "Team"}),
        json!({"obj_id": 1, "dependencies": [7]}),
        json!({"obj_id": 1, "dependencies": [[{"entity": "Team"}]]}),
        json!({"obj_id": 1, "dependencies": [{"entity": 7}]}),
        json!({"obj_id": 1, "dependencies": null}),
        json!({"obj_id": 1, "dependencies": [{"entity": "Team", "dependencies": null}]}),
    ] {
        let mut client = app.client().await;
        let by_variable = "query($i: ObjectIdInput) { game(identifier: $i) { id } }";
        let written = format!("{{ game(identifier: {}) {{ id }} }}", literal(&identifier));
        for (document, variables) in [
            (by_variable, json!({"i": identifier})),
            (written.as_str(), json!({})),
        ] {
            let (status, answer) = client.ask(document, variables).await;
            assert!(status == 200 || status == 400, "{identifier}: {status}");
            let message = answer["errors"][0]["message"].as_str();
            assert!(message.is_some(), "{identifier}: {answer}");
            assert!(answer["data"]["game"].is_null(), "{identifier}: {answer}");
        }
        assert!(!app.hears(&mut client).await, "{identifier} is watched");
    }
    assert_eq!(app.witness.frames_so_far().await, NOTHING);
    app.app.stop().await;
}

/// JSON as it is written in a document: names of members bare.
fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members.iter();
            let members: Vec<String> = members
                .map(|(name, value)| format!("{name}: {}", literal(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}

/// A virtual table is found by its parameters, which are dependencies; rows are not needed.
#[tokio::test(flavor = "multi_thread")]
async fn a_virtual_table_is_answered_without_an_identifier_and_by_any_spelling_of_its_parameter() {
    let app = Witnessed::start().await;
    let client = app.client().await;
    let data = client.read("{ queryable { get_struct { c } } }").await;
    assert_eq!(data, json!({"queryable": {"get_struct": {"c": 2}}}));
    for spelling in ["User", "user", "US_er", "__u_s_e_r__"] {
        let document = format!(
            "{{ playerStats(identifier: {{dependencies: [{{entity: \"{spelling}\", obj_id: 1}}, \
             {{entity: \"User\", obj_id: 2}}]}}) {{ kills }} }}"
        );
        let data = client.read(&document).await;
        assert_eq!(data["playerStats"]["kills"], 4, "{spelling}");
    }
    let (_, answer) = client.ask("{ playerStats { kills } }", json!({})).await;
    assert!(answer["errors"][0]["message"].is_string(), "{answer}");
    app.app.stop().await;
}
