//! `blazelink generate virtual`: an object without a row, over rows that its client names. Pure.

use blazelink_codes::Result;
use blazelink_templates::generated;
use serde_json::json;

use super::Generated;
use super::changes::Changes;
use super::computed::{self, FOLDER, MODULES};
use super::field::{self, Content, refused, usage};
use super::layout;
use super::live_test::{self, LiveTest};
use super::rust;
use super::sample::{self, Rows};
use super::schema;
use super::words::{self, Name};

/// Plans it. References are the rows that it is over; other fields are its own.
pub(super) fn plan(changes: &mut Changes<'_>, typed: &str, fields: &[String]) -> Result<Generated> {
    let refuse = |why: String| refused(typed, "a virtual table", &why);
    let name = Name::of_type(typed).map_err(refuse)?;
    let entities = schema::entities(changes.sources);
    if let Some(other) = entities.iter().find(|other| other.name == name) {
        return Err(refuse(format!("{} is a table of that name", other.path())));
    }
    let module = name.module();
    for (file, text) in changes.sources.within(FOLDER) {
        let declared = rust::parse(text).ok();
        let declared = declared.filter(|it| rust::structure(it, &name.pascal()).is_some());
        if declared.is_some() && file != format!("{module}.rs") {
            return Err(refuse(format!("{FOLDER}{file} has a type of that name")));
        }
    }
    let mut members = Vec::new();
    let mut methods = Vec::new();
    let mut first = None;
    let mut over = None;
    for typed in fields {
        let field = field::Field::parse(typed)?;
        match &field.content {
            Content::Reference(to) => {
                let to = schema::find(&entities, to)?;
                if over.replace(to).is_some() {
                    let sentence = format!("`{}` is over more than one row", name.pascal());
                    return Err(usage(sentence).with_hint(
                        "name one `ref`, and add other members of type `Dep<..>` by hand",
                    ));
                }
                let entity = format!("entities::{}::Entity", to.module);
                members.push(format!("{}: Dep<{entity}>", field.name.snake));
            }
            Content::Value(kind) => {
                let null = if field.not_null { "" } else { "?" };
                let typed = format!("{}{null}", kind.name());
                methods.push(computed::method(&field.name.snake, &typed)?);
                first.get_or_insert(field.name.snake.clone());
            }
        }
    }
    // One without a field is none.
    let first = match first {
        Some(first) => first,
        None => {
            methods.push(computed::method("title", "string")?);
            "title".to_owned()
        }
    };
    let path = format!("{FOLDER}{module}.rs");
    let text = generated::render(
        "virtual.rs.j2",
        json!({
            "words": name.words(),
            "pascal": name.pascal(),
            "members": members,
            "methods": methods.join("\n"),
        }),
    )?;
    changes.create(path.clone(), text);
    changes.inject(MODULES, &format!("`pub mod {module};`"), |text| {
        rust::add_module(text, "pub ", &module)
    })?;
    let mut generated = Generated::new([path, MODULES.to_owned(), live_test::FILE.to_owned()]);
    let root = words::row_root(&name.snake);
    let (rows, of) = match over {
        None => (Rows::default(), String::new()),
        Some(over) => {
            let rows = Rows::of(over, &entities);
            let key = over.key().and_then(sample::key_value);
            match (rows, key) {
                (Ok(rows), Some(key)) => {
                    let named = format!("{{entity: \"{}\", obj_id: {key}}}", over.name.pascal());
                    (rows, format!("(identifier: {{dependencies: [{named}]}})"))
                }
                (Err(why), _) => {
                    let why = format!("no row can be made up: {why}");
                    generated.notes.push(("no test", why));
                    return Ok(generated);
                }
                (_, None) => {
                    let why = format!("no key of `{}` can be made up", over.table);
                    generated.notes.push(("no test", why));
                    return Ok(generated);
                }
            }
        }
    };
    let read = format!("{{ {root}{of} {{ {first} }} }}");
    let test = LiveTest {
        name: format!("{}_answers", name.snake),
        kind: "virtual",
        values: json!({
            "root": root,
            "field": first,
            "read": layout::text("read", &read),
        }),
        rows,
        imports: &[],
    };
    test.add(changes)?;
    Ok(generated)
}
