//! The registry's part for computed fields: gives extensions to their tables, checks names, and
//! finds the structs and pages that the fields need as types.

use std::collections::{BTreeMap, BTreeSet};

use blazelink_codes::Code;

use super::definition::TableDef;
use super::field::{Extension, Field};
use super::field_type::{StructType, ValueType};
use super::naming;
use crate::error::{Error, ErrorKind, Result};

/// The types that computed fields need beside those of the tables, by name.
#[derive(Debug, Default)]
pub(crate) struct ValueTypes {
    pub(crate) structs: BTreeMap<&'static str, StructType>,
    /// Pages of scalars and structs with their items' type.
    pub(crate) pages: BTreeMap<String, ValueType>,
}

/// Gives each extension's fields to its table, and sorts all fields by name.
pub(super) fn extend(tables: &mut [TableDef], extensions: &[Extension]) -> Result<()> {
    for extension in extensions {
        let target = (extension.entity)();
        let table = tables.iter_mut().find(|table| table.rust_type == target);
        let table = table.ok_or_else(|| {
            let name = (extension.rust_name)();
            let sentence = format!("Fields are registered for `{name}`, which is not exposed");
            setup(
                Code::SchemaDefinition,
                sentence,
                "Expose the entity, or remove .extend(..)",
            )
        })?;
        table.computed.extend((extension.fields)());
    }
    for table in tables {
        table.computed.sort_by_key(|field| field.name);
    }
    Ok(())
}

/// Checks the computed fields of one table, and what they take and give.
pub(super) fn check(table: &TableDef, tables: &[TableDef]) -> Result<()> {
    let entity = &table.entity;
    for (at, field) in table.computed.iter().enumerate() {
        let name = field.name;
        let taken = table.exposed().any(|(_, column)| column.name == name)
            || table.relations.iter().any(|relation| relation.name == name)
            || table.computed[..at].iter().any(|other| other.name == name);
        if taken {
            return Err(setup(
                Code::SchemaCollision,
                format!("Type `{entity}` has two fields called `{name}`"),
                "Rename the computed field",
            ));
        }
        check_name(name, &format!("Computed field `{name}` of `{entity}`"))?;
        check_arguments(field, entity)?;
        if let Some(column) = field.reads.iter().find(|c| table.column(c).is_none()) {
            return Err(setup(
                Code::SchemaDefinition,
                format!("Computed field `{entity}.{name}` reads `{column}`, which is no column"),
                "Name a column of the entity in .reads(..)",
            ));
        }
        let item = match &field.ty {
            ValueType::Page(item) => match &**item {
                ValueType::List(_) => return Err(misplaced(entity, name)),
                item => item,
            },
            ty => ty,
        };
        check_type(item, entity, name, tables, &mut BTreeSet::new())?;
    }
    let missing = table.parameters.iter().find(|parameter| {
        let mut tables = tables.iter();
        !tables.any(|table| table.rust_type == parameter.entity)
    });
    match missing {
        Some(parameter) => Err(not_exposed(parameter.rust_name, entity)),
        None => Ok(()),
    }
}

fn check_arguments(field: &Field, entity: &str) -> Result<()> {
    for (at, argument) in field.arguments.iter().enumerate() {
        let name = argument.name;
        let what = format!("Argument `{name}` of `{entity}.{}`", field.name);
        check_name(name, &what)?;
        let earlier = &field.arguments[..at];
        let reserved = ["page", "size", "identifier"].contains(&name);
        if reserved || earlier.iter().any(|other| other.name == name) {
            return Err(setup(
                Code::SchemaCollision,
                format!("{what} has a name that is taken"),
                "Rename the argument; `page`, `size` and `identifier` are the framework's",
            ));
        }
    }
    Ok(())
}

fn check_type(
    ty: &ValueType,
    entity: &str,
    field: &str,
    tables: &[TableDef],
    seen: &mut BTreeSet<&'static str>,
) -> Result<()> {
    match ty {
        ValueType::Scalar(_) => Ok(()),
        ValueType::List(item) => check_type(item, entity, field, tables, seen),
        ValueType::Page(_) => Err(misplaced(entity, field)),
        ValueType::Row(target) => {
            let mut tables = tables.iter();
            if tables.any(|table| table.rust_type == *target) {
                return Ok(());
            }
            Err(not_exposed("an entity", &format!("{entity}.{field}")))
        }
        ValueType::Struct(of) => {
            if !seen.insert(of.rust_name) {
                return Ok(());
            }
            let members = (of.members)();
            check_name(of.name, &format!("Struct `{}`", of.name))?;
            if members.is_empty() {
                return Err(setup(
                    Code::SchemaDefinition,
                    format!("Struct `{}` has no members", of.name),
                    "Give it one: a GraphQL type needs a field",
                ));
            }
            for (at, member) in members.iter().enumerate() {
                let what = format!("Member `{}` of `{}`", member.name, of.name);
                check_name(member.name, &what)?;
                if members[..at].iter().any(|other| other.name == member.name) {
                    let sentence = format!("{what} is there twice");
                    return Err(setup(Code::SchemaCollision, sentence, "Rename one of them"));
                }
                check_type(&member.ty, entity, field, tables, seen)?;
            }
            Ok(())
        }
    }
}

fn check_name(name: &str, what: &str) -> Result<()> {
    if naming::is_graphql_name(name) {
        return Ok(());
    }
    let sentence = format!("{what} has no GraphQL name");
    Err(setup(
        Code::SchemaName,
        sentence,
        "Use letters, digits and `_`",
    ))
}

fn misplaced(entity: &str, field: &str) -> Error {
    setup(
        Code::SchemaDefinition,
        format!("`{entity}.{field}` holds a page of lists, or a page inside of something"),
        "Return Page<T> as the field's whole value, with T a scalar, a struct or a row",
    )
}

fn not_exposed(what: &str, whose: &str) -> Error {
    setup(
        Code::SchemaDefinition,
        format!("`{whose}` needs rows of `{what}` that is not exposed"),
        "Expose the entity with .table::<..>() or .discover(\"..\")",
    )
}

/// The types of all computed fields.
///
/// # Errors
///
/// If two structs have one name.
pub(super) fn types<'a>(tables: impl Iterator<Item = &'a TableDef>) -> Result<ValueTypes> {
    let mut types = ValueTypes::default();
    for field in tables.flat_map(|table| &table.computed) {
        types.add(&field.ty)?;
    }
    Ok(types)
}

impl ValueTypes {
    fn add(&mut self, ty: &ValueType) -> Result<()> {
        match ty {
            ValueType::Scalar(_) | ValueType::Row(_) => Ok(()),
            ValueType::List(item) => self.add(item),
            ValueType::Page(item) => {
                if let Some(name) = value_page_type(item) {
                    self.pages.insert(name, (**item).clone());
                }
                self.add(item)
            }
            ValueType::Struct(of) => {
                if let Some(known) = self.structs.insert(of.name, *of) {
                    if known.rust_name == of.rust_name {
                        return Ok(());
                    }
                    return Err(setup(
                        Code::SchemaCollision,
                        format!(
                            "`{}` and `{}` both have the type `{}`",
                            known.rust_name, of.rust_name, of.name
                        ),
                        "Give one of them another NAME",
                    ));
                }
                (of.members)()
                    .iter()
                    .try_for_each(|member| self.add(&member.ty))
            }
        }
    }
}

/// Name of the type of pages of scalars or structs; nothing for others.
pub(crate) fn value_page_type(item: &ValueType) -> Option<String> {
    let item = match item {
        ValueType::Scalar(scalar) => scalar.page_name(),
        ValueType::Struct(of) => of.name,
        _ => return None,
    };
    Some(format!("GenericHelper__Page__{item}"))
}

fn setup(code: Code, sentence: String, hint: &'static str) -> Error {
    Error::new(ErrorKind::Setup, code, sentence).with_hint(hint)
}
