//! A statement of `write` while it is written: its text, and what is bound. Pure, but for its end.

use std::fmt::Write as _;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};

use crate::visibility::Writable;

/// A statement's text, and the values of its placeholders.
pub(super) struct Sql {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Sql {
    pub(super) fn new(text: &str) -> Sql {
        Sql {
            text: text.to_owned(),
            values: Vec::new(),
        }
    }

    /// The number of the next placeholder.
    pub(super) fn next(&self) -> usize {
        self.values.len() + 1
    }

    /// A value of this type, bound as text.
    pub(super) fn value(&mut self, text: Option<String>, sql_type: &str) {
        let _ = write!(self.text, "${}::text::{sql_type}", self.next());
        self.values.push(Value::String(text));
    }

    /// Whether `t` is one of these rows.
    pub(super) fn writable(&mut self, rows: &Writable) {
        let condition = rows.sql("t", self.next(), &mut self.values);
        self.text.push_str(&condition);
    }

    /// The first row that the statement gives.
    pub(super) async fn one(
        self,
        connection: &impl ConnectionTrait,
    ) -> Result<Option<QueryResult>, DbErr> {
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, self.text, self.values);
        connection.query_one_raw(statement).await
    }
}
