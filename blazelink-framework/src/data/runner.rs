//! `Runner`: the one way from a statement that reads rows for somebody to the database. It takes
//! what has passed the viewer's policies and nothing else.

use blazelink_codes::Code;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, QueryResult, RuntimeErr, Statement};

use crate::error::{Error, ErrorKind, Result};
use crate::visibility::Visible;

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
    /// If the database does not answer, or refuses a value that is bound.
    pub(super) async fn run(self, statement: Visible<Statement>) -> Result<Vec<QueryResult>> {
        let rows = self.0.query_all_raw(statement.into_inner()).await;
        rows.map_err(failure)
    }
}

/// SQLSTATE class 22 (data exception) can only mean a key here: nothing else is bound that a
/// client sent.
fn failure(source: DbErr) -> Error {
    let refused = match &source {
        DbErr::Query(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error)) => {
            error
                .as_database_error()
                .and_then(|error| error.code())
                .is_some_and(|code| code.starts_with("22"))
        }
        _ => false,
    };
    if refused {
        return Error::new(
            ErrorKind::Request,
            Code::Database,
            "Invalid obj_id! It is no value of the key's type",
        )
        .with_source(source);
    }
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database did not answer a statement",
    )
    .with_source(source)
}
