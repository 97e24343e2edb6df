//! `blazelink generate entity`: an entity, the relations on both sides, its migration and its test.
//! Pure.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_templates::generated;
use serde_json::json;

use super::changes::Changes;
use super::field::{self, Content, Field, Kind, refused, usage};
use super::live_test::{self, LiveTest};
use super::sample::Rows;
use super::schema::{self, Entity};
use super::words::Name;
use super::{Generated, layout, mark, migration, rust, words};

const MODULES: &str = "src/entities/mod.rs";

/// A field that leads to a row of another entity, or of this one.
struct Reference<'a> {
    field: &'a Field,
    /// None for a row of the same table.
    to: Option<&'a Entity>,
    /// The key that it holds.
    key: String,
    kind: Kind,
    /// Whether several fields lead there, so that each relation needs a name.
    is_named: bool,
}

impl Reference<'_> {
    fn variant(&self) -> String {
        self.field.name.pascal()
    }
}

/// Plans it.
pub(super) fn plan(
    changes: &mut Changes<'_>,
    typed: &str,
    fields: &[String],
    is_public: bool,
    stamp: &str,
) -> Result<Generated> {
    let name = Name::of_type(typed).map_err(|why| refused(typed, "an entity", &why))?;
    let fields = field::parse_all(fields)?;
    if fields.is_empty() {
        let sentence = format!("The entity `{}` has no fields", name.pascal());
        let hint = format!("blazelink generate entity {} name:string!", name.pascal());
        return Err(usage(sentence).with_hint(hint));
    }
    let others = schema::entities(changes.sources);
    check_free(changes, &name, &others)?;
    let references = references(&name, &fields, &others)?;
    let page_root = page_root(&name);
    let text = entity(&name, &fields, &references, is_public, &page_root)?;
    let Some(parsed) = Entity::parse(&name.module(), &text) else {
        let sentence = format!("The entity `{}` would be no Rust", name.pascal());
        return Err(Error::new(ErrorKind::Setup, Code::ProjectFile, sentence));
    };
    let path = parsed.path();
    let is_new = changes.sources.text(&path).is_none();
    match changes.sources.text(&path) {
        Some(there) if mark::is_the_same(there, &text) => changes.skip(path.clone()),
        _ => changes.create(path.clone(), mark::stamped(&text)),
    }
    let module = name.module();
    changes.inject(MODULES, &format!("`pub mod {module};`"), |text| {
        rust::add_module(text, "pub ", &module)
    })?;
    for reference in &references {
        if let Some(to) = reference.to {
            reverse(changes, &name, reference, to)?;
        }
    }
    let migration = if is_new {
        let text = migration_text(&name, &fields, &references)?;
        migration::add(changes, &format!("m{stamp}_{}", name.snake), text)?
    } else {
        migration::path_of(changes.sources, &name.snake).unwrap_or_default()
    };
    let notes = test(changes, &name, &parsed, &others)?;
    let readers = match is_public {
        true => "everybody may read it, nobody may write it".to_owned(),
        false => format!(
            "nobody may read or write it but in `blazelink dev`, until you say who: \
             blazelink generate policy {}",
            name.snake
        ),
    };
    let mut generated = Generated::new([path, migration, live_test::FILE.to_owned()]);
    generated.notes.push(("policy", readers));
    generated.notes.extend(notes);
    Ok(generated)
}

/// That no other type has the name.
fn check_free(changes: &Changes<'_>, name: &Name, others: &[Entity]) -> Result<()> {
    let own = name.module();
    for other in others {
        if other.module != own && (other.table == name.snake || other.name == *name) {
            let why = format!("{} is called that already", other.path());
            return Err(refused(&name.pascal(), "an entity", &why));
        }
    }
    for (file, text) in changes.sources.within("src/tables/") {
        let declared = rust::parse(text).ok();
        let declared = declared.filter(|it| rust::structure(it, &name.pascal()).is_some());
        if declared.is_some() {
            let why = format!("src/tables/{file} has a type of that name");
            return Err(refused(&name.pascal(), "an entity", &why));
        }
    }
    Ok(())
}

fn references<'a>(
    name: &Name,
    fields: &'a [Field],
    others: &'a [Entity],
) -> Result<Vec<Reference<'a>>> {
    let mut found: Vec<Reference<'a>> = Vec::new();
    for field in fields {
        let Content::Reference(typed) = &field.content else {
            continue;
        };
        let is_own = Name::plain(typed).is_ok_and(|typed| typed == *name);
        if is_own {
            found.push(Reference {
                field,
                to: None,
                key: "id".to_owned(),
                kind: Kind::Int,
                is_named: true,
            });
            continue;
        }
        let to = schema::find(others, typed)?;
        let unfit = |what: &str| {
            let sentence = format!(
                "`{}` cannot refer to `{}`: {what}",
                field.name.snake, to.table
            );
            usage(sentence).with_hint(format!("give {} a key of one column", to.path()))
        };
        let key = to
            .key()
            .ok_or_else(|| unfit("it has no key of one column"))?;
        let kind =
            schema::kind_of(key).ok_or_else(|| unfit(&format!("its key is a `{}`", key.rust)))?;
        found.push(Reference {
            field,
            to: Some(to),
            key: key.name.clone(),
            kind,
            is_named: false,
        });
    }
    let targets: Vec<Option<String>> = found
        .iter()
        .map(|reference| reference.to.map(|to| to.module.clone()))
        .collect();
    for (at, reference) in found.iter_mut().enumerate() {
        let same = targets.iter().filter(|other| **other == targets[at]);
        reference.is_named |= same.count() > 1;
    }
    Ok(found)
}

/// The root that gives pages, where the plural is not the usual one: the framework appends an `s`.
fn page_root(name: &Name) -> Option<String> {
    let root = words::row_root(&name.snake);
    let plural = words::plural(&root);
    (plural != format!("{root}s")).then_some(plural)
}

fn entity(
    name: &Name,
    fields: &[Field],
    references: &[Reference<'_>],
    is_public: bool,
    page_root: &Option<String>,
) -> Result<String> {
    let mut members = Vec::new();
    for field in fields {
        let reference = references.iter().find(|it| it.field.name == field.name);
        let kind = match (&field.content, reference) {
            (Content::Value(kind), _) => *kind,
            (Content::Reference(_), Some(reference)) => reference.kind,
            (Content::Reference(_), None) => continue,
        };
        members.extend(column(field, kind));
    }
    for reference in references {
        let kind = match reference.to {
            Some(_) => "belongs_to",
            None => "self_ref",
        };
        let mut says = vec![kind.to_owned()];
        if reference.is_named {
            says.push(format!("relation_enum = \"{}\"", reference.variant()));
        }
        says.push(format!("from = \"{}\"", reference.field.column()));
        says.push(format!("to = \"{}\"", reference.key));
        members.push(layout::attribute("sea_orm", &says));
        let to = match reference.to {
            Some(to) => format!("super::{}::Entity", to.module),
            None => "Entity".to_owned(),
        };
        let to = match reference.field.not_null {
            true => to,
            false => format!("Option<{to}>"),
        };
        members.push(format!(
            "    pub {}: BelongsTo<{to}>,",
            reference.field.name.snake
        ));
    }
    let mut says = Vec::new();
    if is_public {
        says.push("public".to_owned());
    }
    if let Some(root) = page_root {
        says.push(format!("page_root = \"{root}\""));
    }
    let is_eq = fields.iter().all(|field| match field.content {
        Content::Value(kind) => kind.is_eq(),
        Content::Reference(_) => true,
    });
    let words = name.words();
    let one = words::sentence(&format!("{} {words}", words::article(&words)));
    let intro = match is_public {
        true => format!("{one}. Everybody may read it."),
        false => format!("{one}. Nobody reads it in production until `src/policy.rs` says who."),
    };
    generated::render(
        "entity.rs.j2",
        json!({
            "intro": intro,
            "eq": is_eq,
            "table": name.snake,
            "says": says.join(", "),
            "members": members,
        }),
    )
}

/// The lines of a column.
pub(super) fn column(field: &Field, kind: Kind) -> Vec<String> {
    let mut lines = Vec::new();
    let mut says: Vec<String> = Vec::new();
    if let Some(column_type) = kind.column_type() {
        says.push(format!("column_type = \"{column_type}\""));
        if !field.not_null {
            says.push("nullable".to_owned());
        }
    }
    if field.unique {
        says.push("unique".to_owned());
    }
    if !says.is_empty() {
        lines.push(layout::attribute("sea_orm", &says));
    }
    let rust = kind.rust();
    lines.push(match field.not_null {
        true => format!("    pub {}: {rust},", field.column()),
        false => format!("    pub {}: Option<{rust}>,", field.column()),
    });
    lines
}

/// The relation on the other side.
fn reverse(
    changes: &mut Changes<'_>,
    name: &Name,
    reference: &Reference<'_>,
    to: &Entity,
) -> Result<()> {
    let is_one = reference.field.unique;
    let target = format!("super::{}::Entity", name.module());
    let stem = match is_one {
        true => name.snake.clone(),
        false => name.plural(),
    };
    let candidates = match reference.is_named {
        true => vec![format!("{}_{stem}", reference.field.name.snake)],
        false => vec![
            stem.clone(),
            format!("{}_{stem}", reference.field.name.snake),
        ],
    };
    let (kind, wrapper) = match is_one {
        true => ("has_one", "HasOne"),
        false => ("has_many", "HasMany"),
    };
    let path = to.path();
    let text = changes.text(&path).unwrap_or_default();
    let now = Entity::parse(&to.module, text).unwrap_or_else(|| to.clone());
    // A relation that leads back already is this one, unless several need names.
    let leads_back = |relation: &schema::Relation| relation.to == name.module();
    if let Some(there) = now
        .relations
        .iter()
        .find(|relation| leads_back(relation) && candidates.contains(&relation.name))
    {
        let what = format!("`{}`", there.name);
        return changes.inject(&path, &what, |_| Ok(None));
    }
    let free = candidates.iter().find(|name| !now.has_member(name));
    let Some(member) = free else {
        let why = format!("{path} has a member `{}` already", candidates[0]);
        return Err(refused(&reference.field.name.snake, "a reference", &why));
    };
    let mut says = vec![kind.to_owned()];
    if reference.is_named {
        let variant = words::sentence(&heck::ToUpperCamelCase::to_upper_camel_case(
            member.as_str(),
        ));
        says.push(format!("relation_enum = \"{variant}\""));
        says.push(format!("via_rel = \"{}\"", reference.variant()));
    }
    let lines = format!(
        "{}\n{}\n",
        layout::attribute("sea_orm", &says),
        layout::member(member, &format!("{wrapper}<{target}>"))
    );
    changes.inject(&path, &format!("relation `{member}`"), |text| {
        let edited = rust::add_member(text, "Model", member, &lines)?;
        Ok(edited.map(|edited| mark::carried_over(text, edited)))
    })
}

fn migration_text(name: &Name, fields: &[Field], references: &[Reference<'_>]) -> Result<String> {
    let kinds = fields.iter().map(|field| match &field.content {
        Content::Value(kind) => *kind,
        Content::Reference(_) => references
            .iter()
            .find(|it| it.field.name == field.name)
            .map_or(Kind::Int, |it| it.kind),
    });
    let columns: Vec<String> = fields
        .iter()
        .zip(kinds)
        .map(|(field, kind)| migration::column(field, kind))
        .collect();
    let unique: Vec<String> = fields
        .iter()
        .filter(|field| field.unique)
        .map(Field::column)
        .collect();
    let referred: Vec<String> = references
        .iter()
        .map(|it| {
            let to = it.to.map_or(name.snake.as_str(), |to| to.table.as_str());
            let items = [&it.field.column(), to, &it.key].map(|item| format!("\"{item}\""));
            layout::tuple(4, &items)
        })
        .collect();
    let declared = match referred.is_empty() {
        true => String::new(),
        false => {
            let before = "const REFERENCES: &[(&str, &str, &str)] = &";
            layout::array(0, before, &referred, ";")
        }
    };
    generated::render(
        "migration_entity.rs.j2",
        json!({
            "intro": format!("{}.", words::sentence(&words::words(&name.plural()))),
            "table": name.snake,
            "columns": columns,
            "unique": unique,
            "references": declared,
        }),
    )
}

/// What it adds to the tests; else a note why there is nothing.
fn test(
    changes: &mut Changes<'_>,
    name: &Name,
    entity: &Entity,
    others: &[Entity],
) -> Result<Vec<(&'static str, String)>> {
    let rows = match Rows::of(entity, others) {
        Ok(rows) => rows,
        Err(why) => return Ok(vec![("no test", format!("no row can be made up: {why}"))]),
    };
    let words = name.words();
    let article = words::article(&words);
    let what = match entity.is_public {
        true => "reaches_both_pages",
        false => "reaches_nobody_yet",
    };
    let test = LiveTest {
        name: format!("{article}_{}_{what}", name.snake),
        kind: "entity",
        values: json!({"root": entity.page_root, "public": entity.is_public}),
        rows,
        imports: &[],
    };
    test.add(changes)?;
    Ok(Vec::new())
}
