//! What differs between two schemas, and which differences break a client that was written for the
//! older one. Pure.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql_parser::types::{BaseType, Type};

use super::model::{Field, Input, Kind, Schema};

/// One difference.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether a client that was right before may be wrong now.
    pub(super) breaks: bool,
    /// Where, as `User.name` or `Query.users(size)`.
    pub(super) at: String,
    pub(super) what: String,
}

/// What differs, in the order of the types' names.
pub(super) fn changes(old: &Schema, new: &Schema) -> Vec<Change> {
    let mut found = Found(Vec::new());
    found.pairs(&old.types, &new.types, |found, name, pair| match pair {
        Pair::Gone => found.tell(true, name, "is gone"),
        Pair::New(_) => found.tell(false, name, "is new"),
        Pair::Both(old, new) => found.kinds(name, old, new),
    });
    found.0
}

struct Found(Vec<Change>);

/// What has a name in one of two maps, or in both.
enum Pair<'a, T> {
    Gone,
    New(&'a T),
    Both(&'a T, &'a T),
}

impl Found {
    fn tell(&mut self, breaks: bool, at: impl Into<String>, what: impl Into<String>) {
        self.0.push(Change {
            breaks,
            at: at.into(),
            what: what.into(),
        });
    }

    fn pairs<T>(
        &mut self,
        old: &BTreeMap<String, T>,
        new: &BTreeMap<String, T>,
        mut each: impl FnMut(&mut Found, &str, Pair<'_, T>),
    ) {
        let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        for name in names {
            match (old.get(name), new.get(name)) {
                (Some(old), Some(new)) => each(self, name, Pair::Both(old, new)),
                (Some(_), None) => each(self, name, Pair::Gone),
                (None, Some(new)) => each(self, name, Pair::New(new)),
                (None, None) => {}
            }
        }
    }

    fn kinds(&mut self, name: &str, old: &Kind, new: &Kind) {
        match (old, new) {
            (Kind::Scalar, Kind::Scalar) => {}
            (Kind::Object(old, was), Kind::Object(new, is)) => {
                for gone in was.difference(is) {
                    self.tell(true, name, format!("implements `{gone}` no longer"));
                }
                self.pairs(old, new, |found, field, pair| {
                    found.fields(&format!("{name}.{field}"), &pair);
                });
            }
            (Kind::Input(old), Kind::Input(new)) => {
                self.pairs(old, new, |found, field, pair| {
                    found.inputs(&format!("{name}.{field}"), &pair);
                });
            }
            (Kind::Enum(old), Kind::Enum(new)) => self.words(name, "value", old, new),
            (Kind::Union(old), Kind::Union(new)) => self.words(name, "member", old, new),
            (old, new) => {
                self.tell(
                    true,
                    name,
                    format!("is {} and was {}", new.word(), old.word()),
                );
            }
        }
    }

    fn words(&mut self, name: &str, what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>) {
        for gone in old.difference(new) {
            self.tell(true, name, format!("the {what} `{gone}` is gone"));
        }
        for added in new.difference(old) {
            self.tell(false, name, format!("the {what} `{added}` is new"));
        }
    }

    fn fields(&mut self, at: &str, pair: &Pair<'_, Field>) {
        match pair {
            Pair::Gone => self.tell(true, at, "is gone"),
            Pair::New(_) => self.tell(false, at, "is new"),
            Pair::Both(old, new) => {
                if old.of != new.of {
                    let breaks = !gives_no_less(&old.of, &new.of);
                    self.tell(breaks, at, format!("is `{}` and was `{}`", new.of, old.of));
                }
                self.pairs(&old.arguments, &new.arguments, |found, name, pair| {
                    found.inputs(&format!("{at}({name})"), &pair);
                });
            }
        }
    }

    fn inputs(&mut self, at: &str, pair: &Pair<'_, Input>) {
        match pair {
            Pair::Gone => self.tell(true, at, "is gone"),
            Pair::New(new) if new.is_required() => self.tell(true, at, "is new and required"),
            Pair::New(_) => self.tell(false, at, "is new"),
            Pair::Both(old, new) => {
                if old.of != new.of {
                    let breaks = !takes_no_less(&old.of, &new.of)
                        || (new.is_required() && !old.is_required());
                    self.tell(breaks, at, format!("is `{}` and was `{}`", new.of, old.of));
                } else if new.is_required() && !old.is_required() {
                    self.tell(true, at, "has no default any more, and is required");
                } else if old.default != new.default {
                    self.tell(false, at, "has another default");
                }
            }
        }
    }
}

/// Whether everybody who reads the old type can read the new one: it may promise more.
fn gives_no_less(old: &Type, new: &Type) -> bool {
    (old.nullable || !new.nullable) && same_shape(old, new, gives_no_less)
}

/// Whether everything that the old type takes is taken by the new one: it may ask for less.
fn takes_no_less(old: &Type, new: &Type) -> bool {
    (new.nullable || !old.nullable) && same_shape(old, new, takes_no_less)
}

fn same_shape(old: &Type, new: &Type, inside: fn(&Type, &Type) -> bool) -> bool {
    match (&old.base, &new.base) {
        (BaseType::Named(old), BaseType::Named(new)) => old == new,
        (BaseType::List(old), BaseType::List(new)) => inside(old, new),
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is said of a change from one text to the other, the word before it.
    fn told(old: &str, new: &str) -> Vec<String> {
        let [old, new] = [old, new].map(|sdl| Schema::parse(sdl).unwrap());
        let line = |change: Change| {
            let word = if change.breaks { "breaks" } else { "safe" };
            format!("{word} {} {}", change.at, change.what)
        };
        changes(&old, &new).into_iter().map(line).collect()
    }

    #[test]
    fn what_takes_less_or_gives_less_breaks_and_what_is_new_does_not() {
        for (old, new, expected) in [
            ("type A { a: Int }", "type A { a: Int }", &[][..]),
            (
                "type A { a: Int } scalar B",
                "type A { a: Int }",
                &["breaks B is gone"],
            ),
            ("scalar A", "scalar A enum B { C }", &["safe B is new"]),
            (
                "scalar A",
                "enum A { C }",
                &["breaks A is an enum and was a scalar"],
            ),
            (
                "type A { a: Int b: Int }",
                "type A { a: Int }",
                &["breaks A.b is gone"],
            ),
            (
                "type A { a: Int }",
                "type A { a: Int b: Int! }",
                &["safe A.b is new"],
            ),
            (
                "type A { a: Int }",
                "type A { a: Int! }",
                &["safe A.a is `Int!` and was `Int`"],
            ),
            (
                "type A { a: Int! }",
                "type A { a: Int }",
                &["breaks A.a is `Int` and was `Int!`"],
            ),
            (
                "type A { a: [Int!] }",
                "type A { a: [Int] }",
                &["breaks A.a is `[Int]` and was `[Int!]`"],
            ),
            (
                "type A { a: [Int] }",
                "type A { a: Int }",
                &["breaks A.a is `Int` and was `[Int]`"],
            ),
            (
                "type A { a(b: Int): Int }",
                "type A { a: Int }",
                &["breaks A.a(b) is gone"],
            ),
            (
                "type A { a: Int }",
                "type A { a(b: Int): Int }",
                &["safe A.a(b) is new"],
            ),
            (
                "type A { a: Int }",
                "type A { a(b: Int!): Int }",
                &["breaks A.a(b) is new and required"],
            ),
            (
                "type A { a: Int }",
                "type A { a(b: Int! = 1): Int }",
                &["safe A.a(b) is new"],
            ),
            (
                "input A { a: Int }",
                "input A { a: Int! }",
                &["breaks A.a is `Int!` and was `Int`"],
            ),
            (
                "input A { a: Int! }",
                "input A { a: Int }",
                &["safe A.a is `Int` and was `Int!`"],
            ),
            (
                "input A { a: [Int]! }",
                "input A { a: [Int!]! }",
                &["breaks A.a is `[Int!]!` and was `[Int]!`"],
            ),
            (
                "input A { a: Int! = 1 }",
                "input A { a: Int! }",
                &["breaks A.a has no default any more, and is required"],
            ),
            (
                "input A { a: Int = 1 }",
                "input A { a: Int = 2 }",
                &["safe A.a has another default"],
            ),
            (
                "enum A { B C }",
                "enum A { B D }",
                &[
                    "breaks A the value `C` is gone",
                    "safe A the value `D` is new",
                ],
            ),
            (
                "union A = B | C",
                "union A = B",
                &["breaks A the member `C` is gone"],
            ),
            (
                "type A implements B { a: Int }",
                "type A { a: Int }",
                &["breaks A implements `B` no longer"],
            ),
        ] {
            assert_eq!(told(old, new), expected, "{old} -> {new}");
        }
    }
}
