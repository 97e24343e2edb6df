//! An ordinary connection of the replication part: for the gate, for preflight, for slots.

use blazelink_codes::Code;
use blazelink_migrations::{Execute, TextRow};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::connection::CONNECT_TIMEOUT;
use super::server_error::refuses_settings;
use super::url::{DatabaseUrl, session_options};
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
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(CONNECT_TIMEOUT);
        }
        let tls = tokio_postgres_rustls::MakeRustlsConnect::new(url.tls()?);
        let mut with_settings = config.clone();
        with_settings.options(session_options(config.get_options()));
        let (client, connection) = match with_settings.connect(tls.clone()).await {
            // A pooler that passes on none: those of the role hold, and preflight compares.
            Err(error) if is_refusal_of_settings(&error) => config.connect(tls).await,
            connected => connected,
        }
        .map_err(unreachable)?;
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
    async fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        let messages = self.client.simple_query(sql).await;
        let messages = messages.map_err(not_answered)?;
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

fn is_refusal_of_settings(error: &tokio_postgres::Error) -> bool {
    let refused = error.as_db_error();
    refused.is_some_and(|refused| refuses_settings(refused.message()))
}

/// The database did not let us in, or did not answer.
pub(super) fn unreachable(error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database cannot be reached",
    )
    .with_source(error)
    .with_hint("check whether the server runs, and DATABASE_URL or BLAZELINK_REPLICATION_URL")
}

fn not_answered(error: tokio_postgres::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database did not answer a statement",
    )
    .with_source(error)
}
