//! The identity of what a browser can read: a table, or one row of it.
//!
//! Words only: the decoder makes keys from Postgres' text, the GraphQL endpoint from JSON, and
//! the subscription index compares them. Two keys are equal exactly if Postgres would print the
//! same key columns, so every maker brings its input to that form first.

use std::fmt;

/// Number of a [`Table`](crate::table) in the `TableManager`; stable for one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// One scalar in a key or in an equality dependency.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Atom {
    /// A value of an integer column (`int2`, `int4`, `int8`).
    Int(i64),
    /// A value of any other column, as Postgres prints it.
    Text(Box<str>),
}

impl Atom {
    /// The atom for a column's text as Postgres prints it. `integer` says whether the column is
    /// one of the integer types; text that is no integer stays text.
    pub fn from_text(text: &str, integer: bool) -> Atom {
        match text.parse() {
            Ok(number) if integer => Atom::Int(number),
            _ => Atom::Text(text.into()),
        }
    }
}

impl fmt::Display for Atom {
    /// The text that Postgres would print and read.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Atom::Int(number) => number.fmt(f),
            Atom::Text(text) => text.fmt(f),
        }
    }
}

/// The primary key of a row, in the order of the key's columns.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// A key of one column.
    One(Atom),
    /// A key of several columns.
    Many(Box<[Atom]>),
}

impl Key {
    /// The key of these atoms, or nothing for no atoms.
    pub fn from_atoms(mut atoms: Vec<Atom>) -> Option<Key> {
        match atoms.len() {
            0 => None,
            1 => atoms.pop().map(Key::One),
            _ => Some(Key::Many(atoms.into())),
        }
    }

    /// The key's atoms, in the order of the key's columns.
    pub fn atoms(&self) -> &[Atom] {
        match self {
            Key::One(atom) => std::slice::from_ref(atom),
            Key::Many(atoms) => atoms,
        }
    }

    /// Bytes that the key keeps alive outside of its own record.
    pub fn weight(&self) -> usize {
        let text = self.atoms().iter().map(|atom| match atom {
            Atom::Int(_) => 0,
            Atom::Text(text) => text.len(),
        });
        let list = match self {
            Key::One(_) => 0,
            Key::Many(atoms) => size_of_val(&**atoms),
        };
        text.sum::<usize>() + list
    }

    /// Appends the key's JSON: a number if it is an integer that every JSON reader holds exactly,
    /// else a string; a list in key order for a key of several columns.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        match self {
            Key::One(atom) => write_atom(atom, out),
            Key::Many(atoms) => {
                out.push(b'[');
                for (at, atom) in atoms.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    write_atom(atom, out);
                }
                out.push(b']');
            }
        }
    }
}

impl From<i64> for Key {
    fn from(number: i64) -> Self {
        Key::One(Atom::Int(number))
    }
}

impl From<&str> for Key {
    fn from(text: &str) -> Self {
        Key::One(Atom::Text(text.into()))
    }
}

fn write_atom(atom: &Atom, out: &mut Vec<u8>) {
    match atom {
        Atom::Int(number) => crate::value::write_integer(*number, out),
        Atom::Text(text) => crate::value::write_string(text, out),
    }
}

/// How much of a table an [`ObjectId`] names.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// All rows, present and future. On the wire: `obj_id: null`.
    Table,
    /// The row with this key, whether or not it exists.
    Row(Key),
}

/// What a browser asked for and is told about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId {
    /// The table.
    pub table: TableId,
    /// The table as a whole, or one row.
    pub scope: Scope,
}

impl ObjectId {
    /// The identity of a whole table.
    pub fn table(table: TableId) -> ObjectId {
        ObjectId {
            table,
            scope: Scope::Table,
        }
    }

    /// The identity of one row.
    pub fn row(table: TableId, key: Key) -> ObjectId {
        ObjectId {
            table,
            scope: Scope::Row(key),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(key: Key) -> String {
        let mut out = Vec::new();
        key.write_json(&mut out);
        String::from_utf8(out).expect("keys print as UTF-8")
    }

    #[test]
    fn keys_print_as_numbers_only_while_every_reader_holds_them() {
        assert_eq!(json(Key::from(17)), "17");
        assert_eq!(json(Key::from(9_007_199_254_740_991)), "9007199254740991");
        assert_eq!(
            json(Key::from(9_007_199_254_740_992)),
            "\"9007199254740992\""
        );
        assert_eq!(json(Key::from("a\"b")), r#""a\"b""#);
        let atoms = vec![Atom::Int(1), Atom::Text("S1".into())];
        assert_eq!(
            json(Key::from_atoms(atoms).expect("two atoms")),
            r#"[1,"S1"]"#
        );
    }

    #[test]
    fn integer_columns_make_integer_atoms() {
        assert_eq!(Atom::from_text("-5", true), Atom::Int(-5));
        assert_eq!(Atom::from_text("5", false), Atom::Text("5".into()));
        assert_eq!(Atom::from_text("x", true), Atom::Text("x".into()));
    }
}
