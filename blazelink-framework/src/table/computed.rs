//! The registry's part for computed fields: gives extensions to their tables, checks names, and
//! finds the structs and pages that the fields need as types.

use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};

use blazelink_codes::Code;

use super::argument::{InputStruct, InputType};
use super::definition::TableDef;
use super::extension::Extension;
use super::field::Field;
use super::field_type::{StructType, ValueType};
use super::identified::Identified;
use super::naming;
use super::setup_error::setup;
use crate::capture::{self, Declared};
use crate::error::{Error, Result};

/// The types that computed fields need beside those of the tables, by name.
#[derive(Debug, Default)]
pub(crate) struct ValueTypes {
    pub(crate) structs: BTreeMap<&'static str, StructType>,
    pub(crate) inputs: BTreeMap<&'static str, InputStruct>,
    /// Pages of anything but rows with their items' type.
    pub(crate) pages: BTreeMap<String, ValueType>,
}

/// What fields may refer to.
#[derive(Clone, Copy)]
pub(super) struct Exposed<'a> {
    pub(super) tables: &'a [TableDef],
    pub(super) virtual_tables: &'a [TableDef],
}

fn has(tables: &[TableDef], rust_type: TypeId) -> bool {
    tables.iter().any(|table| table.rust_type == rust_type)
}

/// The extensions, each with a name once.
pub(super) fn distinct(extensions: Vec<Extension>) -> Vec<Extension> {
    let mut known = BTreeSet::new();
    let mut distinct = extensions;
    distinct.retain(|extension| {
        let key = extension.name.map(|name| ((extension.rust_name)(), name));
        key.is_none_or(|key| known.insert(key))
    });
    distinct
}

/// Hides and renames what extensions say, before columns and relations are counted.
pub(super) fn shape(tables: &mut [TableDef], extensions: &[Extension]) -> Result<()> {
    for extension in extensions {
        let target = (extension.entity)();
        let Some(table) = tables.iter_mut().find(|table| table.rust_type == target) else {
            continue;
        };
        let unknown = |what: &str, field: &str, entity: &str| {
            setup(
                Code::SchemaDefinition,
                format!("Fields of `{entity}` {what} `{field}`, which the entity does not have"),
                "Name a field of the entity's Model in #[blazelink::fields(..)]",
            )
        };
        for field in extension.hidden {
            let column = (extension.column)(field).and_then(|column| table.column(&column));
            let mut relations = table.declared.iter_mut();
            if let Some(at) = column {
                table.columns[at].hidden = true;
            } else if let Some(relation) = relations.find(|relation| relation.name == *field) {
                relation.hidden = true;
            } else {
                return Err(unknown("hide", field, &table.entity));
            }
        }
        for (field, name) in extension.renamed {
            let column = (extension.column)(field).and_then(|column| table.column(&column));
            let at = column.ok_or_else(|| unknown("rename", field, &table.entity))?;
            table.columns[at].renamed = Some(name);
        }
    }
    Ok(())
}

/// Gives each extension's fields and dependencies to its table, and sorts all fields by name.
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
        table.on_subscribe.extend(extension.on_subscribe);
        let (at, entity) = (table.id, table.entity.clone());
        for carried in (extension.carried)() {
            let mut all = tables.iter();
            let target = all.find(|table| table.rust_type == carried.entity);
            let target =
                target.ok_or_else(|| not_exposed(carried.rust_name, &format!("`{entity}`")))?;
            let named = Identified::whole(target.id);
            tables[at.0 as usize].carried.push(named);
        }
    }
    for table in tables {
        table.computed.sort_by_key(|field| field.name);
    }
    Ok(())
}

/// Binds what the fields say they depend on, and has the columns read that this needs.
pub(super) fn bind_declared(
    tables: &mut [TableDef],
    virtual_tables: &mut [TableDef],
) -> Result<()> {
    let bind = |table: &TableDef, tables: &[TableDef]| -> Result<Vec<Vec<Declared>>> {
        let fields = table.computed.iter();
        let bound = fields.map(|field| {
            let Some(text) = field.declared else {
                return Ok(Vec::new());
            };
            let arguments: Vec<_> = field
                .arguments
                .iter()
                .map(|argument| argument.name)
                .collect();
            capture::bind_declared(text, table, &arguments, tables).map_err(|wrong| {
                let (entity, name) = (&table.entity, field.name);
                setup(
                    Code::SchemaDefinition,
                    format!("What `{entity}.{name}` says it depends on {wrong}"),
                    "Write it like: game_event(player_id = id, kind = 'kill'), team",
                )
            })
        });
        bound.collect()
    };
    let all = [&*tables, &*virtual_tables].concat();
    let bound = all.iter().map(|table| bind(table, tables));
    let bound = bound.collect::<Result<Vec<_>>>()?;
    let each = tables.iter_mut().chain(virtual_tables);
    for (table, bound) in each.zip(bound) {
        let columns = &table.columns;
        for (field, declared) in table.computed.iter_mut().zip(bound) {
            let needed = declared.iter().flat_map(Declared::columns);
            field
                .reads
                .extend(needed.map(|at| columns[at].name.clone()));
            field.depends_on = declared;
        }
    }
    Ok(())
}

/// Checks the computed fields of one table, and what they take and give.
pub(super) fn check(table: &TableDef, exposed: Exposed<'_>) -> Result<()> {
    let entity = &table.entity;
    for (at, field) in table.computed.iter().enumerate() {
        let name = field.name;
        let taken = table.exposed().any(|(_, column)| column.field() == name)
            || table.relations.iter().any(|relation| relation.name == name)
            || table.computed[..at].iter().any(|other| other.name == name);
        if taken {
            return Err(setup(
                Code::SchemaCollision,
                format!("Type `{entity}` has two fields called `{name}`"),
                "Rename the method, or give the field another name with #[computed(name = \"..\")]",
            ));
        }
        check_name(name, &format!("Computed field `{name}` of `{entity}`"))?;
        check_arguments(field, entity, exposed)?;
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
        check_type(item, entity, name, exposed, &mut BTreeSet::new())?;
    }
    let mut parameters = table.parameters.iter();
    let missing = parameters.find(|needed| !has(exposed.tables, needed.entity));
    match missing {
        Some(parameter) => Err(not_exposed(parameter.rust_name, &format!("`{entity}`"))),
        None => Ok(()),
    }
}

fn check_arguments(field: &Field, entity: &str, exposed: Exposed<'_>) -> Result<()> {
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
        check_input(&argument.ty, &what, exposed, &mut BTreeSet::new())?;
    }
    Ok(())
}

fn check_input(
    ty: &InputType,
    what: &str,
    exposed: Exposed<'_>,
    seen: &mut BTreeSet<&'static str>,
) -> Result<()> {
    match ty {
        InputType::Scalar(_) => Ok(()),
        InputType::Row(of) if has(exposed.tables, of.entity) => Ok(()),
        InputType::Row(of) => Err(not_exposed(of.rust_name, what)),
        InputType::List(item) => check_input(item, what, exposed, seen),
        InputType::Struct(of) => {
            if !seen.insert(of.name) {
                return Ok(());
            }
            check_name(of.name, &format!("Struct `{}`", of.name))?;
            for member in (of.members)() {
                check_name(
                    member.name,
                    &format!("Member `{}` of `{}`", member.name, of.name),
                )?;
                check_input(&member.ty, what, exposed, seen)?;
            }
            Ok(())
        }
    }
}

fn check_type(
    ty: &ValueType,
    entity: &str,
    field: &str,
    exposed: Exposed<'_>,
    seen: &mut BTreeSet<&'static str>,
) -> Result<()> {
    match ty {
        ValueType::Scalar(_) => Ok(()),
        ValueType::List(item) => check_type(item, entity, field, exposed, seen),
        ValueType::Page(_) => Err(misplaced(entity, field)),
        ValueType::Row(of) if has(exposed.tables, of.entity) => Ok(()),
        ValueType::Row(of) => Err(not_exposed(of.rust_name, &format!("`{entity}.{field}`"))),
        ValueType::Virtual(of) if has(exposed.virtual_tables, of.rust_type) => Ok(()),
        ValueType::Virtual(of) => Err(setup(
            Code::SchemaDefinition,
            format!(
                "`{entity}.{field}` refers to `{}`, which is not exposed",
                of.name
            ),
            "Expose it with .virtual_table::<..>()",
        )),
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
                check_type(&member.ty, entity, field, exposed, seen)?;
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
        format!("{whose} needs rows of `{what}`, which is not exposed"),
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
        for argument in &field.arguments {
            types.add_input(&argument.ty)?;
        }
    }
    Ok(types)
}

impl ValueTypes {
    fn add_input(&mut self, ty: &InputType) -> Result<()> {
        match ty {
            InputType::Scalar(_) | InputType::Row(_) => Ok(()),
            InputType::List(item) => self.add_input(item),
            InputType::Struct(of) => {
                if let Some(known) = self.inputs.insert(of.name, *of) {
                    let (known, other) = ((known.rust_name)(), (of.rust_name)());
                    return match known == other {
                        true => Ok(()),
                        false => Err(two_structs(known, other, of.name)),
                    };
                }
                let members = (of.members)();
                members.iter().try_for_each(|it| self.add_input(&it.ty))
            }
        }
    }

    fn add(&mut self, ty: &ValueType) -> Result<()> {
        match ty {
            ValueType::Scalar(_) | ValueType::Row(_) | ValueType::Virtual(_) => Ok(()),
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
                    return Err(two_structs(known.rust_name, of.rust_name, of.name));
                }
                (of.members)()
                    .iter()
                    .try_for_each(|member| self.add(&member.ty))
            }
        }
    }
}

fn two_structs(one: &str, other: &str, name: &str) -> Error {
    setup(
        Code::SchemaCollision,
        format!("`{one}` and `{other}` both have the type `{name}`"),
        "Give one of them another name with #[blazelink(name = \"..\")]",
    )
}

/// Name of the type of pages of such items; nothing for rows, whose tables have the name.
pub(crate) fn value_page_type(item: &ValueType) -> Option<String> {
    let item = match item {
        ValueType::Scalar(scalar) => scalar.page_name(),
        ValueType::Struct(of) => of.name,
        ValueType::Virtual(of) => of.name,
        _ => return None,
    };
    Some(format!("GenericHelper__Page__{item}"))
}
