//! `ObjectIdInput`: which row a root is asked for, and what else its client wants to be told of.
//! Pure: values in, keys and table numbers out.

use async_graphql_value::ConstValue;

use crate::object_id::{Atom, Key, TableId};
use crate::table::{TableDef, TableManager};
use crate::value::Kind;

/// An identifier that fits its root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) key: Key,
    /// Tables and rows that the client names beside, nested ones too.
    pub(super) dependencies: Vec<Named>,
}

/// A table, or a row of it, that a client names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) table: TableId,
    pub(super) key: Option<Key>,
}

/// No row has been named, or there is none.
pub(super) const NO_ROW: &str = "No row was found when one was required";

impl Identifier {
    /// Reads the identifier of a table's row root.
    ///
    /// # Errors
    ///
    /// The message for the root's error.
    pub(super) fn read(
        manager: &TableManager,
        table: &TableDef,
        value: Option<&ConstValue>,
    ) -> Result<Identifier, String> {
        let fields = match value {
            Some(ConstValue::Object(fields)) => fields,
            None | Some(ConstValue::Null) => return Err(NO_ROW.to_owned()),
            Some(_) => return Err("The identifier must be an object".to_owned()),
        };
        match fields.get("entity") {
            None | Some(ConstValue::Null) => {}
            Some(ConstValue::String(entity)) if *entity == table.entity => {}
            Some(other) => {
                let got = match other {
                    ConstValue::String(entity) => entity.as_str(),
                    _ => "no name",
                };
                return Err(format!(
                    "Invalid entity type! Expected: {}, got {got}",
                    table.entity
                ));
            }
        }
        let key = match fields.get("obj_id") {
            None | Some(ConstValue::Null) => return Err(NO_ROW.to_owned()),
            Some(value) => read_key(table, value)?,
        };
        let mut dependencies = Vec::new();
        if let Some(value) = fields.get("dependencies") {
            read_dependencies(manager, value, &mut dependencies)?;
        }
        Ok(Identifier { key, dependencies })
    }
}

fn read_dependencies(
    manager: &TableManager,
    value: &ConstValue,
    found: &mut Vec<Named>,
) -> Result<(), String> {
    let values = match value {
        ConstValue::List(values) => values.as_slice(),
        ConstValue::Null => return Err("The dependencies must be a list".to_owned()),
        single => std::slice::from_ref(single),
    };
    for value in values {
        let fields = match value {
            ConstValue::Object(fields) => fields,
            ConstValue::Null => continue,
            _ => return Err("A dependency must be an object".to_owned()),
        };
        let Some(ConstValue::String(entity)) = fields.get("entity") else {
            return Err("A dependency must name its entity".to_owned());
        };
        let table = manager
            .named(entity)
            .ok_or_else(|| format!("Unknown entity in dependencies: {entity}"))?;
        let key = match fields.get("obj_id") {
            None | Some(ConstValue::Null) => None,
            Some(value) => Some(read_key(table, value)?),
        };
        found.push(Named {
            table: table.id,
            key,
        });
        if let Some(value) = fields.get("dependencies") {
            read_dependencies(manager, value, found)?;
        }
    }
    Ok(())
}

/// Reads a key of a table, in the form in which Postgres prints it where that form is known.
fn read_key(table: &TableDef, value: &ConstValue) -> Result<Key, String> {
    let misfit = || {
        let types: Vec<&str> = table
            .key
            .iter()
            .map(|&column| key_type(&table.columns[column].kind))
            .collect();
        let expected = match types.as_slice() {
            [one] => (*one).to_owned(),
            many => format!("[{}]", many.join(", ")),
        };
        format!(
            "Invalid obj_id! {} has a key of type {expected}",
            table.entity
        )
    };
    let values = match value {
        ConstValue::List(values) => values.as_slice(),
        single => std::slice::from_ref(single),
    };
    if values.len() != table.key.len() {
        return Err(misfit());
    }
    let atoms = table.key.iter().zip(values).map(|(&column, value)| {
        let column = &table.columns[column];
        read_atom(&column.kind, &column.sql_type, value)
    });
    atoms
        .collect::<Option<Vec<Atom>>>()
        .and_then(Key::from_atoms)
        .ok_or_else(misfit)
}

fn key_type(kind: &Kind) -> &'static str {
    match kind {
        Kind::Int => "Int",
        Kind::BigInt => "BigInt",
        Kind::Bool => "Boolean",
        _ => "String",
    }
}

fn read_atom(kind: &Kind, sql_type: &str, value: &ConstValue) -> Option<Atom> {
    match (kind, value) {
        (Kind::Int, ConstValue::Number(number)) => {
            let number = number.as_i64()?;
            let fits = match sql_type {
                "smallint" | "int2" => i16::try_from(number).is_ok(),
                _ => i32::try_from(number).is_ok(),
            };
            fits.then_some(Atom::Int(number))
        }
        (Kind::BigInt, ConstValue::Number(number)) => number.as_i64().map(Atom::Int),
        (Kind::BigInt, ConstValue::String(text)) => text.parse().ok().map(Atom::Int),
        (Kind::Bool, ConstValue::Boolean(truth)) => {
            Some(Atom::Text(if *truth { "t" } else { "f" }.into()))
        }
        (Kind::Char, ConstValue::String(text)) => {
            Some(Atom::Text(text.trim_end_matches(' ').into()))
        }
        (Kind::Text, ConstValue::String(text)) if sql_type == "uuid" => uuid(text),
        (Kind::Text, ConstValue::String(text)) => Some(Atom::Text(text.as_str().into())),
        (Kind::Float, ConstValue::Number(number)) => Some(Atom::Text(number.to_string().into())),
        _ => None,
    }
}

/// A uuid as Postgres prints it: 8-4-4-4-12 hexadecimal digits, lower case.
fn uuid(text: &str) -> Option<Atom> {
    let digits: String = text
        .chars()
        .filter(|&letter| letter != '-')
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    Some(Atom::Text(parts.join("-").into()))
}

/// Whether every key of the table that [`Identifier::read`] gives is in the form in which Postgres
/// prints it, so that a change of that row is known to be one.
pub(super) fn is_canonical(table: &TableDef) -> bool {
    table.key.iter().all(|&column| {
        let column = &table.columns[column];
        match column.kind {
            Kind::Int | Kind::BigInt | Kind::Bool | Kind::Char => column.exact,
            Kind::Text => column.exact && column.sql_type != "date",
            _ => false,
        }
    })
}
