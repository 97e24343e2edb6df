//! The entities that a project has, as their files in `src/entities/` say. Pure.

use blazelink_codes::Result;
use syn::{Attribute, Expr, ExprLit, Fields, Lit, Meta, Type};

use super::field::{Kind, refused, usage};
use super::rust;
use super::sources::Sources;
use super::words::{self, Name};

/// Where entities lie.
pub(super) const FOLDER: &str = "src/entities/";

/// An entity in the dense format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entity {
    pub(super) table: String,
    /// The module, and the file without `.rs`.
    pub(super) module: String,
    /// Of the type in GraphQL.
    pub(super) name: Name,
    pub(super) is_public: bool,
    /// The root of GraphQL that gives pages.
    pub(super) page_root: String,
    pub(super) columns: Vec<Column>,
    /// Fields that lead to other entities.
    pub(super) relations: Vec<Relation>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The type in Rust, without the `Option` around it.
    pub(super) rust: String,
    pub(super) not_null: bool,
    pub(super) is_key: bool,
    /// Whether Postgres makes its values.
    pub(super) is_made: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Relation {
    pub(super) name: String,
    /// The module of the entity that it leads to.
    pub(super) to: String,
    /// The column of a reference.
    pub(super) from: Option<String>,
    /// The name among SeaORM's relations, where it is said.
    pub(super) variant: Option<String>,
}

impl Entity {
    pub(super) fn path(&self) -> String {
        format!("{FOLDER}{}.rs", self.module)
    }

    /// The key, if it is one column.
    pub(super) fn key(&self) -> Option<&Column> {
        let mut keys = self.columns.iter().filter(|column| column.is_key);
        keys.next().filter(|_| keys.next().is_none())
    }

    pub(super) fn has_member(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.name == name)
            || self.relations.iter().any(|relation| relation.name == name)
    }

    /// What the file of a module says, if it is an entity in the dense format.
    pub(super) fn parse(module: &str, text: &str) -> Option<Entity> {
        let file = rust::parse(text).ok()?;
        let model = rust::structure(&file, "Model")?;
        let said = Said::of(&model.attrs);
        let table = said.value("table_name")?.to_owned();
        let Fields::Named(fields) = &model.fields else {
            return None;
        };
        let pascal = said.value("name").map(str::to_owned);
        let name = Name {
            snake: pascal.unwrap_or_else(|| table.clone()),
        };
        let name = Name::plain(&name.snake).unwrap_or(name);
        let root = words::row_root(&name.snake);
        let usual = match root.ends_with('s') {
            true => format!("{root}Page"),
            false => format!("{root}s"),
        };
        let mut entity = Entity {
            module: module.to_owned(),
            is_public: said.has("public"),
            page_root: said.value("page_root").map_or(usual, str::to_owned),
            table,
            name,
            columns: Vec::new(),
            relations: Vec::new(),
        };
        for field in &fields.named {
            let name = field.ident.as_ref()?.to_string();
            let name = name.trim_start_matches("r#").to_owned();
            let said = Said::of(&field.attrs);
            if let Some(to) = target(&field.ty, module) {
                entity.relations.push(Relation {
                    name,
                    to,
                    from: said.value("from").map(str::to_owned),
                    variant: said.value("relation_enum").map(str::to_owned),
                });
                continue;
            }
            let (rust, not_null) = match inside(&field.ty, "Option") {
                Some(inner) => (type_text(inner), false),
                None => (type_text(&field.ty), true),
            };
            let is_key = said.has("primary_key");
            entity.columns.push(Column {
                is_made: is_key
                    && said.value("auto_increment") != Some("false")
                    && ["i16", "i32", "i64"].contains(&rust.as_str()),
                name,
                rust,
                not_null,
                is_key,
            });
        }
        Some(entity)
    }
}

/// Every entity of the project.
pub(super) fn entities(sources: &Sources) -> Vec<Entity> {
    sources
        .within(FOLDER)
        .filter_map(|(name, text)| Entity::parse(name.strip_suffix(".rs")?, text))
        .collect()
}

/// The entity that is meant by the name of its type or its table.
///
/// # Errors
/// [`Code::Usage`](blazelink_codes::Code::Usage) with the entities that there are.
pub(super) fn find<'a>(entities: &'a [Entity], typed: &str) -> Result<&'a Entity> {
    let wanted = Name::plain(typed).map_err(|why| refused(typed, "an entity", &why))?;
    let is_it = |entity: &&Entity| entity.table == wanted.snake || entity.name == wanted;
    if let Some(entity) = entities.iter().find(is_it) {
        return Ok(entity);
    }
    let names: Vec<&str> = entities
        .iter()
        .map(|entity| entity.table.as_str())
        .collect();
    let error = usage(format!("There is no entity `{typed}` in {FOLDER}"));
    let error = match names.is_empty() {
        true => error,
        false => error.with_source(format!("there are {}", names.join(", "))),
    };
    Err(match words::nearest(&wanted.snake, &names) {
        Some(nearest) => error.with_hint(format!("write `{nearest}`")),
        None => error.with_hint(format!("blazelink generate entity {}", wanted.pascal())),
    })
}

/// The module of the entity in `HasMany<super::team::Entity>` and the like.
fn target(ty: &Type, own: &str) -> Option<String> {
    let inner = ["HasMany", "HasOne", "BelongsTo"]
        .iter()
        .find_map(|name| inside(ty, name))?;
    let inner = inside(inner, "Option").unwrap_or(inner);
    let Type::Path(path) = inner else {
        return None;
    };
    let mut segments = path.path.segments.iter().rev().skip(1);
    Some(match segments.next() {
        Some(module) => module.ident.to_string().trim_start_matches("r#").to_owned(),
        None => own.to_owned(),
    })
}

/// The type between the angle brackets of this one.
fn inside<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else {
        return None;
    };
    let last = path.path.segments.last()?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else {
        return None;
    };
    match arguments.args.first() {
        Some(syn::GenericArgument::Type(inner)) if last.ident == name => Some(inner),
        _ => None,
    }
}

/// `Vec<u8>`, and of a path its last name: `String` for `std::string::String`.
fn type_text(ty: &Type) -> String {
    if let Some(inner) = inside(ty, "Vec") {
        return format!("Vec<{}>", type_text(inner));
    }
    match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .map_or(String::new(), |last| last.ident.to_string()),
        _ => String::new(),
    }
}

/// What attributes of SeaORM's and Blazelink's say: names, some with a text.
struct Said(Vec<(String, Option<String>)>);

impl Said {
    fn of(attributes: &[Attribute]) -> Said {
        let mut said = Vec::new();
        for attribute in attributes {
            let path = attribute.path();
            let Meta::List(_) = &attribute.meta else {
                continue;
            };
            if !path.is_ident("sea_orm") && !path.is_ident("blazelink") {
                continue;
            }
            let listed = syn::punctuated::Punctuated::<Meta, syn::Token![,]>::parse_terminated;
            for meta in attribute.parse_args_with(listed).into_iter().flatten() {
                let Some(name) = meta.path().get_ident().map(ToString::to_string) else {
                    continue;
                };
                said.push((name, text_of(&meta)));
            }
        }
        Said(said)
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| known == name)
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.and_then(|(_, value)| value.as_deref())
    }
}

fn text_of(meta: &Meta) -> Option<String> {
    let Meta::NameValue(pair) = meta else {
        return None;
    };
    match &pair.value {
        Expr::Lit(ExprLit {
            lit: Lit::Str(text),
            ..
        }) => Some(text.value()),
        Expr::Lit(ExprLit {
            lit: Lit::Bool(value),
            ..
        }) => Some(value.value.to_string()),
        _ => None,
    }
}

/// The kind of a column, for a value of it.
pub(super) fn kind_of(column: &Column) -> Option<Kind> {
    Kind::of_rust(&column.rust)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EVENT: &str = include_str!("../../../templates/project/game/src/entities/game_event.rs");

    #[test]
    fn an_entity_of_the_template_is_read() {
        let event = Entity::parse("game_event", EVENT).unwrap();
        assert_eq!(event.table, "game_event");
        assert_eq!(event.page_root, "gameEvents");
        assert!(event.is_public);
        let key = event.key().unwrap();
        assert!(key.is_made && key.rust == "i32");
        let victim = event.columns.iter().find(|it| it.name == "victim_id");
        let victim = victim.unwrap();
        assert!(!victim.not_null && victim.rust == "i32");
        let relations: Vec<(&str, &str, Option<&str>)> = event
            .relations
            .iter()
            .map(|it| (it.name.as_str(), it.to.as_str(), it.from.as_deref()))
            .collect();
        assert_eq!(
            relations,
            [
                ("game", "game", Some("game_id")),
                ("player", "user", Some("player_id")),
                ("victim", "user", Some("victim_id")),
            ]
        );
        assert!(event.has_member("kind") && event.has_member("victim"));
    }

    #[test]
    fn what_is_no_entity_is_none() {
        for text in ["", "pub struct Model { a: i32 }", "pub struct Model {"] {
            assert_eq!(Entity::parse("a", text), None, "{text}");
        }
    }

    #[test]
    fn an_entity_is_found_by_type_and_table_or_the_nearest_is_told() {
        let entities = [Entity::parse("game_event", EVENT).unwrap()];
        for typed in ["GameEvent", "game_event"] {
            assert_eq!(find(&entities, typed).unwrap().module, "game_event");
        }
        let told = format!("{:#}", find(&entities, "GameEvnt").unwrap_err());
        assert!(told.contains("write `game_event`"), "{told}");
    }
}
