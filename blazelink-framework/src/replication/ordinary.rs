//! An ordinary connection of the replication part: for the gate, for preflight, for slots.

use blazelink_migrations::{Execute, TextRow};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connection::CONNECT_TIMEOUT;
use super::url::{DatabaseUrl, session_options};
use crate::codes::Code;
use crate::error::{Error, ErrorKind, Result};

/// A connection by tokio-postgres, with the session settings of all connections.
#[derive(Debug)]
pub struct OrdinaryConnection {
    client: Client,
}

impl OrdinaryConnection {
    /// Connects. The connection's driver runs as a task of the current runtime and ends with it.
    ///
    /// # Errors
    ///
    /// If the server cannot be reached or refuses.
    pub async fn connect(url: &DatabaseUrl, application: &str) -> Result<Self> {
        let mut config = url.config().clone();
        config.user(&*url.user()?);
        config.application_name(application);
        config.options(session_options(config.get_options()));
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let tls = tokio_postgres_rustls::MakeRustlsConnect::new(url.tls()?);
        let (client, connection) = config.connect(tls).await.map_err(unreachable)?;
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "database connection ended");
            }
        });
        Ok(OrdinaryConnection { client })
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

impl Execute for OrdinaryConnection {
    async fn rows(&mut self, sql: &str) -> blazelink_migrations::Result<Vec<TextRow>> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(blazelink_migrations::Error::database)?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(row),
            _ => None,
        });
        Ok(rows
            .map(|row| {
                (0..row.len())
                    .map(|column| row.get(column).map(str::to_owned))
                    .collect()
            })
            .collect())
    }
}

/// The database did not let us in, or did not answer.
pub(super) fn unreachable(error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database cannot be reached",
    )
    .with_source(error)
}

/// An error of publication or slot as one of ours.
pub(crate) fn from_setup(error: blazelink_migrations::Error) -> Error {
    let kind = match error.code() {
        Code::Database | Code::SlotActive | Code::DatabaseAnswer => ErrorKind::Unavailable,
        _ => ErrorKind::Setup,
    };
    let (code, sentence) = (error.code(), error.sentence().to_owned());
    let hint = error.hint().map(str::to_owned);
    let mut ours = Error::new(kind, code, sentence);
    if let Some(hint) = hint {
        ours = ours.with_hint(hint);
    }
    match error.into_source().map(|source| source.downcast::<Error>()) {
        // The replication connection has worded it already.
        Some(Ok(worded)) => *worded,
        Some(Err(source)) => ours.with_source(source),
        None => ours,
    }
}
