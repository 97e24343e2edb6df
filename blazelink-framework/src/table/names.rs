//! The names that types and roots have, over all tables: each once, and none of the framework's own.
//! The registry asks at its end; names within one table are its own to check.

use std::collections::{BTreeMap, BTreeSet};

use blazelink_codes::Code;

use super::check::RENAME;
use super::computed::ValueTypes;
use super::definition::TableDef;
use super::naming;
use super::setup_error::setup;
use crate::error::{Error, Result};

const RENAME_ROOT: &str = "Name one of the roots with #[blazelink(root = \"..\")] or \
     #[blazelink(page_root = \"..\")] on the entity's Model, or both and the type with \
     #[blazelink(name = \"..\")]";

/// Types and roots share one name space each, over all tables.
pub(super) fn check_names(
    tables: &[TableDef],
    virtual_tables: &[TableDef],
    value_types: &ValueTypes,
) -> Result<()> {
    let mut types: BTreeMap<String, &TableDef> = BTreeMap::new();
    let mut roots: BTreeMap<String, &TableDef> = BTreeMap::new();
    for table in tables {
        let mut names = vec![
            table.entity.clone(),
            table.ref_type(),
            table.page_type(),
            table.where_type(),
            table.order_type(),
        ];
        names.extend(table.write_types());
        for name in names {
            if name == table.entity && naming::is_reserved_type(&name) {
                return Err(setup(
                    Code::SchemaName,
                    format!(
                        "Table `{}` has the type `{name}`, which is reserved",
                        table.table
                    ),
                    RENAME,
                ));
            }
            if let Some(other) = types.insert(name.clone(), table) {
                return Err(collision("type", &name, other, table, RENAME));
            }
        }
        for name in [&table.row_root, &table.page_root] {
            if !naming::is_graphql_name(name) {
                return Err(setup(
                    Code::SchemaName,
                    format!(
                        "Table `{}` has the root `{name}`, which is no GraphQL name",
                        table.table
                    ),
                    RENAME_ROOT,
                ));
            }
            if let Some(other) = roots.insert(name.clone(), table) {
                return Err(collision("root", name, other, table, RENAME_ROOT));
            }
        }
    }
    check_own_names(virtual_tables, value_types, &types, &roots)
}

/// The names that authors give to virtual tables and structs.
fn check_own_names(
    virtual_tables: &[TableDef],
    value_types: &ValueTypes,
    types: &BTreeMap<String, &TableDef>,
    roots: &BTreeMap<String, &TableDef>,
) -> Result<()> {
    let taken = |name: &str| {
        Err(setup(
            Code::SchemaCollision,
            format!("The name `{name}` is taken by another type or root"),
            "Give the virtual table or struct another NAME",
        ))
    };
    for (at, table) in virtual_tables.iter().enumerate() {
        let name = table.entity.as_str();
        if !naming::is_graphql_name(name) || table.computed.is_empty() {
            return Err(setup(
                Code::SchemaDefinition,
                format!("Virtual table `{name}` has no GraphQL name, or no fields"),
                "Name it with letters and digits, and give it a field",
            ));
        }
        let mut earlier = virtual_tables[..at].iter();
        if roots.contains_key(&table.row_root)
            || earlier.any(|other| other.row_root == table.row_root)
        {
            return taken(name);
        }
    }
    let virtual_names = virtual_tables.iter().map(|table| table.entity.as_str());
    let structs = value_types.structs.keys().copied();
    // A struct that is an argument has a second type.
    let names = virtual_names
        .chain(structs)
        .chain(value_types.inputs.keys().copied());
    let mut seen = BTreeSet::new();
    for name in names {
        if naming::is_reserved_type(name) || types.contains_key(name) || !seen.insert(name) {
            return taken(name);
        }
    }
    let mut pages = value_types.pages.keys();
    match pages.find(|page| types.contains_key(*page)) {
        Some(page) => taken(page),
        None => Ok(()),
    }
}

fn collision(
    what: &str,
    name: &str,
    one: &TableDef,
    other: &TableDef,
    hint: &'static str,
) -> Error {
    setup(
        Code::SchemaCollision,
        format!(
            "Tables `{}.{}` and `{}.{}` both have the {what} `{name}`",
            one.schema, one.table, other.schema, other.table
        ),
        hint,
    )
}
