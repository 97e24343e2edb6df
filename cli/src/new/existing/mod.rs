//! `blazelink new --from-db`: the database that is there, as entities, a migration and what could not
//! be taken over.
//!
//! The database is read and never written to. What its tables are called and made of ends up in the
//! project, what its rows hold does not.

mod dump;
mod entities;
mod tables;

use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::project::{self, File, Table};
use sqlx::Connection;
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};

/// How long connecting may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);

/// The schema whose tables become entities.
const SCHEMA: &str = "public";

/// What was found in a database.
#[derive(Debug)]
pub(super) struct Existing {
    pub(super) tables: Vec<Table>,
    /// What is not exposed, and the reason with the way out.
    pub(super) left_out: Vec<(String, String)>,
    /// Entities and the SQL of the tables.
    pub(super) files: Vec<File>,
}

impl Existing {
    /// Reads the database at this URL.
    ///
    /// # Errors
    /// [`Code::Database`] when it cannot be reached or read; [`Code::SchemaMismatch`] when no table can
    /// be exposed; [`Code::CommandFailed`] when `pg_dump` is missing or fails.
    pub(super) async fn read(url: &str) -> Result<Existing> {
        let pool = connect(url).await?;
        let found = tables::find(&pool).await.map_err(unreadable)?;
        if found.exposed.is_empty() {
            let sentence = format!("The schema `{SCHEMA}` has no table that can be exposed");
            let left_out = found.left_out.into_iter();
            let reasons: Vec<String> = left_out
                .map(|(name, why)| format!("`{name}` {why}"))
                .collect();
            let error = Error::new(ErrorKind::Setup, Code::SchemaMismatch, sentence);
            let error = error.with_hint("name another database, or leave --from-db out");
            return Err(match reasons.is_empty() {
                true => error,
                false => error.with_source(reasons.join("; ")),
            });
        }
        let (entities, tables) = entities::of(pool, &found.exposed).await?;
        let mut files = entities;
        files.push(File {
            path: project::BASELINE.to_owned(),
            text: dump::of(url).await?,
        });
        Ok(Existing {
            tables,
            left_out: found.left_out,
            files,
        })
    }
}

async fn connect(url: &str) -> Result<PgPool> {
    let refused = |error: sqlx::Error| {
        let sentence = "The database of --from-db cannot be reached";
        Error::new(ErrorKind::Unavailable, Code::Database, sentence)
            .with_source(error)
            .with_hint("check the URL: psql URL")
    };
    // Once without a pool, which would try again and again, and tell at last that time is over.
    let once = PgConnection::connect(url);
    let once = tokio::time::timeout(CONNECT_WITHIN, once).await;
    let once = once.unwrap_or(Err(sqlx::Error::PoolTimedOut));
    once.map_err(refused)?.close().await.map_err(refused)?;
    let pool = PgPoolOptions::new().max_connections(1);
    pool.connect(url).await.map_err(refused)
}

fn unreadable(error: sqlx::Error) -> Error {
    let sentence = "The tables of the database cannot be read";
    Error::new(ErrorKind::Setup, Code::Database, sentence)
        .with_source(error)
        .with_hint("name a role that owns the tables")
}
