//! The start-up check that entities and database agree, and the correction of what only the
//! database knows: each column's type, and with it how its text is read and becomes JSON.
//!
//! The schema's types come from the entities, so that it is the same without a database. Here they
//! are compared with `pg_attribute`; where a value would become another kind of JSON than the
//! schema says, the application does not start.

use std::collections::HashMap;

use blazelink_codes::Code;
use sea_orm::sea_query::ArrayType;
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, QueryResult, Statement, Value};

use crate::capture;
use crate::error::{Error, ErrorKind, Result};
use crate::table::{Column, Read, TableDef, TableManager};
use crate::value::Kind;

/// Compares every table with the database, and gives the registry with each column's real type.
///
/// # Errors
///
/// If the database does not answer, or a table or column is missing or of another kind than its
/// entity says. All disagreements are told at once.
pub async fn verify(manager: TableManager, database: &DatabaseConnection) -> Result<TableManager> {
    let types = Types::read(database).await?;
    let relations = read_relations(&manager, database).await?;
    let mut tables = manager.tables().to_vec();
    let mut wrong = Vec::new();
    for (at, table) in tables.iter_mut().enumerate() {
        match relations.get(&(at as i64 + 1)) {
            Some(relation) => correct(table, relation, &types, &mut wrong),
            None => wrong.push(Wrong::Missing(format!(
                "Table `{}` is not in the database",
                table.table
            ))),
        }
    }
    if wrong.is_empty() {
        return follow_reads(manager.with_tables(tables), database).await;
    }
    Err(mismatch(&wrong))
}

/// The registry with what else the database is made of, as seen through the pool that computed
/// fields read through: what their statements name is found by it.
///
/// # Errors
///
/// If the database does not answer.
pub async fn follow_reads(
    manager: TableManager,
    database: &DatabaseConnection,
) -> Result<TableManager> {
    let catalog = capture::read_catalog(database, manager.tables()).await?;
    Ok(manager.with_catalog(catalog))
}

/// A disagreement, with its remedy in its kind.
enum Wrong {
    Missing(String),
    Kind(String),
    View(String),
}

fn mismatch(wrong: &[Wrong]) -> Error {
    let sentences: Vec<&str> = wrong
        .iter()
        .map(|wrong| match wrong {
            Wrong::Missing(sentence) | Wrong::Kind(sentence) | Wrong::View(sentence) => {
                sentence.as_str()
            }
        })
        .collect();
    let mut hints = Vec::new();
    if wrong.iter().any(|wrong| matches!(wrong, Wrong::Missing(_))) {
        hints
            .push("Run the migrations: blazelink migrate up; or write one: blazelink migrate diff");
    }
    if wrong.iter().any(|wrong| matches!(wrong, Wrong::Kind(_))) {
        hints.push(
            "Write the column's type into the entity, or have it changed: blazelink migrate diff",
        );
    }
    if wrong.iter().any(|wrong| matches!(wrong, Wrong::View(_))) {
        hints.push(
            "Remove #[derive(blazelink::Table)] from that entity: only tables can be followed",
        );
    }
    Error::new(ErrorKind::Setup, Code::SchemaMismatch, sentences.join("; "))
        .with_hint(hints.join("\n"))
}

fn correct(
    table: &mut TableDef,
    relation: &CatalogRelation,
    types: &Types,
    wrong: &mut Vec<Wrong>,
) {
    if !matches!(relation.kind.as_str(), "r" | "p") {
        wrong.push(Wrong::View(format!("`{}` is no table", table.table)));
        return;
    }
    table.schema.clone_from(&relation.schema);
    table.partitioned = relation.kind == "p";
    let name = &table.table;
    for column in &mut table.columns {
        let Some(found) = relation.columns.get(&column.name) else {
            wrong.push(Wrong::Missing(format!(
                "Column `{}` of table `{name}` is not in the database",
                column.name
            )));
            continue;
        };
        let kind = types.kind(found.type_oid);
        if column.hidden || json_shape(&kind) == json_shape(&column.kind) {
            adopt(column, kind, found, types);
        } else {
            wrong.push(Wrong::Kind(format!(
                "Column `{}` of table `{name}` is `{}` in the database, `{}` in its entity",
                column.name, found.type_name, column.sql_type
            )));
        }
    }
}

fn adopt(column: &mut Column, kind: Kind, found: &CatalogColumn, types: &Types) {
    if found.type_name == "money" {
        tracing::warn!(column = %column.name, "money prints by the server's locale; numeric does not");
    }
    column.read = types.read_form(found.type_oid);
    column.exact = found.deterministic && types.is_exact(found.type_oid);
    column.ordered = column.ordered && types.is_ordered(found.type_oid);
    column.kind = agreed(&column.kind, kind);
    column.sql_type.clone_from(&found.type_name);
    column.nullable = !found.not_null;
    column.generated = found.generated;
    column.always = found.always;
    column.default |= found.default;
}

/// What the JSON of a kind is, as far as a client can tell, and whether it is a list. How deep lists
/// are is the entity's to say: Postgres has one type for arrays of all depths.
fn json_shape(kind: &Kind) -> (bool, &'static str) {
    let name = match kind.innermost() {
        Kind::Int => "int",
        Kind::BigInt => "bigint",
        Kind::Float => "float",
        Kind::Bool => "bool",
        Kind::Json => "json",
        Kind::Char | Kind::Text | Kind::Array(_) => "string",
    };
    (matches!(kind, Kind::Array(_)), name)
}

/// The kind of a column whose entity says `declared` and whose type is of the kind `found`.
fn agreed(declared: &Kind, found: Kind) -> Kind {
    match (declared, found) {
        (Kind::Array(declared), Kind::Array(found)) => {
            Kind::Array(Box::new(agreed(declared, *found)))
        }
        // Deeper than its type says.
        (Kind::Array(declared), found) => Kind::Array(Box::new(agreed(declared, found))),
        (_, found) => found,
    }
}

struct CatalogRelation {
    schema: String,
    kind: String,
    columns: HashMap<String, CatalogColumn>,
}

struct CatalogColumn {
    type_oid: i64,
    type_name: String,
    not_null: bool,
    generated: bool,
    /// Whether it is an identity that no statement gives.
    always: bool,
    /// Whether it has a default or is an identity.
    default: bool,
    deterministic: bool,
}

/// Reads schema, kind and columns of every table that exists, by its number from 1. A table whose
/// entity names no schema is found as a statement would find it, by `search_path`.
async fn read_relations(
    manager: &TableManager,
    database: &DatabaseConnection,
) -> Result<HashMap<i64, CatalogRelation>> {
    const SQL: &str = "\
        SELECT w.n, s.nspname::text, c.relkind::text, a.attname::text, a.atttypid::int8, \
               format_type(a.atttypid, -1), a.attnotnull, coalesce(l.collisdeterministic, true), \
               a.attgenerated <> '', a.attidentity = 'a', \
               a.atthasdef OR a.attidentity <> '' OR coalesce(d.typdefault IS NOT NULL, false) \
        FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS w(schema, name, n) \
        JOIN pg_catalog.pg_class c ON c.oid = to_regclass( \
            CASE WHEN w.schema = '' THEN format('%I', w.name) \
                 ELSE format('%I.%I', w.schema, w.name) END) \
        JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace \
        LEFT JOIN pg_catalog.pg_attribute a \
            ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
        LEFT JOIN pg_catalog.pg_type d ON d.oid = a.atttypid \
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation";
    let tables = manager.tables();
    let schemas = tables.iter().map(|table| table.declared_schema.as_deref());
    let schemas = texts(schemas.map(Option::unwrap_or_default));
    let names = texts(tables.iter().map(|table| table.table.as_str()));
    let mut relations = HashMap::new();
    for row in query(database, SQL, [schemas, names]).await? {
        let number: i64 = get(&row, 0)?;
        let relation = relations.entry(number).or_insert(CatalogRelation {
            schema: get(&row, 1)?,
            kind: get(&row, 2)?,
            columns: HashMap::new(),
        });
        if let Some(name) = get::<Option<String>>(&row, 3)? {
            let column = CatalogColumn {
                type_oid: get(&row, 4)?,
                type_name: get(&row, 5)?,
                not_null: get(&row, 6)?,
                deterministic: get(&row, 7)?,
                generated: get(&row, 8)?,
                always: get(&row, 9)?,
                default: get(&row, 10)?,
            };
            relation.columns.insert(name, column);
        }
    }
    Ok(relations)
}

/// The database's types, by oid.
struct Types(HashMap<i64, PgType>);

struct PgType {
    name: String,
    builtin: bool,
    /// `pg_type.typtype`: `b` base, `d` domain, `e` enum, ..
    kind: String,
    base: i64,
    /// The element's type, for an array whose elements are separated by commas.
    element: Option<i64>,
    /// Whether btree indexes take it by themselves.
    ordered: bool,
}

/// Domains over domains and arrays in arrays are followed this far.
const TYPE_DEPTH: usize = 16;

impl Types {
    async fn read(database: &DatabaseConnection) -> Result<Types> {
        const SQL: &str = "\
            SELECT t.oid::int8, t.typname::text, s.nspname = 'pg_catalog', t.typtype::text, \
                   t.typbasetype::int8, \
                   CASE WHEN t.typcategory = 'A' AND t.typelem <> 0 AND e.typdelim = ',' \
                        THEN t.typelem::int8 END, \
                   t.typtype IN ('e', 'r', 'm') OR EXISTS ( \
                       SELECT FROM pg_catalog.pg_opclass o \
                       JOIN pg_catalog.pg_am m ON m.oid = o.opcmethod \
                       WHERE o.opcintype = t.oid AND o.opcdefault AND m.amname = 'btree') \
            FROM pg_catalog.pg_type t \
            JOIN pg_catalog.pg_namespace s ON s.oid = t.typnamespace \
            LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem";
        let mut types = HashMap::new();
        for row in query(database, SQL, []).await? {
            let ty = PgType {
                name: get(&row, 1)?,
                builtin: get(&row, 2)?,
                kind: get(&row, 3)?,
                base: get(&row, 4)?,
                element: get(&row, 5)?,
                ordered: get(&row, 6)?,
            };
            types.insert(get(&row, 0)?, ty);
        }
        Ok(Types(types))
    }

    /// The type under a domain, and whether it is no domain itself.
    fn base(&self, oid: i64) -> Option<(&PgType, bool)> {
        let mut ty = self.0.get(&oid)?;
        let plain = ty.kind != "d";
        for _ in 0..TYPE_DEPTH {
            if ty.kind != "d" {
                break;
            }
            ty = self.0.get(&ty.base)?;
        }
        Some((ty, plain))
    }

    fn kind(&self, oid: i64) -> Kind {
        self.kind_within(oid, TYPE_DEPTH)
    }

    fn kind_within(&self, oid: i64, depth: usize) -> Kind {
        let Some((ty, _)) = self.base(oid) else {
            return Kind::Text;
        };
        if let Some(element) = ty.element
            && depth > 0
        {
            return Kind::Array(Box::new(self.kind_within(element, depth - 1)));
        }
        match ty.name.as_str() {
            _ if !ty.builtin => Kind::Text,
            "int2" | "int4" => Kind::Int,
            "int8" => Kind::BigInt,
            "float4" | "float8" => Kind::Float,
            "bool" => Kind::Bool,
            "bpchar" => Kind::Char,
            "json" | "jsonb" => Kind::Json,
            _ => Kind::Text,
        }
    }

    /// How the text of a column of this type is had most cheaply. The types that are cast are
    /// those whose cast to text is their output function.
    fn read_form(&self, oid: i64) -> Read {
        let Some((ty, plain)) = self.base(oid) else {
            return Read::Format;
        };
        match ty.name.as_str() {
            _ if !ty.builtin && ty.kind == "e" => Read::Cast,
            _ if !ty.builtin => Read::Format,
            "int2" | "int4" | "int8" if plain => Read::Integer,
            "bool" if plain => Read::Bool,
            "text" | "varchar" | "json" if plain => Read::Plain,
            "float4" if plain => Read::Float4,
            "float8" if plain => Read::Float8,
            "numeric" if plain => Read::Numeric,
            "date" if plain => Read::Date,
            "time" if plain => Read::Time,
            "timestamp" if plain => Read::Timestamp,
            "timestamptz" if plain => Read::TimestampTz,
            "uuid" if plain => Read::Uuid,
            "bytea" if plain => Read::Bytea,
            "jsonb" if plain => Read::Jsonb,
            "int2" | "int4" | "int8" | "text" | "varchar" | "bpchar" | "uuid" | "numeric"
            | "float4" | "float8" | "json" | "jsonb" | "date" | "time" | "timetz" | "timestamp"
            | "timestamptz" | "interval" | "bytea" => Read::Cast,
            _ => Read::Format,
        }
    }

    fn is_ordered(&self, oid: i64) -> bool {
        // These two are taken as the types that they are stored like.
        self.base(oid).is_some_and(|(ty, _)| {
            ty.ordered || ty.builtin && matches!(ty.name.as_str(), "varchar" | "cidr")
        })
    }

    fn is_exact(&self, oid: i64) -> bool {
        self.base(oid).is_some_and(|(ty, _)| {
            ty.kind == "e"
                || ty.builtin
                    && matches!(
                        ty.name.as_str(),
                        "int2"
                            | "int4"
                            | "int8"
                            | "bool"
                            | "text"
                            | "varchar"
                            | "bpchar"
                            | "uuid"
                            | "date"
                    )
        })
    }
}

/// Texts as one value that is bound.
pub(super) fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    let texts = texts.map(|text| Value::String(Some(text.to_owned())));
    Value::Array(ArrayType::String, Some(Box::new(texts.collect())))
}

pub(super) async fn query(
    database: &DatabaseConnection,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Vec<QueryResult>> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    database.query_all_raw(statement).await.map_err(|source| {
        Error::new(
            ErrorKind::Unavailable,
            Code::Database,
            "The database did not answer when asked for its tables",
        )
        .with_source(source)
    })
}

pub(super) fn get<T: sea_orm::TryGetable>(row: &QueryResult, at: usize) -> Result<T> {
    row.try_get_by_index(at).map_err(|source| {
        Error::new(
            ErrorKind::Protocol,
            Code::DatabaseAnswer,
            "The database's catalog cannot be read",
        )
        .with_source(source)
    })
}
