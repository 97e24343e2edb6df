//! `Shape`: what a statement's text says of what it reads, whatever its parameters are; and what
//! that is with parameters. Made by `analyse`, kept by `captures`.

use blazelink_codes::limits;
use sea_orm::Value as Bound;

use super::catalog::Lost;
use super::operand::Operand;
use crate::object_id::{Atom, Key, TableId};
use crate::subscription::Dependency;
use crate::table::{TableDef, narrowed_to};

/// What a statement reads.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Why it must not be sent.
    pub(super) refused: Option<&'static str>,
    /// Why it is not known what it reads, so that it depends on everything.
    pub(super) opaque: Option<String>,
    pub(super) reads: Vec<Reads>,
    /// What it reads without anybody being told of changes.
    pub(super) lost: Vec<Lost>,
    /// The function because of which the result changes without any commit.
    pub(super) timely: Option<String>,
}

/// One occurrence of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reads {
    pub(super) table: TableId,
    /// Rows count only if all of these hold: the column at this position equals the operand.
    pub(super) equal: Vec<(usize, Operand)>,
}

impl Shape {
    /// What the statement depends on with these parameters, without repeats.
    pub(super) fn bind(&self, tables: &[TableDef], bound: &[Bound]) -> Vec<Dependency> {
        if self.opaque.is_some() {
            return vec![Dependency::Everything];
        }
        let mut all = Vec::new();
        for reads in &self.reads {
            let Some(table) = tables.get(reads.table.0 as usize) else {
                return vec![Dependency::Everything];
            };
            all.append(&mut reads.bind(table, bound));
        }
        let whole = |all: &[Dependency], dependency: &Dependency| {
            let (Dependency::Row(table, _) | Dependency::Equal { table, .. }) = dependency else {
                return false;
            };
            all.contains(&Dependency::Table(*table))
        };
        if self.reads.len() > 1 {
            let mut seen = std::collections::HashSet::with_capacity(all.len());
            all.retain(|one| seen.insert(one.clone()));
            let tables: Vec<Dependency> = all
                .iter()
                .filter(|one| matches!(one, Dependency::Table(_)))
                .cloned()
                .collect();
            all.retain(|one| !whole(&tables, one));
        }
        all
    }
}

impl Reads {
    /// All rows of the table.
    pub(super) fn whole(table: TableId) -> Reads {
        Reads {
            table,
            equal: Vec::new(),
        }
    }

    /// The rows by key, if the key is told; else those with the columns' values; else the table.
    pub(super) fn bind(&self, table: &TableDef, bound: &[Bound]) -> Vec<Dependency> {
        self.rows(table, bound).unwrap_or_else(|| {
            let equalities = self.equal.iter().filter_map(|(at, operand)| {
                let atoms = operand.atoms(&table.columns[*at], bound)?;
                Some((*at, atoms))
            });
            narrowed_to(table, equalities, limits::CAPTURED_VALUES)
        })
    }

    fn rows(&self, table: &TableDef, bound: &[Bound]) -> Option<Vec<Dependency>> {
        let mut keys: Vec<Vec<Atom>> = vec![Vec::new()];
        for &at in &table.key {
            let column = &table.columns[at];
            let atoms = self
                .of(at)
                .find_map(|operand| operand.atoms(column, bound))?;
            if keys.len() * atoms.len() > limits::CAPTURED_VALUES {
                return None;
            }
            keys = keys
                .iter()
                .flat_map(|key| {
                    let longer =
                        |atom: &Atom| [key.as_slice(), std::slice::from_ref(atom)].concat();
                    atoms.iter().map(longer)
                })
                .collect();
        }
        let keys = keys.into_iter().map(Key::from_atoms);
        keys.map(|key| Some(Dependency::Row(self.table, key?)))
            .collect()
    }

    fn of(&self, column: usize) -> impl Iterator<Item = &Operand> {
        let of = self.equal.iter().filter(move |(at, _)| *at == column);
        of.map(|(_, operand)| operand)
    }
}
