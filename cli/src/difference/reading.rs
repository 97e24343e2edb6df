//! One connection to the database that is compared: its catalog, what entities would make in it, and
//! how many rows a change is about. Everything but [`Reading::execute`] leaves it as it is.

use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use super::catalog::{Catalog, Name, QUERY};
use super::change::{Change, Danger, quoted};
use super::compare::{self, Known};
use super::ddl::Ddl;
use super::{Difference, Differences};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// What a statement of ours may take at most: nobody else is to wait long for it, nor we for them.
const LIMITS: &str = "SET LOCAL lock_timeout = '2s'; SET LOCAL statement_timeout = '10s'";

#[derive(Debug)]
pub(super) struct Reading(PgConnection);

impl Reading {
    pub(super) async fn connect(url: &str) -> Result<Reading> {
        let connected = tokio::time::timeout(CONNECT_WITHIN, PgConnection::connect(url)).await;
        let connected = connected.unwrap_or(Err(sqlx::Error::PoolTimedOut));
        connected.map(Reading).map_err(|error| {
            let sentence = "The database cannot be reached";
            Error::new(ErrorKind::Unavailable, Code::Database, sentence)
                .with_source(told(error))
                .with_hint("look whether the server runs and DATABASE_URL is right")
        })
    }

    /// What the database is made of.
    pub(super) async fn catalog(&mut self) -> Result<Catalog> {
        catalog(&mut self.0).await.map(Catalog::at_home)
    }

    /// How it differs from what the entities say.
    pub(super) async fn entities(&mut self, ddl: &Ddl, known: &Known) -> Result<Differences> {
        let mut within = self.0.begin().await.map_err(refused)?;
        within.execute(LIMITS).await.map_err(refused)?;
        let have = catalog(&mut within).await?;
        let path = have.path.clone();
        let have = have.at_home();
        let mut schemas: Vec<String> = ddl.tables.iter().map(|it| quoted(&it.scratch)).collect();
        schemas.sort();
        schemas.dedup();
        let path: Vec<String> = path.iter().map(|schema| quoted(schema)).collect();
        let search = |first: &[String], then: &[String]| {
            let all = [first, then].concat().join(", ");
            // An empty path is one empty name.
            let all = if all.is_empty() { "''" } else { &all };
            format!("SET LOCAL search_path TO {all}")
        };
        run(&mut within, search(&schemas, &path))
            .await
            .map_err(refused)?;
        for statement in ddl.statements() {
            run(&mut within, statement).await.map_err(not_made)?;
        }
        let wanted = placed(catalog(&mut within).await?, ddl, &have);
        // What is there is meant from here on, and the entities' types where there are none.
        run(&mut within, search(&path, &schemas))
            .await
            .map_err(refused)?;
        let renamed = ddl.tables.iter().flat_map(|table| {
            let name = place(&have, table.schema.as_deref(), &table.table);
            let names = table.renamed.iter().cloned();
            names.map(move |names| (name.clone(), names))
        });
        let renamed: Vec<(Name, [String; 2])> = renamed.collect();
        let found = compare::entities(&have, &wanted, &renamed, known);
        let mut judged = Vec::new();
        for change in found.changes {
            judged.push(judged_by(&mut within, change).await?);
        }
        let mut undescribed = Vec::new();
        for change in found.undescribed {
            undescribed.push(judged_by(&mut within, change).await?);
        }
        within.rollback().await.map_err(refused)?;
        Ok(Differences {
            list: judged,
            undescribed,
            known: compare::known(&wanted),
        })
    }

    /// Each change with what it may do here.
    pub(super) async fn judge(&mut self, changes: Vec<Change>) -> Result<Vec<Difference>> {
        let mut within = self.0.begin().await.map_err(refused)?;
        within.execute(LIMITS).await.map_err(refused)?;
        let mut judged = Vec::new();
        for change in changes {
            judged.push(judged_by(&mut within, change).await?);
        }
        within.rollback().await.map_err(refused)?;
        Ok(judged)
    }

    /// The one column of a query's answer.
    pub(super) async fn lines(&mut self, sql: &'static str) -> Result<Vec<String>> {
        let rows = self.0.fetch_all(sql).await.map_err(refused)?;
        let lines = rows.iter().map(|row| row.try_get(0));
        lines.collect::<Result<_, _>>().map_err(refused)
    }

    /// Executes statements, all or none.
    pub(super) async fn execute(&mut self, statements: &[String]) -> Result<()> {
        let mut within = self.0.begin().await.map_err(refused)?;
        for statement in statements {
            run(&mut within, statement.clone()).await.map_err(|error| {
                let sentence = "The database refuses the change, and is as it was before";
                Error::new(ErrorKind::Setup, Code::MigrationFailed, sentence)
                    .with_source(format!("{}\n  in: {statement}", told(error)))
                    .with_hint("write a migration by hand: blazelink migrate new NAME")
            })?;
        }
        within.commit().await.map_err(refused)
    }

    /// Says that the database has a migration already, whose name this is.
    pub(super) async fn has_migration(&mut self, name: &str) -> Result<()> {
        let sql = "INSERT INTO seaql_migrations (version, applied_at) \
                   VALUES ($1, extract(epoch FROM now())::bigint)";
        let insert = sqlx::query(sql).bind(name).execute(&mut self.0).await;
        insert.map(drop).map_err(refused)
    }
}

/// Runs a statement: of names that are quoted, of types and defaults as the catalog prints them.
async fn run(connection: &mut PgConnection, sql: String) -> sqlx::Result<()> {
    let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await;
    run.map(drop)
}

async fn catalog(connection: &mut PgConnection) -> Result<Catalog> {
    let row = connection.fetch_one(QUERY).await.map_err(refused)?;
    let text: String = row.try_get(0).map_err(refused)?;
    Catalog::parse(&text).map_err(|error| {
        let sentence = "The database's catalog cannot be read";
        Error::new(ErrorKind::Protocol, Code::DatabaseAnswer, sentence).with_source(error)
    })
}

/// The name of the table that an entity means, in whichever schema it lies.
fn place(have: &Catalog, schema: Option<&str>, table: &str) -> Name {
    match have.find(schema, table) {
        Some(table) => table.name.clone(),
        None => have.name(schema, table),
    }
}

/// What the entities made, under the names of what is there.
fn placed(mut wanted: Catalog, ddl: &Ddl, have: &Catalog) -> Catalog {
    let is_scratch = |name: &Name| ddl.tables.iter().any(|it| it.scratch == name.schema);
    wanted.tables.retain(|table| is_scratch(&table.name));
    wanted.enums.retain(|it| is_scratch(&it.name));
    wanted.rename(|name| {
        let mut tables = ddl.tables.iter();
        let table = tables.find(|it| it.scratch == name.schema && it.table == name.name);
        *name = match table {
            Some(table) => place(have, table.schema.as_deref(), &table.table),
            None => match have.find_enum(&name.name) {
                Some(found) => found.name.clone(),
                None => have.name(None, &name.name),
            },
        };
    });
    wanted
}

async fn judged_by(within: &mut PgConnection, change: Change) -> Result<Difference> {
    let probed = match change.probe() {
        None => None,
        Some(sql) => {
            // What is counted may not be there yet, and a value may be none of its new type.
            let mut attempt = within.begin().await.map_err(refused)?;
            match sqlx::raw_sql(AssertSqlSafe(sql))
                .fetch_one(&mut *attempt)
                .await
            {
                Ok(row) => {
                    attempt.commit().await.map_err(refused)?;
                    let count: i64 = row.try_get(0).map_err(refused)?;
                    Some(u64::try_from(count).unwrap_or_default())
                }
                Err(_) => {
                    attempt.rollback().await.map_err(refused)?;
                    None
                }
            }
        }
    };
    let danger: Danger = change.danger(probed);
    Ok(Difference { change, danger })
}

fn refused(error: sqlx::Error) -> Error {
    let sentence = "The database does not answer when asked what it is made of";
    Error::new(ErrorKind::Unavailable, Code::Database, sentence).with_source(told(error))
}

fn not_made(error: sqlx::Error) -> Error {
    let sentence = "Postgres cannot make the tables that the entities describe";
    Error::new(ErrorKind::Setup, Code::SchemaMismatch, sentence)
        .with_source(told(error))
        .with_hint(
            "look at the types that the entities name; a role of your own needs \
             GRANT CREATE ON DATABASE for this",
        )
}

/// What Postgres says, without values of rows, which messages of class 22 name (Postgres manual,
/// appendix A).
fn told(error: sqlx::Error) -> String {
    let Some(said) = error.as_database_error() else {
        return error.to_string();
    };
    let code = said.code().unwrap_or_default();
    match code.starts_with("22") {
        true => format!("a value cannot be what it is to become ({code})"),
        false => said.message().to_owned(),
    }
}
