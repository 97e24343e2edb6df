//! `PageQuery`: the statements of a page that is narrowed, put in an order or continued, whose text
//! follows what is asked. A page of which nothing of that is asked has its statement in the plan
//! (see `statement`). Pure; called by `graphql/load_page`.
//!
//! What must stay true:
//! - The order is total: the key ends it, so that every row has one place and a cursor means one
//!   (see `page_order`).
//! - Every table in the text is one of its sources, so that it is narrowed to what the viewer sees.

use sea_orm::Value;

use super::children::Keys;
use super::filter::{Filter, Lowered, is_certain};
use super::page_order::{Ordered, Term};
use super::statement::{
    CountStatement, Lookup, RowStatement, Source, Text, expression, join, keys, matches, name,
    pairs,
};
use crate::table::{Column, Read, TableDef};

/// Where the rows of a page come from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Way<'a> {
    /// The table whose rows are read.
    pub(crate) item: &'a TableDef,
    /// The keys of the parents; nothing if all rows are meant.
    pub(crate) lookup: Option<Lookup<'a>>,
    /// The tables between the parents and the items, the parents' neighbour first.
    pub(crate) hops: &'a [Hop<'a>],
    /// The rows that the items lead to, if the items are a junction's.
    pub(crate) onward: Option<Onward<'a>>,
}

/// A table between, and the way to the next one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hop<'a> {
    pub(crate) table: &'a TableDef,
    /// Columns of this table.
    pub(crate) from: &'a [usize],
    /// Columns of the next one, or of the items, pair by pair.
    pub(crate) to: &'a [usize],
}

/// The way from a junction's rows to the target's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Onward<'a> {
    pub(crate) target: &'a TableDef,
    /// The junction's columns that hold the target's key, in key order.
    pub(crate) far: &'a [usize],
}

/// What is asked of a page.
#[derive(Clone, Debug)]
pub(crate) struct PageQuery<'a> {
    pub(crate) way: Way<'a>,
    pub(crate) filter: Option<Filter>,
    /// See [`Way::order`].
    pub(crate) order: Vec<Ordered<'a>>,
    /// The values of the order's columns in the row behind which the page starts.
    pub(crate) after: Option<Vec<Option<String>>>,
    /// Whether the values of the order's columns are read, behind the columns that are selected.
    pub(crate) with_place: bool,
    /// Whether the target's columns narrow or order the page.
    pub(crate) joins_target: bool,
}

/// A statement with the values that it binds.
#[derive(Debug)]
pub(crate) struct Bound<S> {
    pub(super) statement: S,
    pub(super) values: Vec<Value>,
    /// Casts of those values that may be none of their type: to be tried first where rows are
    /// hidden, so that what happens does not depend on them.
    pub(super) doubtful: Option<Doubtful>,
}

/// Casts that only Postgres can judge.
#[derive(Debug)]
pub(super) struct Doubtful {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

const ITEM: &str = "t";
const TARGET: &str = "u";

impl<'a> Way<'a> {
    /// The table that the page is of: its columns narrow and order it.
    pub(crate) fn target(&self) -> &'a TableDef {
        self.onward.map_or(self.item, |onward| onward.target)
    }

    /// The order that is asked for, and behind it the key in the direction of the last column, so
    /// that an index serves both directions.
    pub(crate) fn order(&self, asked: &[Term]) -> Vec<Ordered<'a>> {
        let descending = asked.last().is_some_and(|last| last.descending);
        let key = |alias, table, column| {
            let term = Term {
                column,
                descending,
                nulls_first: descending,
            };
            Ordered::new(alias, table, term)
        };
        let Some(Onward { target, far }) = self.onward else {
            let asked_for = |column: &&usize| asked.iter().any(|term| term.column == **column);
            let missing = self.item.key.iter().filter(|column| !asked_for(column));
            let missing = missing.map(|&column| key(ITEM, self.item, column));
            return Ordered::all(ITEM, self.item, asked)
                .chain(missing)
                .collect();
        };
        let mut order: Vec<Ordered<'a>> = Ordered::all(TARGET, target, asked).collect();
        let near = self.lookup.map_or(&[][..], |lookup| lookup.columns);
        let pairs = far.iter().zip(&target.key);
        let far_columns = pairs
            .filter(|(_, key)| asked.iter().all(|term| term.column != **key))
            .map(|(&far, _)| far);
        let own_key = self.item.key.iter().copied();
        let rest = own_key.filter(|column| !near.contains(column) && !far.contains(column));
        order.extend(
            far_columns
                .chain(rest)
                .map(|column| key(ITEM, self.item, column)),
        );
        order
    }
}

impl<'a> PageQuery<'a> {
    /// Reads one page, or one for each of these parents' keys: at most `limit` rows, from the one
    /// at `offset` on, which must be 0 for a page that is continued. Read are the columns of `like`.
    pub(crate) fn rows(
        &self,
        like: &RowStatement,
        keys: Option<Keys>,
        limit: i64,
        offset: i64,
    ) -> Bound<RowStatement> {
        let select = &like.columns;
        let mut writer = Writer::default();
        let limit = writer.out.bind(limit.into());
        let window = match &self.after {
            Some(_) => format!(" LIMIT {limit}"),
            None => format!(" LIMIT {limit} OFFSET {}", writer.out.bind(offset.into())),
        };
        let places = if self.with_place { &*self.order } else { &[] };
        let own = select
            .columns()
            .iter()
            .map(|&column| (ITEM, self.way.item, column));
        let places = places.iter().map(Ordered::place);
        let read: Vec<_> = own.chain(places).collect();
        let cells = read
            .iter()
            .enumerate()
            .map(|(at, &(alias, table, column))| {
                format!("{} AS c{at}", expression(alias, table, column))
            });
        let cells = join(cells, ", ");
        let parents = self.way.lookup.zip(keys);
        let is_many = parents.is_some();
        if let Some((lookup, keys)) = parents {
            writer.parents("SELECT p.n, x.* FROM ", lookup, keys);
            writer.out.push(" CROSS JOIN LATERAL (");
        }
        writer.out.push(&format!("SELECT {cells} FROM "));
        self.from(&mut writer);
        self.conditions(&mut writer, true);
        let order = self.order.iter().map(Ordered::order_by);
        writer.out.push(" ORDER BY ");
        writer.out.push(&join(order, ", "));
        writer.out.push(&window);
        if is_many {
            writer.out.push(") AS x");
        }
        let reads: Vec<Read> = read
            .iter()
            .map(|(_, table, column)| table.columns[*column].read)
            .collect();
        self.bound(writer, |text| RowStatement {
            text,
            reads,
            columns: select.clone(),
        })
    }

    /// Reads, for each of these keys, the rows that it leads to, in the columns of `like`. The first
    /// column read is the key's number, from 1.
    pub(crate) fn lookup(&self, like: &RowStatement, keys: Keys) -> Bound<RowStatement> {
        let select = &like.columns;
        let mut writer = Writer::default();
        let columns = select.columns().iter();
        let cells = columns
            .clone()
            .map(|&column| expression(ITEM, self.way.item, column));
        let before = format!("SELECT p.n, {} FROM ", join(cells, ", "));
        if let Some(lookup) = self.way.lookup {
            writer.parents(&before, lookup, keys);
        }
        writer.out.push(" JOIN ");
        self.joined(&mut writer);
        let reads = columns.map(|&column| self.way.item.columns[column].read);
        let reads = reads.collect();
        self.bound(writer, |text| RowStatement {
            text,
            reads,
            columns: select.clone(),
        })
    }

    /// Counts the rows of all pages together, for each of these parents' keys if there are any.
    pub(crate) fn count(&self, keys: Option<Keys>) -> Bound<CountStatement> {
        let mut writer = Writer::default();
        match self.way.lookup.zip(keys) {
            None => {
                writer.out.push("SELECT count(*) FROM ");
                self.from(&mut writer);
                self.conditions(&mut writer, false);
            }
            Some((lookup, keys)) => {
                writer.parents("SELECT p.n, count(*) FROM ", lookup, keys);
                writer.out.push(" JOIN ");
                self.joined(&mut writer);
                writer.out.push(" GROUP BY p.n");
            }
        }
        self.bound(writer, |text| CountStatement { text })
    }

    /// As [`PageQuery::from`] and [`PageQuery::conditions`], behind `JOIN`.
    fn joined(&self, writer: &mut Writer) {
        writer.table(self.way.item, ITEM);
        writer.out.push(" ON TRUE");
        self.target(writer);
        self.conditions(writer, false);
    }

    fn from(&self, writer: &mut Writer) {
        writer.table(self.way.item, ITEM);
        self.target(writer);
    }

    fn target(&self, writer: &mut Writer) {
        let Some(Onward { target, far }) = self.way.onward.filter(|_| self.joins_target) else {
            return;
        };
        writer.out.push(" JOIN ");
        writer.table(target, TARGET);
        let on = pairs((TARGET, target, &target.key), (ITEM, self.way.item, far));
        writer.out.push(&format!(" ON {on}"));
    }

    /// What is true of the rows; `continued` pages start behind one of them.
    fn conditions(&self, writer: &mut Writer, continued: bool) {
        let mut word = " WHERE ";
        if let Some(lookup) = self.way.lookup {
            writer.out.push(word);
            word = " AND ";
            self.leads_here(lookup, writer);
        }
        if let Some(filter) = &self.filter {
            writer.out.push(word);
            word = " AND ";
            let alias = if self.way.onward.is_some() {
                TARGET
            } else {
                ITEM
            };
            filter.write(alias, self.way.target(), &mut writer.out);
        }
        if let Some(after) = self.after.as_ref().filter(|_| continued) {
            writer.out.push(word);
            Ordered::behind(&self.order, after, &mut writer.out);
        }
    }

    /// That the parent `p` leads to the item.
    fn leads_here(&self, lookup: Lookup<'_>, writer: &mut Writer) {
        let (Some(first), Some(last)) = (self.way.hops.first(), self.way.hops.last()) else {
            writer
                .out
                .push(&matches(ITEM, self.way.item, lookup.columns));
            return;
        };
        // However many ways lead to an item, it is there once.
        writer.out.push("EXISTS (SELECT FROM ");
        writer.table(first.table, "h0");
        for (at, hops) in self.way.hops.windows(2).enumerate() {
            let (from, to) = (format!("h{at}"), format!("h{}", at + 1));
            writer.out.push(" JOIN ");
            writer.table(hops[1].table, &to);
            let on = pairs(
                (&to, hops[1].table, hops[0].to),
                (&from, hops[0].table, hops[0].from),
            );
            writer.out.push(&format!(" ON {on}"));
        }
        let onto = pairs(
            (ITEM, self.way.item, last.to),
            (
                &format!("h{}", self.way.hops.len() - 1),
                last.table,
                last.from,
            ),
        );
        let from_parent = matches("h0", first.table, lookup.columns);
        writer
            .out
            .push(&format!(" WHERE {from_parent} AND {onto})"));
    }

    fn bound<S>(&self, writer: Writer, statement: impl FnOnce(Text) -> S) -> Bound<S> {
        let Lowered { sql, values } = writer.out;
        let text = Text {
            sql,
            sources: writer.sources,
            bound: values.len(),
            plain: None,
            beyond: None,
        };
        Bound {
            statement: statement(text),
            values,
            doubtful: self.doubtful(),
        }
    }

    fn doubtful(&self) -> Option<Doubtful> {
        let mut casts = Lowered::default();
        let mut count = 0;
        let mut doubt = |column: &Column, text: &str| {
            if !is_certain(column, text) {
                casts.push(if count == 0 { "SELECT " } else { ", " });
                count += 1;
                let cast = casts.value(column, text.to_owned());
                casts.push(&cast);
            }
        };
        if let Some(filter) = &self.filter {
            let target = self.way.target();
            filter.visit(&mut |column, values| {
                for value in values {
                    doubt(&target.columns[column], value);
                }
            });
        }
        for (at, value) in self.order.iter().zip(self.after.iter().flatten()) {
            if let Some(value) = value {
                doubt(at.column(), value);
            }
        }
        (count > 0).then_some(Doubtful {
            sql: casts.sql,
            values: casts.values,
        })
    }
}

/// A text that is being written, and where it names tables.
#[derive(Debug, Default)]
struct Writer {
    out: Lowered,
    sources: Vec<Source>,
}

impl Writer {
    fn table(&mut self, table: &TableDef, alias: &str) {
        let start = self.out.sql.len();
        self.out.push(&name(table));
        self.sources.push(Source {
            table: table.id,
            at: start..self.out.sql.len(),
        });
        self.out.push(&format!(" AS {alias}"));
    }

    /// Binds the parents' keys, behind this text.
    fn parents(&mut self, before: &str, lookup: Lookup<'_>, bound: Keys) {
        self.out.push(before);
        self.out.push(&keys(lookup, self.out.values.len() + 1));
        self.out.values.extend(bound.values());
    }
}
