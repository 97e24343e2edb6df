//! What has changed in an answer since a viewer was told of it: small, so that it can be told often.
//! Pure; `watch` makes them and the pages' `delta.js` puts them together again.
//!
//! | Delta | Meaning |
//! |---|---|
//! | `[0, value]` | it is this now |
//! | `[1, {"name": delta, ..}]` | an object of which these members have changed |
//! | `[2, name, [key, ..], {"key": delta, ..}]` | a list whose elements are told apart by that member: these, in this order; those that are named have changed |
//! | `[3]` | a member that is gone |
//!
//! Elements of a list are told apart by the first of [`NAMES`] that all of them have. What must stay
//! true: applied to the value before, a delta gives the value after.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

/// What tells the elements of a list apart.
const NAMES: &[&str] = &[
    "number", "session", "id", "name", "object", "place", "column",
];

/// What turns `before` into `after`; nothing if they are equal.
pub(crate) fn delta(before: &Value, after: &Value) -> Option<Value> {
    if before == after {
        return None;
    }
    let finer = match (before, after) {
        (Value::Object(before), Value::Object(after)) => Some(of_members(before, after)),
        (Value::Array(before), Value::Array(after)) => of_elements(before, after),
        _ => None,
    };
    Some(finer.unwrap_or_else(|| json!([0, after])))
}

fn of_members(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
    let mut members = Map::new();
    for (name, value) in after {
        let change = match before.get(name) {
            Some(before) => delta(before, value),
            None => Some(json!([0, value])),
        };
        members.extend(change.map(|change| (name.clone(), change)));
    }
    for name in before.keys().filter(|name| !after.contains_key(*name)) {
        members.insert(name.clone(), json!([3]));
    }
    json!([1, members])
}

/// Nothing if the elements cannot be told apart.
fn of_elements(before: &[Value], after: &[Value]) -> Option<Value> {
    let name = NAMES.iter().find(|name| {
        let mut all = before.iter().chain(after);
        all.all(|element| key(element, name).is_some())
    })?;
    let before: HashMap<String, &Value> = by_key(before, name)?.into_iter().collect();
    let mut order = Vec::with_capacity(after.len());
    let mut changed = Map::new();
    for (key, element) in by_key(after, name)? {
        let change = match before.get(&key) {
            Some(before) => delta(before, element),
            None => Some(json!([0, element])),
        };
        changed.extend(change.map(|change| (key.clone(), change)));
        order.push(key);
    }
    Some(json!([2, name, order, changed]))
}

fn by_key<'a>(elements: &'a [Value], name: &str) -> Option<Vec<(String, &'a Value)>> {
    let mut seen = HashSet::new();
    let keyed = elements.iter().map(|element| {
        let key = key(element, name)?;
        seen.insert(key.clone()).then_some((key, element))
    });
    keyed.collect()
}

fn key(element: &Value, name: &str) -> Option<String> {
    match element.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As `delta.js` does it.
    fn apply(before: Option<&Value>, delta: &Value) -> Value {
        let before = before.cloned().unwrap_or_default();
        match delta[0].as_u64().unwrap() {
            0 => delta[1].clone(),
            1 => {
                let mut members = before.as_object().unwrap().clone();
                for (name, change) in delta[1].as_object().unwrap() {
                    if change[0] == 3 {
                        members.remove(name);
                    } else {
                        let value = apply(members.get(name), change);
                        members.insert(name.clone(), value);
                    }
                }
                Value::Object(members)
            }
            2 => {
                let name = delta[1].as_str().unwrap();
                let old = by_key(before.as_array().unwrap(), name).unwrap();
                let old: HashMap<String, &Value> = old.into_iter().collect();
                let elements = delta[2].as_array().unwrap().iter().map(|wanted| {
                    let wanted = wanted.as_str().unwrap();
                    match delta[3].get(wanted) {
                        Some(change) => apply(old.get(wanted).copied(), change),
                        None => old[wanted].clone(),
                    }
                });
                Value::Array(elements.collect())
            }
            other => panic!("{other} is no delta"),
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            (0..4_u8).prop_map(Value::from),
            "[ab]{0,2}".prop_map(Value::from)
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((0..6_u8, inner.clone()), 0..5).prop_map(|all| {
                    all.into_iter()
                        .map(|(number, it)| json!({"number": number, "it": it}))
                        .collect()
                }),
                prop::collection::btree_map("[abc]", inner, 0..4).prop_map(|all| json!(all)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_delta_turns_what_was_into_what_is(before in values(), after in values()) {
            match delta(&before, &after) {
                None => prop_assert_eq!(before, after),
                Some(change) => prop_assert_eq!(apply(Some(&before), &change), after),
            }
        }
    }

    #[test]
    fn a_new_first_element_is_told_alone() {
        let before = json!({"updates": [{"number": 2, "told": 1}, {"number": 1, "told": 1}]});
        let after = json!({"updates": [{"number": 3, "told": 0}, {"number": 2, "told": 2}]});
        let change = delta(&before, &after).unwrap();
        let expected = json!([1, {"updates": [2, "number", ["3", "2"], {
            "3": [0, {"number": 3, "told": 0}],
            "2": [1, {"told": [0, 2]}],
        }]}]);
        assert_eq!(change, expected);
    }

    #[test]
    fn elements_that_look_alike_are_told_anew() {
        let change = delta(
            &json!([{"name": "a"}]),
            &json!([{"name": "a"}, {"name": "a"}]),
        );
        assert_eq!(change, Some(json!([0, [{"name": "a"}, {"name": "a"}]])));
    }
}
