//! `BoundRule`: a [`Rule`] bound to the columns of one table, with its two readings: SQL, and a look
//! at a row's image. A [`Sight`](super::Sight) holds one.
//!
//! What must stay true: both readings mean the same rows. That is why a column is compared by the
//! text that Postgres prints, and only if equal values print equally. A test has Postgres judge.

use blazelink_codes::Code;
use blazelink_migrations::identifier;
use sea_orm::Value;
use sea_orm::sea_query::ArrayType;

use super::rule::{ColumnName, Literal, Node, Rule};
use crate::change::{Cell, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::table::{Column, TableDef};
use crate::value::Kind;

/// A rule over the columns of one table.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum BoundRule {
    Constant(bool),
    /// The value; nothing for NULL.
    Equal(Place, Option<String>),
    OneOf(Place, Vec<Option<String>>),
    IsNull(Place),
    All(Vec<BoundRule>),
    Any(Vec<BoundRule>),
    Not(Box<BoundRule>),
}

/// A column: how SQL compares it, and where its cell is in a row's image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    /// As SQL writes it.
    name: String,
    /// Whether SQL compares what it prints, rather than itself.
    printed: bool,
    /// The type that a bound text is cast to; text itself if nothing.
    cast: Option<&'static str>,
    cell: usize,
    /// Whether blanks at the end of the cell are no part of the value.
    padded: bool,
}

impl BoundRule {
    /// What this rule means for this table.
    ///
    /// # Errors
    ///
    /// As [`Sight::bind`](super::Sight::bind) says of rules.
    pub(super) fn bind(rule: &Rule, table: &TableDef) -> Result<BoundRule> {
        let all = |rules: &[Rule]| {
            let bound = rules.iter().map(|rule| BoundRule::bind(rule, table));
            bound.collect::<Result<Vec<_>>>()
        };
        Ok(match &rule.0 {
            Node::Constant(truth) => BoundRule::Constant(*truth),
            Node::Equal(column, value) => {
                let (place, column) = place(column, table)?;
                let value = text(value, column, table)?;
                BoundRule::Equal(place, value)
            }
            // In SQL, too, no value is one of none: not even NULL is undecided.
            Node::OneOf(_, values) if values.is_empty() => BoundRule::Constant(false),
            Node::OneOf(column, values) => {
                let (place, column) = place(column, table)?;
                let values = values.iter().map(|value| text(value, column, table));
                BoundRule::OneOf(place, values.collect::<Result<_>>()?)
            }
            Node::IsNull(column) => BoundRule::IsNull(place(column, table)?.0),
            Node::All(rules) => BoundRule::All(all(rules)?),
            Node::Any(rules) => BoundRule::Any(all(rules)?),
            Node::Not(rule) => BoundRule::Not(Box::new(BoundRule::bind(rule, table)?)),
        })
    }

    /// The rule as SQL. `alias` names the table; the first placeholder is `$first`, and its values
    /// are appended to `values`.
    pub(super) fn sql(&self, alias: &str, first: usize, values: &mut Vec<Value>) -> String {
        let mut out = Lowering {
            alias,
            next: first,
            values,
            text: String::new(),
        };
        out.rule(self);
        out.text
    }

    /// True or false, or nothing where SQL has NULL, or where the image does not tell.
    pub(super) fn truth(&self, row: &Row) -> Option<bool> {
        match self {
            BoundRule::Constant(truth) => Some(*truth),
            BoundRule::Equal(place, value) => Some(place.text(row)? == value.as_ref()?),
            BoundRule::OneOf(place, values) => {
                let text = place.text(row)?;
                if values.iter().flatten().any(|value| value == text) {
                    return Some(true);
                }
                values.iter().all(Option::is_some).then_some(false)
            }
            BoundRule::IsNull(place) => match row.cell(place.cell) {
                Cell::Null => Some(true),
                Cell::Text(_) => Some(false),
                Cell::Unchanged => None,
            },
            BoundRule::All(rules) => truth_of(rules, row, false),
            BoundRule::Any(rules) => truth_of(rules, row, true),
            BoundRule::Not(rule) => rule.truth(row).map(|truth| !truth),
        }
    }
}

/// `decisive` if one of the rules is; else nothing if one of them is neither; else its opposite.
fn truth_of(rules: &[BoundRule], row: &Row, decisive: bool) -> Option<bool> {
    let mut known = true;
    for rule in rules {
        match rule.truth(row) {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => known = false,
        }
    }
    known.then_some(!decisive)
}

impl Place {
    /// What SQL compares.
    fn left(&self, alias: &str) -> String {
        let cast = if self.printed { "::text" } else { "" };
        format!("{alias}.{}{cast}", self.name)
    }

    fn text<'a>(&self, row: &'a Row) -> Option<&'a str> {
        let text = row.text(self.cell)?;
        Some(match self.padded {
            true => text.trim_end_matches(' '),
            false => text,
        })
    }
}

/// Writes a rule as SQL.
struct Lowering<'a> {
    alias: &'a str,
    next: usize,
    values: &'a mut Vec<Value>,
    text: String,
}

impl Lowering<'_> {
    fn rule(&mut self, rule: &BoundRule) {
        match rule {
            BoundRule::Constant(true) => self.text.push_str("TRUE"),
            BoundRule::Constant(false) => self.text.push_str("FALSE"),
            BoundRule::Equal(place, value) => {
                let cast = place.cast.map_or_else(String::new, |ty| format!("::{ty}"));
                let left = place.left(self.alias);
                self.text += &format!("{left} = ${}::text{cast}", self.next);
                self.bind(Value::String(value.clone()));
            }
            BoundRule::OneOf(place, values) => {
                let cast = place
                    .cast
                    .map_or_else(String::new, |ty| format!("::{ty}[]"));
                let left = place.left(self.alias);
                // The driver takes no NULL in an array: beside it, it means the same.
                let or_null = match values.iter().all(Option::is_some) {
                    true => "",
                    false => " OR NULL",
                };
                self.text += &format!("({left} = ANY(${}::text[]{cast}){or_null})", self.next);
                let texts = values.iter().flatten().cloned().map(Some);
                let values = texts.map(Value::String).collect();
                self.bind(Value::Array(ArrayType::String, Some(Box::new(values))));
            }
            // Unlike IS NULL, false for a row of NULLs, which prints as one.
            BoundRule::IsNull(place) => {
                let (alias, name) = (self.alias, &place.name);
                self.text += &format!("{alias}.{name} IS NOT DISTINCT FROM NULL");
            }
            BoundRule::All(rules) => self.joined(rules, " AND "),
            BoundRule::Any(rules) => self.joined(rules, " OR "),
            BoundRule::Not(rule) => {
                self.text.push_str("(NOT ");
                self.rule(rule);
                self.text.push(')');
            }
        }
    }

    fn joined(&mut self, rules: &[BoundRule], word: &str) {
        self.text.push('(');
        for (at, rule) in rules.iter().enumerate() {
            if at > 0 {
                self.text.push_str(word);
            }
            self.rule(rule);
        }
        self.text.push(')');
    }

    fn bind(&mut self, value: Value) {
        self.values.push(value);
        self.next += 1;
    }
}

/// Position of the column among the table's.
pub(super) fn position(name: &ColumnName, table: &TableDef) -> Result<usize> {
    let of_table = name.entity == table.rust_type;
    let found = table.column(&name.name).filter(|_| of_table);
    found.ok_or_else(|| {
        let what = format!("names `{}`, which is no column of it", name.name);
        defect(table, &what)
    })
}

fn place<'t>(name: &ColumnName, table: &'t TableDef) -> Result<(Place, &'t Column)> {
    let at = position(name, table)?;
    let column = &table.columns[at];
    if column.generated {
        let what = "which Postgres generates: its log does not tell who saw the row before";
        let what = format!("compares `{}`, {what}", column.name);
        return Err(defect(table, &what));
    }
    let (cast, plain) = match (&column.kind, &*column.sql_type) {
        (kind, _) if kind.is_integer() => (Some("bigint"), true),
        (Kind::Bool, _) => (Some("boolean"), true),
        (_, "uuid") => (Some("uuid"), true),
        (_, sql_type) => (None, matches!(sql_type, "text" | "character varying")),
    };
    let place = Place {
        name: identifier(&column.name),
        printed: !plain,
        cast,
        cell: table.cell(at),
        padded: column.kind == Kind::Char,
    };
    Ok((place, column))
}

/// The value as Postgres prints it.
fn text(value: &Literal, column: &Column, table: &TableDef) -> Result<Option<String>> {
    let is_uuid = column.sql_type == "uuid";
    let text = match (value, &column.kind) {
        _ if !column.exact => None,
        (Literal::Null, _) => return Ok(None),
        (Literal::Integer(number), kind) if kind.is_integer() => Some(number.to_string()),
        (Literal::Boolean(truth), Kind::Bool) => Some(if *truth { "t" } else { "f" }.to_owned()),
        (Literal::Uuid(id), _) if is_uuid => Some(id.clone()),
        (Literal::Text(text), Kind::Text | Kind::Char) if !is_uuid => Some(text.clone()),
        _ => None,
    };
    let text = text.ok_or_else(|| {
        let what = format!(
            "compares `{}` with a value of another type, or is of a type that rules do not compare",
            column.name
        );
        defect(table, &what)
    })?;
    Ok(Some(text))
}

/// The error of an access that cannot be.
pub(super) fn defect(table: &TableDef, what: &str) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::SchemaDefinition,
        format!("The access to table `{}` {what}", table.table),
    )
    .with_hint("correct what `.visible::<..>(..)` says of the table")
}
