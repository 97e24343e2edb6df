//! `Sight`: what one viewer sees of one table. An [`Access`] bound to the table's columns, with its
//! two readings: a condition in SQL, and a look at a row's image.
//!
//! Made for each request and each commit, never kept. What must stay true: both readings mean the
//! same rows, and an access of which that cannot be said sees nothing.

use std::any::TypeId;
use std::fmt;

use sea_orm::sea_query::{Condition, Expr};
use sea_orm::{Statement, Value};

use super::access::Access;
use super::bound_rule::{BoundRule, defect, position};
use super::condition::SqlCondition;
use super::visible::VisibleRow;
use crate::change::{Cell, Row};
use crate::error::Result;
use crate::session::UpdateKind;
use crate::table::TableDef;

/// What a viewer sees of a table. `Debug` shows none of the values that rules compare with.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Sight {
    rule: BoundRule,
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

impl Sight {
    /// Sees all there is.
    pub(crate) fn everything(table: &TableDef) -> Sight {
        Sight {
            rule: BoundRule::Constant(true),
            ..Sight::nothing(table)
        }
    }

    /// Sees no row.
    pub fn nothing(table: &TableDef) -> Sight {
        Sight {
            rule: BoundRule::Constant(false),
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
            rule: BoundRule::bind(&access.rows, table)?,
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
        self.rule == BoundRule::Constant(false)
    }

    /// Whether it sees every row.
    pub fn sees_all_rows(&self) -> bool {
        self.rule == BoundRule::Constant(true) && self.condition.is_none()
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
        let text = self.rule.sql(alias, first, values);
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
        let text = self.rule.sql(alias, 1, &mut values);
        let rule = Condition::all().add(Expr::cust_with_values(text, values));
        match &self.condition {
            Some(condition) => rule.add(condition.condition().clone()),
            None => rule,
        }
    }
}
