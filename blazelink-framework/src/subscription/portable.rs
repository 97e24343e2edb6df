//! `NamedView`: what a read watches, with the names of tables and columns in place of their numbers,
//! which are another build's. The journal and recordings are written in it.
//!
//! What must stay true: what this build has not, or keys otherwise, is passed over, and what it cannot
//! narrow any more becomes wider. So whoever watches is told too much rather than too little.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::dependency::{Dependency, Role};
use super::ledger::{View, ViewName};
use super::residual::Residual;
use crate::exposure::{ExposedTable, Exposure};
use crate::object_id::{Atom, Key, ObjectId, Scope, TableId};

/// All that one read of a session watches; of one that watches nothing any more, no dependencies.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NamedView<'a> {
    object: Named<'a>,
    selection: u64,
    declared: Vec<Named<'a>>,
    derived: Vec<Named<'a>>,
}

impl<'a> NamedView<'a> {
    /// What a read watches, in the names of this exposure.
    pub(crate) fn of(exposure: &'a Exposure, name: &'a ViewName, view: &'a View) -> NamedView<'a> {
        let with = |role: Role| {
            let depends = view.iter().filter(move |(has, _)| *has == role);
            depends
                .map(|(_, dependency)| Named::dependency(dependency, exposure))
                .collect()
        };
        NamedView {
            object: Named::object(&name.object, exposure),
            selection: name.selection,
            declared: with(Role::Declared),
            derived: with(Role::Derived),
        }
    }

    /// The read and what it watches here; nothing if it reads nothing that this exposure has.
    pub(crate) fn to_view(&self, exposure: &Exposure) -> Option<(ViewName, View)> {
        let name = ViewName {
            object: self.object.to_object(exposure)?,
            selection: self.selection,
        };
        let mut view = View::new();
        for (role, depends) in [
            (Role::Declared, &self.declared),
            (Role::Derived, &self.derived),
        ] {
            let depends = depends.iter();
            view.extend(depends.filter_map(|one| Some((role, one.to_dependency(exposure)?))));
        }
        Some((name, view))
    }
}

/// A dependency or an object, with the names of its table and column.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Named<'a> {
    Everything,
    Table(Cow<'a, str>),
    Row(Cow<'a, str>, Vec<Scalar<'a>>),
    Equal(Cow<'a, str>, Cow<'a, str>, Scalar<'a>),
    /// The same, with the columns and values of its residual.
    #[serde(rename = "equal_and")]
    Narrowed(
        Cow<'a, str>,
        Cow<'a, str>,
        Scalar<'a>,
        Vec<(Cow<'a, str>, Vec<Scalar<'a>>)>,
    ),
}

/// A value of a column by which rows are found.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Scalar<'a> {
    Int(i64),
    Text(Cow<'a, str>),
}

impl<'a> Named<'a> {
    /// The name of an object.
    pub(crate) fn object(object: &'a ObjectId, exposure: &'a Exposure) -> Named<'a> {
        match &object.scope {
            Scope::Table => Named::Table(entity(exposure.table(object.table))),
            Scope::Row(key) => Named::row(object.table, key, exposure),
        }
    }

    /// The name of a row.
    pub(crate) fn row(table: TableId, key: &'a Key, exposure: &'a Exposure) -> Named<'a> {
        Named::Row(entity(exposure.table(table)), scalars(key.atoms()))
    }

    fn dependency(dependency: &'a Dependency, exposure: &'a Exposure) -> Named<'a> {
        match dependency {
            Dependency::Everything => Named::Everything,
            Dependency::Table(table) => Named::Table(entity(exposure.table(*table))),
            Dependency::Row(table, key) => Named::row(*table, key, exposure),
            Dependency::Equal {
                table,
                column,
                value,
                residual,
            } => {
                let table = exposure.table(*table);
                let name = |column: u32| (&table.columns[column as usize].name).into();
                let (entity, column, value) = (entity(table), name(*column), Scalar::of(value));
                if residual.is_none() {
                    return Named::Equal(entity, column, value);
                }
                let rest = residual.equalities().iter();
                let rest = rest.map(|one| (name(one.column), scalars(&one.values)));
                Named::Narrowed(entity, column, value, rest.collect())
            }
        }
    }

    /// The object, if this build has it.
    pub(crate) fn to_object(&self, exposure: &Exposure) -> Option<ObjectId> {
        match self.to_dependency(exposure)? {
            Dependency::Table(table) => Some(ObjectId::table(table)),
            Dependency::Row(table, key) => Some(ObjectId::row(table, key)),
            Dependency::Equal { .. } | Dependency::Everything => None,
        }
    }

    fn to_dependency(&self, exposure: &Exposure) -> Option<Dependency> {
        match self {
            Named::Everything => Some(Dependency::Everything),
            Named::Table(table) => Some(Dependency::Table(exposure.by_entity(table)?.id)),
            Named::Row(table, scalars) => {
                let table = exposure.by_entity(table)?;
                if scalars.len() != table.key.len() {
                    return None;
                }
                let atoms = table.key.iter().zip(scalars);
                let atoms = atoms.map(|(&column, scalar)| scalar.to_atom(table, column));
                let key = Key::from_atoms(atoms.collect::<Option<_>>()?)?;
                Some(Dependency::Row(table.id, key))
            }
            Named::Equal(table, column, scalar) => {
                let table = exposure.by_entity(table)?;
                let column = position(table, column)?;
                let value = scalar.to_atom(table, column)?;
                Some(Dependency::equal(table.id, column as u32, value))
            }
            Named::Narrowed(table, column, scalar, rest) => {
                let table = exposure.by_entity(table)?;
                let column = position(table, column)?;
                // What this build has not, or has in another form, narrows no more.
                let rest = rest.iter().filter_map(|(column, scalars)| {
                    let column = position(table, column)?;
                    let atoms = scalars.iter().map(|scalar| scalar.to_atom(table, column));
                    Some((column as u32, atoms.collect::<Option<_>>()?))
                });
                Some(Dependency::Equal {
                    table: table.id,
                    column: column as u32,
                    value: scalar.to_atom(table, column)?,
                    residual: Residual::of(rest),
                })
            }
        }
    }
}

impl<'a> Scalar<'a> {
    fn of(atom: &'a Atom) -> Scalar<'a> {
        match atom {
            Atom::Int(number) => Scalar::Int(*number),
            Atom::Text(text) => Scalar::Text(Cow::Borrowed(text)),
        }
    }

    /// The atom, unless values of the column have another form by now.
    fn to_atom(&self, table: &ExposedTable, column: usize) -> Option<Atom> {
        let atom = match self {
            Scalar::Int(number) => Atom::Int(*number),
            Scalar::Text(text) => Atom::Text((**text).into()),
        };
        let kind = &table.columns.get(column)?.kind;
        (kind.atom(&atom.to_string()) == atom).then_some(atom)
    }
}

fn entity(table: &ExposedTable) -> Cow<'_, str> {
    Cow::Borrowed(&table.entity)
}

fn position(table: &ExposedTable, column: &str) -> Option<usize> {
    let mut columns = table.columns.iter();
    columns.position(|exposed| exposed.name == column)
}

fn scalars(atoms: &[Atom]) -> Vec<Scalar<'_>> {
    atoms.iter().map(Scalar::of).collect()
}
