//! The leak test: every table for every role over every route, against what the role may see by an
//! oracle of its own. And the test of the test: a policy that shows too much is found on each route.

mod declared;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use blazelink::config::{Config, Environment};
use blazelink_tests::app::{TestApp, shooter_database};
use blazelink_tests::client::Client;
use serde_json::{Value, json};

use declared::{Planted, declare};

/// Where something can leak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    Row,
    Page,
    ToOne,
    ToMany,
    Computed,
    /// A computed field that gives a statement, or rows that it has read.
    Selected,
    Virtual,
    /// A page behind a cursor.
    Continued,
    Mutation,
    Insert,
    UpdateIntoSight,
    UpdateOutOfSight,
    UpdateUnseen,
    Delete,
    Monitor,
}

const ROUTES: [Route; 15] = [
    Route::Row,
    Route::Page,
    Route::ToOne,
    Route::ToMany,
    Route::Computed,
    Route::Selected,
    Route::Virtual,
    Route::Continued,
    Route::Mutation,
    Route::Insert,
    Route::UpdateIntoSight,
    Route::UpdateOutOfSight,
    Route::UpdateUnseen,
    Route::Delete,
    Route::Monitor,
];

/// A key is the number of a player; 0 stands for nobody.
const ROLES: [i32; 3] = [0, 11, 13];

/// Sees an event of its own by which commits are known to be told.
const PROBE: i32 = 99;

const ROWS: &str = "
    INSERT INTO team (id, name, color) VALUES
        (31, 'secret team 31', 'secret color 31'), (32, 'secret team 32', 'secret color 32'),
        (39, 'secret team 39', 'secret color 39');
    INSERT INTO \"user\" (id, name, team_id) VALUES
        (11, 'secret user 11', 31), (12, 'secret user 12', 31), (13, 'secret user 13', 32),
        (99, 'secret user 99', 39);
    INSERT INTO game (id, name) VALUES (41, 'secret game 41');
    INSERT INTO game_event (id, kind, game_id, player_id, victim_id) VALUES
        (21, 'secret event 21', 41, 11, 13), (22, 'secret event 22', 41, 13, 11),
        (23, 'secret event 23', 41, 12, 13), (29, 'secret event 29', 41, 99, NULL)";

const STEPS: &[(Route, &str)] = &[
    (
        Route::Insert,
        "INSERT INTO game_event (id, kind, game_id, player_id, victim_id) VALUES \
             (24, 'secret event 24', 41, 12, 13), (25, 'secret event 25', 41, 11, 13); \
         INSERT INTO game (id, name) VALUES (42, 'secret game 42'); \
         INSERT INTO team (id, name, color) VALUES (33, 'secret team 33', 'secret color 33'); \
         INSERT INTO \"user\" (id, name, team_id) VALUES (14, 'secret user 14', 33)",
    ),
    (
        Route::UpdateOutOfSight,
        "UPDATE game_event SET player_id = 12, kind = 'secret event 25b' WHERE id = 25",
    ),
    (
        Route::UpdateIntoSight,
        "UPDATE game_event SET player_id = 11, kind = 'secret event 23b' WHERE id = 23",
    ),
    (
        Route::UpdateUnseen,
        "UPDATE game_event SET kind = 'secret event 24b' WHERE id = 24; \
         UPDATE game_event SET victim_id = 12 WHERE id = 21; \
         UPDATE \"user\" SET name = 'secret user 14b' WHERE id = 14; \
         UPDATE team SET color = 'secret color 31b' WHERE id = 31; \
         UPDATE game SET name = 'secret game 41b' WHERE id = 41",
    ),
    (
        Route::UpdateOutOfSight,
        "UPDATE \"user\" SET team_id = 32, name = 'secret user 12b' WHERE id = 12",
    ),
    (
        Route::Delete,
        "DELETE FROM game_event WHERE id IN (22, 24); DELETE FROM game WHERE id = 42; \
         DELETE FROM \"user\" WHERE id = 14; DELETE FROM team WHERE id = 33",
    ),
];

/// The rows of one table by their keys.
type Rows = BTreeMap<i64, Value>;

/// All rows, by entity.
struct World(BTreeMap<&'static str, Rows>);

impl World {
    async fn read(sql: &tokio_postgres::Client) -> World {
        let mut tables = BTreeMap::new();
        for (entity, table) in [
            ("Team", "team"),
            ("User", "\"user\""),
            ("Game", "game"),
            ("GameEvent", "game_event"),
        ] {
            let select = format!("SELECT id::bigint, to_jsonb(t)::text FROM {table} AS t");
            let rows = sql.query(&select, &[]).await.expect("the table exists");
            let parse = |text: &str| serde_json::from_str(text).expect("Postgres prints JSON");
            let rows = rows.iter().map(|row| (row.get(0), parse(row.get(1))));
            tables.insert(entity, rows.collect());
        }
        World(tables)
    }

    /// What a role may see of a table: the oracle, which shares no code with the policies.
    fn seen(&self, entity: &str, role: i32) -> Rows {
        let role = i64::from(role);
        let team_of = |player: i64| self.0["User"].get(&player).map(|row| &row["team_id"]);
        let visible = |key: i64, row: &Value| match entity {
            "Team" => team_of(role) == Some(&json!(key)),
            "User" => team_of(role) == Some(&row["team_id"]),
            "GameEvent" => row["player_id"] == role,
            _ => false,
        };
        let rows = self.0[entity].iter();
        let rows = rows.filter(|(key, row)| visible(**key, row));
        rows.map(|(key, row)| (*key, without_hidden(row))).collect()
    }

    /// The secrets that a role may see.
    fn secrets(&self, role: i32) -> BTreeSet<String> {
        let rows = self.0.keys().flat_map(|entity| self.seen(entity, role));
        let mut secrets = BTreeSet::new();
        rows.for_each(|(_, row)| collect(&row, &mut secrets));
        secrets
    }
}

fn without_hidden(row: &Value) -> Value {
    let mut row = row.clone();
    if let Some(row) = row.as_object_mut() {
        row.remove("color");
        row.remove("victim_id");
    }
    row
}

/// All texts in a value that are secrets.
fn collect(value: &Value, secrets: &mut BTreeSet<String>) {
    match value {
        Value::String(text) if text.contains("secret") => {
            secrets.insert(text.clone());
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, secrets)),
        Value::Object(members) => members.values().for_each(|value| collect(value, secrets)),
        _ => {}
    }
}

/// All references in a value, by entity and key.
fn references(value: &Value, found: &mut Vec<(String, i64)>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| references(value, found)),
        Value::Object(members) => {
            let entity = members.get("entity").and_then(Value::as_str);
            let key = members.get("obj_id").and_then(Value::as_i64);
            found.extend(entity.map(str::to_owned).zip(key));
            members.values().for_each(|value| references(value, found));
        }
        _ => {}
    }
}

/// What was seen that must not be.
#[derive(Default)]
struct Findings {
    routes: BTreeSet<Route>,
    words: String,
}

impl Findings {
    fn add(&mut self, route: Route, role: i32, what: impl std::fmt::Display) {
        self.routes.insert(route);
        let _ = writeln!(self.words, "{route:?}, role {role}: {what}");
    }
}

/// What is asked over one route: the entity that it leads to, and the document.
fn documents() -> Vec<(Route, &'static str, String)> {
    let mut documents = Vec::new();
    let mut add = |route, entity, document: String| documents.push((route, entity, document));
    const ITEMS: &str = "count items { obj_id entity row";
    for (entity, root, keys, columns) in [
        ("Team", "team", &[31, 32][..], "id name color"),
        ("User", "user", &[11, 12, 13][..], "id name team_id"),
        ("Game", "game", &[41][..], "id name"),
        (
            "GameEvent",
            "gameEvent",
            &[21, 22, 23][..],
            "id kind victim_id",
        ),
    ] {
        for key in keys {
            let row = format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {columns} }} }}");
            add(Route::Row, entity, row);
        }
        for arguments in [
            "page: 0, size: 99",
            "where: {id: {gt: 0}}, orderBy: {id: DESC}, size: 99",
        ] {
            let page = format!("{{ it: {root}s({arguments}) {{ {ITEMS} {{ {columns} }} }} }} }}");
            add(Route::Page, entity, page);
        }
    }
    let to_one = |root: &str, key: i32, field: &str| {
        let inner = format!("{field} {{ obj_id entity row {{ id name }} }}");
        format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {inner} }} }}")
    };
    let to_many = |root: &str, key: i32, field: &str, column: &str| {
        let inner = format!("{field}(page: 0, size: 99) {{ {ITEMS} {{ id {column} }} }} }}");
        format!("{{ it: {root}(identifier: {{obj_id: {key}}}) {{ {inner} }} }}")
    };
    for key in [11, 12, 13] {
        add(Route::ToOne, "Team", to_one("user", key, "team"));
        add(
            Route::ToMany,
            "GameEvent",
            to_many("user", key, "events", "kind"),
        );
        add(
            Route::ToMany,
            "GameEvent",
            to_many("user", key, "deaths", "kind"),
        );
        add(Route::Computed, "User", to_one("user", key, "everybody"));
        add(Route::Selected, "User", to_one("user", key, "all_players"));
        add(
            Route::Selected,
            "GameEvent",
            to_many("user", key, "all_events", "kind"),
        );
        let named =
            format!("{{obj_id: null, dependencies: [{{entity: \"User\", obj_id: {key}}}]}}");
        let card = format!("{{ it: card(identifier: {named}) {{ name }} }}");
        add(Route::Virtual, "User", card);
    }
    for key in [21, 22, 23] {
        for (entity, field) in [("Game", "game"), ("User", "player"), ("User", "victim")] {
            add(Route::ToOne, entity, to_one("gameEvent", key, field));
        }
    }
    for key in [31, 32] {
        add(Route::ToMany, "User", to_many("team", key, "users", "name"));
    }
    add(
        Route::ToMany,
        "GameEvent",
        to_many("game", 41, "events", "kind"),
    );
    documents
}

/// An app with one client for each role.
struct Stage {
    app: TestApp,
    sql: tokio_postgres::Client,
    clients: Vec<(i32, Client)>,
    probe: Client,
    commits: usize,
}

impl Stage {
    async fn start(planted: Planted) -> Stage {
        // As in production: nothing is open unless it is said.
        let production = |config: &mut Config| config.environment = Environment::Production;
        let declare = |blaze| declare(blaze, planted);
        let app = TestApp::start_declared(shooter_database().await, production, declare).await;
        let sql = app.sql().await;
        sql.batch_execute(ROWS).await.expect("the tables are empty");
        let mut clients = Vec::new();
        for role in ROLES {
            clients.push((role, client(&app, role).await));
        }
        let probe = client(&app, PROBE).await;
        probe
            .read("{ gameEvent(identifier: {obj_id: 29}) { kind } }")
            .await;
        let mut stage = Stage {
            app,
            sql,
            clients,
            probe,
            commits: 0,
        };
        stage.catch_up().await;
        stage
    }

    /// Waits until what is committed by now has been told.
    async fn catch_up(&mut self) {
        self.commits += 1;
        let mark = format!("mark {}", self.commits);
        let update = format!("UPDATE game_event SET kind = '{mark}' WHERE id = 29");
        self.sql
            .batch_execute(&update)
            .await
            .expect("the row is there");
        let told = |frame: &Value| frame["data"]["changes"]["kind"] == *mark;
        self.probe.frames_until(told).await;
    }

    async fn audit(mut self) -> Findings {
        let mut findings = Findings::default();
        self.queries(&mut findings).await;
        for (route, statement) in STEPS {
            let before = World::read(&self.sql).await;
            self.sql
                .batch_execute(statement)
                .await
                .expect("it fits the tables");
            let after = World::read(&self.sql).await;
            self.catch_up().await;
            self.frames(*route, &before, &after, &mut findings).await;
        }
        self.queries(&mut findings).await;
        self.mutations(&mut findings).await;
        self.monitors(&mut findings).await;
        drop((self.clients, self.probe));
        self.app.stop().await;
        findings
    }

    /// Asks for everything, and watches it by that.
    async fn queries(&mut self, findings: &mut Findings) {
        let world = World::read(&self.sql).await;
        for (role, client) in &mut self.clients {
            for (route, entity, document) in documents() {
                let (status, answer) = client.ask(&document, json!({})).await;
                assert_eq!(status, 200, "{document}: {answer}");
                let asked = (route, entity, &*document);
                examine(&world, *role, asked, &answer, findings);
            }
            for (entity, root) in [
                ("Team", "teams"),
                ("User", "users"),
                ("Game", "games"),
                ("GameEvent", "gameEvents"),
            ] {
                let mut after = "null".to_owned();
                loop {
                    let document = format!(
                        "{{ it: {root}(size: 1, after: {after}) \
                         {{ next items {{ obj_id entity row {{ id }} }} }} }}"
                    );
                    let (_, answer) = client.ask(&document, json!({})).await;
                    let asked = (Route::Continued, entity, &*document);
                    examine(&world, *role, asked, &answer, findings);
                    match &answer["data"]["it"]["next"] {
                        Value::Null => break,
                        next => after = next.to_string(),
                    }
                }
            }
            client.frames_so_far().await;
        }
    }

    /// Looks at what was told of one commit.
    async fn frames(
        &mut self,
        route: Route,
        before: &World,
        after: &World,
        findings: &mut Findings,
    ) {
        for (role, client) in &mut self.clients {
            let mut secrets = before.secrets(*role);
            secrets.extend(after.secrets(*role));
            for frame in client.frames_so_far().await {
                let data = &frame["data"];
                let mut told = BTreeSet::new();
                collect(data, &mut told);
                for secret in told.difference(&secrets) {
                    findings.add(route, *role, format_args!("`{secret}` in {frame}"));
                }
                let mut named = Vec::new();
                references(&data["identifier"], &mut named);
                for (entity, key) in named {
                    let sees = |world: &World| world.seen(&entity, *role).contains_key(&key);
                    // Tables under a condition in SQL are to be read again when what the condition
                    // reads has changed, which names nothing that the client has not named.
                    let again = data["changes"] == json!({});
                    let asked = ["Team", "User"].contains(&&*entity) && again;
                    if !sees(before) && !sees(after) && !asked {
                        findings.add(route, *role, format_args!("{frame}"));
                    }
                }
                for column in ["color", "victim_id"] {
                    if data["changes"].get(column).is_some() {
                        findings.add(route, *role, format_args!("`{column}` in {frame}"));
                    }
                }
            }
        }
    }

    /// Whoever writes to what is out of sight hears what they would hear if it were not there.
    async fn mutations(&mut self, findings: &mut Findings) {
        let world = World::read(&self.sql).await;
        let missing = 987_654;
        for (role, client) in &mut self.clients {
            let mut documents = Vec::new();
            let seen = world.seen("GameEvent", *role);
            for &key in world.0["GameEvent"].keys() {
                if seen.contains_key(&key) {
                    continue;
                }
                documents.push((
                    key,
                    "mutation { it: updateGameEvent(identifier: {obj_id: KEY}, \
                     input: {kind: \"new\"}) { obj_id row { kind } } }"
                        .to_owned(),
                ));
                documents.push((
                    key,
                    "mutation { it: deleteGameEvent(identifier: {obj_id: KEY}) { obj_id } }"
                        .to_owned(),
                ));
            }
            for &key in world.0["Game"].keys() {
                documents.push((
                    key,
                    format!(
                        "mutation {{ it: createGameEvent(input: {{kind: \"new\", \
                         player_id: {role}, game_id: KEY}}) {{ obj_id }} }}"
                    ),
                ));
            }
            for (key, document) in documents {
                let hears = async |client: &mut Client, key: i64| {
                    let (_, answer) = client
                        .ask(&document.replace("KEY", &key.to_string()), json!({}))
                        .await;
                    answer.to_string().replace(&key.to_string(), "key")
                };
                let (there, gone) = (hears(client, key).await, hears(client, missing).await);
                if there != gone {
                    findings.add(
                        Route::Mutation,
                        *role,
                        format_args!("{there} is not {gone}"),
                    );
                }
            }
        }
    }

    /// Who is granted no monitoring is told nothing of others.
    async fn monitors(&mut self, findings: &mut Findings) {
        for role in [11, 13] {
            let mut client = client(&self.app, role).await;
            let event = json!({
                "type": "AuthorizeEvent",
                "data": {"secret": "guess", "handle": role.to_string()},
            });
            client.send(&event.to_string()).await;
            client.frames_so_far().await;
            let rename = "UPDATE game_event SET kind = 'secret monitored' WHERE player_id = 99";
            self.sql
                .batch_execute(rename)
                .await
                .expect("the row is there");
            self.catch_up().await;
            for frame in client.frames_so_far().await {
                findings.add(Route::Monitor, role, frame);
            }
        }
    }
}

/// Looks at what was answered to what was asked over a route that leads to an entity.
fn examine(
    world: &World,
    role: i32,
    (route, entity, document): (Route, &str, &str),
    answer: &Value,
    findings: &mut Findings,
) {
    let secrets = world.secrets(role);
    let mut told = BTreeSet::new();
    collect(answer, &mut told);
    for secret in told.difference(&secrets) {
        findings.add(route, role, format_args!("`{secret}` by {document}"));
    }
    let mut named = Vec::new();
    references(answer, &mut named);
    for (entity, key) in named {
        if !world.seen(&entity, role).contains_key(&key) {
            findings.add(route, role, format_args!("{entity} {key} by {document}"));
        }
    }
    let it = &answer["data"]["it"];
    let count = match route {
        Route::Page => Some(it["count"].as_u64()),
        Route::Selected => it["all_events"].get("count").map(Value::as_u64),
        _ => None,
    };
    let seen = world.seen(entity, role).len() as u64;
    if let Some(count) = count.filter(|count| *count != Some(seen)) {
        findings.add(route, role, format_args!("{count:?} by {document}"));
    }
}

async fn client(app: &TestApp, role: i32) -> Client {
    let mut client = Client::connect(app.address()).await;
    if role != 0 {
        client.set_key(&role.to_string());
    }
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_leaks_over_any_route() {
    let findings = Stage::start(Planted::Nothing).await.audit().await;
    assert!(findings.routes.is_empty(), "\n{}", findings.words);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leak_is_found_on_every_route_on_which_one_is_planted() {
    use Route::{
        Computed, Continued, Delete, Insert, Monitor, Mutation, Page, Row, Selected, ToMany, ToOne,
        UpdateIntoSight, UpdateOutOfSight, UpdateUnseen, Virtual,
    };
    let mut all = BTreeSet::new();
    for (planted, expected) in [
        (
            Planted::Team,
            &[Row, Page, Insert, UpdateUnseen, Delete][..],
        ),
        (
            Planted::User,
            &[
                Row,
                Page,
                Computed,
                Selected,
                Virtual,
                Insert,
                UpdateUnseen,
                Delete,
            ],
        ),
        (
            Planted::GameEvent,
            &[
                Row,
                Page,
                ToMany,
                Selected,
                Continued,
                Mutation,
                Insert,
                UpdateIntoSight,
                UpdateOutOfSight,
                UpdateUnseen,
                Delete,
            ],
        ),
        (
            Planted::Game,
            &[Row, Page, ToOne, Insert, UpdateUnseen, Delete],
        ),
        (Planted::Monitor, &[Monitor]),
    ] {
        let findings = Stage::start(planted).await.audit().await;
        for route in expected {
            let found = findings.routes.contains(route);
            assert!(found, "{planted:?} on {route:?}\n{}", findings.words);
        }
        all.extend(findings.routes);
    }
    assert!(all.iter().eq(&ROUTES), "{all:?}");
}
