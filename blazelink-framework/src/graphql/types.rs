//! The types of the schema by name: what each field gives, and what its arguments must be. Read
//! from the schema's text once, when the schema is made.

use std::collections::HashMap;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{
    BaseType, InputValueDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition,
};
use async_graphql::{Name, Positioned};
use blazelink_codes::Code;

use crate::error::{Error, ErrorKind, Result};

/// Types of values by the names of the arguments or members that take them.
pub(super) type Inputs = HashMap<Name, Type>;

/// All types of a schema.
#[derive(Debug, Default)]
pub(super) struct Types {
    objects: HashMap<Name, HashMap<Name, Output>>,
    inputs: HashMap<Name, Inputs>,
    enums: HashMap<Name, Vec<Name>>,
}

/// A field of an object.
#[derive(Debug)]
pub(super) struct Output {
    /// Name of its type, without the lists around it.
    pub(super) of: Name,
    pub(super) arguments: Inputs,
}

impl Types {
    /// The types that a schema's text describes.
    ///
    /// # Errors
    ///
    /// If it is none; it comes from async-graphql, which should print what it parses.
    pub(super) fn read(sdl: &str) -> Result<Types> {
        let document = parse_schema(sdl).map_err(|source| {
            Error::new(
                ErrorKind::Setup,
                Code::SchemaDefinition,
                "The text of the GraphQL schema cannot be read",
            )
            .with_source(source)
        })?;
        let mut types = Types::default();
        for definition in document.definitions {
            if let TypeSystemDefinition::Type(definition) = definition {
                types.add(definition.node);
            }
        }
        Ok(types)
    }

    fn add(&mut self, definition: TypeDefinition) {
        let name = definition.name.node;
        match definition.kind {
            TypeKind::Object(object) => {
                let fields = object.fields.into_iter().map(|field| {
                    let output = Output {
                        of: innermost(&field.node.ty.node),
                        arguments: inputs(field.node.arguments),
                    };
                    (field.node.name.node, output)
                });
                self.objects.insert(name, fields.collect());
            }
            TypeKind::InputObject(object) => {
                self.inputs.insert(name, inputs(object.fields));
            }
            TypeKind::Enum(of) => {
                let values = of.values.into_iter();
                let values = values.map(|value| value.node.value.node);
                self.enums.insert(name, values.collect());
            }
            _ => {}
        }
    }

    /// A field of an object; nothing if there is none, or it belongs to introspection.
    pub(super) fn field(&self, object: &str, field: &str) -> Option<&Output> {
        self.objects.get(object)?.get(field)
    }

    /// The values of an enum.
    pub(super) fn values(&self, name: &str) -> Option<&[Name]> {
        self.enums.get(name).map(Vec::as_slice)
    }

    /// The members of an input object.
    pub(super) fn input(&self, name: &str) -> Option<&Inputs> {
        self.inputs.get(name)
    }
}

fn inputs(definitions: Vec<Positioned<InputValueDefinition>>) -> Inputs {
    let definitions = definitions.into_iter().map(|definition| definition.node);
    definitions
        .map(|definition| (definition.name.node, definition.ty.node))
        .collect()
}

fn innermost(ty: &Type) -> Name {
    match &ty.base {
        BaseType::Named(name) => name.clone(),
        BaseType::List(item) => innermost(item),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn fields_and_inputs_are_found_by_name() {
        let types = Types::read(
            "input In { n: Int! of: [In] } type Row { id: Int } \
             type Query { rows(at: In, size: [Int!]): [[Row]] }",
        )
        .unwrap();
        let rows = types.field("Query", "rows").unwrap();
        assert_eq!(rows.of, "Row");
        assert_eq!(rows.arguments["size"].to_string(), "[Int!]");
        assert_eq!(types.input("In").unwrap()["of"].to_string(), "[In]");
        assert!(types.field("Query", "nothing").is_none());
        assert!(types.field("In", "n").is_none());
    }
}
