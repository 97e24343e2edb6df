//! How rows and reads are called by whoever looks: `game_event:17`, `user`. Pure, both ways.

use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::{Atom, Key, ObjectId, Scope};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// A row.
    Row(ObjectId),
    /// A table as a whole.
    Table(ObjectId),
    /// Something of this name, which is not exposed.
    Unknown(String),
}

/// The name of an object.
pub(crate) fn name_of(exposure: &Exposure, object: &ObjectId) -> String {
    let table = &exposure.table(object.table).table;
    match &object.scope {
        Scope::Table => table.clone(),
        Scope::Row(key) => format!("{table}:{}", key_of(key)),
    }
}

/// A key as it stands in a name.
pub(crate) fn key_of(key: &Key) -> String {
    let atoms: Vec<String> = key.atoms().iter().map(ToString::to_string).collect();
    atoms.join(",")
}

/// The object with this name: a table as Postgres or as GraphQL calls it, and behind a colon the key,
/// whose parts are divided by commas.
///
/// # Errors
///
/// What is wrong with the key, as a sentence.
pub(crate) fn named(exposure: &Exposure, name: &str) -> Result<Named, String> {
    let (table, key) = match name.split_once(':') {
        Some((table, key)) => (table, Some(key)),
        None => (name, None),
    };
    let Some(exposed) = find(exposure, table) else {
        return Ok(Named::Unknown(table.to_owned()));
    };
    let Some(key) = key else {
        return Ok(Named::Table(ObjectId::table(exposed.id)));
    };
    let parts: Vec<&str> = match *exposed.key {
        [_] => vec![key],
        _ => key.split(',').collect(),
    };
    if parts.len() != exposed.key.len() {
        let (has, of) = (parts.len(), exposed.key.len());
        return Err(format!(
            "The key of `{table}` has {of} parts, and `{key}` has {has}"
        ));
    }
    let atoms = parts.iter().zip(&exposed.key).map(|(part, &column)| {
        let kind = &exposed.columns[column].kind;
        match kind.atom(part) {
            Atom::Text(text) if kind.is_integer() => Err(format!(
                "The key of `{table}` is a number, and `{text}` is none"
            )),
            atom => Ok(atom),
        }
    });
    let atoms: Vec<Atom> = atoms.collect::<Result<_, _>>()?;
    match Key::from_atoms(atoms) {
        Some(key) => Ok(Named::Row(ObjectId::row(exposed.id, key))),
        None => Ok(Named::Table(ObjectId::table(exposed.id))),
    }
}

fn find<'a>(exposure: &'a Exposure, name: &str) -> Option<&'a ExposedTable> {
    let by_table = || {
        let (schema, table) = name
            .split_once('.')
            .map_or((None, name), |(schema, table)| (Some(schema), table));
        exposure.tables().iter().find(|exposed| {
            exposed.table == table && schema.is_none_or(|schema| exposed.schema == schema)
        })
    };
    by_table().or_else(|| exposure.by_entity(name))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::subscription::testing::{USER, manager};

    #[test]
    fn what_is_named_is_found_by_either_name() {
        let manager = manager();
        let exposure = manager.exposure();
        let row = ObjectId::row(USER, Key::from(17));
        for name in ["user:17", "User:17", "public.user:17"] {
            assert_eq!(named(exposure, name), Ok(Named::Row(row.clone())), "{name}");
        }
        assert_eq!(name_of(exposure, &row), "user:17");
        let table = ObjectId::table(USER);
        assert_eq!(named(exposure, "user"), Ok(Named::Table(table)));
        let unknown = Named::Unknown("audit_log".to_owned());
        assert_eq!(named(exposure, "audit_log:3"), Ok(unknown));
        assert!(
            named(exposure, "user:x")
                .unwrap_err()
                .contains("is a number")
        );
    }
}
