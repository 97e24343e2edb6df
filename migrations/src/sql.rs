//! The seam to the database: text in, text out.
//!
//! Migrations speak through SeaORM, the running app through tokio-postgres and through its
//! replication connection. All three can run a statement and give rows of text, and that is all
//! that publication and slot need; so what to do is decided once, here.

use std::future::Future;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use sea_orm_migration::sea_orm::{ConnectionTrait, DbErr, Statement};

/// One row of an answer; nothing stands for NULL.
pub type TextRow = Vec<Option<String>>;

/// Something that runs SQL.
pub trait Execute {
    /// Runs one statement. Every column of its answer is of type text.
    ///
    /// # Errors
    ///
    /// [`Code::Database`] with what the driver says as its source, or that the connection broke.
    fn rows(&mut self, sql: &str) -> impl Future<Output = Result<Vec<TextRow>>> + Send;
}

/// [`Execute`] over any of SeaORM's connections.
#[derive(Debug)]
pub struct SeaOrm<'a, C>(pub &'a C);

impl<C: ConnectionTrait + Sync> Execute for SeaOrm<'_, C> {
    async fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        let backend = self.0.get_database_backend();
        let rows = self.0.query_all_raw(Statement::from_string(backend, sql));
        let rows = rows.await.map_err(not_answered)?;
        rows.iter()
            .map(|row| {
                (0..row.column_names().len())
                    .map(|column| row.try_get_by_index(column).map_err(not_answered))
                    .collect()
            })
            .collect()
    }
}

fn not_answered(error: DbErr) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database did not answer a statement",
    )
    .with_source(error)
}

/// The first row's cells, empty text for NULL; nothing if there is no row.
pub(crate) async fn first_row(db: &mut impl Execute, sql: &str) -> Result<Option<Vec<String>>> {
    let mut rows = db.rows(sql).await?.into_iter();
    let row = rows.next();
    Ok(row.map(|row| row.into_iter().map(Option::unwrap_or_default).collect()))
}

/// A string literal.
pub fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if text.contains('\\') {
        format!(" E'{}'", quoted.replace('\\', "\\\\"))
    } else {
        format!("'{quoted}'")
    }
}

/// A quoted identifier.
pub fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_cannot_leave_its_quotes() {
        assert_eq!(literal("it's"), "'it''s'");
        assert_eq!(literal("a\\'b"), " E'a\\\\''b'");
        assert_eq!(identifier("a\"b"), "\"a\"\"b\"");
    }
}
