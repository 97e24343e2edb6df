//! `Runner`: the one way from a statement that reads rows for somebody to the database. It takes
//! what has passed the viewer's policies and nothing else.

use blazelink_codes::Code;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};

use super::page_query::Doubtful;
use super::ran::Running;
use super::write_error::sqlstate;
use crate::error::{Error, ErrorKind, Result};
use crate::visibility::Visible;

/// What a client is told whose key the database refuses.
pub(super) const NO_KEY: &str = "Invalid obj_id! It is no value of the key's type";

/// Runs statements on one connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Runner<'a>(&'a DatabaseConnection);

impl<'a> Runner<'a> {
    pub(super) fn new(database: &'a DatabaseConnection) -> Runner<'a> {
        Runner(database)
    }

    /// The connection, for the app's own code.
    pub(super) fn database(self) -> &'a DatabaseConnection {
        self.0
    }

    /// The rows that a statement gives.
    ///
    /// # Errors
    ///
    /// If the database does not answer, or refuses a value that a client sent: `refusal` says so.
    pub(super) async fn run(
        self,
        statement: Visible<Statement>,
        refusal: &'static str,
    ) -> Result<Vec<QueryResult>> {
        let statement = statement.into_inner();
        let running = Running::begin(&statement.sql);
        let rows = self.0.query_all_raw(statement).await;
        running.end(rows.as_ref().map_or(0, Vec::len));
        rows.map_err(|error| refused_or_lost(error, refusal))
    }

    /// Tries whether values are of their types, which reads no row.
    ///
    /// # Errors
    ///
    /// As [`Runner::run`].
    pub(super) async fn try_values(self, values: Doubtful, refusal: &'static str) -> Result<()> {
        let Doubtful { sql, values } = values;
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let tried = self.0.query_one_raw(statement).await;
        tried.map_err(|error| refused_or_lost(error, refusal))?;
        Ok(())
    }
}

/// SQLSTATE class 22 (data exception) and 23514 (a domain's check) can only mean a value that a
/// client sent.
fn refused_or_lost(source: DbErr, refusal: &'static str) -> Error {
    let state = sqlstate(&source);
    if state == Some("57014") {
        let code = Code::StatementTimeout;
        let sentence = format!("The database took longer than it may ({code})");
        return Error::new(ErrorKind::Unavailable, code, sentence)
            .with_source(source)
            .with_hint("read less at once, make an index, or set [limits] statement_seconds");
    }
    let refused = state.is_some_and(|state| state.starts_with("22") || state == "23514");
    if refused {
        return Error::new(ErrorKind::Request, Code::Database, refusal).with_source(source);
    }
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database did not answer a statement",
    )
    .with_source(source)
}
