//! `blazelink generate migration`, and the place of a migration among the others. Pure.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::generated;
use serde_json::json;

use super::changes::Changes;
use super::field::{self, Content, Field, Kind, usage};
use super::schema;
use super::sources::Sources;
use super::{Generated, entity, mark, rust, words};
use crate::migrate::inject;

const FOLDER: &str = "migration/src/";

/// The list of migrations.
const LIST: &str = "migration/src/lib.rs";

/// Characters of the longest name. With a time before it, it is a file's.
const LONGEST: usize = 60;

/// Plans it. With fields its name says of which table: `add_rank_to_user rank:int`.
pub(super) fn plan(
    changes: &mut Changes<'_>,
    typed: &str,
    fields: &[String],
    stamp: &str,
) -> Result<Generated> {
    let name = checked(typed)?;
    let fields = field::parse_all(fields)?;
    if let Some(there) = path_of(changes.sources, &name) {
        let sentence = format!("There is a migration `{name}` already: {there}");
        return Err(Error::new(ErrorKind::Setup, Code::NameRefused, sentence)
            .with_hint(format!("blazelink generate migration {name}_again")));
    }
    let module = format!("m{stamp}_{name}");
    let intro = format!("{}.", words::sentence(&words::words(&name)));
    let mut notes = Vec::new();
    let mut looked_at = schema::FOLDER.to_owned();
    let text = if fields.is_empty() {
        let what = "it has no SQL yet, and is refused until you write it".to_owned();
        notes.push(("migration", what));
        generated::render(
            "migration_sql.rs.j2",
            json!({"intro": intro, "module": module}),
        )?
    } else {
        let (text, entity) = columns(changes.sources, &name, &intro, &fields)?;
        for field in &fields {
            add_to_entity(changes, &entity, field)?;
        }
        looked_at = entity;
        text
    };
    let path = add(changes, &module, text)?;
    let mut generated = Generated::new([path, LIST.to_owned(), looked_at]);
    generated.notes = notes;
    Ok(generated)
}

/// Columns for the table that the name ends with, and the file of its entity.
fn columns(
    sources: &Sources,
    name: &str,
    intro: &str,
    fields: &[Field],
) -> Result<(String, String)> {
    let Some((_, table)) = name.rsplit_once("_to_") else {
        let sentence = format!("The name `{name}` does not say which table gets the columns");
        let first = &fields[0].name.snake;
        return Err(usage(sentence).with_hint(format!(
            "blazelink generate migration add_{first}_to_TABLE .."
        )));
    };
    let entities = schema::entities(sources);
    let entity = schema::find(&entities, table)?;
    let mut columns = Vec::new();
    for field in fields {
        let Content::Value(kind) = field.content else {
            let sentence = format!(
                "`{}` is a reference, which needs an entity",
                field.name.snake
            );
            return Err(usage(sentence).with_hint("leave it out, and write it by hand"));
        };
        if field.not_null {
            // Rows that are there have no value, so Postgres would refuse.
            let name = &field.name.snake;
            let sentence = format!("`{name}` is NOT NULL, and rows that are there have no value");
            return Err(usage(sentence).with_hint(format!("write `{name}:{}`", kind.name())));
        }
        columns.push(column(field, kind));
    }
    let names: Vec<String> = fields.iter().map(Field::column).collect();
    let unique = fields.iter().filter(|field| field.unique);
    let unique: Vec<String> = unique.map(Field::column).collect();
    let text = generated::render(
        "migration_columns.rs.j2",
        json!({
            "intro": intro,
            "table": entity.table,
            "columns": columns,
            "names": names,
            "unique": unique,
        }),
    )?;
    Ok((text, entity.path()))
}

/// The column as a member of the entity.
fn add_to_entity(changes: &mut Changes<'_>, path: &str, field: &Field) -> Result<()> {
    let Content::Value(kind) = field.content else {
        return Ok(());
    };
    let column = field.column();
    let lines = format!("{}\n", entity::column(field, kind).join("\n"));
    changes.inject(path, &format!("column `{column}`"), |text| {
        let edited = rust::add_member(text, "Model", &column, &lines)?;
        Ok(edited.map(|edited| mark::carried_over(text, edited)))
    })
}

/// The call that makes a column.
pub(super) fn column(field: &Field, kind: Kind) -> String {
    let null = if field.not_null { "" } else { "_null" };
    format!("{}{null}(\"{}\")", kind.schema(), field.column())
}

/// Adds a migration as the last one, and gives its path.
pub(super) fn add(changes: &mut Changes<'_>, module: &str, text: String) -> Result<String> {
    let path = format!("{FOLDER}{module}.rs");
    changes.create(path.clone(), text);
    changes.inject(LIST, &format!("`{module}::Migration`"), |text| {
        inject::inject(text, module).map(Some)
    })?;
    Ok(path)
}

/// The file of the migration of this name, whenever it was made.
pub(super) fn path_of(sources: &Sources, name: &str) -> Option<String> {
    let mut files = sources.within(FOLDER);
    let found = files.find(|(file, _)| {
        let module = file.strip_suffix(".rs").unwrap_or_default();
        let stamp = module.strip_suffix(name).unwrap_or_default();
        let digits = |c: char| c.is_ascii_digit() || c == '_';
        stamp.len() > 1
            && stamp.starts_with('m')
            && stamp.ends_with('_')
            && stamp[1..].chars().all(digits)
    });
    found.map(|(file, _)| format!("{FOLDER}{file}"))
}

/// The name as part of a module's.
fn checked(typed: &str) -> Result<String> {
    let name = heck::ToSnakeCase::to_snake_case(typed);
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !name.is_empty() && name.len() <= LONGEST && typed.chars().all(plain) {
        return Ok(name);
    }
    let what = format!("it is made of at most {LONGEST} letters, digits and `_`");
    Err(field::refused(typed, "a migration", &what))
}
