//! What the database says against a row, in words for its writer: which field, and what is wrong
//! with it; never a constraint's definition, a statement, or a value of any row.
//!
//! Asked after the transaction has ended, so that asking the catalog cannot be in its way.

use blazelink_codes::Code;
use sea_orm::sqlx::postgres::PgDatabaseError;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement, Value,
};

use super::catalog::texts;
use crate::table::{Operation, TableDef};

/// Why a row was not written: a sentence for the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    /// The column whose value is wrong, if it is one that clients know.
    pub(crate) column: Option<usize>,
    pub(crate) sentence: String,
}

impl Refusal {
    /// About the row as a whole.
    pub(super) fn row(code: Code, sentence: impl Into<String>) -> Refusal {
        Refusal {
            code,
            column: None,
            sentence: sentence.into(),
        }
    }

    /// About the value of a column. `what` goes on after the column's name. Of a column that is
    /// hidden the name is not told.
    pub(super) fn column(table: &TableDef, at: usize, code: Code, what: &str) -> Refusal {
        let column = &table.columns[at];
        if column.hidden {
            let sentence = "A value that no input has is not accepted";
            tracing::error!(table = %table.table, column = %column.name, what, "a hidden column was refused");
            return Refusal::row(code, sentence);
        }
        Refusal {
            code,
            column: Some(at),
            sentence: format!("`{}` {what}", column.field()),
        }
    }
}

/// What is said where a reference leads to no row, or to none that the writer sees.
pub(super) const NO_TARGET: &str = "leads to no row";

/// A statement that failed: what was written, and the texts that were bound for its columns.
pub(super) struct Failed<'a> {
    pub(super) database: &'a DatabaseConnection,
    pub(super) table: &'a TableDef,
    pub(super) operation: Operation,
    pub(super) bound: &'a [(usize, Option<String>)],
}

/// What Postgres tells of an error besides its words.
struct Told<'e> {
    state: &'e str,
    table: Option<&'e str>,
    column: Option<&'e str>,
    constraint: Option<&'e str>,
}

/// The SQLSTATE of an error that Postgres has told.
pub(super) fn sqlstate(error: &DbErr) -> Option<&str> {
    told(error).map(|told| told.state)
}

fn told(error: &DbErr) -> Option<Told<'_>> {
    let (DbErr::Query(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Conn(RuntimeErr::SqlxError(error))) = error
    else {
        return None;
    };
    let error = error
        .as_database_error()?
        .try_downcast_ref::<PgDatabaseError>()?;
    Some(Told {
        state: error.code(),
        table: error.table(),
        column: error.column(),
        constraint: error.constraint(),
    })
}

impl Failed<'_> {
    /// What the client is told. What nobody can mend by other values is in the log.
    pub(super) async fn explain(&self, error: &DbErr) -> Refusal {
        let Some(told) = told(error) else {
            tracing::error!(table = %self.table.table, "a row was not written: the database did not answer");
            return Refusal::row(Code::Database, "The database did not answer a statement");
        };
        let own = told.table == Some(self.table.table.as_str());
        match told.state {
            "23502" if own => {
                let at = told.column.and_then(|name| self.table.column(name));
                self.of(at, Code::Constraint, "must not be null")
            }
            "23503" if own && self.operation != Operation::Delete => {
                let at = self.columns(&told).await.first().copied();
                self.of(at, Code::Reference, NO_TARGET)
            }
            "23503" => Refusal::row(Code::Reference, "Other rows refer to the row"),
            "23505" | "23P01" if own => self.taken(&self.columns(&told).await),
            "23514" if own => {
                let at = self.columns(&told).await.first().copied();
                let what = "has a value that the database does not allow";
                self.of(at, Code::Constraint, what)
            }
            "22001" => self.of(self.too_long().await, Code::InputInvalid, "is too long"),
            // A domain's rule, like a type's own, is found by asking for the value alone.
            state if state.starts_with("22") || state == "23514" => {
                let what = match state {
                    "22003" => "is out of range",
                    "22007" | "22008" => "is no date or time",
                    "23514" => "has a value that the database does not allow",
                    _ => "is no value of its type",
                };
                self.of(self.misfit().await, Code::InputInvalid, what)
            }
            "40001" | "40P01" | "55P03" => Refusal::row(
                Code::Contended,
                "Somebody else writes the row at the same time; try again",
            ),
            "57014" => Refusal::row(
                Code::StatementTimeout,
                "The database took longer than it may",
            ),
            state => {
                tracing::error!(
                    sqlstate = state,
                    table = told.table.unwrap_or(&self.table.table),
                    constraint = told.constraint.unwrap_or_default(),
                    "a row was not written"
                );
                Refusal::row(Code::WriteFailed, "The database refused the row")
            }
        }
    }

    fn of(&self, column: Option<usize>, code: Code, what: &str) -> Refusal {
        match column {
            Some(at) => Refusal::column(self.table, at, code, what),
            None => Refusal::row(code, format!("A value of the row {what}")),
        }
    }

    fn taken(&self, columns: &[usize]) -> Refusal {
        let names: Vec<String> = columns
            .iter()
            .map(|&at| format!("`{}`", self.table.columns[at].field()))
            .collect();
        match columns {
            [one] => Refusal::column(self.table, *one, Code::NotUnique, "is taken by another row"),
            [first, ..] if columns.iter().all(|&at| !self.table.columns[at].hidden) => Refusal {
                code: Code::NotUnique,
                column: Some(*first),
                sentence: format!("{} are taken by another row", names.join(" and ")),
            },
            _ => Refusal::row(Code::NotUnique, "Another row has what only one may have"),
        }
    }

    /// The columns of the table's constraint, or of its unique index, that the error names.
    async fn columns(&self, told: &Told<'_>) -> Vec<usize> {
        const SQL: &str = "\
            SELECT a.attname::text FROM pg_catalog.pg_attribute a JOIN ( \
                SELECT c.conrelid AS r, c.conkey AS k FROM pg_catalog.pg_constraint c \
                WHERE c.conrelid = to_regclass(format('%I.%I', $1, $2)) AND c.conname = $3 \
                UNION SELECT i.indrelid, i.indkey::int2[] FROM pg_catalog.pg_index i \
                JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
                WHERE i.indrelid = to_regclass(format('%I.%I', $1, $2)) AND x.relname = $3 \
            ) AS c ON a.attrelid = c.r AND a.attnum = ANY (c.k) ORDER BY a.attnum";
        let Some(constraint) = told.constraint else {
            return Vec::new();
        };
        let names = [&*self.table.schema, &*self.table.table, constraint];
        let values = names.map(|name| Value::String(Some(name.to_owned())));
        let names = self.texts(SQL, values).await;
        let mut found: Vec<usize> = names
            .iter()
            .filter_map(|name| self.table.column(name))
            .collect();
        found.dedup();
        found
    }

    /// The column whose text is longer than its type takes.
    async fn too_long(&self) -> Option<usize> {
        const SQL: &str = "\
            SELECT w.name FROM unnest($3::text[], $4::text[]) AS w(name, given) \
            JOIN pg_catalog.pg_attribute a ON a.attname = w.name \
                AND a.attrelid = to_regclass(format('%I.%I', $1, $2)) \
            JOIN pg_catalog.pg_type y ON y.oid = a.atttypid \
            WHERE y.typname IN ('varchar', 'bpchar') AND a.atttypmod > 4 \
                AND length(w.given) > a.atttypmod - 4";
        let given = self.bound.iter().filter_map(|(at, text)| {
            let name = self.table.columns[*at].name.clone();
            Some((name, text.clone()?))
        });
        let (names, given): (Vec<_>, Vec<_>) = given.unzip();
        let list = |list: Vec<String>| texts(list.iter().map(String::as_str));
        let [schema, table] = [&self.table.schema, &self.table.table];
        let [schema, table] = [schema, table].map(|name| Value::String(Some(name.clone())));
        let values = [schema, table, list(names), list(given)];
        let name = self.texts(SQL, values).await.into_iter().next()?;
        self.table.column(&name)
    }

    /// The first column whose text is none of its type, which Postgres does not tell: the texts
    /// are cast one by one.
    async fn misfit(&self) -> Option<usize> {
        const SQL: &str = "\
            SELECT format_type(a.atttypid, a.atttypmod) FROM pg_catalog.pg_attribute a \
            WHERE a.attrelid = to_regclass(format('%I.%I', $1, $2)) AND a.attname = $3";
        for (at, text) in self.bound {
            let Some(text) = text else { continue };
            let names = [
                &self.table.schema,
                &self.table.table,
                &self.table.columns[*at].name,
            ];
            let values = names.map(|name| Value::String(Some(name.clone())));
            let ty = self.texts(SQL, values).await.into_iter().next()?;
            let cast = Statement::from_sql_and_values(
                DbBackend::Postgres,
                format!("SELECT $1::text::{ty} IS NULL"),
                [Value::String(Some(text.clone()))],
            );
            if let Err(error) = self.database.query_one_raw(cast).await {
                let misfit = sqlstate(&error).is_some_and(|state| state.starts_with('2'));
                return misfit.then_some(*at);
            }
        }
        None
    }

    /// The first column of a statement's rows. What cannot be asked is not told.
    async fn texts(&self, sql: &str, values: impl IntoIterator<Item = Value>) -> Vec<String> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let rows = self.database.query_all_raw(statement).await;
        let rows = rows.unwrap_or_default();
        rows.iter()
            .filter_map(|row| row.try_get_by_index(0).ok())
            .collect()
    }
}
