//! `Sight`: what one viewer sees of one table. An [`Access`] bound to the table's columns, with its
//! two readings: a condition in SQL, and a look at a row's image.
//!
//! Made for each request and each commit, never kept. What must stay true: both readings mean the
//! same rows. That is why a column is compared by the text that Postgres prints, and only if equal
//! values print equally; an access that asks for more sees nothing.

use std::any::TypeId;
use std::fmt;

use blazelink_codes::Code;
use blazelink_migrations::identifier;
use sea_orm::sea_query::{ArrayType, Condition, Expr};
use sea_orm::{Statement, Value};

use super::access::Access;
use super::condition::SqlCondition;
use super::rule::{ColumnName, Literal, Node, Rule};
use super::visible::VisibleRow;
use crate::change::{Cell, Row};
use crate::error::{Error, ErrorKind, Result};
use crate::session::UpdateKind;
use crate::table::{Column, TableDef};
use crate::value::Kind;

/// What a viewer sees of a table. `Debug` shows none of the values that rules compare with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sight {
    rule: Bound,
    /// What only Postgres can judge, and which holds as well.
    condition: Option<SqlCondition>,
    /// Entities that the condition reads besides those that it names.
    reads: Vec<TypeId>,
    /// Positions among the table's columns.
    hidden: Vec<usize>,
    /// Positions among the exposed columns, ascending.
    hidden_cells: Vec<usize>,
    /// Number of the exposed columns.
    exposed: usize,
    /// Number of the cells that an image carries, if one of the columns that it sees is generated
    /// from others: it may change with any of them, and no image tells.
    behind: Option<usize>,
}

impl fmt::Debug for Sight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sight")
            .field("hidden", &self.hidden)
            .finish_non_exhaustive()
    }
}

/// What a viewer is told of a row's event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// What happened, as far as the viewer sees.
    pub kind: UpdateKind,
    /// Whether the row's image may be told beside it.
    pub with_row: bool,
}

impl Told {
    /// The event as it is.
    pub(crate) fn whole(kind: UpdateKind) -> Told {
        Told {
            kind,
            with_row: true,
        }
    }
}

/// Whether a viewer sees a row before and after its change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) before: bool,
    pub(crate) after: bool,
}

/// A rule over the columns of one table.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Bound {
    Constant(bool),
    /// The value; nothing for NULL.
    Equal(Place, Option<String>),
    OneOf(Place, Vec<Option<String>>),
    IsNull(Place),
    All(Vec<Bound>),
    Any(Vec<Bound>),
    Not(Box<Bound>),
}

/// A column: how SQL compares it, and where its cell is in a row's image.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
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

impl Sight {
    /// Sees all there is.
    pub(crate) fn everything(table: &TableDef) -> Sight {
        Sight {
            rule: Bound::Constant(true),
            ..Sight::nothing(table)
        }
    }

    /// Sees no row.
    pub fn nothing(table: &TableDef) -> Sight {
        Sight {
            rule: Bound::Constant(false),
            condition: None,
            reads: Vec::new(),
            hidden: Vec::new(),
            hidden_cells: Vec::new(),
            exposed: table.exposed().count(),
            behind: None,
        }
    }

    /// What this access means for this table.
    ///
    /// # Errors
    ///
    /// If it names a column of another table, one that Postgres generates or one whose equal values
    /// may print differently, compares a column with a value of another type, or hides a column of
    /// the key.
    pub fn bind(access: &Access, table: &TableDef) -> Result<Sight> {
        let mut sight = Sight {
            rule: bind(&access.rows, table)?,
            reads: access.reads.clone(),
            ..Sight::nothing(table)
        };
        if let Some(condition) = &access.condition {
            sight.condition = Some(SqlCondition::bind(condition, table)?);
        }
        for name in &access.hidden {
            let at = position(name, table)?;
            if table.key.contains(&at) {
                let what = format!("hides `{}`, which is of its key", name.name);
                return Err(defect(table, &what));
            }
            sight.hidden.push(at);
            let exposed = table.columns[at].exposed;
            sight.hidden_cells.extend(exposed.map(|cell| cell as usize));
        }
        sight.hidden_cells.sort_unstable();
        sight.hidden_cells.dedup();
        let mut columns = table.exposed();
        let generated = columns.any(|(at, column)| column.generated && !sight.hides(at));
        sight.behind = generated.then_some(table.columns.len());
        Ok(sight)
    }

    /// Whether it sees all there is.
    pub fn is_everything(&self) -> bool {
        self.sees_all_rows() && self.hidden.is_empty()
    }

    /// Whether it sees no row, whatever the rows are.
    pub fn is_nothing(&self) -> bool {
        self.rule == Bound::Constant(false)
    }

    /// Whether it sees every row.
    pub fn sees_all_rows(&self) -> bool {
        self.rule == Bound::Constant(true) && self.condition.is_none()
    }

    /// Whether only Postgres can say which rows it sees.
    pub(crate) fn needs_postgres(&self) -> bool {
        self.condition.is_some() && !self.is_nothing()
    }

    /// The statement that gives the numbers, from 1, of the images in this document that its
    /// condition in SQL lets through. Nothing if it has none.
    pub(crate) fn judging(&self, table: &TableDef, document: &str) -> Option<Statement> {
        let condition = self.condition.as_ref()?;
        Some(condition.statement(table, document))
    }

    /// Whether a change of this table may change which rows it sees.
    pub(crate) fn reads(&self, table: &TableDef) -> bool {
        let named = |condition: &SqlCondition| condition.reads(table);
        self.reads.contains(&table.rust_type) || self.condition.as_ref().is_some_and(named)
    }

    /// Whether it does not see the column at this position among the table's.
    pub fn hides(&self, column: usize) -> bool {
        self.hidden.contains(&column)
    }

    /// Positions among the exposed columns of those that it does not see, ascending.
    pub fn hidden_cells(&self) -> &[usize] {
        &self.hidden_cells
    }

    /// Whether the row is certainly one that it sees: what an image does not tell is no reason to
    /// show it, nor is what only Postgres can say.
    pub fn matches(&self, row: &Row) -> bool {
        self.condition.is_none() && self.lets_through(row)
    }

    /// As [`Sight::matches`], for rows that its condition in SQL lets through.
    pub(crate) fn lets_through(&self, row: &Row) -> bool {
        self.rule.truth(row) == Some(true)
    }

    /// What is told of a row's event: `before` and `after` are its images under one key, as far as
    /// they are known. Nothing if the viewer sees no difference.
    pub fn told(
        &self,
        kind: UpdateKind,
        before: Option<&Row>,
        after: Option<&Row>,
    ) -> Option<Told> {
        let sees = |row: Option<&Row>| row.is_some_and(|row| self.matches(row));
        let seen = Seen {
            before: sees(before),
            after: sees(after),
        };
        self.told_of(seen, kind, before, after)
    }

    /// The same, of images of which it is known whether the viewer sees them.
    pub(crate) fn told_of(
        &self,
        seen: Seen,
        kind: UpdateKind,
        before: Option<&Row>,
        after: Option<&Row>,
    ) -> Option<Told> {
        if self.is_everything() {
            return Some(Told::whole(kind));
        }
        match kind {
            UpdateKind::Create if seen.after => Some(Told::whole(UpdateKind::Create)),
            UpdateKind::Delete if seen.before => Some(Told::whole(UpdateKind::Delete)),
            UpdateKind::Create | UpdateKind::Delete => None,
            UpdateKind::Update => match (before, seen.before, seen.after) {
                (None, _, true) => Some(Told::whole(UpdateKind::Update)),
                (_, false, true) => Some(Told::whole(UpdateKind::Create)),
                (_, true, false) => Some(Told {
                    kind: UpdateKind::Delete,
                    with_row: false,
                }),
                (_, false, false) => None,
                (_, true, true) if self.differ(before, after) => {
                    Some(Told::whole(UpdateKind::Update))
                }
                (_, true, true) => None,
            },
        }
    }

    /// What is to be seen of the image that belongs to an event of which this is told.
    pub(crate) fn show<'a>(&'a self, told: Told, row: Option<&'a Row>) -> VisibleRow<'a> {
        VisibleRow::new(row.filter(|_| told.with_row), &self.hidden_cells)
    }

    /// Whether two images differ in a column that it sees.
    fn differ(&self, before: Option<&Row>, after: Option<&Row>) -> bool {
        let (Some(before), Some(after)) = (before, after) else {
            return true;
        };
        let shown = |cell: &usize| *cell < self.exposed && !self.hidden_cells.contains(cell);
        let cells = 0..self.behind.unwrap_or(self.exposed);
        let mut seen = cells.filter(|cell| self.behind.is_some() || shown(cell));
        seen.any(|cell| match after.cell(cell) {
            Cell::Unchanged => false,
            after => after != before.cell(cell),
        })
    }

    /// The rows that it sees, as SQL. `alias` names the table; the first placeholder is `$first`,
    /// and its values are appended to `values`.
    pub(crate) fn sql(&self, alias: &str, first: usize, values: &mut Vec<Value>) -> String {
        let before = values.len();
        let mut out = Lowering {
            alias,
            next: first,
            values,
            text: String::new(),
        };
        out.rule(&self.rule);
        let text = out.text;
        let Some(condition) = &self.condition else {
            return text;
        };
        let next = first + values.len() - before;
        let condition = condition.sql(alias, next, values);
        format!("({text} AND {condition})")
    }

    /// The same as a condition of SeaORM's, on a table that goes by this name. A condition in SQL
    /// knows the row by its table's own name.
    pub fn condition(&self, alias: &str) -> Condition {
        let mut values = Vec::new();
        let mut out = Lowering {
            alias,
            next: 1,
            values: &mut values,
            text: String::new(),
        };
        out.rule(&self.rule);
        let text = out.text;
        let rule = Condition::all().add(Expr::cust_with_values(text, values));
        match &self.condition {
            Some(condition) => rule.add(condition.condition().clone()),
            None => rule,
        }
    }
}

impl Bound {
    /// True or false, or nothing where SQL has NULL, or where the image does not tell.
    fn truth(&self, row: &Row) -> Option<bool> {
        match self {
            Bound::Constant(truth) => Some(*truth),
            Bound::Equal(place, value) => Some(place.text(row)? == value.as_ref()?),
            Bound::OneOf(place, values) => {
                let text = place.text(row)?;
                if values.iter().flatten().any(|value| value == text) {
                    return Some(true);
                }
                values.iter().all(Option::is_some).then_some(false)
            }
            Bound::IsNull(place) => match row.cell(place.cell) {
                Cell::Null => Some(true),
                Cell::Text(_) => Some(false),
                Cell::Unchanged => None,
            },
            Bound::All(rules) => truth_of(rules, row, false),
            Bound::Any(rules) => truth_of(rules, row, true),
            Bound::Not(rule) => rule.truth(row).map(|truth| !truth),
        }
    }
}

/// `decisive` if one of the rules is; else nothing if one of them is neither; else its opposite.
fn truth_of(rules: &[Bound], row: &Row, decisive: bool) -> Option<bool> {
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
    fn rule(&mut self, rule: &Bound) {
        match rule {
            Bound::Constant(true) => self.text.push_str("TRUE"),
            Bound::Constant(false) => self.text.push_str("FALSE"),
            Bound::Equal(place, value) => {
                let cast = place.cast.map_or_else(String::new, |ty| format!("::{ty}"));
                let left = place.left(self.alias);
                self.text += &format!("{left} = ${}::text{cast}", self.next);
                self.bind(Value::String(value.clone()));
            }
            Bound::OneOf(place, values) => {
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
            Bound::IsNull(place) => {
                let (alias, name) = (self.alias, &place.name);
                self.text += &format!("{alias}.{name} IS NOT DISTINCT FROM NULL");
            }
            Bound::All(rules) => self.joined(rules, " AND "),
            Bound::Any(rules) => self.joined(rules, " OR "),
            Bound::Not(rule) => {
                self.text.push_str("(NOT ");
                self.rule(rule);
                self.text.push(')');
            }
        }
    }

    fn joined(&mut self, rules: &[Bound], word: &str) {
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

fn bind(rule: &Rule, table: &TableDef) -> Result<Bound> {
    let all = |rules: &[Rule]| {
        let bound = rules.iter().map(|rule| bind(rule, table));
        bound.collect::<Result<Vec<_>>>()
    };
    Ok(match &rule.0 {
        Node::Constant(truth) => Bound::Constant(*truth),
        Node::Equal(column, value) => {
            let (place, column) = place(column, table)?;
            let value = text(value, column, table)?;
            Bound::Equal(place, value)
        }
        // In SQL, too, no value is one of none: not even NULL is undecided.
        Node::OneOf(_, values) if values.is_empty() => Bound::Constant(false),
        Node::OneOf(column, values) => {
            let (place, column) = place(column, table)?;
            let values = values.iter().map(|value| text(value, column, table));
            Bound::OneOf(place, values.collect::<Result<_>>()?)
        }
        Node::IsNull(column) => Bound::IsNull(place(column, table)?.0),
        Node::All(rules) => Bound::All(all(rules)?),
        Node::Any(rules) => Bound::Any(all(rules)?),
        Node::Not(rule) => Bound::Not(Box::new(bind(rule, table)?)),
    })
}

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

pub(super) fn defect(table: &TableDef, what: &str) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::SchemaDefinition,
        format!("The access to table `{}` {what}", table.table),
    )
    .with_hint("correct what `.visible::<..>(..)` says of the table")
}
