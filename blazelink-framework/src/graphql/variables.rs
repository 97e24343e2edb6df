//! The variables of a request, coerced to the types its operation declares (GraphQL October 2021,
//! section 6.1.2), and values with variables in them. Validation never sees a variable's value;
//! what stands here is all that checks it.

use std::collections::HashMap;

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{BaseType, OperationDefinition, Type, VariableDefinition};
use async_graphql::{Name, Positioned};
use async_graphql_value::{ConstValue, Value};
use serde_json::Value as Json;

use super::response::Fault;
use super::schema::is_key_part;
use super::template;
use super::types::{Inputs, Types};

/// Variables by name. One that was omitted and has no default is absent.
#[derive(Clone, Debug, Default)]
pub(super) struct Variables(HashMap<Name, ConstValue>);

impl Variables {
    /// Coerces what was sent to what the operation declares.
    ///
    /// # Errors
    ///
    /// One for each variable whose value does not fit its type.
    pub(super) fn coerce(
        types: &Types,
        operation: &OperationDefinition,
        mut sent: serde_json::Map<String, Json>,
    ) -> Result<Variables, Vec<Fault>> {
        let mut variables = HashMap::new();
        let mut faults = Vec::new();
        for definition in &operation.variable_definitions {
            let name = &definition.node.name.node;
            match coerce_one(types, &definition.node, sent.remove(name.as_str())) {
                Ok(Some(value)) => {
                    variables.insert(name.clone(), value);
                }
                Ok(None) => {}
                Err(message) => faults.push(Fault::new(message, [definition.pos])),
            }
        }
        if faults.is_empty() {
            Ok(Variables(variables))
        } else {
            Err(faults)
        }
    }

    /// Adds the keys that the document's text held, under the names of [`template::variable`].
    pub(super) fn with_keys(mut self, keys: Vec<ConstValue>) -> Variables {
        let keys = keys.into_iter().enumerate();
        self.0
            .extend(keys.map(|(number, key)| (template::variable(number), key)));
        self
    }

    pub(super) fn get(&self, name: &str) -> Option<&ConstValue> {
        self.0.get(name)
    }

    /// The variables as async-graphql takes them.
    pub(super) fn to_request(&self) -> async_graphql::Variables {
        let mut variables = async_graphql::Variables::default();
        variables.extend(
            self.0
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        variables
    }

    /// An argument's value with its variables filled in; nothing if it is not given, or is a
    /// variable that was omitted. Inside an object an omitted variable omits its field.
    pub(super) fn resolve(&self, value: Option<&Positioned<Value>>) -> Option<ConstValue> {
        self.fill(&value?.node)
    }

    fn fill(&self, value: &Value) -> Option<ConstValue> {
        Some(match value {
            Value::Variable(name) => return self.get(name).cloned(),
            Value::Null => ConstValue::Null,
            Value::Number(number) => ConstValue::Number(number.clone()),
            Value::String(text) => ConstValue::String(text.clone()),
            Value::Boolean(truth) => ConstValue::Boolean(*truth),
            Value::Binary(bytes) => ConstValue::Binary(bytes.clone()),
            Value::Enum(name) => ConstValue::Enum(name.clone()),
            Value::List(values) => ConstValue::List(
                values
                    .iter()
                    .map(|value| self.fill(value).unwrap_or_default())
                    .collect(),
            ),
            Value::Object(fields) => ConstValue::Object(
                fields
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), self.fill(value)?)))
                    .collect(),
            ),
        })
    }
}

/// Calls `each` with the name of every variable in a value.
pub(super) fn names_in<'a>(value: &'a Value, each: &mut impl FnMut(&'a Name)) {
    match value {
        Value::Variable(name) => each(name),
        Value::List(values) => values.iter().for_each(|value| names_in(value, each)),
        Value::Object(fields) => fields.values().for_each(|value| names_in(value, each)),
        _ => {}
    }
}

fn coerce_one(
    types: &Types,
    definition: &VariableDefinition,
    sent: Option<Json>,
) -> Result<Option<ConstValue>, String> {
    let name = &definition.name.node;
    let ty = &definition.var_type.node;
    let Some(sent) = sent else {
        return match &definition.default_value {
            Some(default) => Ok(Some(default.node.clone())),
            None if ty.nullable => Ok(None),
            None => Err(format!(
                "Variable '${name}' of required type '{ty}' was not provided."
            )),
        };
    };
    let mut path = name.to_string();
    coerce(types, ty, sent, &mut path)
        .map(Some)
        .map_err(|reason| {
            if path.len() == name.len() {
                format!("Variable '${name}' got invalid value; {reason}")
            } else {
                format!("Variable '${name}' got invalid value at '{path}'; {reason}")
            }
        })
}

/// Coerces one value. On an error `path` says where.
fn coerce(types: &Types, ty: &Type, value: Json, path: &mut String) -> Result<ConstValue, String> {
    if value.is_null() {
        return if ty.nullable {
            Ok(ConstValue::Null)
        } else {
            Err(format!("Expected non-nullable type '{ty}' not to be null."))
        };
    }
    match &ty.base {
        BaseType::List(element) => match value {
            Json::Array(values) => {
                let before = path.len();
                let mut coerced = Vec::with_capacity(values.len());
                for (at, value) in values.into_iter().enumerate() {
                    path.push_str(&format!("[{at}]"));
                    coerced.push(coerce(types, element, value, path)?);
                    path.truncate(before);
                }
                Ok(ConstValue::List(coerced))
            }
            value => Ok(ConstValue::List(vec![coerce(types, element, value, path)?])),
        },
        BaseType::Named(name) => coerce_named(types, name, value, path),
    }
}

fn coerce_named(
    types: &Types,
    name: &str,
    value: Json,
    path: &mut String,
) -> Result<ConstValue, String> {
    let misfit = || Err(format!("{name} cannot represent the value."));
    if let Some(members) = types.input(name) {
        return match value {
            Json::Object(fields) => coerce_object(types, name, members, fields, path),
            _ => Err(format!("Expected type '{name}' to be an object.")),
        };
    }
    if let Some(values) = types.values(name) {
        let value = value.as_str().unwrap_or_default();
        let known = values.iter().find(|known| known.as_str() == value);
        return known.cloned().map(ConstValue::Enum).map_or_else(misfit, Ok);
    }
    match (name, value) {
        ("Int", Json::Number(number)) => match number.as_i64().map(i32::try_from) {
            Some(Ok(number)) => Ok(ConstValue::from(number)),
            Some(Err(_)) => Err("Int cannot represent non 32-bit signed integer value.".to_owned()),
            None => Err("Int cannot represent non-integer value.".to_owned()),
        },
        ("Int", _) => Err("Int cannot represent non-integer value.".to_owned()),
        ("Float", value @ Json::Number(_))
        | ("String" | "ID", value @ Json::String(_))
        | ("Boolean", value @ Json::Bool(_))
        | ("JSON", value) => from_json(value),
        ("ID", Json::Number(number)) if number.is_i64() => {
            Ok(ConstValue::String(number.to_string()))
        }
        ("BigInt", Json::Number(number)) if number.is_i64() => Ok(ConstValue::Number(number)),
        ("BigInt", Json::String(text)) if text.parse::<i64>().is_ok() => {
            Ok(ConstValue::String(text))
        }
        ("Key", value) => {
            let value = from_json(value)?;
            let fits = match &value {
                ConstValue::List(values) => values.iter().all(is_key_part),
                value => is_key_part(value),
            };
            if fits { Ok(value) } else { misfit() }
        }
        _ => misfit(),
    }
}

fn coerce_object(
    types: &Types,
    of: &str,
    members: &Inputs,
    fields: serde_json::Map<String, Json>,
    path: &mut String,
) -> Result<ConstValue, String> {
    let mut coerced = IndexMap::new();
    let before = path.len();
    for (name, value) in fields {
        let Some(ty) = members.get(name.as_str()) else {
            return Err(format!("Field '{name}' is not defined by type '{of}'."));
        };
        path.push('.');
        path.push_str(&name);
        coerced.insert(Name::new(name), coerce(types, ty, value, path)?);
        path.truncate(before);
    }
    Ok(ConstValue::Object(coerced))
}

fn from_json(value: Json) -> Result<ConstValue, String> {
    ConstValue::from_json(value).map_err(|_| "The value is not JSON.".to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    fn types() -> Types {
        Types::read(
            "type Query { user(identifier: ObjectIdInput): Int } enum Way { UP DOWN } \
             input ObjectIdInput { entity: String obj_id: Key modifiers: String \
             dependencies: [ObjectIdInput] } \
             input UserWhere { and: [UserWhere!] way: Way id: Int }",
        )
        .unwrap()
    }

    fn coerced(declared: &str, sent: &str) -> Result<String, String> {
        let text = format!("query Q({declared}) {{ __typename }}");
        let document = parse_query(text).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let sent = serde_json::from_str(sent).unwrap();
        let variables = Variables::coerce(&types(), &operation.node, sent)
            .map_err(|faults| faults[0].message.clone())?;
        Ok(variables
            .get("v")
            .map_or_else(|| "absent".to_owned(), ToString::to_string))
    }

    #[test]
    fn values_that_fit_are_taken() {
        let rows = [
            ("$v: Int", r#"{"v": 3}"#, "3"),
            ("$v: Int", "{}", "absent"),
            ("$v: Int", r#"{"v": null}"#, "null"),
            ("$v: Int = 5", "{}", "5"),
            ("$v: Int = 5", r#"{"v": null}"#, "null"),
            ("$v: [Int]", r#"{"v": 3}"#, "[3]"),
            ("$v: Float", r#"{"v": 3}"#, "3"),
            ("$v: Key", r#"{"v": [1, "S1"]}"#, r#"[1, "S1"]"#),
            (
                "$v: BigInt",
                r#"{"v": "9007199254740993"}"#,
                r#""9007199254740993""#,
            ),
            (
                "$v: ObjectIdInput!",
                r#"{"v": {"obj_id": 1, "dependencies": {"entity": "Game"}}}"#,
                r#"{dependencies: [{entity: "Game"}], obj_id: 1}"#,
            ),
            (
                "$v: UserWhere",
                r#"{"v": {"and": [{"way": "UP"}, {"id": 1}]}}"#,
                "{and: [{way: UP}, {id: 1}]}",
            ),
        ];
        for (declared, sent, expected) in rows {
            assert_eq!(coerced(declared, sent).as_deref(), Ok(expected), "{sent}");
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused_with_their_place() {
        let rows = [
            (
                "$v: Int!",
                "{}",
                "Variable '$v' of required type 'Int!' was not provided.",
            ),
            (
                "$v: Int",
                r#"{"v": 1.5}"#,
                "Variable '$v' got invalid value; Int cannot represent non-integer value.",
            ),
            (
                "$v: Int",
                r#"{"v": 2147483648}"#,
                "Variable '$v' got invalid value; Int cannot represent non 32-bit signed integer value.",
            ),
            (
                "$v: [Int!]",
                r#"{"v": [1, null]}"#,
                "Variable '$v' got invalid value at 'v[1]'; Expected non-nullable type 'Int!' not to be null.",
            ),
            (
                "$v: Boolean",
                r#"{"v": "true"}"#,
                "Variable '$v' got invalid value; Boolean cannot represent the value.",
            ),
            (
                "$v: Key",
                r#"{"v": {"a": 1}}"#,
                "Variable '$v' got invalid value; Key cannot represent the value.",
            ),
            (
                "$v: Key",
                r#"{"v": 1.5}"#,
                "Variable '$v' got invalid value; Key cannot represent the value.",
            ),
            (
                "$v: ObjectIdInput",
                r#"{"v": {"id": 1}}"#,
                "Variable '$v' got invalid value; Field 'id' is not defined by type 'ObjectIdInput'.",
            ),
            (
                "$v: ObjectIdInput",
                r#"{"v": {"dependencies": [{}, {"entity": 5}]}}"#,
                "Variable '$v' got invalid value at 'v.dependencies[1].entity'; String cannot represent the value.",
            ),
            (
                "$v: UserWhere",
                r#"{"v": {"and": {"way": "LEFT"}}}"#,
                "Variable '$v' got invalid value at 'v.and.way'; Way cannot represent the value.",
            ),
            (
                "$v: UserWhere",
                r#"{"v": {"email": 1}}"#,
                "Variable '$v' got invalid value; Field 'email' is not defined by type 'UserWhere'.",
            ),
        ];
        for (declared, sent, expected) in rows {
            assert_eq!(coerced(declared, sent).unwrap_err(), expected);
        }
    }
}
