//! Which tables of a database become entities, and why the others do not.

use sqlx::Row;
use sqlx::postgres::PgPool;

use super::SCHEMA;

/// Every relation that people made: kind, persistence, and whether it has a primary key. Partitions
/// are their table's, and what belongs to an extension is the extension's.
const RELATIONS: &str = "
SELECT n.nspname::text, c.relname::text, c.relkind::text, c.relpersistence::text,
       EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
  AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
                    AND d.deptype = 'e')
ORDER BY 1, 2";

/// The table in which SeaORM's migrations are counted.
const MIGRATIONS: &str = "seaql_migrations";

/// What a database has.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) exposed: Vec<String>,
    /// With the reason and the way out, as the end of a sentence.
    pub(super) left_out: Vec<(String, String)>,
}

/// A relation, as `pg_class` has it.
#[derive(Debug)]
struct Relation {
    schema: String,
    name: String,
    kind: String,
    persistence: String,
    has_key: bool,
}

/// Looks through the database.
pub(super) async fn find(pool: &PgPool) -> sqlx::Result<Found> {
    let rows = sqlx::query(RELATIONS).fetch_all(pool).await?;
    let mut found = Found::default();
    for row in rows {
        let relation = Relation {
            schema: row.try_get(0)?,
            name: row.try_get(1)?,
            kind: row.try_get(2)?,
            persistence: row.try_get(3)?,
            has_key: row.try_get(4)?,
        };
        if relation.name == MIGRATIONS {
            continue;
        }
        match reason(&relation) {
            None => found.exposed.push(relation.name),
            Some(why) => {
                let name = match relation.schema == SCHEMA {
                    true => relation.name,
                    false => format!("{}.{}", relation.schema, relation.name),
                };
                found.left_out.push((name, why.to_owned()));
            }
        }
    }
    Ok(found)
}

/// Why a relation is left out.
fn reason(relation: &Relation) -> Option<&'static str> {
    match relation.kind.as_str() {
        "v" | "m" => return Some("is a view: the log does not tell of it; make a virtual table"),
        "f" => return Some("is a foreign table: the log does not tell of it"),
        _ => {}
    }
    if relation.persistence != "p" {
        return Some("is unlogged: ALTER TABLE .. SET LOGGED, and generate its entity");
    }
    if relation.schema != SCHEMA {
        return Some("is in another schema than public: write its entity with `schema_name`");
    }
    if !relation.has_key {
        return Some("has no primary key: ALTER TABLE .. ADD PRIMARY KEY, and generate its entity");
    }
    let mut letters = relation.name.chars();
    let plain = letters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    (!plain).then_some("has a name that Rust cannot have: write its entity with `table_name`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_log_does_not_tell_or_rust_cannot_name_is_left_out_with_the_way_out() {
        let relation =
            |schema: &str, name: &str, kind: &str, persistence: &str, has_key| Relation {
                schema: schema.to_owned(),
                name: name.to_owned(),
                kind: kind.to_owned(),
                persistence: persistence.to_owned(),
                has_key,
            };
        for kind in ["r", "p"] {
            assert_eq!(reason(&relation("public", "film_2", kind, "p", true)), None);
        }
        for (relation, word) in [
            (relation("public", "film", "v", "p", false), "view"),
            (relation("public", "film", "m", "p", false), "view"),
            (relation("public", "film", "f", "p", false), "foreign"),
            (relation("public", "film", "r", "u", true), "unlogged"),
            (relation("old", "film", "r", "p", true), "schema"),
            (relation("public", "film", "r", "p", false), "primary key"),
            (relation("public", "2film", "r", "p", true), "name"),
            (relation("public", "my film", "r", "p", true), "name"),
        ] {
            let why = reason(&relation).unwrap_or_default();
            assert!(why.contains(word), "{relation:?}: {why}");
        }
    }
}
