//! The SQL texts. Made once for a planned document and then stable, so that Postgres and the
//! driver prepare each of them once. Pure.
//!
//! Names are quoted, values are bound: as text, and cast to the column's type in the statement, so
//! that one form of key serves every type. Keys of many parents travel as arrays, one per column,
//! so that one text serves any number of parents; `n` says which of them a row belongs to.

use std::fmt::Write;
use std::ops::Range;

use blazelink_migrations::identifier;

use crate::object_id::TableId;
use crate::table::{Read, TableDef};

/// Which columns of a table a statement reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Select {
    columns: Vec<usize>,
}

/// Which rows: those whose columns hold one of the keys that are bound.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'a> {
    /// The columns, in the order of the bound arrays.
    pub(crate) columns: &'a [usize],
    /// The table that the keys were read from.
    pub(crate) source: &'a TableDef,
    /// The columns that they were read from, pair by pair. The keys are bound as values of their
    /// types: what a type has printed, it reads back.
    pub(crate) from: &'a [usize],
}

/// A statement's text, and where it may be narrowed to what a viewer sees.
#[derive(Clone, Debug)]
pub(super) struct Text {
    pub(super) sql: String,
    /// The tables whose rows it reads, in the order of the text; the first is the one that
    /// [`Text::beyond`] is about.
    pub(super) sources: Vec<Source>,
    /// Number of the values that are bound.
    pub(super) bound: usize,
    /// The columns whose values are bound, key by key; nothing for what only SQL can say.
    pub(super) plain: Option<Vec<usize>>,
    /// The rows that its rows lead to, if only those count that lead to a visible one.
    pub(super) beyond: Option<Beyond>,
}

/// A table in a statement's text.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) table: TableId,
    /// Where the table's name stands in the text.
    pub(super) at: Range<usize>,
}

/// Rows behind the rows of a statement.
#[derive(Clone, Debug)]
pub(super) struct Beyond {
    pub(super) table: TableId,
    /// The statement's columns that hold their key, in key order.
    pub(super) from: Vec<usize>,
}

/// A statement that reads rows.
#[derive(Clone, Debug)]
pub(crate) struct RowStatement {
    pub(super) text: Text,
    pub(super) reads: Vec<Read>,
    pub(super) columns: Select,
}

/// A statement that counts rows.
#[derive(Clone, Debug)]
pub(crate) struct CountStatement {
    pub(super) text: Text,
}

impl Select {
    /// These columns, in any order and with repeats, and the table's key.
    pub(crate) fn new(table: &TableDef, columns: impl IntoIterator<Item = usize>) -> Select {
        let mut columns: Vec<usize> = columns
            .into_iter()
            .chain(table.key.iter().copied())
            .collect();
        columns.sort_unstable();
        columns.dedup();
        Select { columns }
    }

    /// Where a column stands among those that are read.
    pub(crate) fn slot(&self, column: usize) -> Option<usize> {
        self.columns.binary_search(&column).ok()
    }

    /// The columns, ascending.
    pub(super) fn columns(&self) -> &[usize] {
        &self.columns
    }
}

impl<'a> Lookup<'a> {
    /// The rows of a table by their own keys.
    pub(crate) fn by_key(table: &'a TableDef) -> Lookup<'a> {
        Lookup {
            columns: &table.key,
            source: table,
            from: &table.key,
        }
    }
}

impl RowStatement {
    /// The row with a key: one text is bound for each of the key's columns.
    pub(crate) fn by_key(table: &TableDef, select: Select) -> RowStatement {
        let mut sql = String::new();
        for (at, &column) in table.key.iter().enumerate() {
            let and = if at == 0 { "" } else { " AND " };
            let column = &table.columns[column];
            push(
                &mut sql,
                format_args!(
                    "{and}t.{} = ${}::text::{}",
                    identifier(&column.name),
                    at + 1,
                    column.sql_type
                ),
            );
        }
        let before = format!("SELECT {} FROM ", projection(table, &select));
        let text = Text::new(
            table,
            &before,
            &format!(" AS t WHERE {sql}"),
            table.key.len(),
        );
        RowStatement::new(table, text.by(&table.key), select)
    }

    /// A page of all rows in the order of the key: bound are limit and offset.
    pub(crate) fn page(table: &TableDef, select: Select) -> RowStatement {
        let before = format!("SELECT {} FROM ", projection(table, &select));
        let after = format!(
            " AS t ORDER BY {} LIMIT $1 OFFSET $2",
            order(table, &table.key)
        );
        let text = Text::new(table, &before, &after, 2).by(&[]);
        RowStatement::new(table, text, select)
    }

    /// For each of many keys the rows that hold it: an array is bound for each column. The first
    /// column read is the key's number, from 1.
    pub(crate) fn lookup(table: &TableDef, select: Select, lookup: Lookup<'_>) -> RowStatement {
        let before = format!(
            "SELECT p.n, {} FROM {} JOIN ",
            projection(table, &select),
            keys(lookup, 1),
        );
        let after = format!(" AS t ON {}", matches("t", table, lookup.columns));
        let text = Text::new(table, &before, &after, lookup.from.len());
        RowStatement::new(table, text.by(lookup.columns), select)
    }

    /// For each of many keys one page of the rows that hold it, in the order of `by`: bound are
    /// limit and offset, then an array for each column. The first column read is the key's number,
    /// from 1.
    ///
    /// The inner select runs once per key and reads as many rows as the page has, whatever the
    /// number of rows behind it.
    pub(crate) fn children(
        table: &TableDef,
        select: Select,
        lookup: Lookup<'_>,
        by: &[usize],
    ) -> RowStatement {
        let before = format!(
            "SELECT p.n, x.* FROM {} CROSS JOIN LATERAL (SELECT {} FROM ",
            keys(lookup, 3),
            aliased_projection(table, &select),
        );
        let after = format!(
            " AS t WHERE {} ORDER BY {} LIMIT $1 OFFSET $2) AS x",
            matches("t", table, lookup.columns),
            order(table, by),
        );
        let mut text = Text::new(table, &before, &after, 2 + lookup.from.len());
        if by == table.key {
            text = text.by(lookup.columns);
        }
        RowStatement::new(table, text, select)
    }

    /// Where a column stands among those that are read.
    pub(crate) fn slot(&self, column: usize) -> Option<usize> {
        self.columns.slot(column)
    }

    /// Number of the columns that are read.
    pub(crate) fn width(&self) -> usize {
        self.columns.columns.len()
    }

    /// Of its rows only those whose columns `from` hold the key of a visible row of `target`.
    pub(crate) fn leading_to(mut self, target: &TableDef, from: &[usize]) -> RowStatement {
        self.text = self.text.leading_to(target, from);
        self
    }

    fn new(table: &TableDef, text: Text, select: Select) -> RowStatement {
        RowStatement {
            text,
            reads: select
                .columns
                .iter()
                .map(|&column| table.columns[column].read)
                .collect(),
            columns: select,
        }
    }
}

impl CountStatement {
    /// The number of all rows.
    pub(crate) fn all(table: &TableDef) -> CountStatement {
        CountStatement {
            text: Text::new(table, "SELECT count(*) FROM ", " AS t", 0).by(&[]),
        }
    }

    /// For each of many keys the number of rows that hold it: an array is bound for each column.
    /// Keys without rows are missing.
    pub(crate) fn each(table: &TableDef, lookup: Lookup<'_>) -> CountStatement {
        let before = format!("SELECT p.n, count(*) FROM {} JOIN ", keys(lookup, 1));
        let after = format!(
            " AS t ON {} GROUP BY p.n",
            matches("t", table, lookup.columns)
        );
        CountStatement {
            text: Text::new(table, &before, &after, lookup.from.len()).by(lookup.columns),
        }
    }

    /// As [`RowStatement::leading_to`].
    pub(crate) fn leading_to(mut self, target: &TableDef, from: &[usize]) -> CountStatement {
        self.text = self.text.leading_to(target, from);
        self
    }
}

impl Text {
    /// `before` and `after` stand around the table's name, which the latter calls `t`.
    pub(super) fn new(table: &TableDef, before: &str, after: &str, bound: usize) -> Text {
        let name = name(table);
        Text {
            sql: format!("{before}{name}{after}"),
            sources: vec![Source {
                table: table.id,
                at: before.len()..before.len() + name.len(),
            }],
            bound,
            plain: None,
            beyond: None,
        }
    }

    /// The same, of which a store of the app's own gives the rows too: those that hold the values
    /// that are bound for these columns.
    fn by(mut self, columns: &[usize]) -> Text {
        self.plain = Some(columns.to_vec());
        self
    }

    fn leading_to(mut self, target: &TableDef, from: &[usize]) -> Text {
        self.beyond = Some(Beyond {
            table: target.id,
            from: from.to_vec(),
        });
        self
    }

    /// The text that reads, of each source, only rows for which its condition is true of `t`;
    /// nothing stands for all of them.
    pub(super) fn narrowed_to(&self, conditions: &[Option<String>]) -> String {
        let mut sql = String::with_capacity(self.sql.len() * 2);
        let mut written = 0;
        for (source, condition) in self.sources.iter().zip(conditions) {
            let Some(condition) = condition else { continue };
            let name = &self.sql[source.at.clone()];
            sql.push_str(&self.sql[written..source.at.start]);
            push(
                &mut sql,
                format_args!("(SELECT * FROM {name} AS t WHERE {condition})"),
            );
            written = source.at.end;
        }
        sql.push_str(&self.sql[written..]);
        sql
    }
}

/// A condition on rows `t` of `table`: that the columns `from` hold the key of a row of `target`
/// for which this is true of `x`.
pub(super) fn leads_to(
    table: &TableDef,
    from: &[usize],
    target: &TableDef,
    condition: &str,
) -> String {
    let pairs = pairs(("x", target, &target.key), ("t", table, from));
    format!(
        "EXISTS (SELECT FROM {} AS x WHERE {pairs} AND {condition})",
        name(target),
    )
}

pub(super) fn name(table: &TableDef) -> String {
    format!("{}.{}", identifier(&table.schema), identifier(&table.table))
}

fn push(sql: &mut String, text: std::fmt::Arguments<'_>) {
    let written = sql.write_fmt(text);
    debug_assert!(written.is_ok(), "writing to a String cannot fail");
}

/// What is selected to read a column of the table that goes by this alias.
pub(super) fn expression(alias: &str, table: &TableDef, column: usize) -> String {
    let column = &table.columns[column];
    let name = format!("{alias}.{}", identifier(&column.name));
    match column.read {
        Read::Cast => format!("{name}::text"),
        // `%s` prints NULL as nothing.
        Read::Format => format!("CASE WHEN {name} IS NOT NULL THEN format('%s', {name}) END"),
        _ => name,
    }
}

fn projection(table: &TableDef, select: &Select) -> String {
    join(
        select
            .columns
            .iter()
            .map(|&column| expression("t", table, column)),
        ", ",
    )
}

fn aliased_projection(table: &TableDef, select: &Select) -> String {
    let columns = select.columns.iter().enumerate();
    join(
        columns.map(|(at, &column)| format!("{} AS c{at}", expression("t", table, column))),
        ", ",
    )
}

fn order(table: &TableDef, columns: &[usize]) -> String {
    join(
        columns
            .iter()
            .map(|&column| format!("t.{}", identifier(&table.columns[column].name))),
        ", ",
    )
}

/// The bound keys as rows `p(k0, k1, .., n)`.
pub(super) fn keys(lookup: Lookup<'_>, first: usize) -> String {
    let arrays = lookup.from.iter().enumerate().map(|(at, &column)| {
        format!(
            "${}::text[]::{}[]",
            first + at,
            lookup.source.columns[column].sql_type
        )
    });
    let names = (0..lookup.from.len()).map(|at| format!("k{at}, "));
    format!(
        "unnest({}) WITH ORDINALITY AS p({}n)",
        join(arrays, ", "),
        join(names, ""),
    )
}

/// That these columns of a table hold the key `p`.
pub(super) fn matches(alias: &str, table: &TableDef, columns: &[usize]) -> String {
    let columns = columns.iter().enumerate();
    let equal = columns.map(|(at, &column)| {
        format!(
            "{alias}.{} = p.k{at}",
            identifier(&table.columns[column].name)
        )
    });
    join(equal, " AND ")
}

/// That two tables' columns are equal, pair by pair.
pub(super) fn pairs(
    (one_alias, one, one_columns): (&str, &TableDef, &[usize]),
    (other_alias, other, other_columns): (&str, &TableDef, &[usize]),
) -> String {
    let columns = one_columns.iter().zip(other_columns);
    let equal = columns.map(|(&a, &b)| {
        format!(
            "{one_alias}.{} = {other_alias}.{}",
            identifier(&one.columns[a].name),
            identifier(&other.columns[b].name)
        )
    });
    join(equal, " AND ")
}

pub(super) fn join(parts: impl Iterator<Item = String>, separator: &str) -> String {
    parts.collect::<Vec<_>>().join(separator)
}
