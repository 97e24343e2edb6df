//! Databases inside a cluster: making them and letting them go.

use std::error::Error as StdError;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use tokio_postgres::{Client, NoTls};

/// Runs `work` on a connection to `url`. The connection has ended when this returns, so that it
/// is in nobody's way.
pub(crate) async fn with_connection<T>(
    url: &str,
    work: impl AsyncFnOnce(&Client) -> Result<T>,
) -> Result<T> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            Code::Database,
            "The private Postgres refused a connection",
        )
        .with_source(error)
    })?;
    let work = async move {
        let answer = work(&client).await;
        drop(client);
        answer
    };
    let (answer, _) = tokio::join!(work, connection);
    answer
}

/// Runs statements that return nothing.
pub(crate) async fn run(client: &Client, statements: &str) -> Result<()> {
    client.batch_execute(statements).await.map_err(refused)
}

/// Makes the database unless it is there. True when it was made.
pub(crate) async fn ensure(client: &Client, name: &str) -> Result<bool> {
    let there = client
        .query_opt(
            "SELECT datallowconn FROM pg_database WHERE datname = $1",
            &[&name],
        )
        .await
        .map_err(refused)?;
    if let Some(row) = there {
        // Left closed by a copy that did not come to its end.
        if !row.get::<_, bool>(0) {
            let open = format!(
                "ALTER DATABASE {} WITH ALLOW_CONNECTIONS true",
                quoted(name)
            );
            client.batch_execute(&open).await.map_err(refused)?;
        }
        return Ok(false);
    }
    match client
        .batch_execute(&format!("CREATE DATABASE {}", quoted(name)))
        .await
    {
        Ok(()) => Ok(true),
        Err(error)
            if error.code() == Some(&tokio_postgres::error::SqlState::DUPLICATE_DATABASE) =>
        {
            Ok(false)
        }
        Err(error) => Err(refused(error)),
    }
}

/// A name as it stands in SQL.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as it stands in SQL.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

pub(crate) fn refused(error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The private Postgres refused a statement",
    )
    .with_source(cause(error))
}

/// What the server says, if it is the server that says something: the driver's own error says
/// nothing more.
pub(crate) fn cause(error: tokio_postgres::Error) -> Box<dyn StdError + Send + Sync> {
    match error.as_db_error() {
        Some(told) => told.clone().into(),
        None => error.into(),
    }
}
