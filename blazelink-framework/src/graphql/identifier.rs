//! `ObjectIdInput`: which row a root is asked for, and what else its client wants to be told of.
//! Pure: values in, keys and table numbers out.

use async_graphql::Name;
use async_graphql::indexmap::IndexMap;
use async_graphql_value::ConstValue;
use blazelink_codes::limits;

use crate::object_id::{Atom, Key};
use crate::table::{Identified, NO_ROW, TableDef, TableManager};
use crate::value::Kind;

/// An identifier that fits its root.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Identifier {
    pub(super) key: Key,
    /// Tables and rows that the client names beside.
    pub(super) dependencies: Vec<Identified>,
}

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
        check_entity(table, fields)?;
        let key = match fields.get("obj_id") {
            None | Some(ConstValue::Null) => return Err(NO_ROW.to_owned()),
            Some(value) => read_key(table, value)?,
        };
        let dependencies = read_nested(manager, fields)?;
        Ok(Identifier { key, dependencies })
    }
}

/// Reads the identifier of a virtual table, which may be left out: then it names nothing.
///
/// # Errors
///
/// The message for the root's error; also if a row that the virtual table needs is not named.
pub(super) fn read_virtual(
    manager: &TableManager,
    table: &TableDef,
    value: Option<&ConstValue>,
) -> Result<Identified, String> {
    let mut identified = Identified::whole(table.id);
    match value {
        None | Some(ConstValue::Null) => {}
        Some(ConstValue::Object(fields)) => {
            check_entity(table, fields)?;
            identified.key = read_optional_key(table, fields)?;
            identified.dependencies = read_nested(manager, fields)?;
        }
        Some(_) => return Err("The identifier must be an object".to_owned()),
    }
    for (at, parameter) in table.parameters.iter().enumerate() {
        let Some(needed) = manager.by_type(parameter.entity) else {
            continue;
        };
        let earlier = table.parameters[..at].iter();
        let earlier = earlier.filter(|it| it.entity == parameter.entity).count();
        let named = identified.dependencies.iter();
        let rows = named.filter(|named| named.table == needed.id && named.key.is_some());
        if rows.count() <= earlier {
            let more = if earlier == 0 { "a" } else { "another" };
            return Err(format!(
                "{} needs {more} dependency on {} with an obj_id",
                table.entity, needed.entity
            ));
        }
    }
    Ok(identified)
}

fn check_entity(table: &TableDef, fields: &IndexMap<Name, ConstValue>) -> Result<(), String> {
    let got = match fields.get("entity") {
        None | Some(ConstValue::Null) => return Ok(()),
        Some(ConstValue::String(entity)) if *entity == table.entity => return Ok(()),
        Some(ConstValue::String(entity)) => repeated(entity),
        Some(_) => "no name".to_owned(),
    };
    Err(format!(
        "Invalid entity type! Expected: {}, got {got}",
        table.entity
    ))
}

/// A client's name as an error repeats it: cut to [`limits::REPEATED_CHARS`].
fn repeated(name: &str) -> String {
    match name.char_indices().nth(limits::REPEATED_CHARS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name.to_owned(),
    }
}

/// The dependencies of an identifier, as they nest.
fn read_nested(
    manager: &TableManager,
    fields: &IndexMap<Name, ConstValue>,
) -> Result<Vec<Identified>, String> {
    let mut nested = Vec::new();
    for fields in dependency_fields(fields)? {
        let table = named_table(manager, fields)?;
        nested.push(Identified {
            table: table.id,
            key: read_optional_key(table, fields)?,
            dependencies: read_nested(manager, fields)?,
        });
    }
    Ok(nested)
}

/// The objects in an identifier's `dependencies`, without nulls.
fn dependency_fields(
    fields: &IndexMap<Name, ConstValue>,
) -> Result<Vec<&IndexMap<Name, ConstValue>>, String> {
    let values = match fields.get("dependencies") {
        None => &[],
        Some(ConstValue::List(values)) => values.as_slice(),
        Some(ConstValue::Null) => return Err("The dependencies must be a list".to_owned()),
        Some(single) => std::slice::from_ref(single),
    };
    let objects = values.iter().filter(|value| **value != ConstValue::Null);
    objects
        .map(|value| match value {
            ConstValue::Object(fields) => Ok(fields),
            _ => Err("A dependency must be an object".to_owned()),
        })
        .collect()
}

fn named_table<'m>(
    manager: &'m TableManager,
    fields: &IndexMap<Name, ConstValue>,
) -> Result<&'m TableDef, String> {
    let Some(ConstValue::String(entity)) = fields.get("entity") else {
        return Err("A dependency must name its entity".to_owned());
    };
    let unknown = || format!("Unknown entity in dependencies: {}", repeated(entity));
    manager.named(entity).ok_or_else(unknown)
}

fn read_optional_key(
    table: &TableDef,
    fields: &IndexMap<Name, ConstValue>,
) -> Result<Option<Key>, String> {
    match fields.get("obj_id") {
        None | Some(ConstValue::Null) => Ok(None),
        Some(value) if table.is_virtual() => Ok(read_any_key(value)),
        Some(value) => read_key(table, value).map(Some),
    }
}

/// A key that belongs to no column; it is only told back.
fn read_any_key(value: &ConstValue) -> Option<Key> {
    match value {
        ConstValue::Number(number) => number.as_i64().map(Key::from),
        ConstValue::String(text) => Some(Key::from(text.as_str())),
        _ => None,
    }
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
pub(super) fn uuid(text: &str) -> Option<Atom> {
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
