//! `Ordered`: a column of the order in which a page is read, and where a page that is continued
//! begins. Put together by `page_query`. Pure.
//!
//! What must stay true: a continued page starts behind a row's values, never at a number of rows.

use blazelink_migrations::identifier;

use super::filter::{Comparison, Lowered};
use super::statement::join;
use crate::table::{Column, TableDef};

/// One column of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    /// Position among the columns of the table that the page is of.
    pub(crate) column: usize,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// One column of a complete order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ordered<'a> {
    alias: &'static str,
    table: &'a TableDef,
    term: Term,
}

impl<'a> Ordered<'a> {
    /// The column of this term in `table`, which goes by `alias`.
    pub(super) fn new(alias: &'static str, table: &'a TableDef, term: Term) -> Ordered<'a> {
        Ordered { alias, table, term }
    }

    /// Those of these terms.
    pub(super) fn all(
        alias: &'static str,
        table: &'a TableDef,
        terms: &[Term],
    ) -> impl Iterator<Item = Ordered<'a>> {
        let terms = terms.iter();
        terms.map(move |&term| Ordered::new(alias, table, term))
    }

    /// Where the column is read: its table's alias, the table, its position there.
    pub(super) fn place(&self) -> (&'static str, &'a TableDef, usize) {
        (self.alias, self.table, self.term.column)
    }

    /// The rows behind the one with these values of the order's columns.
    pub(super) fn behind(order: &[Ordered<'_>], values: &[Option<String>], out: &mut Lowered) {
        let Some((first, rest)) = order.split_first() else {
            return out.push("FALSE");
        };
        let value = values.first().and_then(Option::as_deref);
        // One direction and no NULLs: Postgres finds the place in an index by all columns at once.
        let alike = order.iter().zip(values).all(|(it, value)| {
            it.term.descending == first.term.descending && !it.column().nullable && value.is_some()
        });
        if alike {
            let columns = join(order.iter().map(Ordered::sql), ", ");
            let operands: Vec<String> = order
                .iter()
                .zip(values.iter().flatten())
                .map(|(it, value)| out.value(it.column(), value.clone()))
                .collect();
            let comparison = if first.term.descending { "<" } else { ">" };
            let operands = operands.join(", ");
            return out.push(&format!("ROW({columns}) {comparison} ROW({operands})"));
        }
        if rest.is_empty() {
            return first.behind_value(value, out);
        }
        out.push("(");
        first.behind_value(value, out);
        out.push(" OR ");
        first.same(value, out);
        out.push(" AND ");
        Ordered::behind(rest, values.get(1..).unwrap_or_default(), out);
        out.push(")");
    }

    /// The column.
    pub(crate) fn column(&self) -> &'a Column {
        &self.table.columns[self.term.column]
    }

    /// What tells this order from others: table, column, direction, place of NULLs.
    pub(crate) fn name(&self) -> String {
        let Term {
            descending,
            nulls_first,
            ..
        } = self.term;
        let entity = &self.table.entity;
        format!("{entity}.{} {descending} {nulls_first}", self.column().name)
    }

    fn sql(&self) -> String {
        format!("{}.{}", self.alias, identifier(&self.column().name))
    }

    /// What stands in `ORDER BY`.
    pub(super) fn order_by(&self) -> String {
        let direction = if self.term.descending { " DESC" } else { "" };
        let nulls = match (self.term.nulls_first, self.term.descending) {
            (true, false) => " NULLS FIRST",
            (false, true) => " NULLS LAST",
            _ => "",
        };
        format!("{}{direction}{nulls}", self.sql())
    }

    /// The rows behind the value in this column alone.
    fn behind_value(&self, value: Option<&str>, out: &mut Lowered) {
        let column = self.column();
        let Some(value) = value else {
            out.push(&match self.term.nulls_first {
                true => format!("{} IS DISTINCT FROM NULL", self.sql()),
                false => "FALSE".to_owned(),
            });
            return;
        };
        let comparison = match self.term.descending {
            true => Comparison::Less,
            false => Comparison::Greater,
        };
        let operand = out.value(column, value.to_owned());
        let behind = format!("{} {} {operand}", self.sql(), comparison.sql());
        let nulls_follow = column.nullable && !self.term.nulls_first;
        out.push(&match nulls_follow {
            true => format!("({behind} OR {} IS NOT DISTINCT FROM NULL)", self.sql()),
            false => behind,
        });
    }

    /// The rows with the value in this column.
    fn same(&self, value: Option<&str>, out: &mut Lowered) {
        match value {
            None => out.push(&format!("{} IS NOT DISTINCT FROM NULL", self.sql())),
            Some(value) => {
                let operand = out.value(self.column(), value.to_owned());
                out.push(&format!("{} = {operand}", self.sql()));
            }
        }
    }
}
