//! Plans relations. Part of `planner`, and as pure.

use async_graphql::parser::types::{Field as DocumentField, SelectionSet};

use super::plan::{Junction, ManyField, OneField, RowField};
use super::planner::{Planner, page_arguments};
use crate::data::{CountStatement, Lookup, RowStatement, Select};
use crate::table::{Shape, TableDef};

/// A relation, and what is asked of it.
struct Asked<'p, 'a> {
    table: &'p TableDef,
    /// Its position among the table's relations.
    at: usize,
    target: &'p TableDef,
    sets: &'p [&'a SelectionSet],
    field: &'p DocumentField,
}

/// The first step of a relation.
#[derive(Clone, Copy)]
struct Step<'p> {
    /// Columns of the relation's table.
    from: &'p [usize],
    /// The table whose rows hold them: the target, the junction, or the first table of a chain.
    holder: &'p TableDef,
    /// The holder's columns, pair by pair.
    to: &'p [usize],
}

impl<'a> Planner<'a> {
    /// The relation at this position among the table's.
    pub(super) fn relation(
        &mut self,
        table: &TableDef,
        at: usize,
        sets: &[&'a SelectionSet],
        field: &DocumentField,
    ) -> RowField {
        let relation = &table.relations[at];
        let manager = self.manager;
        let target = manager.table(relation.target);
        let asked = Asked {
            table,
            at,
            target,
            sets,
            field,
        };
        let step = |from, holder, to| Step { from, holder, to };
        match &relation.shape {
            Shape::BelongsTo { from, to } => self.one(&asked, step(from, target, to), true),
            Shape::HasOne { from, to } => self.one(&asked, step(from, target, to), false),
            Shape::HasMany { from, to } => {
                let lookup = Lookup {
                    columns: to,
                    source: table,
                    from,
                };
                self.many(&asked, step(from, target, to), lookup)
            }
            Shape::Linked {
                from,
                near,
                hops,
                single,
            } => {
                let holder = hops.first().map_or(target.id, |hop| hop.table);
                let step = step(from, manager.table(holder), near);
                if *single {
                    return self.one(&asked, step, false);
                }
                // What the statements are made from; see `load_page`.
                self.many(&asked, step, Lookup::by_key(target))
            }
            Shape::Through {
                junction,
                from,
                near,
                far,
            } => self.through(&asked, step(from, manager.table(*junction), near), far),
        }
    }

    /// A to-one relation. `owned` says that this table's columns refer to the target; if to its
    /// key, the reference is known without reading the row.
    fn one(&mut self, asked: &Asked<'_, 'a>, step: Step<'_>, owned: bool) -> RowField {
        let target = asked.target;
        let Step { from, holder, to } = step;
        let key = (owned && target.is_key(to)).then(|| {
            let columns = target.key.iter().filter_map(|column| {
                let at = to.iter().position(|to| to == column)?;
                from.get(at).copied()
            });
            columns.collect()
        });
        let selection = self.references(asked.sets, target, &mut 0);
        let guarded = target.is_guarded();
        let needed = guarded || key.is_none() || selection.rows().next().is_some();
        let statement = needed.then(|| {
            let select = self.select(target, selection.rows());
            // A chain's statement is made from this one's columns; see `load_page`.
            let columns = if holder.id == target.id {
                to
            } else {
                &target.key
            };
            let lookup = Lookup {
                columns,
                source: asked.table,
                from,
            };
            RowStatement::lookup(target, select, lookup)
        });
        RowField::One(Box::new(OneField {
            relation: asked.at,
            target: target.id,
            from: from.to_vec(),
            holder: holder.id,
            to: to.to_vec(),
            key,
            statement,
            guarded,
            selection,
        }))
    }

    /// A to-many relation whose rows are the target's.
    fn many(&mut self, asked: &Asked<'_, 'a>, step: Step<'_>, lookup: Lookup<'_>) -> RowField {
        let target = asked.target;
        let selection = self.page(asked.sets, target, asked.is_list());
        let items = selection.has_items().then(|| {
            let select = self.select(target, selection.rows());
            RowStatement::children(target, select, lookup, &target.key)
        });
        let count = selection.has_count();
        let count = count.then(|| CountStatement::each(target, lookup));
        RowField::Many(Box::new(ManyField {
            relation: asked.at,
            target: target.id,
            from: step.from.to_vec(),
            holder: step.holder.id,
            to: step.to.to_vec(),
            arguments: page_arguments(asked.field),
            items,
            count,
            junction: None,
            selection,
        }))
    }

    /// A to-many relation over a junction, whose columns `far` hold the target's key.
    fn through(&mut self, asked: &Asked<'_, 'a>, step: Step<'_>, far: &[usize]) -> RowField {
        let target = asked.target;
        let junction = step.holder;
        let selection = self.page(asked.sets, target, asked.is_list());
        let lookup = Lookup {
            columns: step.to,
            source: asked.table,
            from: step.from,
        };
        let onward = Lookup {
            columns: &target.key,
            source: junction,
            from: far,
        };
        let items = selection.has_items().then(|| {
            let select = Select::new(junction, far.iter().copied());
            let items = RowStatement::children(junction, select, lookup, far);
            match target.is_guarded() {
                true => items.leading_to(target, far),
                false => items,
            }
        });
        let count = selection.has_count().then(|| {
            let count = CountStatement::each(junction, lookup);
            match target.is_guarded() {
                true => count.leading_to(target, far),
                false => count,
            }
        });
        let statement = selection.rows().next().is_some().then(|| {
            let select = self.select(target, selection.rows());
            RowStatement::lookup(target, select, onward)
        });
        RowField::Many(Box::new(ManyField {
            relation: asked.at,
            target: target.id,
            from: step.from.to_vec(),
            holder: junction.id,
            to: step.to.to_vec(),
            arguments: page_arguments(asked.field),
            items,
            count,
            junction: Some(Junction {
                far: far.to_vec(),
                statement,
            }),
            selection,
        }))
    }
}

impl Asked<'_, '_> {
    fn is_list(&self) -> bool {
        self.table.relations[self.at].list
    }
}
