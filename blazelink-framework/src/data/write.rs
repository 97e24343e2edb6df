//! Writes one row, if its writer may: each in a transaction of its own, in which the row is judged
//! and written.
//!
//! What must stay true:
//! - A row is judged under its lock, and a new one as it is stored, by conditions in the statement
//!   that writes it: nobody can change it between the judgement and the commit.
//! - A row out of the viewer's sight answers as one that is not there, and a reference to such a
//!   row as one that leads nowhere.
//! - What the app's code or the database refuses leaves nothing behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use blazelink_codes::{Code, limits};
use blazelink_migrations::identifier;
use futures_util::FutureExt;
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr, QueryResult, TransactionTrait};
use serde_json::Value as Json;

use super::accessor::SeaOrmAccessor;
use super::runner::NO_KEY;
use super::statement::{expression, name};
use super::write_error::{Failed, NO_TARGET, Refusal, sqlstate};
use super::write_sql::Sql;
use super::write_value::text_of;
use crate::cause;
use crate::object_id::Key;
use crate::table::{Draft, Invalid, NO_ROW, Operation, Problem, Read, Shape, TableDef, Writes};
use crate::viewer::Viewer;
use crate::visibility::{Writable, WriteSight};

/// What a client wants written.
#[derive(Debug)]
pub(crate) struct Intent<'a> {
    pub(crate) table: &'a TableDef,
    pub(crate) operation: Operation,
    /// The row; nothing for a new one.
    pub(crate) key: Option<Key>,
    /// The values by the positions of their columns. A column that is left out keeps its value, or
    /// gets its default.
    pub(crate) values: BTreeMap<usize, Json>,
    /// What the transaction is to say in the log of what has made it.
    pub(crate) cause: Option<String>,
}

/// A row that was written.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) key: Key,
    /// The id of the transaction, as Postgres prints it (`xid8`); nothing if nothing was to be
    /// written.
    pub(crate) version: Option<String>,
}

/// Why a transaction does not end in its commit.
enum Stop {
    Refused(Vec<Refusal>),
    Database(DbErr),
}

impl From<DbErr> for Stop {
    fn from(error: DbErr) -> Stop {
        Stop::Database(error)
    }
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Stop {
        Stop::Refused(vec![refusal])
    }
}

/// Writes a row in the name of this viewer, as whom `data` reads.
///
/// # Errors
///
/// At least one refusal. Then nothing was written, but for a connection that is lost during the
/// commit, which the refusal says.
pub(crate) async fn write(
    data: &SeaOrmAccessor<'_>,
    viewer: &Viewer,
    intent: Intent<'_>,
) -> Result<Written, Vec<Refusal>> {
    let (table, operation) = (intent.table, intent.operation);
    let writes = table.writes.as_ref().filter(|it| it.has(operation));
    let Some((writes, access)) = writes.zip(access(table, viewer)) else {
        return Err(vec![denied(operation)]);
    };
    let rows = match operation {
        Operation::Create => &access.create,
        Operation::Update => &access.update,
        Operation::Delete => &access.delete,
    };
    if rows.is_nothing() {
        return Err(vec![denied(operation)]);
    }
    let sight = data.sight(table);
    let refused = intent.values.keys().filter_map(|&at| {
        let takes = access.takes(at, sight.as_deref());
        let what = "may not be written by whoever asks";
        (!takes).then(|| Refusal::column(table, at, Code::WriteDenied, what))
    });
    let refused: Vec<Refusal> = refused.collect();
    if !refused.is_empty() {
        return Err(refused);
    }
    let draft = Draft::new(
        table,
        operation,
        viewer.clone(),
        intent.key.clone(),
        intent.values,
    );
    texts(table, &draft)?;
    check(table, writes, &draft)?;
    let mut writer = Writer {
        data,
        table,
        operation,
        key: intent.key,
        access: &access,
        rows,
        writes,
        draft,
        cause: intent.cause,
        bound: Vec::new(),
    };
    writer.run().await
}

fn denied(operation: Operation) -> Refusal {
    let sentence = match operation {
        Operation::Create => "Whoever asks may not create the row",
        Operation::Update => "Whoever asks may not update the row, or not like this",
        Operation::Delete => "Whoever asks may not delete the row",
    };
    Refusal::row(Code::WriteDenied, sentence)
}

/// What the viewer may write of the table. What the app says wrongly is nothing, and in the log.
fn access(table: &TableDef, viewer: &Viewer) -> Option<WriteSight> {
    table.write_access(viewer).unwrap_or_else(|error| {
        tracing::error!(%error, "nothing of a table may be written until this is corrected");
        None
    })
}

/// The texts of a draft's values.
fn texts(table: &TableDef, draft: &Draft) -> Result<Vec<(usize, Option<String>)>, Vec<Refusal>> {
    let mut texts = Vec::with_capacity(draft.values().len());
    let mut refused = Vec::new();
    for (&at, value) in draft.values() {
        match text_of(&table.columns[at].kind, value) {
            Ok(None) if !table.columns[at].nullable => {
                refused.push(Refusal::column(
                    table,
                    at,
                    Code::InputInvalid,
                    "must not be null",
                ));
            }
            Ok(text) => texts.push((at, text)),
            Err(what) => refused.push(Refusal::column(table, at, Code::InputInvalid, what)),
        }
    }
    match refused.is_empty() {
        true => Ok(texts),
        false => Err(refused),
    }
}

/// Asks the author's own checks.
fn check(table: &TableDef, writes: &Writes, draft: &Draft) -> Result<(), Vec<Refusal>> {
    match catch_unwind(AssertUnwindSafe(|| writes.check(draft))) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(invalid)) => match problems(table, invalid) {
            Stop::Refused(refused) => Err(refused),
            Stop::Database(_) => Err(vec![broken(table)]),
        },
        Err(_) => Err(vec![broken(table)]),
    }
}

/// The app's own code panicked or did not end.
fn broken(table: &TableDef) -> Refusal {
    tracing::error!(table = %table.table, "code of the app that looks at rows before they are saved has failed");
    Refusal::row(Code::WriteFailed, "The row could not be checked")
}

fn problems(table: &TableDef, invalid: Invalid) -> Stop {
    let mut refused = Vec::new();
    for problem in invalid.0 {
        refused.push(match problem {
            Problem::Database(error) => return Stop::Database(error),
            Problem::Row(sentence) => Refusal::row(Code::InputInvalid, sentence),
            Problem::Field(name, sentence) => match table.column(&name) {
                Some(at) => Refusal::column(table, at, Code::InputInvalid, &sentence),
                None => Refusal::row(Code::InputInvalid, sentence),
            },
        });
    }
    if refused.is_empty() {
        refused.push(Refusal::row(Code::InputInvalid, "The row is not accepted"));
    }
    Stop::Refused(refused)
}

/// One write.
pub(super) struct Writer<'a> {
    pub(super) data: &'a SeaOrmAccessor<'a>,
    pub(super) table: &'a TableDef,
    pub(super) operation: Operation,
    key: Option<Key>,
    pub(super) access: &'a WriteSight,
    /// The rows that may be written so.
    pub(super) rows: &'a Writable,
    writes: &'a Writes,
    draft: Draft,
    cause: Option<String>,
    /// What was bound last, for explanations.
    pub(super) bound: Vec<(usize, Option<String>)>,
}

impl Writer<'_> {
    async fn run(&mut self) -> Result<Written, Vec<Refusal>> {
        let transaction = match self.data.database().begin().await {
            Ok(transaction) => transaction,
            Err(error) => return Err(self.explained(error.into()).await),
        };
        if let Some(cause) = self.cause.take()
            && let Err(error) = transaction.execute_raw(cause::statement(cause)).await
        {
            return Err(self.explained(error.into()).await);
        }
        let written = match self.within(&transaction).await {
            Ok(written) => written,
            Err(stop) => {
                // The connection, if it cannot even do this, is closed, and with it all is undone.
                if let Err(error) = transaction.rollback().await {
                    tracing::warn!(%error, "a transaction was not rolled back");
                }
                return Err(self.explained(stop).await);
            }
        };
        match transaction.commit().await {
            Ok(()) => Ok(written),
            // A constraint that is checked last.
            Err(error) if sqlstate(&error).is_some_and(|it| !it.starts_with("57P")) => {
                Err(self.explained(error.into()).await)
            }
            Err(error) => {
                tracing::error!(%error, table = %self.table.table, "it is not known whether a commit was made");
                let sentence =
                    "The database did not answer, so it is not known whether the row was written";
                Err(vec![Refusal::row(Code::Database, sentence)])
            }
        }
    }

    async fn explained(&self, stop: Stop) -> Vec<Refusal> {
        let error = match stop {
            Stop::Refused(refused) => return refused,
            Stop::Database(error) => error,
        };
        // What another row has is told to those only who may write the row.
        let taken = matches!(sqlstate(&error), Some("23505" | "23P01"));
        if taken && !self.might_be_written().await {
            return vec![denied(self.operation)];
        }
        let failed = Failed {
            database: self.data.database(),
            table: self.table,
            operation: self.operation,
            bound: &self.bound,
        };
        vec![failed.explain(&error).await]
    }

    async fn within(&mut self, transaction: &DatabaseTransaction) -> Result<Written, Stop> {
        if self.operation != Operation::Create {
            self.lock(transaction).await?;
        }
        self.prepare(transaction).await?;
        match self.operation {
            Operation::Create => self.insert(transaction).await,
            Operation::Update => self.update(transaction).await,
            Operation::Delete => self.delete(transaction).await,
        }
    }

    /// Locks the row, and judges it as it is under the lock.
    async fn lock(&self, transaction: &DatabaseTransaction) -> Result<(), Stop> {
        let mut sql = Sql::new("SELECT ");
        sql.writable(self.rows);
        let _ = write!(sql.text, " FROM {} AS t WHERE ", name(self.table));
        self.key_condition(&mut sql);
        if let Some(sight) = self.data.sight(self.table) {
            sql.text.push_str(" AND ");
            let condition = sight.sql("t", sql.next(), &mut sql.values);
            sql.text.push_str(&condition);
        }
        sql.text.push_str(match self.operation {
            Operation::Delete => " FOR UPDATE",
            Operation::Create | Operation::Update => " FOR NO KEY UPDATE",
        });
        let missing = || Refusal::row(Code::RowMissing, NO_ROW);
        let row = match sql.one(transaction).await {
            Ok(row) => row.ok_or_else(missing)?,
            // Only the key can be no value of its type here.
            Err(error) => {
                let state = sqlstate(&error);
                return Err(match state.is_some_and(|state| state.starts_with("22")) {
                    true => Refusal::row(Code::InputInvalid, NO_KEY).into(),
                    false => error.into(),
                });
            }
        };
        match row.try_get_by_index(0)? {
            true => Ok(()),
            false => Err(denied(self.operation).into()),
        }
    }

    /// Calls the app's hooks.
    async fn prepare(&mut self, transaction: &DatabaseTransaction) -> Result<(), Stop> {
        let hooks = self.writes.prepare(&mut self.draft, transaction);
        let hooks = AssertUnwindSafe(hooks).catch_unwind();
        let prepared = tokio::time::timeout(limits::SAVE_TIMEOUT, hooks).await;
        match prepared {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(invalid))) => return Err(problems(self.table, invalid)),
            Ok(Err(_)) | Err(_) => return Err(broken(self.table).into()),
        }
        if let Some(column) = self.draft.unknown() {
            tracing::error!(table = %self.table.table, column, "a hook sets what is no column of the table");
            return Err(broken(self.table).into());
        }
        self.bound = texts(self.table, &self.draft).map_err(Stop::Refused)?;
        Ok(())
    }

    async fn insert(&mut self, transaction: &DatabaseTransaction) -> Result<Written, Stop> {
        let given = |at: usize| self.bound.iter().any(|(bound, _)| *bound == at);
        let columns = self.table.columns.iter().enumerate();
        let missing: Vec<Refusal> = columns
            .filter(|(at, column)| column.is_required() && !given(*at))
            .map(|(at, _)| Refusal::column(self.table, at, Code::InputInvalid, "is required"))
            .collect();
        if !missing.is_empty() {
            return Err(Stop::Refused(missing));
        }
        let mut sql = Sql::new("INSERT INTO ");
        let _ = write!(sql.text, "{} AS t ", name(self.table));
        if self.bound.is_empty() {
            sql.text.push_str("DEFAULT VALUES");
        } else {
            let columns = self.bound.iter().map(|(at, _)| self.column(*at));
            let columns: Vec<String> = columns.collect();
            let _ = write!(sql.text, "({}) VALUES (", columns.join(", "));
            for (number, (at, text)) in self.bound.iter().enumerate() {
                sql.text.push_str(if number > 0 { ", " } else { "" });
                sql.value(text.clone(), &self.table.columns[*at].sql_type);
            }
            sql.text.push(')');
        }
        self.finish(sql, Some(self.rows), transaction).await
    }

    async fn update(&mut self, transaction: &DatabaseTransaction) -> Result<Written, Stop> {
        if self.bound.is_empty() {
            let key = self.key.clone().ok_or_else(|| denied(self.operation))?;
            // A row that was only locked is in no commit that anybody could wait for.
            let version = match self.writes.has_hooks() {
                true => {
                    let row = Sql::new("SELECT pg_current_xact_id()::text").one(transaction);
                    row.await?.map(|row| row.try_get_by_index(0)).transpose()?
                }
                false => None,
            };
            return Ok(Written { key, version });
        }
        let mut sql = Sql::new("UPDATE ");
        let _ = write!(sql.text, "{} AS t SET ", name(self.table));
        for (number, (at, text)) in self.bound.iter().enumerate() {
            let comma = if number > 0 { ", " } else { "" };
            let _ = write!(sql.text, "{comma}{} = ", self.column(*at));
            sql.value(text.clone(), &self.table.columns[*at].sql_type);
        }
        sql.text.push_str(" WHERE ");
        self.key_condition(&mut sql);
        self.finish(sql, Some(&self.access.becomes), transaction)
            .await
    }

    async fn delete(&mut self, transaction: &DatabaseTransaction) -> Result<Written, Stop> {
        let mut sql = Sql::new("DELETE FROM ");
        let _ = write!(sql.text, "{} AS t WHERE ", name(self.table));
        self.key_condition(&mut sql);
        self.finish(sql, None, transaction).await
    }

    /// Runs a statement that writes the row, and judges what it stores: it must be one of `rows`,
    /// and its references must lead to rows that the viewer sees.
    async fn finish(
        &self,
        mut sql: Sql,
        rows: Option<&Writable>,
        transaction: &DatabaseTransaction,
    ) -> Result<Written, Stop> {
        sql.text.push_str(" RETURNING pg_current_xact_id()::text, ");
        match rows {
            Some(rows) => sql.writable(rows),
            None => sql.text.push_str("TRUE"),
        }
        for &column in &self.table.key {
            let text = match self.table.columns[column].read {
                Read::Bool => format!("left({}::text, 1)", expression("t", self.table, column)),
                _ => format!("({})::text", expression("t", self.table, column)),
            };
            let _ = write!(sql.text, ", {text}");
        }
        let references = match rows {
            Some(_) => self.references(&mut sql),
            None => Vec::new(),
        };
        let Some(row) = sql.one(transaction).await? else {
            // A trigger of the database's own.
            let sentence = "The database let the row be neither written nor deleted";
            return Err(Refusal::row(Code::WriteFailed, sentence).into());
        };
        for (column, at) in references.into_iter().zip(2 + self.table.key.len()..) {
            if !row.try_get_by_index::<bool>(at)? {
                return Err(Refusal::column(self.table, column, Code::Reference, NO_TARGET).into());
            }
        }
        if !row.try_get_by_index::<bool>(1)? {
            return Err(denied(self.operation).into());
        }
        Ok(Written {
            key: self.key_of(&row)?,
            version: Some(row.try_get_by_index(0)?),
        })
    }

    /// Asks, for each reference that is written, whether it leads to a row that the viewer sees;
    /// gives the column of each that was asked.
    fn references(&self, sql: &mut Sql) -> Vec<usize> {
        let mut asked = Vec::new();
        for relation in &self.table.relations {
            let Shape::BelongsTo { from, to } = &relation.shape else {
                continue;
            };
            let mut written = self.bound.iter().map(|(at, _)| at);
            let Some(&column) = written.find(|at| from.contains(at)) else {
                continue;
            };
            let target = self.data.manager().table(relation.target);
            let sight = self.data.sight(target).filter(|it| !it.sees_all_rows());
            let Some(sight) = sight else { continue };
            let nulls = from
                .iter()
                .map(|&at| format!("t.{} IS NULL", self.column(at)));
            let pairs = from.iter().zip(to).map(|(&from, &to)| {
                let to = identifier(&target.columns[to].name);
                format!("x.{to} = t.{}", self.column(from))
            });
            let (nulls, pairs): (Vec<_>, Vec<_>) = (nulls.collect(), pairs.collect());
            let condition = sight.sql("x", sql.next(), &mut sql.values);
            let _ = write!(
                sql.text,
                ", ({} OR EXISTS (SELECT FROM {} AS x WHERE {} AND {condition}))",
                nulls.join(" OR "),
                name(target),
                pairs.join(" AND "),
            );
            asked.push(column);
        }
        asked
    }

    pub(super) fn column(&self, at: usize) -> String {
        identifier(&self.table.columns[at].name)
    }

    pub(super) fn key_condition(&self, sql: &mut Sql) {
        let atoms = self.key.as_ref().map(Key::atoms).unwrap_or_default();
        for (number, (&at, atom)) in self.table.key.iter().zip(atoms).enumerate() {
            let and = if number > 0 { " AND " } else { "" };
            let _ = write!(sql.text, "{and}t.{} = ", self.column(at));
            sql.value(Some(atom.to_string()), &self.table.columns[at].sql_type);
        }
        if atoms.is_empty() {
            sql.text.push_str("FALSE");
        }
    }

    fn key_of(&self, row: &QueryResult) -> Result<Key, DbErr> {
        let mut atoms = Vec::with_capacity(self.table.key.len());
        for (number, &column) in self.table.key.iter().enumerate() {
            let text: String = row.try_get_by_index(2 + number)?;
            atoms.push(self.table.columns[column].kind.atom(&text));
        }
        Key::from_atoms(atoms).ok_or_else(|| DbErr::Type("a table without a key".to_owned()))
    }
}
