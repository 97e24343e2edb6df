//! Completes the relations of all tables, once all are known: every foreign key leads both ways,
//! every junction joins what it points to. Called by the `TableManagerBuilder`; pure.
//!
//! What an entity declares gives the name and comes first; only what no entity declares is made
//! up here. A relation to a table that is not exposed, over a hidden column, or with a condition
//! of its own is left out: it could not be answered truthfully, or not be followed.

use blazelink_codes::Code;
use sea_orm::sea_query::TableRef;
use sea_orm::{Identity, RelationDef, RelationType};

use super::definition::{DeclaredRelation, Hop, Relation, Shape, TableDef};
use super::entity::{Path, Through, table_name};
use super::naming;
use super::setup_error::setup;
use crate::error::{Error, Result};
use crate::object_id::TableId;

/// A relation on its way into a table.
struct RelationDraft {
    name: String,
    hidden: bool,
    list: bool,
    target: TableId,
    shape: Shape,
}

/// Fills in [`TableDef::relations`] of every table. Each table's id must be its position.
///
/// # Errors
///
/// If no free name is left for a relation that has to be made up, or a chain of relations leads
/// over what is not exposed.
pub(super) fn complete(tables: &mut [TableDef]) -> Result<()> {
    let mut drafts: Vec<Vec<RelationDraft>> =
        tables.iter().map(|table| declared(tables, table)).collect();
    add_missing_belongs_to(tables, &mut drafts)?;
    add_missing_reverse(tables, &mut drafts)?;
    add_junctions(tables, &mut drafts);
    // Last: a chain is no foreign key, and nothing follows from it.
    add_chains(tables, &mut drafts)?;
    for (table, drafts) in tables.iter_mut().zip(drafts) {
        table.relations = drafts
            .into_iter()
            .filter(|draft| !draft.hidden)
            .map(|draft| Relation {
                name: draft.name,
                target: draft.target,
                shape: draft.shape,
                list: draft.list,
            })
            .collect();
    }
    Ok(())
}

fn declared(tables: &[TableDef], table: &TableDef) -> Vec<RelationDraft> {
    let resolved = table.declared.iter().filter_map(|relation| {
        let (target, shape) = resolve(tables, table, relation)?;
        let name = match &shape {
            Shape::BelongsTo { from, .. }
                if naming::is_numbered(&relation.name, &tables[target.0 as usize].table) =>
            {
                name_by_column(tables, table, from, target)
            }
            _ => relation.name.clone(),
        };
        Some(RelationDraft {
            name,
            hidden: relation.hidden,
            list: relation.list,
            target,
            shape,
        })
    });
    resolved.collect()
}

fn add_chains(tables: &[TableDef], drafts: &mut [Vec<RelationDraft>]) -> Result<()> {
    for (table, drafts) in tables.iter().zip(drafts) {
        for relation in &table.declared {
            let Path::Linked(chain) = &relation.path else {
                continue;
            };
            let resolved = resolve_chain(tables, table, chain);
            let (target, shape) = resolved.ok_or_else(|| broken_chain(table, relation))?;
            drafts.push(RelationDraft {
                name: relation.name.clone(),
                hidden: relation.hidden,
                list: relation.list,
                target,
                shape,
            });
        }
    }
    Ok(())
}

fn broken_chain(table: &TableDef, relation: &DeclaredRelation) -> Error {
    setup(
        Code::SchemaDefinition,
        format!(
            "The chain `{}` of table `{}` leads over a table that is not exposed, over a hidden \
             column, or by a condition of its own",
            relation.name, table.table
        ),
        "Expose every table on its way, or remove .linked(\"..\", ..)",
    )
}

/// The shape of SeaORM's `Linked`: from this table over each relation to the next.
fn resolve_chain(
    tables: &[TableDef],
    table: &TableDef,
    chain: &[RelationDef],
) -> Option<(TableId, Shape)> {
    let mut steps: Vec<Hop> = Vec::with_capacity(chain.len());
    let mut single = true;
    let mut at = table;
    for def in chain {
        let next = find(tables, &def.to_tbl)?;
        (find(tables, &def.from_tbl)?.id == at.id).then_some(())?;
        let (from, to) = columns(at, next, def)?;
        // What a relation says of itself is no help: turned around, one to a single row says that
        // it leads to a single row.
        single &= leads_to_one(next, &to);
        steps.push(Hop {
            table: next.id,
            from,
            to,
        });
        at = next;
    }
    let Hop {
        table: mut between,
        from,
        to: near,
    } = steps.first()?.clone();
    let shape = match (steps.len(), single) {
        (1, true) if at.is_key(&near) => Shape::BelongsTo { from, to: near },
        (1, true) => Shape::HasOne { from, to: near },
        (1, false) => Shape::HasMany { from, to: near },
        _ => {
            let mut hops = Vec::with_capacity(steps.len() - 1);
            for step in steps.drain(1..) {
                let next = step.table;
                hops.push(Hop {
                    table: between,
                    ..step
                });
                between = next;
            }
            Shape::Linked {
                from,
                near,
                hops,
                single,
            }
        }
    };
    Some((at.id, shape))
}

/// Whether at most one row holds the same values in these columns.
fn leads_to_one(table: &TableDef, columns: &[usize]) -> bool {
    table.key.iter().all(|key| columns.contains(key))
        || columns.iter().any(|&column| table.columns[column].unique)
}

fn resolve(
    tables: &[TableDef],
    table: &TableDef,
    relation: &DeclaredRelation,
) -> Option<(TableId, Shape)> {
    match &relation.path {
        Path::Direct(def) => {
            let target = find(tables, &def.to_tbl)?;
            let (from, to) = columns(table, target, def)?;
            let shape = match (&def.rel_type, def.is_owner) {
                (RelationType::HasOne, false) => Shape::BelongsTo { from, to },
                (RelationType::HasOne, true) => Shape::HasOne { from, to },
                (RelationType::HasMany, _) => Shape::HasMany { from, to },
            };
            Some((target.id, shape))
        }
        Path::Through(through) => {
            let Through { via, to } = &**through;
            let junction = find(tables, &via.to_tbl)?;
            let target = find(tables, &to.to_tbl)?;
            let (from, near) = columns(table, junction, via)?;
            let (far, onto) = columns(junction, target, to)?;
            let far = in_key_order(target, &far, &onto)?;
            let shape = Shape::Through {
                junction: junction.id,
                from,
                near,
                far,
            };
            Some((target.id, shape))
        }
        Path::Linked(_) => None,
    }
}

fn find<'a>(tables: &'a [TableDef], reference: &TableRef) -> Option<&'a TableDef> {
    let (schema, name) = table_name(reference);
    tables
        .iter()
        .find(|table| table.table == name && (schema.is_none() || table.declared_schema == schema))
}

fn columns(from: &TableDef, to: &TableDef, def: &RelationDef) -> Option<(Vec<usize>, Vec<usize>)> {
    let positions = |table: &TableDef, identity: &Identity| -> Option<Vec<usize>> {
        let mut positions = identity.iter().map(|column| table.column(&column.inner()));
        positions.try_fold(Vec::new(), |mut known, position| {
            let position = position?;
            (!table.columns[position].hidden).then(|| {
                known.push(position);
                known
            })
        })
    };
    let pair = (positions(from, &def.from_col)?, positions(to, &def.to_col)?);
    (def.on_condition.is_none() && pair.0.len() == pair.1.len()).then_some(pair)
}

/// `columns` hold the target's `onto`, pair by pair; gives them in the order of the target's key,
/// or nothing if `onto` is not its key.
fn in_key_order(target: &TableDef, columns: &[usize], onto: &[usize]) -> Option<Vec<usize>> {
    if !target.is_key(onto) {
        return None;
    }
    let mut ordered = target.key.iter().map(|key| {
        let at = onto.iter().position(|column| column == key)?;
        columns.get(at).copied()
    });
    ordered.try_fold(Vec::new(), |mut columns, column| {
        columns.push(column?);
        Some(columns)
    })
}

/// The name of a to-one after its foreign key, else with its target's table too.
fn name_by_column(
    tables: &[TableDef],
    table: &TableDef,
    from: &[usize],
    target: TableId,
) -> String {
    let stem = stem(table, from);
    if table.column(&stem).is_none() {
        return stem;
    }
    format!("{stem}_{}", tables[target.0 as usize].table)
}

fn stem(table: &TableDef, columns: &[usize]) -> String {
    let names: Vec<&str> = columns
        .iter()
        .map(|&column| table.columns[column].name.as_str())
        .collect();
    naming::stem(&names)
}

/// Whether both lists of pairs hold the same pairs, in any order.
fn same_pairs(one: (&[usize], &[usize]), other: (&[usize], &[usize])) -> bool {
    one.0.len() == other.0.len()
        && one.0.iter().zip(one.1).all(|pair| {
            other
                .0
                .iter()
                .zip(other.1)
                .any(|candidate| candidate == pair)
        })
}

fn add_missing_belongs_to(tables: &[TableDef], drafts: &mut [Vec<RelationDraft>]) -> Result<()> {
    for parent in tables {
        let mut missing = Vec::new();
        for draft in &drafts[parent.id.0 as usize] {
            let (Shape::HasOne { from, to } | Shape::HasMany { from, to }) = &draft.shape else {
                continue;
            };
            let known = drafts[draft.target.0 as usize].iter().any(|known| {
                known.target == parent.id
                    && matches!(&known.shape, Shape::BelongsTo { from: near, to: far }
                        if same_pairs((near, far), (to, from)))
            });
            if !known {
                missing.push((draft.target, to.clone(), from.clone()));
            }
        }
        for (child, from, to) in missing {
            let table = &tables[child.0 as usize];
            let name = name_by_column(tables, table, &from, parent.id);
            let name = free_name(table, &drafts[child.0 as usize], [name], &parent.table)?;
            drafts[child.0 as usize].push(RelationDraft {
                name,
                hidden: false,
                list: false,
                target: parent.id,
                shape: Shape::BelongsTo { from, to },
            });
        }
    }
    Ok(())
}

fn add_missing_reverse(tables: &[TableDef], drafts: &mut [Vec<RelationDraft>]) -> Result<()> {
    for child in tables {
        let mut missing = Vec::new();
        let own = &drafts[child.id.0 as usize];
        for draft in own {
            let Shape::BelongsTo { from, to } = &draft.shape else {
                continue;
            };
            let known = drafts[draft.target.0 as usize].iter().any(|known| {
                known.target == child.id
                    && matches!(&known.shape,
                        Shape::HasOne { from: near, to: far } | Shape::HasMany { from: near, to: far }
                        if same_pairs((near, far), (to, from)))
            });
            let siblings = own.iter().filter(|other| {
                other.target == draft.target && matches!(other.shape, Shape::BelongsTo { .. })
            });
            let ambiguous = siblings.count() > 1 || draft.target == child.id;
            if !known {
                missing.push((draft.target, to.clone(), from.clone(), ambiguous));
            }
        }
        for (parent, from, to, ambiguous) in missing {
            let single =
                matches!(*to, [column] if child.columns[column].unique) || child.is_key(&to);
            let plain = if single {
                child.table.clone()
            } else {
                naming::plural(&child.table)
            };
            let by_column = format!("{plain}_by_{}", stem(child, &to));
            let names = if ambiguous {
                [by_column.clone(), by_column]
            } else {
                [plain, by_column]
            };
            let table = &tables[parent.0 as usize];
            let name = free_name(table, &drafts[parent.0 as usize], names, &child.table)?;
            let shape = if single {
                Shape::HasOne { from, to }
            } else {
                Shape::HasMany { from, to }
            };
            drafts[parent.0 as usize].push(RelationDraft {
                name,
                hidden: false,
                list: false,
                target: child.id,
                shape,
            });
        }
    }
    Ok(())
}

/// Joins the two tables that a table's key points to, where neither entity says so itself and the
/// plain name is free. The way over the junction's own fields exists either way.
fn add_junctions(tables: &[TableDef], drafts: &mut [Vec<RelationDraft>]) {
    for junction in tables {
        let Some(ends) = junction_ends(junction, &drafts[junction.id.0 as usize]) else {
            continue;
        };
        for (near, far) in [(&ends[0], &ends[1]), (&ends[1], &ends[0])] {
            let table = &tables[near.0.0 as usize];
            let target = &tables[far.0.0 as usize];
            let own = &drafts[table.id.0 as usize];
            let known = own.iter().any(|draft| {
                draft.target == target.id
                    && matches!(draft.shape, Shape::Through { junction: known, .. } if known == junction.id)
            });
            let name = naming::plural(&target.table);
            let Some(far_columns) = in_key_order(target, &far.1, &far.2) else {
                continue;
            };
            if known || !is_free(table, own, &name) {
                continue;
            }
            drafts[table.id.0 as usize].push(RelationDraft {
                name,
                hidden: false,
                list: false,
                target: target.id,
                shape: Shape::Through {
                    junction: junction.id,
                    from: near.2.clone(),
                    near: near.1.clone(),
                    far: far_columns,
                },
            });
        }
    }
}

/// Target, own columns and the target's columns of a foreign key.
type End = (TableId, Vec<usize>, Vec<usize>);

/// The two foreign keys that make up the table's key, if they lead to different tables.
fn junction_ends(table: &TableDef, drafts: &[RelationDraft]) -> Option<[End; 2]> {
    let ends: Vec<End> = drafts
        .iter()
        .filter_map(|draft| match &draft.shape {
            Shape::BelongsTo { from, to } if from.iter().all(|c| table.key.contains(c)) => {
                Some((draft.target, from.clone(), to.clone()))
            }
            _ => None,
        })
        .collect();
    let ends: [End; 2] = ends.try_into().ok()?;
    let covered = ends[0].1.len() + ends[1].1.len() == table.key.len()
        && ends[0].1.iter().all(|column| !ends[1].1.contains(column));
    (covered && ends[0].0 != ends[1].0).then_some(ends)
}

fn is_free(table: &TableDef, drafts: &[RelationDraft], name: &str) -> bool {
    table.exposed().all(|(_, column)| column.field() != name)
        && drafts.iter().all(|draft| draft.name != name)
}

fn free_name<const N: usize>(
    table: &TableDef,
    drafts: &[RelationDraft],
    names: [String; N],
    other: &str,
) -> Result<String> {
    let wanted = names.first().cloned().unwrap_or_default();
    names
        .into_iter()
        .find(|name| is_free(table, drafts, name))
        .ok_or_else(|| {
            setup(
                Code::SchemaCollision,
                format!(
                    "The relation of table `{}` with `{other}` would be called `{wanted}`, which is \
                     taken",
                    table.table
                ),
                format!(
                    "Name the relation yourself: declare a field for it in the entity of `{}` with \
                     #[sea_orm(..)], or hide the other field with #[blazelink(hide)]",
                    table.table
                ),
            )
        })
}
