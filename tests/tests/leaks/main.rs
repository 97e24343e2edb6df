//! The leak test: every table for every role over every route, against what the role may see by an
//! oracle of its own. And the test of the test: a policy that shows too much is found on each route.

mod declared;
mod oracle;
mod restart;
mod routes;
mod tables;
mod taken;

use std::collections::BTreeSet;
use std::fmt::Write;

use blazelink::config::{Config, Environment};
use blazelink_postgres::TestDatabase;
use blazelink_tests::app::{TestApp, connect, shooter_database};
use blazelink_tests::client::Client;
use serde_json::{Value, json};

use declared::{Planted, declare};
use oracle::{World, collect, references, unhidden};
use routes::{INTROSPECTION, MISSING, NAMED, ROUTES, Route, documents};
use tables::TABLES;

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
        (23, 'secret event 23', 41, 12, 13), (28, 'secret event 28', 41, 11, 12), (29, 'secret event 29', 41, 99, NULL);
    INSERT INTO diary (id, text, code, author_id) VALUES
        (51, 'secret diary 51', 'secret code 51', 11), (52, 'secret diary 52', 'secret code 52', 12),
        (53, 'secret diary 53', 'secret code 53', 13);
    INSERT INTO notice (id, text, author_id) VALUES
        (61, 'secret notice 61', 11), (62, 'secret notice 62', 13)";

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
        Route::Insert,
        "INSERT INTO diary (id, text, code, author_id) VALUES \
             (54, 'secret diary 54', 'secret code 54', 12), (55, 'secret diary 55', 'secret code 55', 11); \
         INSERT INTO notice (id, text, author_id) VALUES (63, 'secret notice 63', 12)",
    ),
    (
        Route::UpdateUnseen,
        "UPDATE diary SET text = 'secret diary 52b', code = 'secret code 52b' WHERE id = 52",
    ),
    (
        Route::UpdateOutOfSight,
        "UPDATE diary SET author_id = 13, text = 'secret diary 55b' WHERE id = 55",
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
         UPDATE game_event SET victim_id = 12 WHERE id = 21",
    ),
    (
        Route::UpdateUnseen,
        "UPDATE \"user\" SET name = 'secret user 14b' WHERE id = 14; \
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

/// An app with one client for each role.
struct Stage {
    app: TestApp,
    planted: Planted,
    /// Where the app keeps what its sessions watch.
    state: tempfile::TempDir,
    sql: tokio_postgres::Client,
    clients: Vec<(i32, Client)>,
    probe: Client,
    commits: usize,
}

impl Stage {
    async fn start(planted: Planted) -> Stage {
        let database = shooter_database().await;
        let sql = connect(database.url()).await;
        let made = sql.batch_execute(TABLES).await;
        made.expect("the names are free");
        let state = tempfile::tempdir().expect("a folder can be made");
        let app = launch(database, planted, &state).await;
        sql.batch_execute(ROWS).await.expect("the tables are empty");
        let mut clients = Vec::new();
        for role in ROLES {
            clients.push((role, client(&app, role).await));
        }
        let probe = probe(&app).await;
        let mut stage = Stage {
            app,
            planted,
            state,
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
        self.unseen(&mut findings).await;
        self.mutations(&mut findings).await;
        self.taken(&mut findings).await;
        self.schema(&mut findings).await;
        self.monitors(&mut findings).await;
        self = self.restart(&mut findings).await;
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
                ("Notice", "notices"),
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

    /// Looks at what was told of one commit, and gives it.
    async fn frames(
        &mut self,
        route: Route,
        before: &World,
        after: &World,
        findings: &mut Findings,
    ) -> Vec<Value> {
        let mut all = Vec::new();
        let judged_anew = ["Team", "User"]
            .iter()
            .any(|it| before.0[it] != after.0[it]);
        for (role, client) in &mut self.clients {
            let mut entities = before.0.keys();
            let sees_another = entities.any(|it| before.seen(it, *role) != after.seen(it, *role));
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
                    let sees = |world: &World| world.seen(&entity, *role).get(&key).cloned();
                    let (was, is) = (sees(before), sees(after));
                    if was != is {
                        continue;
                    }
                    // An answer is to be read again when other rows in sight have changed, or what a
                    // condition in SQL reads: that names nothing which the client has not named.
                    let again = (judged_anew || sees_another) && data["changes"] == json!({});
                    let mut named = NAMED.iter();
                    let named = named.any(|(it, keys)| *it == entity && keys.contains(&key));
                    if !(again && named) {
                        findings.add(route, *role, format_args!("{frame}"));
                    }
                }
                let mut hidden = Vec::new();
                unhidden(data, &mut hidden);
                for column in hidden {
                    findings.add(route, *role, format_args!("`{column}` in {frame}"));
                }
                all.push(frame);
            }
        }
        all
    }

    /// What is out of sight is answered as what is not there is.
    async fn unseen(&mut self, findings: &mut Findings) {
        let world = World::read(&self.sql).await;
        for (role, client) in &mut self.clients {
            for (entity, keys) in NAMED {
                let seen = world.seen(entity, *role);
                let columns = match entity {
                    "Team" => "id name color users { count }",
                    "User" => "id name team { obj_id } events { count } all_events { count }",
                    "Game" => "id name events { count }",
                    "Diary" => "id text code author { obj_id }",
                    _ => "id kind victim_id player { obj_id } game { obj_id }",
                };
                let root = entity[..1].to_lowercase() + &entity[1..];
                for key in keys.iter().filter(|key| !seen.contains_key(*key)) {
                    let document =
                        format!("{{ it: {root}(identifier: {{obj_id: KEY}}) {{ {columns} }} }}");
                    compare(client, *role, (Route::Row, &document), *key, findings).await;
                }
            }
            let seen = world.seen("User", *role);
            for key in [11, 12, 13].iter().filter(|key| !seen.contains_key(*key)) {
                let document = "{ it: card(identifier: {obj_id: null, dependencies: \
                                [{entity: \"User\", obj_id: KEY}]}) { name } }";
                compare(client, *role, (Route::Virtual, document), *key, findings).await;
            }
            client.frames_so_far().await;
        }
    }

    /// Whoever writes to what is out of sight hears what they would hear if it were not there.
    async fn mutations(&mut self, findings: &mut Findings) {
        let world = World::read(&self.sql).await;
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
                compare(client, *role, (Route::Mutation, &document), key, findings).await;
            }
            // What is one's own is not given away, and tells no more in an answer than in a read.
            for &key in seen.keys() {
                for input in ["player_id: 12", "kind: \"own\""] {
                    let document = format!(
                        "mutation {{ it: updateGameEvent(identifier: {{obj_id: {key}}}, \
                         input: {{{input}}}) {{ obj_id row {{ id kind victim_id }} }} }}"
                    );
                    let (_, answer) = client.ask(&document, json!({})).await;
                    let asked = (Route::Mutation, "GameEvent", &*document);
                    let world = World::read(&self.sql).await;
                    examine(&world, *role, asked, &answer, findings);
                    if !world.seen("GameEvent", *role).contains_key(&key) {
                        findings.add(
                            Route::Mutation,
                            *role,
                            format_args!("given away by {document}"),
                        );
                    }
                }
            }
        }
    }

    /// The schema says the same to everybody, and nothing of rows.
    async fn schema(&mut self, findings: &mut Findings) {
        let world = World::read(&self.sql).await;
        let mut schema = None;
        for (role, client) in &mut self.clients {
            let (_, answer) = client.ask(INTROSPECTION, json!({})).await;
            let types = answer["data"]["__schema"]["types"].as_array();
            let types = types.expect("the schema is told");
            assert!(types.iter().any(|it| it["name"] == "Diary"), "{answer}");
            let asked = (Route::Schema, "Team", INTROSPECTION);
            examine(&world, *role, asked, &answer, findings);
            if *schema.get_or_insert_with(|| answer.clone()) != answer {
                findings.add(Route::Schema, *role, "another schema");
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

/// Asks for the row with this key and for none: a document with `KEY` in their place.
async fn compare(
    client: &mut Client,
    role: i32,
    (route, document): (Route, &str),
    key: i64,
    findings: &mut Findings,
) {
    let mut answers = Vec::new();
    for key in [key, MISSING] {
        let key = key.to_string();
        let (_, mut answer) = client.ask(&document.replace("KEY", &key), json!({})).await;
        let errors = answer["errors"].as_array_mut().into_iter().flatten();
        errors
            .filter_map(Value::as_object_mut)
            .for_each(|error| drop(error.remove("locations")));
        answers.push(answer.to_string().replace(&key, "KEY"));
    }
    if answers[0] != answers[1] {
        let [there, gone] = [&answers[0], &answers[1]];
        findings.add(
            route,
            role,
            format_args!("{there} is not {gone}, by {document}"),
        );
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
    let mut hidden = Vec::new();
    unhidden(answer, &mut hidden);
    for member in hidden {
        findings.add(route, role, format_args!("`{member}` by {document}"));
    }
    // What only a hidden column could tell is nothing to whoever sees rows, and none to the rest.
    let told = match route {
        Route::Narrowing => it,
        Route::Chain => &it["foes"],
        _ => &Value::Null,
    };
    if told["count"].as_u64().is_some_and(|count| count > 0) {
        findings.add(route, role, format_args!("{told} by {document}"));
    }
    let count = match route {
        Route::List if it.is_array() => Some(it.as_array().map(|rows| rows.len() as u64)),
        Route::Page => Some(it["count"].as_u64()),
        Route::Selected => it["all_events"].get("count").map(Value::as_u64),
        _ => None,
    };
    let seen = world.seen(entity, role).len() as u64;
    if let Some(count) = count.filter(|count| *count != Some(seen)) {
        findings.add(route, role, format_args!("{count:?} by {document}"));
    }
}

/// The app, with what it keeps in this folder.
async fn launch(database: TestDatabase, planted: Planted, state: &tempfile::TempDir) -> TestApp {
    // As in production: nothing is open unless it is said.
    let production = |config: &mut Config| {
        config.environment = Environment::Production;
        config.state = Some(state.path().to_owned());
    };
    TestApp::start_declared(database, production, |blaze| declare(blaze, planted)).await
}

async fn probe(app: &TestApp) -> Client {
    let probe = client(app, PROBE).await;
    probe
        .read("{ gameEvent(identifier: {obj_id: 29}) { kind } }")
        .await;
    probe
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
        Chain, Computed, Continued, Delete, Insert, List, Monitor, Mutation, Narrowing, Page,
        Public, Restart, Row, Schema, Selected, Taken, ToMany, ToOne, UpdateIntoSight,
        UpdateOutOfSight, UpdateUnseen, Virtual,
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
                Public,
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
                Restart,
            ],
        ),
        (
            Planted::Diary,
            &[Row, List, Insert, UpdateOutOfSight, UpdateUnseen],
        ),
        (
            Planted::Game,
            &[Row, Page, ToOne, Insert, UpdateUnseen, Delete],
        ),
        (
            Planted::Columns,
            &[Row, Page, ToOne, Chain, Narrowing, Mutation, UpdateUnseen],
        ),
        (Planted::Monitor, &[Monitor]),
        (Planted::Schema, &[Schema]),
        (Planted::Taken, &[Taken]),
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
