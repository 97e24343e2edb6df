//! What a statement compares a column with, and the text that Postgres prints of an equal value.
//!
//! What must stay true: a value is taken only if each equal value of the column prints exactly the
//! text that is made here. Whatever is not sure of that is nothing, and the dependency is wider.

use sea_orm::Value as Bound;
use sea_orm::prelude::{Date, Uuid};
use sea_orm::sea_query::OptionEnum;
use sqlparser::ast::{CastKind, DataType, Expr, UnaryOperator, Value};

use super::catalog::Catalog;
use super::names;
use crate::object_id::Atom;
use crate::table::Column;
use crate::value::Kind;

/// The other side of an equality.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Operand {
    /// The parameter at this position.
    Parameter(usize),
    /// Any element of the array that is the parameter at this position.
    AnyOf(usize),
    /// Any of these.
    Either(Vec<Operand>),
    Integer(i64),
    Bool(bool),
    Text(String),
    /// What Postgres prints of a value of the column.
    Printed(String),
    /// A text that is cast to an enum of this name.
    Label(String, Box<Operand>),
}

impl Operand {
    /// What an expression is, if it is as good as a value.
    pub(super) fn of(expr: &Expr) -> Option<Operand> {
        match expr {
            Expr::Nested(inner) => Operand::of(inner),
            Expr::Value(value) => Operand::of_value(&value.value),
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => match &**expr {
                Expr::Value(value) => match &value.value {
                    Value::Number(digits, false) => integer(&format!("-{digits}")),
                    _ => None,
                },
                _ => None,
            },
            Expr::Cast {
                kind: CastKind::Cast | CastKind::DoubleColon,
                expr,
                data_type: data_type @ DataType::Custom(name, arguments),
                format: None,
            } if arguments.is_empty() => {
                debug_assert!(names::custom_type(data_type).is_some());
                match Operand::of(expr)? {
                    text @ (Operand::Parameter(_) | Operand::Text(_)) => {
                        Some(Operand::Label(names::last(name), Box::new(text)))
                    }
                    _ => None,
                }
            }
            _ => None,
        }
    }

    fn of_value(value: &Value) -> Option<Operand> {
        match value {
            Value::Placeholder(name) => parameter(name).map(Operand::Parameter),
            Value::Number(digits, false) => integer(digits),
            Value::Boolean(truth) => Some(Operand::Bool(*truth)),
            // Where backslashes escape, this is another text than it looks.
            Value::SingleQuotedString(text) if !text.contains('\\') => {
                Some(Operand::Text(text.clone()))
            }
            _ => None,
        }
    }

    /// What stands in `ANY (..)`.
    pub(super) fn any_of(expr: &Expr) -> Option<Operand> {
        match expr {
            Expr::Nested(inner) => Operand::any_of(inner),
            Expr::Value(value) => match &value.value {
                Value::Placeholder(name) => parameter(name).map(Operand::AnyOf),
                _ => None,
            },
            Expr::Array(array) => {
                let each = array.elem.iter().map(Operand::of);
                each.collect::<Option<Vec<_>>>().map(Operand::Either)
            }
            _ => None,
        }
    }

    /// Whether it could ever be a value of the column: literals are looked at, parameters are not
    /// known yet.
    pub(super) fn fits(&self, column: &Column, catalog: &Catalog) -> bool {
        match self {
            Operand::Parameter(_) | Operand::AnyOf(_) | Operand::Printed(_) => true,
            Operand::Either(each) => each.iter().all(|one| one.fits(column, catalog)),
            Operand::Label(cast, _) => catalog.is_enum(&column.sql_type, cast),
            Operand::Integer(_) | Operand::Bool(_) | Operand::Text(_) => {
                self.atoms(column, &[]).is_some()
            }
        }
    }

    /// Whether Postgres may print a value of the column so: of an enum it prints the label, of other
    /// types that are not known here nobody can tell.
    pub(super) fn is_printed(text: &str, column: &Column) -> bool {
        let known = matches!(column.sql_type.as_str(), "uuid" | "date");
        let label = column.kind == Kind::Text && !known && !is_text(column);
        label || of_literal(text, column).is_some()
    }

    /// The values of the column that it stands for, with these parameters.
    pub(super) fn atoms(&self, column: &Column, bound: &[Bound]) -> Option<Vec<Atom>> {
        let one = |atom: Option<Atom>| atom.map(|atom| vec![atom]);
        match self {
            Operand::Parameter(at) => one(of_bound(bound.get(*at)?, column)),
            Operand::AnyOf(at) => match bound.get(*at)? {
                Bound::Array(_, Some(items)) => {
                    let known = items.iter().filter(|item| !is_null(item));
                    known.map(|item| of_bound(item, column)).collect()
                }
                _ => None,
            },
            Operand::Either(each) => {
                let mut atoms = Vec::with_capacity(each.len());
                for one in each {
                    atoms.append(&mut one.atoms(column, bound)?);
                }
                Some(atoms)
            }
            Operand::Integer(number) => one(column.kind.is_integer().then_some(Atom::Int(*number))),
            Operand::Bool(truth) => one((column.kind == Kind::Bool).then(|| of_bool(*truth))),
            Operand::Text(text) => one(of_literal(text, column)),
            Operand::Printed(text) => one(Some(column.kind.atom(text))),
            Operand::Label(_, text) => match &**text {
                Operand::Text(text) => Some(vec![Atom::Text(text.as_str().into())]),
                Operand::Parameter(at) => {
                    one(text_of(bound.get(*at)?).map(|text| Atom::Text(text.into())))
                }
                _ => None,
            },
        }
    }
}

/// The position that `$1` names.
fn parameter(name: &str) -> Option<usize> {
    name.strip_prefix('$')?
        .parse::<usize>()
        .ok()?
        .checked_sub(1)
}

/// An integer as it is printed; nothing for `007`, `1_000` and what is too large.
fn integer(digits: &str) -> Option<Operand> {
    let number: i64 = digits.parse().ok()?;
    (number.to_string() == digits).then_some(Operand::Integer(number))
}

fn of_bool(truth: bool) -> Atom {
    Atom::Text(if truth { "t" } else { "f" }.into())
}

/// What a quoted literal is as a value of the column: it is read by the column's type, so it must
/// be spelled as that prints it.
fn of_literal(text: &str, column: &Column) -> Option<Atom> {
    let canonical = match (&column.kind, column.sql_type.as_str()) {
        (Kind::Int | Kind::BigInt, _) => integer(text).is_some(),
        (Kind::Bool, _) => matches!(text, "t" | "f"),
        (Kind::Char | Kind::Text, _) if is_text(column) => true,
        (Kind::Text, "uuid") => {
            let parsed: Option<Uuid> = text.parse().ok();
            parsed.is_some_and(|uuid| uuid.to_string() == text)
        }
        (Kind::Text, "date") => {
            let parsed: Option<Date> = text.parse().ok();
            parsed.and_then(of_date).is_some_and(|date| date == text)
        }
        _ => false,
    };
    canonical.then(|| column.kind.atom(text))
}

/// What a parameter is as a value of the column. Postgres is told its type, so it is compared as
/// what it is.
fn of_bound(value: &Bound, column: &Column) -> Option<Atom> {
    let number = match value {
        Bound::TinyInt(number) => number.map(i64::from),
        Bound::SmallInt(number) => number.map(i64::from),
        Bound::Int(number) => number.map(i64::from),
        Bound::BigInt(number) => *number,
        Bound::TinyUnsigned(number) => number.map(i64::from),
        Bound::SmallUnsigned(number) => number.map(i64::from),
        Bound::Unsigned(number) => number.map(i64::from),
        Bound::BigUnsigned(number) => number.and_then(|number| i64::try_from(number).ok()),
        _ => None,
    };
    if let Some(number) = number {
        return column.kind.is_integer().then_some(Atom::Int(number));
    }
    match value {
        Bound::Bool(Some(truth)) if column.kind == Kind::Bool => Some(of_bool(*truth)),
        Bound::Uuid(Some(uuid)) if column.sql_type == "uuid" => {
            Some(Atom::Text(uuid.to_string().into()))
        }
        Bound::ChronoDate(Some(date)) if column.sql_type == "date" => {
            of_date(*date).map(|text| Atom::Text(text.into()))
        }
        _ if is_text(column) => Some(column.kind.atom(&text_of(value)?)),
        _ => None,
    }
}

/// The text that Postgres is sent for a value which it takes as `text`.
fn text_of(value: &Bound) -> Option<String> {
    match value {
        Bound::String(Some(text)) => Some(text.clone()),
        Bound::Char(Some(letter)) => Some(letter.to_string()),
        Bound::Enum(OptionEnum::Some(label)) => Some(label.value.to_string()),
        _ => None,
    }
}

fn is_null(value: &Bound) -> bool {
    // SeaORM's own word for it.
    *value == value.as_null()
}

/// Whether the column holds plain text, or blank-padded text, whose atom goes without the blanks.
fn is_text(column: &Column) -> bool {
    column.kind == Kind::Char
        || column.kind == Kind::Text
            && matches!(column.sql_type.as_str(), "text" | "character varying")
}

/// As Postgres prints it. Years before 1 and after 9999 print otherwise in Rust.
fn of_date(date: Date) -> Option<String> {
    let text = date.format("%Y-%m-%d").to_string();
    (text.len() == 10 && text.bytes().next() != Some(b'-') && !text.starts_with("0000"))
        .then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use sea_orm::sea_query::ArrayType;

    use super::*;
    use crate::table::Read;

    fn column(kind: Kind, sql_type: &str) -> Column {
        Column {
            name: "c".into(),
            renamed: None,
            ordered: true,
            kind,
            sql_type: sql_type.into(),
            nullable: true,
            generated: false,
            default: false,
            always: false,
            unique: false,
            hidden: false,
            read: Read::Format,
            exact: true,
            exposed: Some(0),
        }
    }

    fn text(of: &Operand, column: &Column, bound: &[Bound]) -> Option<String> {
        let atoms = of.atoms(column, bound)?;
        let atoms: Vec<String> = atoms.iter().map(ToString::to_string).collect();
        Some(atoms.join(" "))
    }

    #[test]
    fn literals_count_only_as_their_column_prints_them() {
        const UUID: &str = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        for (kind, sql_type, literal, expected) in [
            (Kind::Int, "integer", "1", Some("1")),
            (Kind::Int, "integer", "-1", Some("-1")),
            (Kind::Int, "integer", "01", None),
            (Kind::Int, "integer", " 1", None),
            (Kind::Int, "integer", "+1", None),
            (Kind::Int, "integer", "-0", None),
            (Kind::Bool, "boolean", "t", Some("t")),
            (Kind::Bool, "boolean", "true", None),
            (Kind::Bool, "boolean", "yes", None),
            (Kind::Text, "text", "01", Some("01")),
            (Kind::Char, "character", "ab  ", Some("ab")),
            (Kind::Text, "uuid", UUID, Some(UUID)),
            (
                Kind::Text,
                "uuid",
                "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11",
                None,
            ),
            (Kind::Text, "uuid", "a0eebc999c0b4ef8bb6d6bb9bd380a11", None),
            (
                Kind::Text,
                "uuid",
                "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}",
                None,
            ),
            (Kind::Text, "date", "2024-02-29", Some("2024-02-29")),
            (Kind::Text, "date", "2024-2-29", None),
            (Kind::Text, "date", "20240229", None),
            (Kind::Text, "date", "today", None),
            (Kind::Text, "date", "0000-01-01", None),
            (Kind::Text, "mood", "sad", None),
            (Kind::Text, "citext", "a", None),
            (Kind::Float, "double precision", "1", None),
        ] {
            let column = column(kind, sql_type);
            let found = text(&Operand::Text(literal.into()), &column, &[]);
            assert_eq!(found.as_deref(), expected, "{sql_type} {literal}");
        }
        assert_eq!(integer("007"), None);
        assert_eq!(integer("7"), Some(Operand::Integer(7)));
        assert_eq!(integer("9223372036854775808"), None);
    }

    #[test]
    fn parameters_count_only_if_they_are_of_their_columns_kind() {
        let int = column(Kind::Int, "integer");
        let words = column(Kind::Text, "text");
        let date = column(Kind::Text, "date");
        let uuid = column(Kind::Text, "uuid");
        let day = |year, month, day| Bound::ChronoDate(Date::from_ymd_opt(year, month, day));
        for (column, value, expected) in [
            (&int, Bound::BigInt(Some(7)), Some("7")),
            (&int, Bound::Int(None), None),
            (&int, Bound::String(Some("7".into())), None),
            (&int, Bound::Double(Some(7.0)), None),
            (&int, Bound::Bool(Some(true)), None),
            (&words, Bound::String(Some("It's".into())), Some("It's")),
            (&words, Bound::Char(Some('x')), Some("x")),
            (&words, Bound::Int(Some(7)), None),
            (&words, Bound::String(None), None),
            (&uuid, Bound::String(Some("x".into())), None),
            (
                &uuid,
                Bound::Uuid(Some(Uuid::nil())),
                Some("00000000-0000-0000-0000-000000000000"),
            ),
            (&date, day(2024, 2, 29), Some("2024-02-29")),
            (&date, day(33, 1, 2), Some("0033-01-02")),
            (&date, day(10_000, 1, 1), None),
            (&date, day(0, 1, 1), None),
            (&date, day(-1, 1, 1), None),
        ] {
            let found = text(&Operand::Parameter(0), column, std::slice::from_ref(&value));
            assert_eq!(found.as_deref(), expected, "{} {value:?}", column.sql_type);
        }
        assert_eq!(
            text(&Operand::Parameter(1), &int, &[Bound::Int(Some(1))]),
            None
        );
    }

    #[test]
    fn any_element_of_an_array_counts_but_for_null() {
        let int = column(Kind::Int, "integer");
        let array = |items: Vec<Bound>| [Bound::Array(ArrayType::Int, Some(Box::new(items)))];
        let numbers = array(vec![
            Bound::Int(Some(1)),
            Bound::Int(None),
            Bound::Int(Some(3)),
        ]);
        assert_eq!(
            text(&Operand::AnyOf(0), &int, &numbers).as_deref(),
            Some("1 3")
        );
        assert_eq!(
            text(&Operand::AnyOf(0), &int, &array(vec![])).as_deref(),
            Some("")
        );
        let mixed = array(vec![Bound::Int(Some(1)), Bound::Double(Some(2.0))]);
        assert_eq!(text(&Operand::AnyOf(0), &int, &mixed), None);
        let none = [Bound::Array(ArrayType::Int, None)];
        assert_eq!(text(&Operand::AnyOf(0), &int, &none), None);
    }
}
