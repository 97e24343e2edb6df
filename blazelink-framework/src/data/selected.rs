//! One page of what a field's own `Select` gives: its rows' keys and their number, each counted and
//! cut by Postgres. The statement stays the author's, so what it reads is watched as his other
//! statements are, through the connection that is given; only the rows that the viewer sees count.

use sea_orm::sea_query::{Alias, Expr, Order, PostgresQueryBuilder, SelectStatement};
use sea_orm::{Condition, ConnectionTrait, DbBackend, Statement, Value};

use super::batch::{Batch, integer_at};
use super::statement::expression;
use crate::object_id::Key;
use crate::table::{FieldError, TableDef, Window};

/// The rows of a table that a statement gives.
#[derive(Clone, Debug)]
pub(crate) struct Selection<'a> {
    table: &'a TableDef,
    statement: SelectStatement,
}

impl<'a> Selection<'a> {
    /// The rows of this table that the statement gives and the condition holds for.
    pub(crate) fn new(
        table: &'a TableDef,
        mut statement: SelectStatement,
        visible: Option<Condition>,
    ) -> Selection<'a> {
        if let Some(condition) = visible {
            statement.cond_where(condition);
        }
        Selection { table, statement }
    }

    /// The number of all rows.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn count(&self, connection: &impl ConnectionTrait) -> Result<i64, FieldError> {
        let (sql, values) = self.counting();
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let row = connection.query_one_raw(statement).await?;
        Ok(row.as_ref().map_or(Ok(0), |row| integer_at(row, 0))?)
    }

    /// The keys of the rows in this part of all.
    ///
    /// # Errors
    ///
    /// If the database does not answer.
    pub(crate) async fn keys(
        &self,
        connection: &impl ConnectionTrait,
        window: Window,
    ) -> Result<Vec<Key>, FieldError> {
        let (sql, values) = self.paging(window);
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
        let rows = connection.query_all_raw(statement).await?;
        let columns = self.table.key.iter().map(|&at| &self.table.columns[at]);
        let reads: Vec<_> = columns.clone().map(|column| column.read).collect();
        let batch = Batch::read(&rows, &reads, 0)?;
        let keys = (0..batch.len()).filter_map(|row| {
            let atoms = columns.clone().enumerate().map(|(slot, column)| {
                let text = batch.text(row, slot)?;
                Some(column.kind.atom(text))
            });
            Key::from_atoms(atoms.collect::<Option<Vec<_>>>()?)
        });
        Ok(keys.collect())
    }

    fn counting(&self) -> (String, Vec<Value>) {
        let mut statement = self.statement.clone();
        if !self.is_limited() {
            statement.clear_order_by();
        }
        let (inner, values) = statement.build(PostgresQueryBuilder);
        (format!("SELECT count(*) FROM ({inner}) AS t"), values.0)
    }

    fn paging(&self, window: Window) -> (String, Vec<Value>) {
        let mut statement = self.statement.clone();
        for &column in &self.table.key {
            let column = Alias::new(&self.table.columns[column].name);
            let column = Expr::col((Alias::new(&self.table.table), column));
            statement.order_by_expr(column, Order::Asc);
        }
        let limited = self.is_limited();
        if !limited {
            statement.limit(window.limit).offset(window.offset);
        }
        let (inner, mut values) = statement.build(PostgresQueryBuilder);
        let columns = self.table.key.iter();
        let columns: Vec<_> = columns
            .map(|&column| expression("t", self.table, column))
            .collect();
        let mut sql = format!("SELECT {} FROM ({inner}) AS t", columns.join(", "));
        if limited {
            let bound = values.0.len();
            sql = format!("{sql} LIMIT ${} OFFSET ${}", bound + 1, bound + 2);
            values.0.push(window.limit.into());
            values.0.push(window.offset.into());
        }
        (sql, values.0)
    }

    /// Whether the author has cut it himself; then the page is one of what is left.
    fn is_limited(&self) -> bool {
        let mut without = self.statement.clone();
        without.reset_limit().reset_offset();
        without != self.statement
    }
}
