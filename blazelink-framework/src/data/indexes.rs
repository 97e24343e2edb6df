//! Which relations no index serves: asked once at the start, told in the log with what to type.
//!
//! A page of a to-many relation reads the rows that hold its parent's key, in the order of their
//! own. An index on (foreign key columns, key) gives just these rows; without one each page reads
//! all rows of its parent, or of the table.

use blazelink_migrations::identifier;
use sea_orm::{DatabaseConnection, Value};

use super::catalog::{get, query, texts};
use crate::error::Result;
use crate::table::{Shape, TableDef, TableManager};

/// A relation without an index that serves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingIndex {
    /// The relations that it would serve, such as `User.events`.
    pub relations: Vec<String>,
    /// What makes the index.
    pub sql: String,
}

/// An index of btree that has all rows of its table.
#[derive(Debug)]
struct Index {
    unique: bool,
    /// In the index's order: the column's name, empty if the index sorts by something else there,
    /// and whether larger values come first.
    columns: Vec<(String, bool)>,
}

/// What a relation looks for in a table.
#[derive(Debug)]
struct Wanted<'a> {
    relation: String,
    table: &'a TableDef,
    equal: Vec<&'a str>,
    then: Vec<&'a str>,
}

/// The indexes that relations would need, by relation.
///
/// # Errors
///
/// If the database does not answer.
pub async fn missing_indexes(
    manager: &TableManager,
    database: &DatabaseConnection,
) -> Result<Vec<MissingIndex>> {
    let indexes = read(manager, database).await?;
    let mut missing: Vec<MissingIndex> = Vec::new();
    for wanted in wanted(manager) {
        let mut indexes = indexes[wanted.table.id.0 as usize].iter();
        if indexes.any(|index| serves(index, &wanted.equal, &wanted.then)) {
            continue;
        }
        let sql = create(&wanted);
        match missing.iter_mut().find(|known| known.sql == sql) {
            Some(known) => known.relations.push(wanted.relation),
            None => missing.push(MissingIndex {
                relations: vec![wanted.relation],
                sql,
            }),
        }
    }
    Ok(missing)
}

fn wanted(manager: &TableManager) -> impl Iterator<Item = Wanted<'_>> {
    let tables = manager.tables().iter();
    let relations = tables.flat_map(|table| table.relations.iter().map(move |it| (table, it)));
    relations.filter_map(|(table, relation)| {
        let (holder, equal, then) = match &relation.shape {
            Shape::HasMany { to, .. } => {
                let target = manager.table(relation.target);
                (target, to, &target.key)
            }
            Shape::Through {
                junction,
                near,
                far,
                ..
            } => (manager.table(*junction), near, far),
            Shape::BelongsTo { .. } | Shape::HasOne { .. } | Shape::Linked { .. } => return None,
        };
        let then = then.iter().filter(|column| !equal.contains(column));
        let name = |&column: &usize| holder.columns[column].name.as_str();
        Some(Wanted {
            relation: format!("{}.{}", table.entity, relation.name),
            table: holder,
            equal: equal.iter().map(name).collect(),
            then: then.map(name).collect(),
        })
    })
}

/// Whether an index finds the rows with given values in the columns `equal`, and has them in the
/// order of `then`.
fn serves(index: &Index, equal: &[&str], then: &[&str]) -> bool {
    let is_equal = |(name, _): &(String, bool)| equal.contains(&name.as_str());
    // There is but one such row.
    if index.unique && index.columns.iter().all(is_equal) {
        return true;
    }
    let Some((first, rest)) = index.columns.split_at_checked(equal.len()) else {
        return false;
    };
    let found = equal
        .iter()
        .all(|column| first.iter().any(|(name, _)| name == column));
    // Read backwards it has the other order, so all must have one direction.
    let backwards = rest.first().is_some_and(|(_, descending)| *descending);
    let mut rest = rest.iter();
    found
        && then.iter().all(|column| {
            rest.next()
                .is_some_and(|(name, descending)| name == column && *descending == backwards)
        })
}

fn create(wanted: &Wanted<'_>) -> String {
    let columns = wanted.equal.iter().chain(&wanted.then);
    let columns: Vec<String> = columns.map(|column| identifier(column)).collect();
    format!(
        "CREATE INDEX ON {}.{} ({});",
        identifier(&wanted.table.schema),
        identifier(&wanted.table.table),
        columns.join(", ")
    )
}

/// The indexes of each table, by its number.
async fn read(manager: &TableManager, database: &DatabaseConnection) -> Result<Vec<Vec<Index>>> {
    // A column that is sorted by another rule than its type's own counts as none.
    const SQL: &str = "\
        SELECT w.n, i.indisunique, ARRAY( \
            SELECT CASE WHEN i.indoption[k] & 1 = 1 THEN '-' ELSE '+' END || coalesce(a.attname, '') \
            FROM generate_series(0, i.indnkeyatts - 1) AS k \
            LEFT JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[k] \
            LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[k] \
                AND a.attnum > 0 AND a.attcollation = i.indcollation[k] \
                AND o.opcname NOT LIKE '%pattern\\_ops' \
            ORDER BY k) \
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, n) \
        JOIN pg_catalog.pg_class c ON c.oid = to_regclass(format('%I.%I', w.schema, w.name)) \
        JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL \
        JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid \
        JOIN pg_catalog.pg_am m ON m.oid = ic.relam AND m.amname = 'btree'";
    let tables = manager.tables();
    let schemas = texts(tables.iter().map(|table| table.schema.as_str()));
    let names = texts(tables.iter().map(|table| table.table.as_str()));
    let mut indexes: Vec<Vec<Index>> = Vec::new();
    indexes.resize_with(tables.len(), Vec::new);
    let values: [Value; 2] = [schemas, names];
    for row in query(database, SQL, values).await? {
        let number: i64 = get(&row, 0)?;
        let columns: Vec<String> = get(&row, 2)?;
        let index = Index {
            unique: get(&row, 1)?,
            columns: columns
                .iter()
                .map(|column| {
                    let name = column.get(1..).unwrap_or_default();
                    (name.to_owned(), column.starts_with('-'))
                })
                .collect(),
        };
        let of = usize::try_from(number - 1).ok();
        if let Some(of) = of.and_then(|at| indexes.get_mut(at)) {
            of.push(index);
        }
    }
    Ok(indexes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(columns: &str) -> Index {
        let unique = columns.starts_with("unique ");
        let columns = columns.trim_start_matches("unique ").split(' ');
        let columns = columns.map(|column| {
            let name = column.trim_start_matches(['-', '?']);
            (name.to_owned(), column.starts_with('-'))
        });
        Index {
            unique,
            columns: columns.collect(),
        }
    }

    #[test]
    fn an_index_serves_what_its_leading_columns_find_and_sort() {
        let rows = [
            ("fk id", "fk", "id", true),
            ("fk id more", "fk", "id", true),
            ("-fk id", "fk", "id", true),
            ("fk -id", "fk", "id", true),
            ("fk", "fk", "id", false),
            ("id fk", "fk", "id", false),
            ("fk other id", "fk", "id", false),
            ("? id", "fk", "id", false),
            ("unique fk", "fk", "id", true),
            ("unique fk other", "fk", "id", false),
            // Foreign keys of several columns, in any order; keys of several, in their own.
            ("b a x y", "a b", "x y", true),
            ("a b y x", "a b", "x y", false),
            ("a b x -y", "a b", "x y", false),
            ("a b -x -y", "a b", "x y", true),
            ("unique a", "a b", "x", true),
            ("unique id", "id", "", true),
        ];
        for (columns, equal, then, expected) in rows {
            let equal: Vec<&str> = equal.split_whitespace().collect();
            let then: Vec<&str> = then.split_whitespace().collect();
            let served = serves(&index(columns), &equal, &then);
            assert_eq!(served, expected, "{columns}: {equal:?} {then:?}");
        }
    }
}
