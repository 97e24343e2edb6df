//! `SqlCondition`: a rule that only Postgres can judge, as the author says it in SeaORM's terms,
//! bound to a table. [`Sight`](super::Sight) holds it beside what it judges by itself.
//!
//! It has two readings like a rule: a condition of the statements that read rows, and a statement
//! that puts it to the images of rows that a commit tells of. Both are the author's condition on a
//! row that goes by the table's own name, so they mean the same.

use std::fmt;
use std::hash::{Hash, Hasher};

use blazelink_migrations::identifier;
use sea_orm::sea_query::{Condition, Expr, PostgresQueryBuilder, Query};
use sea_orm::{DbBackend, Statement, Value};

use super::bound_rule::defect;
use crate::change::{Cell, Row};
use crate::error::Result;
use crate::table::TableDef;
use crate::value::write_string;

/// Between the placeholders before a condition and the condition itself.
const WHERE: &str = " WHERE ";

/// A condition bound to a table. Two are equal if they are written and mean the same.
#[derive(Clone)]
pub(super) struct SqlCondition {
    condition: Condition,
    /// The name by which the condition knows the row, as SQL writes it.
    name: String,
    text: String,
    /// The values that it compares with, as their types print them.
    values: String,
}

impl PartialEq for SqlCondition {
    fn eq(&self, other: &SqlCondition) -> bool {
        (&self.name, &self.text, &self.values) == (&other.name, &other.text, &other.values)
    }
}

impl Eq for SqlCondition {}

impl Hash for SqlCondition {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.name, &self.text, &self.values).hash(state);
    }
}

impl fmt::Debug for SqlCondition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SqlCondition")
    }
}

impl SqlCondition {
    /// This condition on rows of this table.
    ///
    /// # Errors
    ///
    /// If it says nothing, or names a column that Postgres generates.
    pub(super) fn bind(condition: &Condition, table: &TableDef) -> Result<SqlCondition> {
        let mut values = Vec::new();
        let text = written(condition, 1, &mut values);
        if condition.is_empty() || text.trim().is_empty() {
            return Err(defect(table, "is a condition in SQL that says nothing"));
        }
        let mut generated = table.columns.iter().filter(|column| column.generated);
        if let Some(column) = generated.find(|column| mentions(&text, &column.name)) {
            let what = "which Postgres generates: its log does not tell who saw the row before";
            let what = format!("names `{}` in SQL, {what}", column.name);
            return Err(defect(table, &what));
        }
        Ok(SqlCondition {
            condition: condition.clone(),
            name: identifier(&table.table),
            text,
            values: format!("{values:?}"),
        })
    }

    /// The author's condition.
    pub(super) fn condition(&self) -> &Condition {
        &self.condition
    }

    /// Whether it may read rows of a table of this name, other than the row that it is about.
    pub(super) fn reads(&self, table: &TableDef) -> bool {
        match identifier(&table.table) == self.name {
            true => mentions_itself(&self.text, &table.table),
            false => mentions(&self.text, &table.table),
        }
    }

    /// The condition on a row that goes by `alias`, as SQL; its first placeholder is `$first`, and
    /// its values are appended to `values`.
    pub(super) fn sql(&self, alias: &str, first: usize, values: &mut Vec<Value>) -> String {
        let text = written(&self.condition, first, values);
        let name = &self.name;
        format!("EXISTS (SELECT FROM (SELECT {alias}.*) AS {name} WHERE ({text}))")
    }

    /// The statement that gives the numbers, from 1, of the images in this document ([`document`])
    /// for which the condition holds.
    pub(super) fn statement(&self, table: &TableDef, document: &str) -> Statement {
        let mut values = vec![Value::String(Some(document.to_owned()))];
        let text = written(&self.condition, 2, &mut values);
        let columns = table.columns.iter().enumerate().map(|(at, column)| {
            let name = identifier(&column.name);
            let (cell, sql_type) = (table.cell(at), &column.sql_type);
            format!("(i.v->>{cell})::{sql_type} AS {name}")
        });
        let columns = columns.collect::<Vec<_>>().join(", ");
        let name = &self.name;
        let sql = format!(
            "SELECT i.n FROM json_array_elements($1::text::json) WITH ORDINALITY AS i(v, n) \
             CROSS JOIN LATERAL (SELECT {columns}) AS {name} WHERE ({text})"
        );
        Statement::from_sql_and_values(DbBackend::Postgres, sql, values)
    }
}

/// A row's image, for a condition to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Image<'a> {
    pub(crate) row: &'a Row,
    /// The row before its change, for what the image leaves out as unchanged.
    pub(crate) before: Option<&'a Row>,
}

impl<'a> Image<'a> {
    fn cell(&self, at: usize) -> Cell<'a> {
        match (self.row.cell(at), self.before) {
            (Cell::Unchanged, Some(before)) => before.cell(at),
            (cell, _) => cell,
        }
    }

    /// Whether it tells all that a condition may ask of a row.
    pub(crate) fn is_told(&self, table: &TableDef) -> bool {
        let mut columns = table.columns.iter().enumerate();
        columns.all(|(at, column)| column.generated || self.cell(table.cell(at)) != Cell::Unchanged)
    }
}

/// Images of a table's rows as one JSON text: an array of arrays of cells.
pub(crate) fn document<'a>(table: &TableDef, images: impl Iterator<Item = Image<'a>>) -> String {
    let mut json = b"[".to_vec();
    for (at, image) in images.enumerate() {
        json.extend_from_slice(if at == 0 { b"[" } else { b",[" });
        for cell in 0..table.columns.len() {
            if cell > 0 {
                json.push(b',');
            }
            match image.cell(cell) {
                Cell::Text(text) => write_string(text, &mut json),
                Cell::Null | Cell::Unchanged => json.extend_from_slice(b"null"),
            }
        }
        json.push(b']');
    }
    json.push(b']');
    String::from_utf8(json).unwrap_or_default()
}

/// The condition as SQL, after as many placeholders as stand before it.
fn written(condition: &Condition, first: usize, values: &mut Vec<Value>) -> String {
    let mut select = Query::select();
    for _ in 1..first {
        select.expr(Expr::val(0));
    }
    if first == 1 {
        select.expr(Expr::cust("0"));
    }
    select.cond_where(condition.clone());
    let (sql, bound) = select.build(PostgresQueryBuilder);
    values.extend(bound.into_iter().skip(first - 1));
    let text = sql.split_once(WHERE).map(|(_, text)| text);
    text.unwrap_or_default().to_owned()
}

/// Whether a name stands in a text, as a word of its own and in any case.
fn mentions(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    words(&text, &name).next().is_some()
}

/// The same, but not before a dot: there it stands for the row.
fn mentions_itself(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    words(&text, &name).any(|rest| !rest.trim_start_matches('"').trim_start().starts_with('.'))
}

/// What stands behind each place at which the name is a word of its own.
fn words<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    text.match_indices(name).filter_map(move |(at, _)| {
        let rest = &text[at + name.len()..];
        let inside = text[..at].chars().next_back().is_some_and(is_part)
            || rest.chars().next().is_some_and(is_part);
        (!inside).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use sea_orm::ExprTrait;

    use super::*;

    #[test]
    fn placeholders_go_on_after_those_that_stand_before_the_condition() {
        let condition = Condition::all()
            .add(Expr::cust_with_values("a = $1 OR b = $2", [1, 2]))
            .add(ExprTrait::eq(Expr::col("c"), "x"));
        for first in [1, 2, 4] {
            let mut values = vec![Value::from(9); first - 1];
            let text = written(&condition, first, &mut values);
            let (one, two, three) = (first, first + 1, first + 2);
            let expected = format!("(a = ${one} OR b = ${two}) AND \"c\" = ${three}");
            assert_eq!(text, expected);
            assert_eq!(values[first - 1..], [1.into(), 2.into(), "x".into()]);
        }
    }

    #[test]
    fn a_table_is_mentioned_by_a_word_of_its_own() {
        for text in [
            "x IN (SELECT a FROM Team)",
            "\"team\".\"id\" = 1",
            "public.team",
        ] {
            assert!(mentions(text, "team"), "{text}");
        }
        for text in ["team_id = 1", "steam.id", "teams"] {
            assert!(!mentions(text, "team"), "{text}");
        }
        assert!(!mentions_itself(
            "\"team\".\"id\" = 1 AND team.id = 2",
            "team"
        ));
        assert!(mentions_itself(
            "team.id IN (SELECT boss FROM team AS t)",
            "team"
        ));
    }
}
