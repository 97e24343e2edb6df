//! A GraphQL schema, as far as it is compared and drawn.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::{
    BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
    TypeSystemDefinition,
};
use async_graphql_parser::{Positioned, parse_schema};

/// The types of a schema by their names.
#[derive(Debug, Default)]
pub(super) struct Schema {
    pub(super) types: BTreeMap<String, Kind>,
    /// The type of its queries.
    pub(super) query: String,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar,
    /// An object, or an interface; what it implements.
    Object(BTreeMap<String, Field>, BTreeSet<String>),
    Input(BTreeMap<String, Input>),
    Enum(BTreeSet<String>),
    Union(BTreeSet<String>),
}

/// What can be asked for.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) of: Type,
    pub(super) arguments: BTreeMap<String, Input>,
}

/// What can be given: an argument, or a field of an input.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) of: Type,
    pub(super) default: Option<String>,
}

impl Input {
    /// Whether whoever leaves it out is refused.
    pub(super) fn is_required(&self) -> bool {
        !self.of.nullable && self.default.is_none()
    }
}

impl Kind {
    /// What it is called.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Kind::Scalar => "a scalar",
            Kind::Object(..) => "an object",
            Kind::Input(_) => "an input",
            Kind::Enum(_) => "an enum",
            Kind::Union(_) => "a union",
        }
    }
}

impl Schema {
    /// Reads a schema in GraphQL's own language; or says where it is none.
    pub(super) fn parse(sdl: &str) -> Result<Schema, String> {
        let document = parse_schema(sdl).map_err(|error| error.to_string())?;
        let mut schema = Schema {
            query: "Query".to_owned(),
            ..Schema::default()
        };
        for definition in document.definitions {
            match definition {
                TypeSystemDefinition::Type(definition) => {
                    let name = definition.node.name.node.to_string();
                    schema.types.insert(name, kind(definition.node));
                }
                TypeSystemDefinition::Schema(definition) => {
                    if let Some(query) = definition.node.query {
                        schema.query = query.node.to_string();
                    }
                }
                TypeSystemDefinition::Directive(_) => {}
            }
        }
        Ok(schema)
    }
}

/// The innermost type of lists.
pub(super) fn innermost(mut of: &Type) -> &str {
    loop {
        match &of.base {
            BaseType::Named(name) => return name,
            BaseType::List(inner) => of = inner,
        }
    }
}

fn kind(definition: TypeDefinition) -> Kind {
    match definition.kind {
        TypeKind::Scalar => Kind::Scalar,
        TypeKind::Object(object) => Kind::Object(fields(object.fields), texts(object.implements)),
        TypeKind::Interface(object) => {
            Kind::Object(fields(object.fields), texts(object.implements))
        }
        TypeKind::Union(union) => Kind::Union(texts(union.members)),
        TypeKind::Enum(of) => {
            let values = of.values.into_iter().map(|value| value.node.value);
            Kind::Enum(texts(values))
        }
        TypeKind::InputObject(input) => Kind::Input(inputs(input.fields)),
    }
}

fn texts<T: ToString>(names: impl IntoIterator<Item = Positioned<T>>) -> BTreeSet<String> {
    names
        .into_iter()
        .map(|name| name.node.to_string())
        .collect()
}

fn fields(fields: Vec<Positioned<FieldDefinition>>) -> BTreeMap<String, Field> {
    let field = |field: Positioned<FieldDefinition>| {
        let read = Field {
            of: field.node.ty.node,
            arguments: inputs(field.node.arguments),
        };
        (field.node.name.node.to_string(), read)
    };
    fields.into_iter().map(field).collect()
}

fn inputs(inputs: Vec<Positioned<InputValueDefinition>>) -> BTreeMap<String, Input> {
    let input = |input: Positioned<InputValueDefinition>| {
        let read = Input {
            of: input.node.ty.node,
            default: input.node.default_value.map(|value| value.node.to_string()),
        };
        (input.node.name.node.to_string(), read)
    };
    inputs.into_iter().map(input).collect()
}
