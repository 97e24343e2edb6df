//! Databases that are made of others and dropped again: what snapshots, branches and scratch
//! databases are. Used by the command line tool, and by the databases of tests.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, SimpleQueryMessage};

use crate::cluster::Cluster;
use crate::database::{cause, literal, quoted, refused, with_connection};

/// How long a connection that is cut may take to end.
const ENDS_MS: u32 = 5_000;

impl Cluster {
    /// The names of all databases but the server's own, in order.
    ///
    /// # Errors
    /// [`Code::Database`] when the server does not answer.
    pub async fn databases(&self) -> Result<Vec<String>> {
        let sql = "SELECT datname FROM pg_database \
                   WHERE NOT datistemplate AND datname <> 'postgres' ORDER BY datname";
        let rows = self.rows("postgres", sql).await?;
        Ok(rows.into_iter().flatten().flatten().collect())
    }

    /// Makes a copy of a database, rows and all. Slots are not copied.
    ///
    /// # Errors
    /// [`Code::DatabaseInUse`] while anybody is connected to `from`; [`Code::Database`] when the
    /// server refuses it otherwise.
    pub async fn copy_database(&self, from: &str, to: &str) -> Result<()> {
        // Copying files beats logging their pages where nothing is fsynced. 14 knows only that way.
        let strategy = if self.is_throwaway() && !self.version().starts_with("14") {
            "STRATEGY file_copy"
        } else {
            ""
        };
        let create = format!(
            "CREATE DATABASE {} TEMPLATE {} {strategy}",
            quoted(to),
            quoted(from)
        );
        self.administer(from, async |client| client.batch_execute(&create).await)
            .await
    }

    /// As [`Cluster::copy_database`], of a database on which others are at work: their connections are
    /// cut, and new ones refused until the copy is there. Whoever connects again by itself goes on.
    ///
    /// A process that is killed meanwhile leaves the database closed; [`Cluster::ensure_database`] opens
    /// it.
    ///
    /// # Errors
    /// As [`Cluster::copy_database`]; [`Code::DatabaseInUse`] only if a connection does not end.
    pub async fn copy_database_in_use(&self, from: &str, to: &str) -> Result<()> {
        let let_in = |whether: bool| {
            let database = quoted(from);
            format!("ALTER DATABASE {database} WITH ALLOW_CONNECTIONS {whether}")
        };
        let cut = format!(
            "SELECT pg_terminate_backend(pid, {ENDS_MS}) FROM pg_stat_activity WHERE datname = {}",
            literal(from)
        );
        let closed = self
            .administer(from, async |client| {
                client.batch_execute(&let_in(false)).await?;
                client.batch_execute(&cut).await
            })
            .await;
        let copied = match closed {
            Ok(()) => self.copy_database(from, to).await,
            Err(error) => Err(error),
        };
        let opened = self
            .administer(from, async |client| {
                client.batch_execute(&let_in(true)).await
            })
            .await;
        copied.and(opened)
    }

    /// Drops a database if it is there, with the slots in it that nobody reads.
    ///
    /// # Errors
    /// [`Code::DatabaseInUse`] while anybody is connected to it; [`Code::Database`] when the
    /// server refuses it otherwise.
    pub async fn drop_database(&self, name: &str) -> Result<()> {
        let drop = format!("DROP DATABASE IF EXISTS {}", quoted(name));
        self.administer(name, async |client| {
            let slots = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
                         WHERE database = $1 AND NOT active";
            client.query(slots, &[&name]).await?;
            client.batch_execute(&drop).await
        })
        .await
    }

    /// Gives a database another name.
    ///
    /// # Errors
    /// [`Code::DatabaseInUse`] while anybody is connected to it; [`Code::Database`] when the
    /// server refuses it otherwise, as where the name is taken.
    pub async fn rename_database(&self, name: &str, to: &str) -> Result<()> {
        let rename = format!("ALTER DATABASE {} RENAME TO {}", quoted(name), quoted(to));
        self.administer(name, async |client| client.batch_execute(&rename).await)
            .await
    }

    /// The rows that a statement gives in a database, as text.
    ///
    /// # Errors
    /// [`Code::Database`] when the server refuses it.
    pub async fn rows(&self, database: &str, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        let messages = with_connection(&self.url(database), async |client| {
            client.simple_query(sql).await.map_err(refused)
        })
        .await?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows
            .map(|row| {
                let columns = 0..row.len();
                columns.map(|at| row.get(at).map(str::to_owned)).collect()
            })
            .collect())
    }

    /// Works on a database as a whole, from outside of it.
    async fn administer(
        &self,
        database: &str,
        work: impl AsyncFnOnce(&Client) -> Result<(), tokio_postgres::Error>,
    ) -> Result<()> {
        with_connection(&self.url("postgres"), async |client| {
            work(client).await.map_err(|error| match error.code() {
                Some(&SqlState::OBJECT_IN_USE) => in_use(database).with_source(cause(error)),
                _ => refused(error),
            })
        })
        .await
    }
}

fn in_use(database: &str) -> Error {
    let sentence = format!("The database `{database}` is in use");
    Error::new(ErrorKind::Unavailable, Code::DatabaseInUse, sentence)
        .with_hint("stop `blazelink dev` of this project, close psql, and repeat")
}
