//! What a valid document must fulfil beyond what async-graphql 7.2.1 checks: variables only where
//! their type fits (its rule is there, but never told of a value), `ObjectIdInput` written as an
//! object, `Int` within 32 bits, and introspection that does not explode. Pure; once per document.

use std::collections::HashSet;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Pos, Positioned};
use async_graphql_value::Value;

use super::introspection;
use super::response::Fault;

/// Checks all operations.
pub(super) fn check(document: &ExecutableDocument) -> Result<(), Fault> {
    for (_, operation) in document.operations.iter() {
        let mut checker = Checker {
            document,
            variables: &operation.node.variable_definitions,
            opened: HashSet::new(),
        };
        checker.directives(&operation.node.directives)?;
        checker.selections(&operation.node.selection_set.node)?;
    }
    Ok(())
}

struct Checker<'a> {
    document: &'a ExecutableDocument,
    variables: &'a [Positioned<VariableDefinition>],
    opened: HashSet<&'a str>,
}

impl<'a> Checker<'a> {
    fn selections(&mut self, set: &'a SelectionSet) -> Result<(), Fault> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.field(field)?,
                Selection::InlineFragment(inline) => {
                    self.selections(&inline.node.selection_set.node)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if self.opened.insert(name)
                        && let Some(fragment) = self.document.fragments.get(name)
                    {
                        self.directives(&fragment.node.directives)?;
                        self.selections(&fragment.node.selection_set.node)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Positioned<Field>) -> Result<(), Fault> {
        if matches!(field.node.name.node.as_str(), "__schema" | "__type") {
            introspection::check(self.document, field)?;
        }
        for (name, value) in &field.node.arguments {
            // Validation knows the argument; its name tells the type.
            let expected = match name.node.as_str() {
                "identifier" => "ObjectIdInput",
                "page" | "size" => "Int",
                "name" if field.node.name.node == "__type" => "String!",
                "includeDeprecated" => "Boolean",
                _ => continue,
            };
            self.value(&value.node, value.pos, expected)?;
        }
        self.selections(&field.node.selection_set.node)
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), Fault> {
        directives.iter().try_for_each(|directive| {
            let condition = directive.node.get_argument("if");
            condition.map_or(Ok(()), |value| {
                self.value(&value.node, value.pos, "Boolean!")
            })
        })
    }

    fn value(&self, value: &Value, at: Pos, expected: &str) -> Result<(), Fault> {
        match (expected, value) {
            (_, Value::Variable(name)) => self.variable(name, at, expected),
            ("ObjectIdInput", Value::Object(fields)) => {
                fields.iter().try_for_each(|(name, value)| {
                    let expected = match name.as_str() {
                        "obj_id" => "Key",
                        "dependencies" => "[ObjectIdInput]",
                        _ => "String",
                    };
                    self.value(value, at, expected)
                })
            }
            ("ObjectIdInput", Value::Null) => Ok(()),
            ("ObjectIdInput", _) => Err(Fault::new(
                "Expected type 'ObjectIdInput' to be an object.",
                [at],
            )),
            ("[ObjectIdInput]", Value::List(values)) => values
                .iter()
                .try_for_each(|value| self.value(value, at, "ObjectIdInput")),
            ("[ObjectIdInput]", value) => self.value(value, at, "ObjectIdInput"),
            ("Key", Value::List(values)) => values
                .iter()
                .try_for_each(|value| self.value(value, at, "Key")),
            ("Int", Value::Number(number)) => {
                let number = number.as_i64().map(i32::try_from);
                if matches!(number, Some(Ok(_))) {
                    return Ok(());
                }
                Err(Fault::new(
                    "Int cannot represent non 32-bit signed integer value.",
                    [at],
                ))
            }
            _ => Ok(()),
        }
    }

    /// GraphQL October 2021, section 5.8.5. A `Key` is also taken from a variable of one of the
    /// types that it is made of: documents of the original declare `$id: Int`.
    fn variable(&self, name: &str, at: Pos, expected: &str) -> Result<(), Fault> {
        let mut definitions = self.variables.iter();
        let Some(definition) = definitions.find(|known| known.node.name.node == name) else {
            return Ok(());
        };
        let ty = &definition.node.var_type.node;
        let has_default = matches!(&definition.node.default_value, Some(value) if !matches!(
            value.node,
            async_graphql_value::ConstValue::Null
        ));
        let fits = match (expected, &ty.base) {
            ("Key", BaseType::Named(name)) => {
                ["Key", "Int", "BigInt", "String", "ID"].contains(&name.as_str())
            }
            _ => Type::new(expected).is_some_and(|expected| takes(&expected, ty, has_default)),
        };
        if fits {
            return Ok(());
        }
        Err(Fault::new(
            format!(
                "Variable '${name}' of type '{ty}' used in position expecting type '{expected}'."
            ),
            [definition.pos, at],
        ))
    }
}

/// Whether a place of one type takes a variable of another.
fn takes(expected: &Type, variable: &Type, has_default: bool) -> bool {
    if !expected.nullable && variable.nullable && !has_default {
        return false;
    }
    match (&expected.base, &variable.base) {
        (BaseType::Named(expected), BaseType::Named(variable)) => expected == variable,
        (BaseType::List(expected), BaseType::List(variable)) => takes(expected, variable, false),
        _ => false,
    }
}
