//! Fields as they are typed: `name:string!`, `email:string^`, `team:ref:Team?`. Pure.
//!
//! `!` is NOT NULL, `^` is unique and NOT NULL with `!` only, `?` says what holds without either.

use blazelink_codes::{Code, Error, ErrorKind, Result};

use super::words::{self, Name};

/// What a column can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    String,
    Text,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Decimal,
    Bool,
    DateTime,
    Date,
    Time,
    Uuid,
    Json,
    Bytes,
}

/// A kind, with everything that it is called.
struct Row {
    kind: Kind,
    /// What is typed.
    name: &'static str,
    rust: &'static str,
    /// The function of SeaORM's migrations that makes the column.
    schema: &'static str,
    /// What the entity says besides the Rust type.
    column_type: Option<&'static str>,
}

const fn row(
    kind: Kind,
    name: &'static str,
    rust: &'static str,
    schema: &'static str,
    column_type: Option<&'static str>,
) -> Row {
    Row {
        kind,
        name,
        rust,
        schema,
        column_type,
    }
}

const ROWS: &[Row] = &[
    row(Kind::String, "string", "String", "string", None),
    row(Kind::Text, "text", "String", "text", Some("Text")),
    row(Kind::SmallInt, "smallint", "i16", "small_integer", None),
    row(Kind::Int, "int", "i32", "integer", None),
    row(Kind::BigInt, "bigint", "i64", "big_integer", None),
    row(Kind::Float, "float", "f32", "float", None),
    row(Kind::Double, "double", "f64", "double", None),
    row(Kind::Decimal, "decimal", "Decimal", "decimal", None),
    row(Kind::Bool, "bool", "bool", "boolean", None),
    row(
        Kind::DateTime,
        "datetime",
        "DateTimeWithTimeZone",
        "timestamp_with_time_zone",
        None,
    ),
    row(Kind::Date, "date", "Date", "date", None),
    row(Kind::Time, "time", "Time", "time", None),
    row(Kind::Uuid, "uuid", "Uuid", "uuid", None),
    row(
        Kind::Json,
        "json",
        "Json",
        "json_binary",
        Some("JsonBinary"),
    ),
    row(Kind::Bytes, "bytes", "Vec<u8>", "binary", None),
];

/// What people type who have learnt it elsewhere.
const ALIASES: &[(&str, &str)] = &[
    ("str", "string"),
    ("varchar", "string"),
    ("i16", "smallint"),
    ("integer", "int"),
    ("i32", "int"),
    ("big_integer", "bigint"),
    ("i64", "bigint"),
    ("f32", "float"),
    ("f64", "double"),
    ("boolean", "bool"),
    ("timestamp", "datetime"),
    ("timestamptz", "datetime"),
    ("jsonb", "json"),
    ("blob", "bytes"),
];

impl Kind {
    pub(super) fn name(self) -> &'static str {
        self.row().name
    }

    /// The type in Rust, as `sea_orm::entity::prelude` names it.
    pub(super) fn rust(self) -> &'static str {
        self.row().rust
    }

    pub(super) fn schema(self) -> &'static str {
        self.row().schema
    }

    pub(super) fn column_type(self) -> Option<&'static str> {
        self.row().column_type
    }

    /// Whether equality of two values is always reflexive, so that the struct can be `Eq`.
    pub(super) fn is_eq(self) -> bool {
        !matches!(self, Kind::Float | Kind::Double)
    }

    /// Whether an index can keep its values unique.
    fn can_be_unique(self) -> bool {
        self != Kind::Json
    }

    /// The kind of a column of this type in Rust.
    pub(super) fn of_rust(rust: &str) -> Option<Kind> {
        let found = ROWS.iter().find(|row| row.rust == rust);
        found.map(|row| row.kind)
    }

    /// # Errors
    /// [`Code::Usage`] with every kind and the nearest.
    pub(super) fn parse(typed: &str) -> Result<Kind> {
        let alias = ALIASES.iter().find(|(alias, _)| *alias == typed);
        let name = alias.map_or(typed, |(_, name)| name);
        if let Some(row) = ROWS.iter().find(|row| row.name == name) {
            return Ok(row.kind);
        }
        let names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let error = usage(format!("`{typed}` is no type of a field")).with_source(format!(
            "the types are {}, and ref:Entity",
            names.join(", ")
        ));
        Err(match words::nearest(typed, &names) {
            Some(nearest) => error.with_hint(format!("write `{nearest}`")),
            None => error,
        })
    }

    fn row(self) -> &'static Row {
        let row = ROWS.iter().find(|row| row.kind == self);
        row.unwrap_or(&ROWS[0])
    }
}

/// A field, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) content: Content,
    pub(super) not_null: bool,
    pub(super) unique: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Content {
    Value(Kind),
    /// A row of that entity.
    Reference(String),
}

impl Field {
    /// # Errors
    /// [`Code::Usage`] or [`Code::NameRefused`], naming the field.
    pub(super) fn parse(typed: &str) -> Result<Field> {
        let Some((name, rest)) = typed.split_once(':') else {
            return Err(usage(format!("The field `{typed}` has no type"))
                .with_hint(format!("write `{typed}:string`, or another type")));
        };
        let plain = rest.trim_end_matches(['!', '^', '?']);
        let marks = &rest[plain.len()..];
        let (not_null, unique) = (marks.contains('!'), marks.contains('^'));
        if not_null && marks.contains('?') {
            return Err(usage(format!("The field `{typed}` has both `!` and `?`"))
                .with_hint("write `!` for NOT NULL, `?` or nothing for what may be NULL"));
        }
        let content = match plain.split_once(':') {
            Some(("ref", entity)) if !entity.is_empty() => Content::Reference(entity.to_owned()),
            _ if plain == "ref" || plain == "ref:" => {
                let sentence = format!("The field `{typed}` does not say what it refers to");
                return Err(usage(sentence).with_hint(format!("write `{name}:ref:Entity`")));
            }
            _ => Content::Value(Kind::parse(plain)?),
        };
        let name = Name::of_field(name).map_err(|why| refused(name, "a field", &why))?;
        if name.snake == "id" || name.snake == "obj_id" {
            return Err(refused(
                &name.snake,
                "a field",
                "every table has it already",
            ));
        }
        if let Content::Value(kind) = content
            && unique
            && !kind.can_be_unique()
        {
            let sentence = format!(
                "The field `{typed}` cannot be unique: it is {}",
                kind.name()
            );
            return Err(usage(sentence).with_hint("leave out `^`"));
        }
        Ok(Field {
            name,
            content,
            not_null,
            unique,
        })
    }

    /// The column that it is kept in.
    pub(super) fn column(&self) -> String {
        match self.content {
            Content::Value(_) => self.name.snake.clone(),
            Content::Reference(_) => format!("{}_id", self.name.snake),
        }
    }
}

/// Every field, none of which is there twice.
///
/// # Errors
/// As [`Field::parse`]; also for two of one column.
pub(super) fn parse_all(typed: &[String]) -> Result<Vec<Field>> {
    let mut fields: Vec<Field> = Vec::new();
    for typed in typed {
        let field = Field::parse(typed)?;
        let same = |other: &Field| {
            let names = [other.name.snake.clone(), other.column()];
            names.contains(&field.column()) || names.contains(&field.name.snake)
        };
        if fields.iter().any(same) {
            let why = "another field has that name or that column";
            return Err(refused(&field.name.snake, "a field", why));
        }
        fields.push(field);
    }
    Ok(fields)
}

pub(super) fn usage(sentence: String) -> Error {
    Error::new(ErrorKind::Setup, Code::Usage, sentence)
}

/// A name that something cannot have.
pub(super) fn refused(name: &str, what: &str, why: &str) -> Error {
    let sentence = format!("`{name}` cannot be the name of {what}: {why}");
    let error = Error::new(ErrorKind::Setup, Code::NameRefused, sentence);
    error.with_hint("choose another name")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn marks_say_what_may_be_null_and_what_is_unique() {
        for (typed, not_null, unique) in [
            ("a:int", false, false),
            ("a:int?", false, false),
            ("a:int!", true, false),
            ("a:int^", false, true),
            ("a:int!^", true, true),
            ("a:int^!", true, true),
        ] {
            let field = Field::parse(typed).unwrap();
            assert_eq!(
                (field.not_null, field.unique),
                (not_null, unique),
                "{typed}"
            );
            assert_eq!(field.content, Content::Value(Kind::Int), "{typed}");
        }
        let field = Field::parse("home_team:ref:Team?").unwrap();
        assert_eq!(field.content, Content::Reference("Team".to_owned()));
        assert_eq!(field.column(), "home_team_id");
    }

    #[test]
    fn what_is_not_understood_is_answered_with_what_is() {
        for (typed, told) in [
            ("a", "has no type"),
            ("a:strng", "write `string`"),
            ("a:strng", "string, text, smallint"),
            ("a:ref", "write `a:ref:Entity`"),
            ("a:int!?", "both `!` and `?`"),
            ("type:string", "keyword"),
            ("id:int", "every table has it already"),
            ("a:json^", "leave out `^`"),
        ] {
            let error = format!("{:#}", Field::parse(typed).unwrap_err());
            assert!(error.contains(told), "{typed}: {error}");
        }
        for twice in [["a:int", "a:string"], ["team:ref:Team", "team_id:int"]] {
            let typed = twice.map(str::to_owned);
            let error = parse_all(&typed).unwrap_err();
            assert_eq!(error.code(), Code::NameRefused, "{twice:?}");
        }
    }

    #[test]
    fn every_kind_is_found_by_its_name() {
        for row in ROWS {
            assert_eq!(Kind::parse(row.name).unwrap(), row.kind);
            assert_eq!(row.kind.row().name, row.name);
        }
        for (alias, name) in ALIASES {
            assert_eq!(Kind::parse(alias).unwrap().name(), *name);
        }
    }
}
