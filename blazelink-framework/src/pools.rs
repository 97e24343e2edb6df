//! The pools of connections: one that answers queries, and one that computed fields read through,
//! whose connections only read by Postgres' own word. Made and closed by `app`.

use std::time::Duration;

use blazelink_codes::Code;
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement,
};

use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::replication::{SESSION_SETTINGS, refuses_settings};

/// What the connections of the pools call themselves.
pub(crate) const APPLICATION: &str = "blazelink";

/// How long an idle connection of a pool is trusted without asking it.
const TRUSTED_IDLE: Duration = Duration::from_secs(1);

/// What makes each transaction of a connection read only, unless it says otherwise.
const READ_ONLY: (&str, &str) = ("default_transaction_read_only", "on");

/// The pools of an app.
pub(crate) struct Pools {
    pub(crate) database: DatabaseConnection,
    /// What computed fields read through; the same where there are none.
    pub(crate) reads: DatabaseConnection,
    /// Whether `reads` is a pool of its own.
    pub(crate) computes: bool,
}

impl Pools {
    /// One pool for all.
    pub(crate) fn of(database: DatabaseConnection) -> Pools {
        Pools {
            reads: database.clone(),
            database,
            computes: false,
        }
    }

    /// Closes them. Connections that the app's own code still holds are waited for so long.
    pub(crate) async fn close(&self, drain: Duration) {
        for pool in [&self.reads, &self.database] {
            close(pool.clone(), drain).await;
        }
    }
}

/// The pool that answers queries. Its sessions print values as the replication connection does.
///
/// # Errors
///
/// If the database cannot be reached.
pub(crate) async fn connect(config: &Config) -> Result<DatabaseConnection> {
    open(config, &config.database_url, &SESSION_SETTINGS)
        .await
        .map_err(|error| error.with_hint("check DATABASE_URL and whether the server runs"))
}

/// The pool that computed fields read through.
///
/// # Errors
///
/// If the database cannot be reached.
pub(crate) async fn connect_reads(config: &Config) -> Result<DatabaseConnection> {
    let url = config.read_url.as_ref().unwrap_or(&config.database_url);
    let settings: Vec<(&'static str, &'static str)> =
        SESSION_SETTINGS.into_iter().chain([READ_ONLY]).collect();
    let pool = open(config, url, &settings).await.map_err(|error| {
        error.with_hint("check BLAZELINK_READ_URL and DATABASE_URL, and whether the server runs")
    })?;
    if !only_reads(&pool).await? {
        // A pooler has swallowed the setting.
        tracing::warn!(
            "computed fields read through connections that may write, since a pooler does not \
             pass on default_transaction_read_only: make a role that may only SELECT, or ALTER \
             ROLE .. SET default_transaction_read_only = on, and name it in [database] read_url"
        );
    }
    Ok(pool)
}

async fn only_reads(pool: &DatabaseConnection) -> Result<bool> {
    let sql = "SELECT current_setting('default_transaction_read_only') = 'on'";
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = pool.query_one_raw(statement).await.map_err(unreachable)?;
    Ok(row.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false)))
}

async fn open(
    config: &Config,
    url: &str,
    settings: &[(&'static str, &'static str)],
) -> Result<DatabaseConnection> {
    let connected = match Database::connect(options(config, url, settings)).await {
        // A pooler that passes on none: those of the role hold, and preflight compares.
        Err(error) if refuses_settings(&error.to_string()) => {
            Database::connect(options(config, url, &[])).await
        }
        connected => connected,
    };
    connected.map_err(unreachable)
}

fn unreachable(error: sea_orm::DbErr) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database cannot be reached",
    )
    .with_source(error)
}

fn options(
    config: &Config,
    url: &str,
    settings: &[(&'static str, &'static str)],
) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    let settings = settings.to_vec();
    // Postgres holds no longer ones.
    let timeout = config.limits.statement_timeout.as_millis();
    let timeout = timeout.min(2_147_483_647).to_string();
    options
        .max_connections(config.pool)
        .sqlx_logging(false)
        // A connection that was idle while the server restarted is found out before it is used.
        .test_before_acquire_if_idle_for(TRUSTED_IDLE)
        .connect_timeout(Duration::from_secs(10))
        .acquire_timeout(Duration::from_secs(10))
        .map_sqlx_postgres_opts(move |options| {
            let options = options.application_name(APPLICATION);
            if settings.is_empty() {
                return options.extra_float_digits(None);
            }
            // sqlx sends a value of its own for this one, which goes before `options`.
            let options = options.extra_float_digits(1);
            let options = options.options(settings.iter().copied());
            options.options([("statement_timeout", &*timeout)])
        });
    options
}

/// Closes a pool. Connections that the app's own code still holds are waited for so long.
pub(crate) async fn close(database: DatabaseConnection, drain: Duration) {
    match tokio::time::timeout(drain, database.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the pool did not close cleanly"),
        Err(_) => tracing::warn!("connections of the pool are still in use"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use blazelink_postgres::TestDatabase;
    use tokio::net::TcpListener;

    use super::*;
    use crate::replication::pooler;

    #[tokio::test]
    async fn pooler_that_refuses_settings_is_asked_without_them() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(pooler(listener, &["extra_float_digits", "options"]));
        let url = format!("postgres://me@127.0.0.1:{port}/db?sslmode=disable");
        let connected = connect(&Config::new("test", url)).await;
        assert!(connected.is_ok(), "{:#}", connected.unwrap_err());
    }

    #[tokio::test]
    async fn what_computed_fields_read_through_does_not_write() {
        let postgres = TestDatabase::create().await.unwrap();
        let config = Config::new("test", postgres.url());
        let (database, reads) = (
            connect(&config).await.unwrap(),
            connect_reads(&config).await.unwrap(),
        );
        database
            .execute_unprepared("CREATE TABLE t (id int)")
            .await
            .unwrap();
        for sql in [
            "INSERT INTO t VALUES (1)",
            "WITH x AS (DELETE FROM t RETURNING id) SELECT * FROM x",
        ] {
            let written = reads.execute_unprepared(sql).await.unwrap_err();
            assert!(
                written.to_string().contains("read-only transaction"),
                "{written}"
            );
        }
        assert!(only_reads(&reads).await.unwrap() && !only_reads(&database).await.unwrap());
    }
}
