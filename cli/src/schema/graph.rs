//! The types of a schema and how they lead to each other, as a Mermaid diagram. Pure.
//!
//! What a client walks through to get from one to the other (references with a `row`, pages with
//! `items`) is left out: an arrow goes from a table to a table.

use std::collections::BTreeMap;
use std::fmt::Write;

use async_graphql_parser::types::{BaseType, Type};

use super::model::{Field, Kind, Schema, innermost};

/// Types that stand between two others, one within the other, at most: a page of references.
const DEPTH: usize = 4;

/// A field that leads to another type.
struct Arrow<'a> {
    field: &'a str,
    to: &'a str,
    to_many: bool,
}

/// The diagram of everything that a query reaches.
pub(super) fn mermaid(schema: &Schema) -> String {
    let mut waiting: Vec<&str> = match fields_of(schema, &schema.query) {
        Some(roots) => arrows(schema, roots)
            .into_iter()
            .map(|arrow| arrow.to)
            .collect(),
        None => Vec::new(),
    };
    let mut reached = BTreeMap::new();
    while let Some(name) = waiting.pop() {
        let Some(fields) = fields_of(schema, name) else {
            continue;
        };
        if reached.contains_key(name) {
            continue;
        }
        let arrows = arrows(schema, fields);
        waiting.extend(arrows.iter().map(|arrow| arrow.to));
        reached.insert(name, (fields, arrows));
    }
    let mut text = "erDiagram\n".to_owned();
    for (name, (fields, _)) in &reached {
        let values = fields
            .iter()
            .filter(|(_, field)| fields_of(schema, innermost(&field.of)).is_none());
        let _ = writeln!(text, "    {name} {{");
        for (field, definition) in values {
            let _ = writeln!(text, "        {} {field}", word(&definition.of));
        }
        text.push_str("    }\n");
    }
    for (name, (_, arrows)) in &reached {
        for arrow in arrows {
            let line = if arrow.to_many { "||--o{" } else { "}o--o|" };
            let _ = writeln!(text, "    {name} {line} {} : {}", arrow.to, arrow.field);
        }
    }
    text
}

fn fields_of<'a>(schema: &'a Schema, name: &str) -> Option<&'a BTreeMap<String, Field>> {
    match schema.types.get(name)? {
        Kind::Object(fields, _) => Some(fields),
        _ => None,
    }
}

fn arrows<'a>(schema: &'a Schema, fields: &'a BTreeMap<String, Field>) -> Vec<Arrow<'a>> {
    let arrow = |(field, definition): (&'a String, &'a Field)| {
        let (to, to_many) = end_of(schema, &definition.of)?;
        Some(Arrow { field, to, to_many })
    };
    fields.iter().filter_map(arrow).collect()
}

/// The type that a field leads to in the end, and whether to many of it.
fn end_of<'a>(schema: &'a Schema, mut of: &'a Type) -> Option<(&'a str, bool)> {
    let mut to_many = false;
    for _ in 0..DEPTH {
        while let BaseType::List(inner) = &of.base {
            to_many = true;
            of = inner;
        }
        let name = innermost(of);
        let fields = fields_of(schema, name)?;
        let within = ["row", "items"].iter().find_map(|field| fields.get(*field));
        match within.filter(|field| fields_of(schema, innermost(&field.of)).is_some()) {
            Some(field) => of = &field.of,
            None => return Some((name, to_many)),
        }
    }
    None
}

/// A type as Mermaid writes one: a word, with brackets behind it for a list.
fn word(of: &Type) -> String {
    match &of.base {
        BaseType::Named(name) => name.to_string(),
        BaseType::List(inner) => format!("{}[]", word(inner)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_drawn_and_what_stands_between_them_is_not() {
        let schema = Schema::parse(
            "type Query { user(id: Int): UserRef users: Users }
             type Users { items: [UserRef] count: Int }
             type UserRef { obj_id: Int row: User }
             type User { id: Int! tags: [String!] team: TeamRef }
             type TeamRef { row: Team }
             type Team { id: Int users: Users }
             type Unreached { id: Int }
             input UserWhere { id: Int }",
        );
        let drawn = mermaid(&schema.unwrap());
        let expected = "erDiagram
    Team {
        Int id
    }
    User {
        Int id
        String[] tags
    }
    Team ||--o{ User : users
    User }o--o| Team : team
";
        assert_eq!(drawn, expected);
    }
}
