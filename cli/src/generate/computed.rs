//! `blazelink generate computed`: a method that is a field, and its test. Pure.

use blazelink_codes::Result;
use blazelink_templates::generated;
use heck::ToUpperCamelCase;
use serde_json::json;
use syn::{Item, ItemImpl, Type};

use super::Generated;
use super::changes::Changes;
use super::field::{Kind, refused, usage};
use super::live_test::{self, LiveTest};
use super::rust;
use super::sample::Rows;
use super::schema::{self, Entity};
use super::words::{self, Name};

/// Where fields that tables do not have by themselves are written.
pub(super) const FOLDER: &str = "src/tables/";

pub(super) const MODULES: &str = "src/tables/mod.rs";

/// Plans it.
pub(super) fn plan(
    changes: &mut Changes<'_>,
    table: &str,
    field: &str,
    kind: &str,
) -> Result<Generated> {
    if kind == "-" {
        let hint = format!("blazelink generate computed {table} {field} bigint");
        return Err(usage(format!("The field `{field}` has no type"))
            // Of `-> TYPE`, this is what the shell leaves.
            .with_source("a shell writes into a file what stands behind `>`")
            .with_hint(hint));
    }
    let entities = schema::entities(changes.sources);
    let entity = schema::find(&entities, table)?;
    let name = Name::of_field(field).map_err(|why| refused(field, "a field", &why))?;
    if entity.has_member(&name.snake) {
        let why = format!("{} has a member of that name", entity.path());
        return Err(refused(&name.snake, "a field", &why));
    }
    let method = method(&name.snake, kind)?;
    let path = add(changes, entity, &name.snake, &method)?;
    let mut generated = Generated::new([path, entity.path(), live_test::FILE.to_owned()]);
    let rows = match Rows::of(entity, &entities) {
        Ok(rows) => rows,
        Err(why) => {
            let why = format!("no row can be made up: {why}");
            generated.notes.push(("no test", why));
            return Ok(generated);
        }
    };
    let test = LiveTest {
        name: format!("{}_has_{}", entity.table, name.snake),
        kind: "computed",
        values: json!({
            "root": entity.page_root,
            "public": entity.is_public,
            "field": name.snake,
        }),
        rows,
        imports: &[],
    };
    test.add(changes)?;
    Ok(generated)
}

/// Adds the method to the block of the table, and makes the block where there is none. Gives its
/// file.
fn add(changes: &mut Changes<'_>, entity: &Entity, name: &str, method: &str) -> Result<String> {
    let module = entity.module.clone();
    let is_its = |block: &ItemImpl| is_block_of(block, &module);
    // It may stand in any file.
    for (file, text) in changes.sources.within(FOLDER) {
        let blocks = rust::parse(text).map(|file| file.items).unwrap_or_default();
        let found = |item: &Item| matches!(item, Item::Impl(item) if is_its(item));
        if blocks.iter().any(found) {
            let path = format!("{FOLDER}{file}");
            changes.inject(&path, &format!("field `{name}`"), |text| {
                rust::add_method(text, is_its, name, method)
            })?;
            return Ok(path);
        }
    }
    // A file of that name may hold something else.
    let taken = changes.sources.text(&format!("{FOLDER}{module}.rs"));
    let file = match taken {
        None => module.clone(),
        Some(_) => format!("{}_fields", entity.table),
    };
    let path = format!("{FOLDER}{file}.rs");
    let words = words::words(&words::plural(&entity.table));
    let text = generated::render(
        "fields.rs.j2",
        json!({
            "plural": words,
            "module": module,
            "block": format!("{}Fields", entity.table.to_upper_camel_case()),
            "method": method,
        }),
    )?;
    changes.create(path.clone(), text);
    changes.inject(MODULES, &format!("`pub mod {file};`"), |text| {
        rust::add_module(text, "pub ", &file)
    })?;
    Ok(path)
}

/// Whether it is a `#[fields]` block for the `Model` of this module.
fn is_block_of(block: &ItemImpl, module: &str) -> bool {
    let is_fields = block.attrs.iter().any(|attribute| {
        let last = attribute.path().segments.last();
        last.is_some_and(|last| last.ident == "fields")
    });
    let Type::Path(of) = &*block.self_ty else {
        return false;
    };
    let mut segments = of.path.segments.iter().rev();
    is_fields
        && segments.next().is_some_and(|last| last.ident == "Model")
        && segments.next().is_some_and(|before| before.ident == module)
}

/// A method that gives a value of the type, until somebody writes a better one.
pub(super) fn method(name: &str, typed: &str) -> Result<String> {
    let plain = typed.trim_end_matches(['!', '?']);
    let kind = Kind::parse(plain)?;
    if kind == Kind::Bytes {
        let sentence = format!("The field `{name}` cannot give bytes: GraphQL has no such type");
        return Err(usage(sentence).with_hint("write `string`, and encode them"));
    }
    let of_sea_orm = |name: &str| format!("sea_orm::prelude::{name}");
    let (rust, value) = match kind {
        Kind::String | Kind::Text => ("String".to_owned(), "String::new()".to_owned()),
        Kind::SmallInt | Kind::Int | Kind::BigInt => (kind.rust().to_owned(), "0".to_owned()),
        Kind::Float | Kind::Double => (kind.rust().to_owned(), "0.0".to_owned()),
        Kind::Bool => ("bool".to_owned(), "false".to_owned()),
        Kind::Decimal
        | Kind::DateTime
        | Kind::Date
        | Kind::Time
        | Kind::Uuid
        | Kind::Json
        | Kind::Bytes => {
            let rust = of_sea_orm(kind.rust());
            let value = format!("{rust}::default()");
            (rust, value)
        }
    };
    let (rust, value) = match typed.ends_with('?') {
        true => (format!("Option<{rust}>"), "None".to_owned()),
        false => (rust, value),
    };
    generated::render(
        "method.rs.j2",
        json!({"name": name, "rust": rust, "value": value}),
    )
}
