//! One database with the tables of the tests, an executor on it, and a watch that remembers.

use std::fmt::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use blazelink::data;
use blazelink::error::{Error, ErrorKind, Result};
use blazelink::graphql::{Executor, Request, Response};
use blazelink::object_id::{ObjectId, Scope};
use blazelink::subscription::{Dependency, OneOf, Reading, Role, Unwatched, Watch};
use blazelink::table::{TableManager, TableManagerBuilder};
use blazelink::{BlazeContext, Viewer};
use blazelink_postgres::TestDatabase;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection};

use crate::entities::*;

const TABLES: &str = "
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'very happy');
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE TABLE team (id int PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE \"user\" (id int PRIMARY KEY, name varchar NOT NULL, email varchar,
    team_id int, score int8 NOT NULL DEFAULT 0);
CREATE TABLE profile (id int PRIMARY KEY, user_id int NOT NULL UNIQUE, bio varchar NOT NULL);
CREATE TABLE game (id int PRIMARY KEY, name varchar NOT NULL);
CREATE TABLE game_event (id int PRIMARY KEY, type varchar NOT NULL, player_id int, game_id int NOT NULL);
CREATE TABLE tag (id int PRIMARY KEY, label varchar NOT NULL);
CREATE TABLE user_tag (user_id int, tag_id int, PRIMARY KEY (user_id, tag_id));
CREATE TABLE category (id int2 PRIMARY KEY, name varchar NOT NULL, parent_id int2);
CREATE TABLE address (id int8 PRIMARY KEY, city varchar NOT NULL);
CREATE TABLE customer (id int PRIMARY KEY, home_address_id int8 NOT NULL, work_address_id int8);
CREATE TABLE stock (product_id int8, warehouse varchar, qty int NOT NULL, PRIMARY KEY (product_id, warehouse));
CREATE TABLE stock_move (id int PRIMARY KEY, warehouse varchar NOT NULL, product_id int8 NOT NULL, amount int NOT NULL);
CREATE TABLE label (code citext PRIMARY KEY, title varchar NOT NULL);
CREATE TABLE note (id uuid PRIMARY KEY, body varchar, label_code citext);
CREATE TABLE kinds (id int PRIMARY KEY, c_int2 int2, c_int8 int8, c_float4 float4, c_float8 float8,
    c_numeric numeric, c_money money, c_bool bool, c_text text, c_varchar varchar(20), c_char char(5),
    c_citext citext, c_mood mood, c_domain positive, c_uuid uuid, c_date date, c_time time, c_timetz timetz,
    c_timestamp timestamp, c_timestamptz timestamptz, c_interval interval, c_json json, c_jsonb jsonb,
    c_bytea bytea, c_inet inet, c_cidr cidr, c_point point, c_range int4range, c_bit bit(3),
    c_ints int[], c_texts text[], c_bools bool[], c_jsons jsonb[], c_moods mood[]);
";

const ROWS: &str = "
INSERT INTO team VALUES (1, 'red'), (2, 'blue');
INSERT INTO \"user\" VALUES (1, 'ann', 'a@x', 1, 10), (2, 'bob', NULL, NULL, 9007199254740993), (3, 'cy', NULL, 9, 0);
INSERT INTO profile VALUES (1, 1, 'I am ann');
INSERT INTO game VALUES (1, 'g1'), (2, 'g2');
INSERT INTO game_event SELECT n, CASE WHEN n % 2 = 0 THEN 'kill' ELSE 'death' END, 1, 1 + n % 2
    FROM generate_series(1, 12) n;
INSERT INTO game_event VALUES (13, 'kill', 2, 1), (14, 'kill', NULL, 1);
INSERT INTO tag VALUES (1, 'new'), (2, 'pro');
INSERT INTO user_tag VALUES (1, 1), (1, 2), (2, 2);
INSERT INTO category VALUES (1, 'all', NULL), (2, 'books', 1), (3, 'novels', 2), (4, 'toys', 1);
INSERT INTO address VALUES (1, 'Oslo'), (9007199254740993, 'Rome');
INSERT INTO customer VALUES (1, 1, 9007199254740993), (2, 1, NULL);
INSERT INTO stock VALUES (1, 'S1', 5), (1, 'S2', 0);
INSERT INTO stock_move VALUES (1, 'S1', 1, 3), (2, 'S1', 1, 2), (3, 'S2', 1, 0);
INSERT INTO label VALUES ('Red', 'a colour');
INSERT INTO note VALUES ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'hi', 'RED');
";

/// An executor on a database of its own.
pub struct App {
    pub executor: Executor,
    pub manager: Arc<TableManager>,
    pub database: DatabaseConnection,
    pub statements: Arc<Mutex<Vec<String>>>,
    // Dropped last: the database goes with it.
    _postgres: TestDatabase,
}

pub fn builder() -> TableManagerBuilder {
    TableManager::builder()
        .open_unless_said()
        .table::<address::Entity>()
        .table::<category::Entity>()
        .table::<customer::Entity>()
        .table::<game::Entity>()
        .table::<game_event::Entity>()
        .table::<kinds::Entity>()
        .table::<label::Entity>()
        .table::<note::Entity>()
        .table::<profile::Entity>()
        .table::<stock::Entity>()
        .table::<stock_move::Entity>()
        .table::<tag::Entity>()
        .table::<team::Entity>()
        .table::<user::Entity>()
        .table::<user_tag::Entity>()
}

/// A database with the tables, without rows.
pub async fn database() -> (TestDatabase, DatabaseConnection) {
    let postgres = TestDatabase::create().await.unwrap();
    let mut options = ConnectOptions::new(postgres.url());
    options
        .max_connections(2)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|options| {
            options.options([
                ("datestyle", "ISO, MDY"),
                ("intervalstyle", "postgres"),
                ("timezone", "UTC"),
                ("extra_float_digits", "1"),
                ("bytea_output", "hex"),
            ])
        });
    let database = Database::connect(options).await.unwrap();
    database.execute_unprepared(TABLES).await.unwrap();
    (postgres, database)
}

impl App {
    pub async fn start() -> App {
        App::of(builder()).await
    }

    /// With other tables exposed, or more than tables.
    pub async fn of(builder: TableManagerBuilder) -> App {
        App::beside("", builder).await
    }

    /// With more in the database when the app starts.
    pub async fn with_more(builder: TableManagerBuilder, sql: &str) -> App {
        App::beside(sql, builder).await
    }

    /// The same on a database that has more.
    pub async fn beside(more: &str, builder: TableManagerBuilder) -> App {
        let (postgres, mut database) = database().await;
        database.execute_unprepared(ROWS).await.unwrap();
        database.execute_unprepared(more).await.unwrap();
        let manager = data::verify(builder.build().unwrap(), &database)
            .await
            .unwrap();
        let manager = Arc::new(manager);
        let statements = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&statements);
        database.set_metric_callback(move |info| {
            seen.lock().unwrap().push(info.statement.sql.clone());
        });
        App {
            executor: Executor::new(Arc::clone(&manager), database.clone()).unwrap(),
            manager,
            database,
            statements,
            _postgres: postgres,
        }
    }

    /// A connection of its own to the database.
    pub async fn other_connection(&self) -> DatabaseConnection {
        Database::connect(self._postgres.url()).await.unwrap()
    }

    pub async fn sql(&self, text: &str) {
        self.database.execute_unprepared(text).await.unwrap();
    }

    pub async fn ask(&self, query: &str) -> Response {
        self.executor
            .execute(Request::new(query), &BlazeContext::anonymous(), &Unwatched)
            .await
    }

    /// The answer's status and body.
    pub async fn answer(&self, query: &str) -> (u16, String) {
        read(&self.ask(query).await)
    }

    pub async fn with(&self, query: &str, variables: serde_json::Value) -> (u16, String) {
        let mut request = Request::new(query);
        request.variables = variables.as_object().unwrap().clone();
        read(
            &self
                .executor
                .execute(request, &BlazeContext::anonymous(), &Unwatched)
                .await,
        )
    }

    /// The answer to a viewer, as JSON.
    pub async fn to(
        &self,
        viewer: &Viewer,
        query: &str,
        variables: serde_json::Value,
    ) -> serde_json::Value {
        let mut request = Request::new(query);
        request.variables = variables.as_object().unwrap().clone();
        let context = BlazeContext::new(viewer.clone());
        let answer = self.executor.execute(request, &context, &Unwatched).await;
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// The answer's body and what was watched for it.
    pub async fn watched(&self, query: &str) -> (String, Vec<String>) {
        let watch = Recorder::new(&self.manager);
        let answer = self
            .executor
            .execute(Request::new(query), &BlazeContext::anonymous(), &watch)
            .await;
        (read(&answer).1, watch.lines())
    }

    /// The texts of the statements that a query takes.
    pub async fn statements_of(&self, query: &str) -> Vec<String> {
        self.statements.lock().unwrap().clear();
        let (status, body) = self.answer(query).await;
        assert_eq!(status, 200, "{body}");
        assert!(!body.contains("\"errors\""), "{body}");
        std::mem::take(&mut *self.statements.lock().unwrap())
    }
}

pub fn read(response: &Response) -> (u16, String) {
    let body = String::from_utf8(response.body.to_vec()).unwrap();
    if response.content_type == "application/json" {
        let parsed: std::result::Result<serde::de::IgnoredAny, _> = serde_json::from_str(&body);
        assert!(parsed.is_ok(), "{body}");
    }
    (response.status, body)
}

/// Remembers what an executor watches, a line each.
#[derive(Clone)]
pub struct Recorder(Arc<Recorded>);

struct Recorded {
    manager: Arc<TableManager>,
    lines: Mutex<Vec<String>>,
    /// Dependencies that may still be declared.
    allowance: AtomicUsize,
}

impl Recorder {
    pub fn new(manager: &Arc<TableManager>) -> Recorder {
        Recorder::allowing(manager, usize::MAX)
    }

    pub fn allowing(manager: &Arc<TableManager>, allowance: usize) -> Recorder {
        Recorder(Arc::new(Recorded {
            manager: Arc::clone(manager),
            lines: Mutex::default(),
            allowance: AtomicUsize::new(allowance),
        }))
    }

    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lines.lock().unwrap())
    }

    /// The selections of all roots so far; the lines are gone after it.
    pub fn selections(&self) -> Vec<u64> {
        let begins = self.lines();
        let begins = begins.iter().filter_map(|line| line.strip_prefix("begin "));
        begins
            .map(|line| line.rsplit('#').next().unwrap().parse().unwrap())
            .collect()
    }

    fn push(&self, line: String) {
        self.0.lines.lock().unwrap().push(line);
    }
}

impl Watch for Recorder {
    fn begin(&self, object: ObjectId, selection: u64) -> Arc<dyn Reading> {
        let mut line = format!("begin {}", self.0.manager.table(object.table).entity);
        if let Scope::Row(key) = &object.scope {
            write!(line, " {}", json(key)).unwrap();
        }
        self.push(format!("{line} #{selection}"));
        Arc::new(self.clone())
    }

    fn is_new(&self, _: &ObjectId, _: u64) -> bool {
        true
    }
}

impl Reading for Recorder {
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()> {
        let recorder = &self.0;
        let taken = recorder
            .allowance
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            });
        if taken.is_err() {
            let code = blazelink::codes::Code::DatabaseAnswer;
            return Err(Error::new(
                ErrorKind::Request,
                code,
                "Too many subscriptions",
            ));
        }
        let entity = |table| &recorder.manager.table(table).entity;
        let what = match dependency {
            Dependency::Everything => "everything".to_owned(),
            Dependency::Table(table) => entity(table).clone(),
            Dependency::Row(table, key) => format!("{} {}", entity(table), json(&key)),
            Dependency::Equal {
                table,
                column,
                value,
                residual,
            } => {
                let exposure = recorder.manager.exposure();
                let name = |column: u32| &exposure.table(table).columns[column as usize].name;
                let mut words = format!("{} where {} = {value}", entity(table), name(column));
                for OneOf { column, values } in residual.equalities() {
                    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                    words += &format!(" and {} = {}", name(*column), values.join("|"));
                }
                words
            }
        };
        self.push(format!("{} {what}", format!("{role:?}").to_lowercase()));
        Ok(())
    }

    fn finish(&self) {
        self.push("finish".to_owned());
    }
}

fn json(key: &blazelink::object_id::Key) -> String {
    let mut out = Vec::new();
    key.write_json(&mut out);
    String::from_utf8(out).unwrap()
}

/// The lines without the numbers of the selections.
pub fn unnumbered(lines: &[String]) -> Vec<&str> {
    lines
        .iter()
        .map(|line| line.split(" #").next().unwrap())
        .collect()
}
