//! A database with the tables, an executor that captures, and a connection that judges.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use blazelink::BlazeContext;
use blazelink::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use blazelink::data;
use blazelink::error::Result;
use blazelink::graphql::{Executor, Request};
use blazelink::object_id::{Key, ObjectId, TableId};
use blazelink::subscription::{Dependency, Reading, Role, SubscriptionIndex, Watch};
use blazelink::table::{Call, Extension, Field, FieldError, TableManager};
use blazelink_postgres::TestDatabase;
use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement as Sent, Value};
use tokio_postgres::{NoTls, SimpleQueryMessage, Statement as Prepared};

use crate::entities::*;
use crate::random::Random;
use crate::{commits, statements};

const TABLES: &str = "
CREATE EXTENSION citext;
CREATE TYPE mood AS ENUM ('sad', 'ok', 'very happy');
CREATE TABLE player (id int PRIMARY KEY, name text, team_id int, code uuid, born date, mood mood,
    tag citext, pad char(4), rank numeric, active bool, note varchar(8),
    twice int GENERATED ALWAYS AS (team_id * 2) STORED);
CREATE TABLE event (id int8 PRIMARY KEY, player_id int, kind text, game_id int2, at date, score int8);
CREATE TABLE team (id int PRIMARY KEY, name varchar, parent_id int);
CREATE TABLE link (a int, b text, c int, PRIMARY KEY (a, b));
CREATE TABLE part (id int PRIMARY KEY, name text, team_id int) PARTITION BY LIST (id);
CREATE TABLE part_odd PARTITION OF part FOR VALUES IN (1, 3, 5, 7, 9);
CREATE TABLE part_even PARTITION OF part DEFAULT;
CREATE VIEW kills AS SELECT * FROM event WHERE kind = 'kill';
CREATE VIEW members AS SELECT p.id, p.name, p.team_id, t.name AS team FROM player p
    LEFT JOIN team t ON t.id = p.team_id;
CREATE VIEW deep AS SELECT m.* FROM members m WHERE EXISTS (
    SELECT FROM kills k WHERE k.player_id = m.id);
CREATE FUNCTION looks_pure(int) RETURNS bigint LANGUAGE sql IMMUTABLE
    AS 'SELECT count(*) FROM event WHERE player_id = $1';
CREATE FUNCTION same_name(int, text) RETURNS bool LANGUAGE sql STABLE
    AS 'SELECT EXISTS (SELECT 1 FROM player WHERE id = $1 AND name = $2)';
CREATE OPERATOR === (LEFTARG = int, RIGHTARG = text, FUNCTION = same_name);
CREATE FUNCTION score_of(player) RETURNS bigint LANGUAGE sql STABLE
    AS 'SELECT sum(score)::bigint FROM event WHERE player_id = $1.id';
CREATE VIEW counted AS SELECT id, looks_pure(id) AS n FROM team;
CREATE SCHEMA other;
CREATE VIEW other.team AS SELECT id, name, team_id AS parent_id FROM part;
";

/// A statement whose result is judged.
pub struct Watched {
    pub text: String,
    pub dependencies: Vec<Dependency>,
    prepared: Prepared,
}

pub struct World {
    executor: Executor,
    pub manager: Arc<TableManager>,
    judge: tokio_postgres::Client,
    rows: Mutex<Rows>,
    _postgres: TestDatabase,
}

impl Watched {
    /// Whether one of its dependencies is more than one equality.
    pub fn has_residual(&self) -> bool {
        self.dependencies.iter().any(|one| by_one(one) != *one)
    }
}

type Rows = BTreeMap<(u32, Vec<Option<String>>), Vec<Option<String>>>;

/// Sends a statement, with its values in a notation of their own.
async fn sql(call: Call<'_>) -> std::result::Result<i32, FieldError> {
    let values: Vec<String> = call.argument("values")?;
    let values: Vec<Value> = values
        .iter()
        .map(|value| statements::value(value))
        .collect();
    let text: String = call.argument("text")?;
    let sent = Sent::from_sql_and_values(DbBackend::Postgres, text, values);
    call.context().query_all_raw(sent).await?;
    Ok(0)
}

fn of_team() -> Vec<Field> {
    let field = Field::reading("sql", |call| Box::pin(sql(call)));
    vec![
        field
            .argument::<String>("text")
            .argument::<Vec<String>>("values"),
    ]
}

impl World {
    pub async fn start() -> World {
        let postgres = TestDatabase::create().await.unwrap();
        let mut options = ConnectOptions::new(postgres.url());
        options.max_connections(2).sqlx_logging(false);
        let database = Database::connect(options).await.unwrap();
        database.execute_unprepared(TABLES).await.unwrap();
        database
            .execute_unprepared("INSERT INTO team VALUES (1, 'red', NULL)")
            .await
            .unwrap();
        let builder = TableManager::builder()
            .open_unless_said()
            .table::<event::Entity>()
            .table::<link::Entity>()
            .table::<part::Entity>()
            .table::<player::Entity>()
            .table::<team::Entity>()
            .extend(Extension::of::<team::Entity>(of_team));
        let manager = data::verify(builder.build().unwrap(), &database)
            .await
            .unwrap();
        let manager = Arc::new(manager);
        let (judge, connection) = tokio_postgres::connect(postgres.url(), NoTls)
            .await
            .unwrap();
        tokio::spawn(connection);
        World {
            executor: Executor::new(Arc::clone(&manager), database).unwrap(),
            manager,
            judge,
            rows: Mutex::default(),
            _postgres: postgres,
        }
    }

    /// Other rows than before.
    pub async fn refill(&self, random: &mut Random) {
        let mut sql = "TRUNCATE player, event, team, link, part;".to_owned();
        for _ in 0..40 {
            sql.push_str(&commits::insert(random));
        }
        sql.push_str("INSERT INTO team VALUES (1, 'red', NULL) ON CONFLICT DO NOTHING");
        self.judge.batch_execute(&sql).await.unwrap();
        let rows = self.read().await;
        *self.rows.lock().unwrap() = rows;
    }

    /// What is captured for a statement; nothing if Postgres refuses it.
    pub async fn watch(&self, statement: statements::Statement) -> Option<Watched> {
        let text = statement.with_literals();
        let judged = format!(
            "SELECT md5(coalesce(string_agg(x::text, '|' ORDER BY x::text), '')) FROM ({text}) x"
        );
        let prepared = self.judge.prepare(&judged).await.ok()?;
        let dependencies = self.captured(&statement.text, &statement.values).await?;
        Some(Watched {
            text,
            dependencies,
            prepared,
        })
    }

    /// The dependencies that a statement is watched by; nothing if it fails.
    pub async fn captured(&self, text: &str, values: &[String]) -> Option<Vec<Dependency>> {
        let watch = Recorder::default();
        let query = "query($t: String, $v: [String]) \
                     { team(identifier: {obj_id: 1}) { sql(text: $t, values: $v) } }";
        let mut request = Request::new(query);
        let variables = serde_json::json!({"t": text, "v": values});
        request.variables = variables.as_object().unwrap().clone();
        let context = BlazeContext::anonymous();
        let answer = self.executor.execute(request, &context, &watch).await;
        let failed = answer.body.windows(8).any(|part| part == b"\"errors\"");
        let captured = std::mem::take(&mut *watch.0.lock().unwrap());
        (!failed).then_some(captured)
    }

    /// An index in which each statement is watched by the session of its number, by what `of` makes
    /// of its dependencies.
    pub fn index(
        &self,
        watched: &[Watched],
        of: impl Fn(&Dependency) -> Dependency,
    ) -> SubscriptionIndex {
        let mut index = SubscriptionIndex::default();
        for (at, watched) in watched.iter().enumerate() {
            let dependencies: Vec<_> = watched.dependencies.iter().map(&of).collect();
            watch_in(&mut index, at as u32, &dependencies);
        }
        index
    }

    /// What each statement gives; nothing where it fails.
    pub async fn results(&self, watched: &[Watched]) -> Vec<Option<String>> {
        let each = watched.iter().map(|watched| async {
            let row = self.judge.query_one(&watched.prepared, &[]).await.ok()?;
            Some(row.get(0))
        });
        join_all(each).await
    }

    /// Commits something.
    pub async fn commit(&self, random: &mut Random) -> (String, Transaction) {
        let sql = commits::any(random);
        let transaction = self.transaction(&sql).await;
        (sql, transaction)
    }

    /// Commits this.
    pub async fn transaction(&self, sql: &str) -> Transaction {
        // A commit that breaks a constraint changes nothing.
        if self.judge.batch_execute(sql).await.is_err() {
            self.judge.batch_execute("ROLLBACK").await.unwrap();
        }
        let after = self.read().await;
        let before = std::mem::replace(&mut *self.rows.lock().unwrap(), after.clone());
        Transaction {
            xid: 1,
            commit_lsn: Lsn(1),
            end_lsn: Lsn(2),
            committed_at: std::time::SystemTime::UNIX_EPOCH,
            read_at: std::time::Instant::now(),
            cause: None,
            changes: self.changes(&before, &after),
            whole: Vec::new(),
        }
    }

    /// Who is told of a commit.
    pub fn told(&self, transaction: &Transaction, index: &mut SubscriptionIndex) -> HashSet<u32> {
        let mut told = HashSet::new();
        // Derived dependencies are told as objects to be read again.
        index.affected(transaction, &self.manager.exposure(), &mut |_, sessions| {
            told.extend(sessions);
        });
        told
    }

    async fn read(&self) -> Rows {
        let mut rows = Rows::new();
        for table in self.manager.tables() {
            let text = |column: &str| {
                format!("CASE WHEN {column} IS NOT NULL THEN format('%s', {column}) END")
            };
            let columns: Vec<String> = table.columns.iter().map(|c| text(&c.name)).collect();
            let sql = format!("SELECT {} FROM {}", columns.join(", "), table.table);
            for message in self.judge.simple_query(&sql).await.unwrap() {
                let SimpleQueryMessage::Row(row) = message else {
                    continue;
                };
                let cells: Vec<Option<String>> = (0..row.len())
                    .map(|at| row.get(at).map(str::to_owned))
                    .collect();
                let key = table.key.iter().map(|&at| cells[at].clone()).collect();
                rows.insert((table.id.0, key), cells);
            }
        }
        rows
    }

    fn changes(&self, before: &Rows, after: &Rows) -> Vec<Change> {
        let mut keys: Vec<_> = before.keys().chain(after.keys()).collect();
        keys.sort();
        keys.dedup();
        let changed = keys.into_iter().filter_map(|name| {
            let (old, new) = (before.get(name), after.get(name));
            if old == new {
                return None;
            }
            let table = self.manager.table(TableId(name.0));
            let row = |cells: &Vec<Option<String>>| {
                // Postgres does not tell what it has computed.
                let cells = table.columns.iter().zip(cells);
                let cells =
                    cells.map(|(column, cell)| cell.as_deref().filter(|_| !column.generated));
                Row::from_texts(&cells.collect::<Vec<_>>())
            };
            let atoms = table
                .key
                .iter()
                .zip(&name.1)
                .map(|(&at, text)| table.columns[at].kind.atom(text.as_deref().unwrap()));
            Some(Change {
                table: table.id,
                kind: match (old, new) {
                    (None, _) => ChangeKind::Insert,
                    (_, None) => ChangeKind::Delete,
                    _ => ChangeKind::Update,
                },
                key: Key::from_atoms(atoms.collect()).unwrap(),
                moved: None,
                old: old.map_or(Old::None, |old| Old::Full(row(old))),
                new: new.map(row),
            })
        });
        changed.collect()
    }
}

/// A dependency without what is checked besides the equality that finds it.
pub fn by_one(dependency: &Dependency) -> Dependency {
    match dependency.clone() {
        Dependency::Equal {
            table,
            column,
            value,
            ..
        } => Dependency::equal(table, column, value),
        other => other,
    }
}

/// Makes a session depend on these.
pub fn watch_in(index: &mut SubscriptionIndex, session: u32, dependencies: &[Dependency]) {
    let object = ObjectId::table(TableId(0));
    let answer = index.begin(session, object, 0);
    for dependency in dependencies {
        index
            .depend(&answer, Role::Derived, dependency.clone(), usize::MAX)
            .unwrap();
    }
    index.finish(answer);
}

/// Keeps what is derived.
#[derive(Clone, Default)]
struct Recorder(Arc<Mutex<Vec<Dependency>>>);

impl Watch for Recorder {
    fn begin(&self, _: ObjectId, _: u64) -> Arc<dyn Reading> {
        Arc::new(self.clone())
    }
}

impl Reading for Recorder {
    fn depend(&self, role: Role, dependency: Dependency) -> Result<()> {
        if role == Role::Derived {
            self.0.lock().unwrap().push(dependency);
        }
        Ok(())
    }

    fn finish(&self) {}
}
