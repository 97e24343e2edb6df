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

const RENAME_OWN: &str =
    "Give the virtual table or struct another name with #[blazelink(name = \"..\")]";

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
    for (at, table) in virtual_tables.iter().enumerate() {
        let name = table.entity.as_str();
        if !naming::is_graphql_name(name) || table.computed.is_empty() {
            return Err(setup(
                Code::SchemaDefinition,
                format!("Virtual table `{name}` has no GraphQL name, or no fields"),
                "Name it with letters and digits, and give it a field",
            ));
        }
        let root = &table.row_root;
        let mut earlier = virtual_tables[..at].iter();
        let other = match roots.get(root) {
            Some(other) => Some(whole_name(other)),
            None => earlier
                .find(|other| other.row_root == *root)
                .map(|other| format!("virtual table `{}`", other.entity)),
        };
        if let Some(other) = other {
            let sentence = format!("Virtual table `{name}` has the root `{root}`, as has {other}");
            return Err(setup(Code::SchemaCollision, sentence, RENAME_OWN));
        }
    }
    let virtual_names = virtual_tables.iter().map(|table| table.entity.as_str());
    let structs = value_types.structs.keys().copied();
    // A struct that is an argument has a second type.
    let inputs = value_types.inputs.keys().copied();
    let names = virtual_names
        .map(|name| ("A virtual table", name))
        .chain(structs.map(|name| ("A struct", name)))
        .chain(inputs.map(|name| ("An argument's struct", name)));
    let mut seen = BTreeSet::new();
    for (what, name) in names {
        let other = match types.get(name) {
            _ if naming::is_reserved_type(name) => Some("the framework".to_owned()),
            Some(table) => Some(whole_name(table)),
            None if !seen.insert(name) => Some("another virtual table or struct".to_owned()),
            None => None,
        };
        if let Some(other) = other {
            let sentence = format!("{what} has the type `{name}`, as has {other}");
            return Err(setup(Code::SchemaCollision, sentence, RENAME_OWN));
        }
    }
    let mut pages = value_types.pages.keys();
    let page = pages.find_map(|page| Some((page, types.get(page)?)));
    let Some((page, table)) = page else {
        return Ok(());
    };
    let sentence = format!(
        "Pages of a virtual table or struct have the type `{page}`, as has {}",
        whole_name(table)
    );
    Err(setup(Code::SchemaCollision, sentence, RENAME_OWN))
}

fn whole_name(table: &TableDef) -> String {
    format!("table `{}.{}`", table.schema, table.table)
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
