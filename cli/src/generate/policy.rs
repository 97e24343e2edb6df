//! `blazelink generate policy`: who may read and write a table, in a file of its own that
//! `src/policy.rs` calls. Pure.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::generated;
use heck::ToUpperCamelCase;
use serde_json::{Value, json};

use super::Generated;
use super::changes::Changes;
use super::field::Kind;
use super::layout;
use super::live_test::{self, LiveTest};
use super::rust;
use super::sample::{self, Rows};
use super::schema::{self, Entity};
use super::words;

const FILE: &str = "src/policy.rs";

/// The entity whose rows are those who sign in.
const VIEWERS: &str = "user";

/// Plans it.
pub(super) fn plan(changes: &mut Changes<'_>, typed: &str) -> Result<Generated> {
    let entities = schema::entities(changes.sources);
    let entity = schema::find(&entities, typed)?;
    let module = format!("{}_rules", entity.table);
    let path = format!("src/policy/{module}.rs");
    check_unsaid(changes, entity)?;
    let owner = owner(entity, &entities);
    let plural = words::words(&words::plural(&entity.table));
    let text = generated::render(
        "rules.rs.j2",
        json!({
            "plural": plural,
            "public": entity.is_public,
            "owner": owner,
            "module": entity.module,
        }),
    )?;
    changes.create(path.clone(), text);
    changes.inject(FILE, &format!("`mod {module};`"), |text| {
        rust::add_module(text, "", &module)
    })?;
    changes.inject(FILE, &format!("`{module}::rules`"), |text| {
        rust::add_statement(text, "rules", "Builder", |blaze| {
            format!("let {blaze} = {module}::rules({blaze});")
        })
    })?;
    let mut generated = Generated::new([path, FILE.to_owned(), live_test::FILE.to_owned()]);
    let whose = if owner.is_null() {
        "every row"
    } else {
        "rows of their own"
    };
    let reads = match entity.is_public {
        true => format!("everybody reads it still; who is signed in writes {whose}"),
        false => format!("who is signed in reads and writes {whose}, others nothing"),
    };
    generated.notes.push(("policy", reads));
    generated.notes.push((
        "sign in",
        "is the app's: .context(..) on the builder says who asks".to_owned(),
    ));
    let key = entity.key();
    let literal = key.and_then(sample::key_value);
    let made = Rows::of(entity, &entities);
    let (rows, key, literal) = match (made, key, literal) {
        (Ok(rows), Some(key), Some(literal)) => (rows, key, literal),
        (made, _, _) => {
            let why = made
                .err()
                .unwrap_or_else(|| "its key is of no known type".to_owned());
            let why = format!("no row can be made up: {why}");
            generated.notes.push(("no test", why));
            return Ok(generated);
        }
    };
    let pascal = entity.name.pascal();
    let delete =
        format!("mutation {{ delete{pascal}(identifier: {{obj_id: {literal}}}) {{ obj_id }} }}");
    let test = LiveTest {
        name: format!("strangers_have_no_hand_in_{}", words::plural(&entity.table)),
        kind: "policy",
        values: json!({
            "root": entity.page_root,
            "public": entity.is_public,
            "module": entity.module,
            "key": key.name,
            "delete": layout::text("delete", &delete),
        }),
        rows,
        imports: &["sea_orm::EntityTrait", "sea_orm::PaginatorTrait"],
    };
    test.add(changes)?;
    Ok(generated)
}

/// That the app says nothing of the table yet: saying it twice keeps it from starting.
fn check_unsaid(changes: &Changes<'_>, entity: &Entity) -> Result<()> {
    let module = &entity.module;
    let ours = format!("src/policy/{}_rules.rs", entity.table);
    let mut files: Vec<(String, &str)> = Vec::new();
    for folder in ["src/", "src/policy/", "src/tables/"] {
        let within = changes.sources.within(folder);
        files.extend(within.map(|(name, text)| (format!("{folder}{name}"), text)));
    }
    for (path, text) in files.iter().filter(|(path, _)| *path != ours) {
        for (at, line) in text.lines().enumerate() {
            let said = ["visible", "writes", "public"].into_iter().any(|method| {
                let call = format!(".{method}::<");
                line.split(&call).skip(1).any(|call| {
                    let of = call.split('>').next().unwrap_or_default();
                    let of = of.trim_end_matches("::Entity");
                    of.rsplit("::").next() == Some(module.as_str())
                })
            });
            if said && !line.trim_start().starts_with("//") {
                let line = at + 1;
                let sentence = format!("Who may do what with `{}` is said already", entity.table);
                return Err(Error::new(ErrorKind::Setup, Code::NameRefused, sentence)
                    .with_source(format!("{path}:{line}"))
                    .with_hint(format!("edit {path}")));
            }
        }
    }
    Ok(())
}

/// The column that says whose a row is: the only reference to those who sign in. Null without one.
fn owner(entity: &Entity, entities: &[Entity]) -> Value {
    let viewers = entities.iter().find(|other| other.table == VIEWERS);
    let Some(viewers) = viewers.filter(|viewers| viewers.module != entity.module) else {
        return Value::Null;
    };
    let mut references = entity
        .relations
        .iter()
        .filter(|it| it.to == viewers.module && it.from.is_some());
    let (Some(reference), None) = (references.next(), references.next()) else {
        return Value::Null;
    };
    let column = reference.from.as_deref().unwrap_or_default();
    let kind = viewers.key().and_then(schema::kind_of);
    let (Some(kind), true) = (kind, entity.columns.iter().any(|it| it.name == column)) else {
        return Value::Null;
    };
    let value = match kind {
        Kind::String | Kind::Text | Kind::Json | Kind::Bytes => "user.clone()",
        _ => "*user",
    };
    json!({
        "rust": rust_path(kind),
        "column": column.to_upper_camel_case(),
        "value": value,
    })
}

/// The type of a kind, from anywhere.
fn rust_path(kind: Kind) -> String {
    match kind.rust() {
        rust if rust.starts_with(|first: char| first.is_lowercase()) => rust.to_owned(),
        rust @ ("String" | "Vec<u8>") => rust.to_owned(),
        rust => format!("sea_orm::prelude::{rust}"),
    }
}
