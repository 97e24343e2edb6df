//! Names of SQL as Postgres takes them, and the built-in functions that read no table. For
//! `analyse` and `catalog`.
//!
//! A function that is not known here or in the catalog may read anything.

use sqlparser::ast::{DataType, Ident, ObjectName};

/// Bytes after which Postgres cuts a name (`NAMEDATALEN` less one).
const NAME_BYTES: usize = 63;

/// A name as the catalog spells it. Nothing for one that Postgres would cut.
pub(super) fn fold(ident: &Ident) -> Option<String> {
    let name = match ident.quote_style {
        None => ident.value.to_ascii_lowercase(),
        Some('"') => ident.value.clone(),
        Some(_) => return None,
    };
    (name.len() <= NAME_BYTES).then_some(name)
}

/// The parts of a qualified name.
pub(super) fn parts(name: &ObjectName) -> Option<Vec<String>> {
    let parts = name.0.iter();
    parts.map(|part| fold(part.as_ident()?)).collect()
}

/// A name's last part as it is written, whatever it is.
pub(super) fn last(name: &ObjectName) -> String {
    let last = name.0.last().and_then(|part| part.as_ident());
    last.and_then(fold).unwrap_or_else(|| "?".to_owned())
}

/// The name of a type that is not written with a keyword, behind any number of brackets.
pub(super) fn custom_type(of: &DataType) -> Option<&ObjectName> {
    use sqlparser::ast::ArrayElemTypeDef as Array;
    match of {
        DataType::Custom(name, _) => Some(name),
        DataType::Array(
            Array::AngleBracket(item) | Array::SquareBracket(item, _) | Array::Parenthesis(item),
        ) => custom_type(item),
        _ => None,
    }
}

/// What a call of a function means for what an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    /// It looks at its arguments and at what stays as it is.
    Pure,
    /// Its value changes without any commit.
    Timely,
    /// It changes settings, so it is refused.
    Setting,
    /// Not known here.
    Unknown,
}

/// What is known of a function by its name, if nobody has defined one of that name.
pub(super) fn builtin(name: &str) -> Function {
    if SYNTAX.contains(&name) || STABLE.contains(&name) {
        Function::Pure
    } else if TIMELY.contains(&name) {
        Function::Timely
    } else if name == "set_config" {
        Function::Setting
    } else {
        Function::Unknown
    }
}

/// Whether it looks like a call and is none: no function can be defined that is called so without
/// quotes.
pub(super) fn is_syntax(name: &str) -> bool {
    SYNTAX.contains(&name)
}

const SYNTAX: &[&str] = &[
    "all",
    "any",
    "array",
    "coalesce",
    "current_catalog",
    "current_role",
    "current_schema",
    "current_user",
    "exists",
    "greatest",
    "grouping",
    "least",
    "nullif",
    "row",
    "session_user",
    "some",
    "user",
];

/// Functions of `pg_catalog` that are no more than stable, since they look at settings, at types,
/// or at how values print. Immutable ones and aggregates the catalog tells.
const STABLE: &[&str] = &[
    "array_to_json",
    "array_to_string",
    "concat",
    "concat_ws",
    "convert_from",
    "convert_to",
    "current_database",
    "current_schemas",
    "current_setting",
    "date",
    "date_part",
    "date_trunc",
    "enum_first",
    "enum_last",
    "enum_range",
    "extract",
    "format",
    "generate_series",
    "json_build_array",
    "json_build_object",
    "json_populate_record",
    "json_populate_recordset",
    "json_to_record",
    "json_to_recordset",
    "json_to_tsvector",
    "jsonb_build_array",
    "jsonb_build_object",
    "jsonb_path_exists_tz",
    "jsonb_path_match_tz",
    "jsonb_path_query_array_tz",
    "jsonb_path_query_first_tz",
    "jsonb_path_query_tz",
    "jsonb_populate_record",
    "jsonb_populate_recordset",
    "jsonb_to_record",
    "jsonb_to_recordset",
    "jsonb_to_tsvector",
    "length",
    "make_timestamptz",
    "overlaps",
    "phraseto_tsquery",
    "plainto_tsquery",
    "quote_literal",
    "quote_nullable",
    "row_to_json",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "timezone",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_timestamp",
    "to_tsquery",
    "to_tsvector",
    "ts_headline",
    "version",
    "websearch_to_tsquery",
];

const TIMELY: &[&str] = &[
    "age",
    "clock_timestamp",
    "current_date",
    "current_time",
    "current_timestamp",
    "gen_random_uuid",
    "localtime",
    "localtimestamp",
    "now",
    "random",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
];
