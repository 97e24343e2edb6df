//! `Filter`: a condition on the rows of a table that a client has written, and its SQL. Made by
//! `graphql/where_argument`, written into statements by `page_query`. Pure.
//!
//! Values are bound, never written: as text, and cast in the statement to what their column is
//! compared as. Comparing never fails for a row, only for a value that is none of its type; which
//! values certainly are, [`is_certain`] says.

use blazelink_migrations::identifier;
use sea_orm::Value;
use sea_orm::prelude::{ChronoDate, ChronoDateTime, ChronoDateTimeWithTimeZone, ChronoTime};
use sea_orm::sea_query::ArrayType;

use crate::table::{Column, TableDef};
use crate::value::Kind;

/// A condition on a row. Columns are positions among the table's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filter {
    /// All of these; without any it is true.
    All(Vec<Filter>),
    /// At least one of these; without any it is false.
    Any(Vec<Filter>),
    Not(Box<Filter>),
    /// The column compares with the value.
    Compare(usize, Comparison, String),
    /// The column equals one of the values.
    OneOf(usize, Vec<String>),
    /// The column's text is like the pattern, of which `%` and `_` are the only special letters
    /// that are not behind a backslash.
    Like {
        column: usize,
        pattern: String,
        /// Whether capital and small letters are the same.
        loose: bool,
    },
    /// The column is NULL, or is not.
    IsNull(usize, bool),
}

/// How a column compares with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn sql(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Different => "<>",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
        }
    }
}

impl Filter {
    /// Calls `each` with every column, and the values that it is compared with.
    pub(crate) fn visit<'f>(&'f self, each: &mut impl FnMut(usize, &'f [String])) {
        match self {
            Filter::All(filters) | Filter::Any(filters) => {
                filters.iter().for_each(|filter| filter.visit(each));
            }
            Filter::Not(filter) => filter.visit(each),
            Filter::Compare(column, _, value) => each(*column, std::slice::from_ref(value)),
            Filter::OneOf(column, values) => each(*column, values),
            Filter::Like { column, .. } | Filter::IsNull(column, _) => each(*column, &[]),
        }
    }

    /// Writes the condition on rows of `table`, which goes by `alias`.
    pub(super) fn write(&self, alias: &str, table: &TableDef, out: &mut Lowered) {
        let name = |column: usize| format!("{alias}.{}", identifier(&table.columns[column].name));
        match self {
            Filter::All(filters) if filters.is_empty() => out.push("TRUE"),
            Filter::Any(filters) if filters.is_empty() => out.push("FALSE"),
            Filter::All(filters) => joined(filters, " AND ", alias, table, out),
            Filter::Any(filters) => joined(filters, " OR ", alias, table, out),
            Filter::Not(filter) => {
                out.push("(NOT ");
                filter.write(alias, table, out);
                out.push(")");
            }
            Filter::Compare(column, comparison, value) => {
                let operand = out.value(&table.columns[*column], value.clone());
                out.push(&format!("{} {} {operand}", name(*column), comparison.sql()));
            }
            // Nothing is one of none: in SQL, too, it is false and not NULL.
            Filter::OneOf(_, values) if values.is_empty() => out.push("FALSE"),
            Filter::OneOf(column, values) => {
                let operand = out.values(&table.columns[*column], values);
                out.push(&format!("{} = ANY({operand})", name(*column)));
            }
            Filter::Like {
                column,
                pattern,
                loose,
            } => {
                let of = &table.columns[*column];
                let text = match of.sql_type.as_str() {
                    // Patterns need a collation that takes equal for the same.
                    "text" | "character varying" | "varchar" if !of.exact => {
                        format!("{} COLLATE \"default\"", name(*column))
                    }
                    "text" | "character varying" | "varchar" | "citext" => name(*column),
                    _ => format!("{}::text", name(*column)),
                };
                let like = if *loose { "ILIKE" } else { "LIKE" };
                let pattern = out.bind(Value::String(Some(pattern.clone())));
                out.push(&format!("{text} {like} {pattern}::text"));
            }
            Filter::IsNull(column, wanted) => {
                // Unlike IS NULL, false for a row of NULLs, which prints as one.
                let is = if *wanted { "IS NOT" } else { "IS" };
                out.push(&format!("{} {is} DISTINCT FROM NULL", name(*column)));
            }
        }
    }
}

fn joined(filters: &[Filter], word: &str, alias: &str, table: &TableDef, out: &mut Lowered) {
    out.push("(");
    for (at, filter) in filters.iter().enumerate() {
        if at > 0 {
            out.push(word);
        }
        filter.write(alias, table, out);
    }
    out.push(")");
}

/// SQL that is being written, and the values that it binds.
#[derive(Debug, Default)]
pub(super) struct Lowered {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Lowered {
    pub(super) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Binds a value; gives its placeholder.
    pub(super) fn bind(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }

    /// Binds a value as what the column is compared as.
    pub(super) fn value(&mut self, column: &Column, text: String) -> String {
        let placeholder = self.bind(Value::String(Some(text)));
        format!("{placeholder}::text::{}", compared_as(column))
    }

    fn values(&mut self, column: &Column, texts: &[String]) -> String {
        let texts = texts.iter().cloned().map(Some).map(Value::String);
        let texts = Box::new(texts.collect());
        let placeholder = self.bind(Value::Array(ArrayType::String, Some(texts)));
        format!("{placeholder}::text[]::{}[]", compared_as(column))
    }
}

/// The type of the values that a column is compared with: an integer of any width, so that a
/// number beyond the column's own is only larger; else the column's.
pub(super) fn compared_as(column: &Column) -> &str {
    match column.kind {
        Kind::Int | Kind::BigInt => "bigint",
        _ => &column.sql_type,
    }
}

/// Whether the text is certainly a value of what the column is compared as. Of others Postgres has
/// to say.
pub(super) fn is_certain(column: &Column, text: &str) -> bool {
    match (&column.kind, column.sql_type.as_str()) {
        (Kind::Int | Kind::BigInt, _) => text.parse::<i64>().is_ok(),
        (Kind::Bool, "boolean" | "bool") => matches!(text, "t" | "f" | "true" | "false"),
        (Kind::Float, _) if matches!(text, "0" | "0.0" | "NaN" | "Infinity" | "-Infinity") => true,
        (Kind::Float, "double precision" | "float8") => text.parse().is_ok_and(f64::is_normal),
        (Kind::Float, "real" | "float4") => text.parse().is_ok_and(f32::is_normal),
        (
            Kind::Text | Kind::Char,
            "text" | "character varying" | "varchar" | "bpchar" | "character" | "citext",
        ) => true,
        (Kind::Text, "uuid") => is_uuid(text),
        (Kind::Text, "numeric") => is_decimal(text),
        (Kind::Text, "date") => is_date(text),
        (Kind::Text, "time without time zone" | "time") => is_time(text),
        (Kind::Text, "timestamp without time zone" | "timestamp") => is_timestamp(text),
        (Kind::Text, "timestamp with time zone" | "timestamptz") => is_instant(text),
        _ => false,
    }
}

fn is_uuid(text: &str) -> bool {
    let hyphens = [8, 13, 18, 23];
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| {
            if hyphens.contains(&at) {
                byte == b'-'
            } else {
                byte.is_ascii_hexdigit()
            }
        })
}

/// Digits, with a sign and a point: shorter than what Postgres takes.
fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, rest) = digits.split_once('.').unwrap_or((digits, "0"));
    let are_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    text.len() <= 1_000 && are_digits(whole) && are_digits(rest)
}

/// Within the years 1 to 9999, which every part of Postgres takes.
fn is_date(text: &str) -> bool {
    text.len() == 10
        && !text.starts_with("0000")
        && text.as_bytes()[0].is_ascii_digit()
        && ChronoDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

fn is_time(text: &str) -> bool {
    text.len() <= 15 && ChronoTime::parse_from_str(text, "%H:%M:%S%.f").is_ok()
}

fn is_timestamp(text: &str) -> bool {
    text.is_char_boundary(10)
        && text.len() <= 26
        && is_date(&text[..10])
        && ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"]
            .iter()
            .any(|form| ChronoDateTime::parse_from_str(text, form).is_ok())
}

fn is_instant(text: &str) -> bool {
    const FURTHEST_OFFSET: i32 = 15 * 60 * 60;
    // Postgres prints an offset of whole hours without minutes.
    let is_short = matches!(text.as_bytes(), [.., b'+' | b'-', b'0'..=b'9', b'0'..=b'9']);
    let minutes = if is_short { ":00" } else { "" };
    let whole = format!("{text}{minutes}");
    text.is_char_boundary(10)
        && text.len() <= 35
        && is_date(&text[..10])
        && ChronoDateTimeWithTimeZone::parse_from_rfc3339(&whole)
            .is_ok_and(|time| time.offset().local_minus_utc().abs() <= FURTHEST_OFFSET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_certain_only_in_forms_that_postgres_takes() {
        assert!(is_decimal("-12.50") && is_decimal("7"));
        assert!(!is_decimal("1e5") && !is_decimal(".5") && !is_decimal("") && !is_decimal("NaN"));
        assert!(is_date("2024-02-29") && is_date("9999-12-31"));
        assert!(!is_date("2023-02-29") && !is_date("0000-01-01") && !is_date("+2024-1-01"));
        assert!(is_time("23:59:59.123456") && !is_time("25:00:00") && !is_time("now"));
        assert!(is_timestamp("2024-01-02 03:04:05") && is_timestamp("2024-01-02T03:04:05.5"));
        assert!(!is_timestamp("2024-01-02") && !is_timestamp("infinity"));
        assert!(is_instant("2024-01-02 03:04:05.123+00") && is_instant("2024-01-02T03:04:05Z"));
        assert!(is_instant("2024-01-02 03:04:05-05:30"));
        assert!(!is_instant("2024-01-02T03:04:05+16:00") && !is_instant("2024-01-02 03:04:05"));
        assert!(!is_instant("") && !is_instant("ä") && !is_timestamp("2024-01-0ä"));
        assert!(is_uuid("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11") && !is_uuid("a0eebc99"));
    }
}
