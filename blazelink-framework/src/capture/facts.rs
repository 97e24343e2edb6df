//! Reads a [`Catalog`]'s facts from the database, once, at start-up.
//!
//! Through the pool that computed fields read through, since names are found by its
//! `search_path`. What somebody creates or alters later is not known: a new view is a name that
//! nothing is known of, an altered one is taken for what it was until the app starts again.

use std::collections::{HashMap, HashSet};

use blazelink_codes::Code;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, TryGetable};

use super::catalog::{Catalog, Facts, RelationFact};
use crate::error::{Error, ErrorKind, Result};
use crate::table::TableDef;

const RELATIONS: &str = "\
    SELECT c.oid::int8, n.nspname::text, c.relname::text, c.relkind::text, \
           n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') \
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND NOT pg_catalog.pg_is_other_temp_schema(n.oid)";

const INHERITS: &str = "SELECT inhrelid::int8, inhparent::int8 FROM pg_catalog.pg_inherits";

/// What views read, and what the conditions of row level security read for those they hold for.
const REFERS: &str = "\
    SELECT r.ev_class::int8, d.refobjid::int8 \
    FROM pg_catalog.pg_rewrite r \
    JOIN pg_catalog.pg_class c ON c.oid = r.ev_class AND c.relkind = 'v' \
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass \
        AND d.objid = r.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass \
        AND d.refobjid <> r.ev_class \
    WHERE c.relnamespace NOT IN ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
    UNION \
    SELECT p.polrelid::int8, d.refobjid::int8 \
    FROM pg_catalog.pg_policy p \
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid AND c.relrowsecurity \
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::regclass \
        AND d.objid = p.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass \
        AND d.refobjid <> p.polrelid";

const TEXTS: &str = "\
    SELECT c.oid::int8, pg_catalog.pg_get_viewdef(c.oid) \
    FROM pg_catalog.pg_class c \
    WHERE c.relkind = 'v' AND c.relnamespace NOT IN \
        ('pg_catalog'::regnamespace, 'information_schema'::regnamespace) \
    UNION ALL \
    SELECT p.polrelid::int8, 'SELECT 1 WHERE ' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) \
    FROM pg_catalog.pg_policy p \
    JOIN pg_catalog.pg_class c ON c.oid = p.polrelid AND c.relrowsecurity \
    WHERE p.polqual IS NOT NULL";

const PATH: &str = "SELECT unnest(pg_catalog.current_schemas(true))::text";

/// By name: whether all forms that are built in or of an extension read nothing; whether somebody
/// has defined a form that may read anything; and whether that takes a row.
const FUNCTIONS: &str = "\
    WITH f AS ( \
        SELECT p.proname::text AS name, n.nspname = 'pg_catalog' AS builtin, \
               p.provolatile = 'i' OR p.prokind IN ('a', 'w') AS immutable, \
               EXISTS (SELECT FROM pg_catalog.pg_depend d \
                       WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid \
                         AND d.deptype = 'e') AS extended, \
               p.pronargs >= 1 AND t.typtype IN ('c', 'p') AS takes_row \
        FROM pg_catalog.pg_proc p \
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
        LEFT JOIN pg_catalog.pg_type t ON t.oid = p.proargtypes[0] \
        WHERE n.nspname <> 'information_schema' AND p.prokind <> 'p') \
    SELECT * FROM ( \
        SELECT name, coalesce(bool_and(immutable) FILTER (WHERE builtin OR extended), false) AS pure, \
               bool_or(NOT builtin AND NOT (extended AND immutable)) AS defined, \
               bool_or(NOT builtin AND NOT (extended AND immutable) AND takes_row) \
        FROM f GROUP BY name) AS named \
    WHERE pure OR defined";

const OPERATORS: &str = "\
    SELECT DISTINCT o.oprname::text \
    FROM pg_catalog.pg_operator o \
    JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace \
    LEFT JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode \
    WHERE n.nspname <> 'pg_catalog' AND (p.provolatile = 'v' OR NOT EXISTS ( \
        SELECT FROM pg_catalog.pg_depend d \
        WHERE d.classid = 'pg_catalog.pg_operator'::regclass AND d.objid = o.oid \
          AND d.deptype = 'e'))";

const CASTS: &str = "\
    SELECT EXISTS ( \
        SELECT FROM pg_catalog.pg_cast c \
        JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc \
        JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace \
        WHERE n.nspname <> 'pg_catalog' AND NOT EXISTS ( \
            SELECT FROM pg_catalog.pg_depend d \
            WHERE d.classid = 'pg_catalog.pg_proc'::regclass AND d.objid = p.oid \
              AND d.deptype = 'e'))";

/// Domains of which a check, their own or of a domain below, calls what is not built in.
const CHECKED: &str = "\
    WITH RECURSIVE base AS ( \
        SELECT oid AS domain, oid AS below FROM pg_catalog.pg_type WHERE typtype = 'd' \
        UNION \
        SELECT b.domain, t.typbasetype FROM base b \
        JOIN pg_catalog.pg_type t ON t.oid = b.below WHERE t.typtype = 'd') \
    SELECT DISTINCT t.typname::text \
    FROM base b \
    JOIN pg_catalog.pg_type t ON t.oid = b.domain \
    JOIN pg_catalog.pg_constraint c ON c.contypid = b.below \
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_constraint'::regclass \
        AND d.objid = c.oid AND d.refclassid = 'pg_catalog.pg_proc'::regclass";

const ENUMS: &str = "\
    SELECT pg_catalog.format_type(t.oid, -1), t.typname::text \
    FROM pg_catalog.pg_type t WHERE t.typtype = 'e'";

/// What the database is made of, for these exposed tables.
///
/// # Errors
///
/// If the database does not answer.
pub(crate) async fn read(database: &DatabaseConnection, tables: &[TableDef]) -> Result<Catalog> {
    let mut facts = Facts::default();
    for row in rows(database, RELATIONS).await? {
        let kind: String = get(&row, 3)?;
        facts.relations.push(RelationFact {
            oid: get(&row, 0)?,
            schema: get(&row, 1)?,
            name: get(&row, 2)?,
            kind: kind.chars().next().unwrap_or_default(),
            system: get(&row, 4)?,
        });
    }
    facts.inherits = pairs(database, INHERITS).await?;
    facts.refers = pairs(database, REFERS).await?;
    facts.texts = pairs(database, TEXTS).await?;
    facts.path = column(database, PATH).await?;
    for row in rows(database, FUNCTIONS).await? {
        let name: String = get(&row, 0)?;
        if get(&row, 1)? {
            facts.pure.insert(name.clone());
        }
        if get(&row, 3)? {
            facts.attributes.insert(name.clone());
        }
        if get(&row, 2)? {
            facts.defined.insert(name);
        }
    }
    facts.operators = column(database, OPERATORS).await?;
    facts.checked_types = column(database, CHECKED).await?;
    let enums: Vec<(String, String)> = pairs(database, ENUMS).await?;
    facts.enums = enums.into_iter().collect::<HashMap<_, _>>();
    facts.casts = column::<bool, HashSet<bool>>(database, CASTS)
        .await?
        .contains(&true);
    Ok(Catalog::new(facts, tables))
}

async fn rows(database: &DatabaseConnection, sql: &str) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    database.query_all_raw(statement).await.map_err(|source| {
        Error::new(
            ErrorKind::Unavailable,
            Code::Database,
            "The database did not answer when asked for its views and functions",
        )
        .with_source(source)
    })
}

async fn pairs<A: TryGetable, B: TryGetable>(
    database: &DatabaseConnection,
    sql: &str,
) -> Result<Vec<(A, B)>> {
    let rows = rows(database, sql).await?;
    rows.iter()
        .map(|row| Ok((get(row, 0)?, get(row, 1)?)))
        .collect()
}

async fn column<T: TryGetable, C: FromIterator<T>>(
    database: &DatabaseConnection,
    sql: &str,
) -> Result<C> {
    let rows = rows(database, sql).await?;
    rows.iter().map(|row| get(row, 0)).collect()
}

fn get<T: TryGetable>(row: &QueryResult, at: usize) -> Result<T> {
    row.try_get_by_index(at).map_err(|source| {
        Error::new(
            ErrorKind::Protocol,
            Code::DatabaseAnswer,
            "The database's catalog cannot be read",
        )
        .with_source(source)
    })
}
