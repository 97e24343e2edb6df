//! What a valid document must fulfil beyond what async-graphql 7.2.1 checks: variables only where
//! their type fits (its rule is there, but never told of a value), input objects written as
//! objects, `Int` within 32 bits, and introspection that does not explode. Values are looked at
//! here before async-graphql sees them, since it tells the place of the argument only. Pure; once
//! per document.

use std::collections::HashSet;

use async_graphql::parser::types::{
    BaseType, Directive, ExecutableDocument, Field, Selection, SelectionSet, Type,
    VariableDefinition,
};
use async_graphql::{Name, Pos, Positioned};
use async_graphql_value::{ConstValue, Value};

use super::introspection;
use super::locate::{Step, locate};
use super::planner::root_type;
use super::response::Fault;
use super::schema::is_key_part;
use super::types::Types;

/// Checks all operations. What does not exist in the schema is passed over: validation finds it.
pub(super) fn check(types: &Types, text: &str, document: &ExecutableDocument) -> Result<(), Fault> {
    for (_, operation) in document.operations.iter() {
        let mut checker = Checker {
            types,
            text,
            document,
            variables: &operation.node.variable_definitions,
            opened: HashSet::new(),
        };
        checker.directives(&operation.node.directives)?;
        let root = root_type(&operation.node);
        checker.selections(&operation.node.selection_set.node, root)?;
    }
    Ok(())
}

struct Checker<'a> {
    types: &'a Types,
    text: &'a str,
    document: &'a ExecutableDocument,
    variables: &'a [Positioned<VariableDefinition>],
    opened: HashSet<&'a str>,
}

/// Why a value does not fit its type.
enum Misfit<'v> {
    /// In its place something else is expected.
    Value(String),
    /// It has a member that its type has not.
    Member(&'v Name, String),
    /// It is a variable of another type.
    Variable(Pos, String),
}

impl<'a> Checker<'a> {
    /// The fields of an object of the type called `of`.
    fn selections(&mut self, set: &'a SelectionSet, of: &'a str) -> Result<(), Fault> {
        for selection in &set.items {
            self.directives(selection.node.directives())?;
            match &selection.node {
                Selection::Field(field) => self.field(field, of)?,
                Selection::InlineFragment(inline) => {
                    let condition = inline.node.type_condition.as_ref();
                    let of = condition.map_or(of, |condition| condition.node.on.node.as_str());
                    self.selections(&inline.node.selection_set.node, of)?;
                }
                Selection::FragmentSpread(spread) => {
                    let name = spread.node.fragment_name.node.as_str();
                    if self.opened.insert(name)
                        && let Some(fragment) = self.document.fragments.get(name)
                    {
                        let of = fragment.node.type_condition.node.on.node.as_str();
                        self.directives(&fragment.node.directives)?;
                        self.selections(&fragment.node.selection_set.node, of)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn field(&mut self, field: &'a Positioned<Field>, of: &'a str) -> Result<(), Fault> {
        let name = field.node.name.node.as_str();
        let output = self.types.field(of, name);
        for (name, value) in &field.node.arguments {
            match output {
                Some(output) => {
                    if let Some(expected) = output.arguments.get(&name.node) {
                        self.argument(value, expected)?;
                    }
                }
                None => self.introspection_argument(field, &name.node, value)?,
            }
        }
        if matches!(name, "__schema" | "__type") {
            introspection::check(self.document, field)?;
        }
        let inner = output.map_or("", |output| output.of.as_str());
        self.selections(&field.node.selection_set.node, inner)
    }

    /// The schema's text says nothing of introspection.
    fn introspection_argument(
        &self,
        field: &Positioned<Field>,
        name: &str,
        value: &Positioned<Value>,
    ) -> Result<(), Fault> {
        let expected = match name {
            "name" if field.node.name.node == "__type" => "String!",
            "includeDeprecated" => "Boolean",
            _ => return Ok(()),
        };
        Type::new(expected).map_or(Ok(()), |expected| self.argument(value, &expected))
    }

    fn directives(&self, directives: &[Positioned<Directive>]) -> Result<(), Fault> {
        let Some(truth) = Type::new("Boolean!") else {
            return Ok(());
        };
        directives.iter().try_for_each(|directive| {
            let condition = directive.node.get_argument("if");
            condition.map_or(Ok(()), |value| self.argument(value, &truth))
        })
    }

    fn argument(&self, value: &Positioned<Value>, expected: &Type) -> Result<(), Fault> {
        let mut steps = Vec::new();
        let checked = self.value(&value.node, expected, &mut steps);
        checked.map_err(|misfit| {
            let (message, before) = match misfit {
                Misfit::Value(message) => (message, None),
                Misfit::Variable(definition, message) => (message, Some(definition)),
                Misfit::Member(name, message) => {
                    steps.push(Step::Name(name.to_string()));
                    (message, None)
                }
            };
            let at = locate(self.text, value.pos, &steps);
            Fault::new(message, before.into_iter().chain([at]))
        })
    }

    /// Checks a value. On an error `steps` lead to it.
    fn value<'v>(
        &self,
        value: &'v Value,
        expected: &Type,
        steps: &mut Vec<Step>,
    ) -> Result<(), Misfit<'v>> {
        if let Value::Variable(name) = value {
            return self.variable(name, expected);
        }
        if let Value::Null = value {
            return if expected.nullable {
                Ok(())
            } else {
                let message = format!("Expected value of type '{expected}', found null.");
                Err(Misfit::Value(message))
            };
        }
        match (&expected.base, value) {
            (BaseType::List(item), Value::List(values)) => {
                for (at, value) in values.iter().enumerate() {
                    steps.push(Step::Item(at));
                    self.value(value, item, steps)?;
                    steps.pop();
                }
                Ok(())
            }
            // A single value stands for a list of it.
            (BaseType::List(item), value) => self.value(value, item, steps),
            (BaseType::Named(name), value) => match self.types.input(name) {
                Some(_) => self.object(value, name, steps),
                None if name == "Key" => self.key(value, steps),
                None => scalar(value, name).map_err(Misfit::Value),
            },
        }
    }

    fn object<'v>(
        &self,
        value: &'v Value,
        name: &str,
        steps: &mut Vec<Step>,
    ) -> Result<(), Misfit<'v>> {
        let (Some(members), Value::Object(given)) = (self.types.input(name), value) else {
            let message = format!("Expected value of type '{name}' to be an object.");
            return Err(Misfit::Value(message));
        };
        let mut missing = members.iter().filter(|(member, expected)| {
            !expected.nullable && !given.contains_key(member.as_str())
        });
        if let Some((member, expected)) = missing.next() {
            let message =
                format!("Field '{member}' of required type '{expected}' was not provided.");
            return Err(Misfit::Value(message));
        }
        for (member, value) in given {
            let Some(expected) = members.get(member) else {
                let message = format!("Field '{member}' is not defined by type '{name}'.");
                return Err(Misfit::Member(member, message));
            };
            steps.push(Step::Member(member.to_string()));
            self.value(value, expected, steps)?;
            steps.pop();
        }
        Ok(())
    }

    /// A key, or the columns of one.
    fn key<'v>(&self, value: &'v Value, steps: &mut Vec<Step>) -> Result<(), Misfit<'v>> {
        if let Value::List(values) = value {
            for (at, value) in values.iter().enumerate() {
                steps.push(Step::Item(at));
                match value {
                    Value::Variable(name) => self.key_variable(name)?,
                    value => scalar(value, "Key").map_err(Misfit::Value)?,
                }
                steps.pop();
            }
            return Ok(());
        }
        scalar(value, "Key").map_err(Misfit::Value)
    }

    fn key_variable<'v>(&self, name: &str) -> Result<(), Misfit<'v>> {
        Type::new("Key").map_or(Ok(()), |key| self.variable(name, &key))
    }

    /// GraphQL October 2021, section 5.8.5. A `Key` is also taken from a variable of one of the
    /// types that it is made of: documents of the original declare `$id: Int`.
    fn variable<'v>(&self, name: &str, expected: &Type) -> Result<(), Misfit<'v>> {
        let mut definitions = self.variables.iter();
        let Some(definition) = definitions.find(|known| known.node.name.node == name) else {
            return Ok(());
        };
        let ty = &definition.node.var_type.node;
        let has_default =
            matches!(&definition.node.default_value, Some(value) if value.node != ConstValue::Null);
        let fits = match (&expected.base, &ty.base) {
            (BaseType::Named(expected), BaseType::Named(name)) if expected == "Key" => {
                ["Key", "Int", "BigInt", "String", "ID"].contains(&name.as_str())
            }
            _ => takes(expected, ty, has_default),
        };
        if fits {
            return Ok(());
        }
        let message = format!(
            "Variable '${name}' of type '{ty}' used in position expecting type '{expected}'."
        );
        Err(Misfit::Variable(definition.pos, message))
    }
}

/// Whether a literal is one of a scalar.
fn scalar(value: &Value, name: &str) -> Result<(), String> {
    let fits = match (name, value) {
        ("Int", Value::Number(number)) => match number.as_i64().map(i32::try_from) {
            Some(Err(_)) => {
                return Err("Int cannot represent non 32-bit signed integer value.".to_owned());
            }
            fits => fits.is_some(),
        },
        ("Float", Value::Number(_)) | ("String", Value::String(_)) => true,
        ("Boolean", Value::Boolean(_)) => true,
        ("BigInt", Value::Number(number)) => number.is_i64(),
        ("BigInt", Value::String(text)) => text.parse::<i64>().is_ok(),
        ("Key", value) => {
            let value = value.clone().into_const();
            value.is_some_and(|value| is_key_part(&value))
        }
        ("Int" | "Float" | "String" | "Boolean" | "BigInt", _) => false,
        _ => true,
    };
    match (fits, name) {
        (true, _) => Ok(()),
        (false, "Int") => Err("Int cannot represent non-integer value.".to_owned()),
        (false, name) => Err(format!("{name} cannot represent the value.")),
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
