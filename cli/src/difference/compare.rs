//! What is to be done to one database to make it like another. Pure.
//!
//! [`entities`] compares with what entities say, and takes what they say nothing of as it is: defaults,
//! indexes, lengths, checks, tables of others. [`whole`] compares with another database, in which what
//! is not there is not wanted.

use std::collections::{BTreeMap, BTreeSet};

use super::catalog::{Catalog, Column, Enum, Index, Name, Reference, Table, Type};
use super::change::{Change, name_of};

/// The columns of the tables that entities described when they last agreed with the database, by the
/// tables' names. What is in it and not in an entity any more was taken out by hand.
pub(crate) type Known = BTreeMap<String, BTreeSet<String>>;

/// How entities and database differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Compared {
    pub(super) changes: Vec<Change>,
    /// What would go if only that were to stay which entities describe.
    pub(super) undescribed: Vec<Change>,
}

/// The names in `wanted` are those of `have`; `renamed` are columns with the names that they had.
pub(super) fn entities(
    have: &Catalog,
    wanted: &Catalog,
    renamed: &[(Name, [String; 2])],
    known: &Known,
) -> Compared {
    let mut found = Compared::default();
    let mut last = Vec::new();
    schemas(have, wanted, &mut found.changes);
    for it in &wanted.enums {
        labels(have, it, &mut found.changes);
    }
    for table in &wanted.tables {
        let Some(there) = have.table(&table.name) else {
            create(table, &mut found.changes, &mut last);
            continue;
        };
        let former = |column: &Column| {
            let of_table = renamed.iter().filter(|(name, _)| *name == table.name);
            let mut names = of_table.map(|(_, names)| names);
            let [before, _] = names.find(|[_, now]| *now == column.name)?;
            there.column(before)
        };
        let mut gone: Vec<&Column> = there
            .columns
            .iter()
            .filter(|column| table.column(&column.name).is_none())
            .collect();
        for column in &table.columns {
            match there.column(&column.name) {
                Some(found_there) => {
                    column_like(
                        &table.name,
                        found_there,
                        column,
                        &table.key,
                        &mut found.changes,
                    );
                }
                None => match former(column) {
                    Some(before) => {
                        gone.retain(|column| column.name != before.name);
                        found.changes.push(Change::RenameColumn(
                            table.name.clone(),
                            before.name.clone(),
                            column.name.clone(),
                        ));
                    }
                    None => found
                        .changes
                        .push(Change::AddColumn(table.name.clone(), column.clone())),
                },
            }
        }
        key(there, table, &mut found.changes);
        for index in &table.indexes {
            let is_there = match index.unique {
                true => there.is_unique(&index.columns),
                false => there.is_indexed(&index.columns),
            };
            if !is_there {
                last.push(Change::AddIndex(
                    table.name.clone(),
                    named(&table.name, index),
                ));
            }
        }
        for reference in &table.references {
            reference_like(there, reference, table, &mut last);
        }
        let before = known.get(&table.name.text());
        for column in gone {
            let was_described = before.is_some_and(|columns| columns.contains(&column.name));
            let drop = Change::DropColumn(table.name.clone(), column.clone());
            match was_described {
                true => last.push(drop),
                false => found.undescribed.push(drop),
            }
        }
    }
    let is_gone = |name: &Name| wanted.table(name).is_none() && known.contains_key(&name.text());
    drop_tables(have, is_gone, &mut last);
    found.changes.extend(last);
    found
}

/// What is described, to be remembered.
pub(super) fn known(wanted: &Catalog) -> Known {
    let tables = wanted.tables.iter().map(|table| {
        let columns = table.columns.iter().map(|column| column.name.clone());
        (table.name.text(), columns.collect())
    });
    tables.collect()
}

/// Drops tables, and before them everything that hangs on them.
fn drop_tables(have: &Catalog, is_gone: impl Fn(&Name) -> bool, changes: &mut Vec<Change>) {
    let gone: Vec<&Table> = have.tables.iter().filter(|it| is_gone(&it.name)).collect();
    for table in &have.tables {
        if is_gone(&table.name) {
            let objects = table.objects.iter().cloned();
            changes.extend(objects.map(|it| Change::DropObject(table.name.clone(), it)));
            continue;
        }
        let references = table.references.iter();
        let hanging = references.filter(|it| is_gone(&it.to)).cloned();
        let drops = hanging.map(|it| Change::DropReference(table.name.clone(), it));
        // Where whole databases are compared, they are among the objects.
        let new: Vec<Change> = drops.filter(|drop| !is_among(drop, changes)).collect();
        changes.extend(new);
    }
    // Those that refer to others go first.
    let refers = |table: &&Table| table.objects.iter().any(|it| it.is_reference());
    let (mut before, after): (Vec<&Table>, Vec<&Table>) = gone.into_iter().partition(refers);
    before.extend(after);
    changes.extend(before.into_iter().map(|it| Change::DropTable(it.clone())));
}

/// Whether the same constraint is dropped already.
fn is_among(drop: &Change, changes: &[Change]) -> bool {
    changes.iter().any(|change| change.sql() == drop.sql())
}

fn schemas(have: &Catalog, wanted: &Catalog, changes: &mut Vec<Change>) {
    let tables = wanted.tables.iter().map(|table| &table.name.schema);
    let schemas: BTreeSet<&String> = tables.filter(|schema| !schema.is_empty()).collect();
    let missing = schemas.into_iter().filter(|it| !have.schemas.contains(it));
    changes.extend(missing.map(|it| Change::CreateSchema(it.clone())));
}

/// Labels that are missing. One too many is left alone: rows may have it.
fn labels(have: &Catalog, it: &Enum, changes: &mut Vec<Change>) {
    let Some(there) = have.enums.iter().find(|there| there.name == it.name) else {
        changes.push(Change::CreateEnum(it.clone()));
        return;
    };
    for (at, label) in it.labels.iter().enumerate() {
        if !there.labels.contains(label) {
            let after = at.checked_sub(1).map(|at| it.labels[at].clone());
            let after = after.or_else(|| there.labels.last().cloned());
            changes.push(Change::AddLabel(it.name.clone(), label.clone(), after));
        }
    }
}

/// A table with its keys and indexes; what refers to others waits until they are there.
fn create(table: &Table, changes: &mut Vec<Change>, last: &mut Vec<Change>) {
    changes.push(Change::CreateTable(table.clone()));
    for index in &table.indexes {
        changes.push(Change::AddIndex(
            table.name.clone(),
            named(&table.name, index),
        ));
    }
    for reference in &table.references {
        refer(table, reference, last);
    }
}

/// The index under a name of our own making.
fn named(table: &Name, index: &Index) -> Index {
    let what = if index.unique { "key" } else { "idx" };
    Index {
        name: name_of(table, &index.columns, what),
        ..index.clone()
    }
}

/// A reference, and the index by which a page of the relation is read, however many rows there are.
fn refer(table: &Table, reference: &Reference, last: &mut Vec<Change>) {
    let mut columns = reference.columns.clone();
    last.push(Change::AddReference(
        table.name.clone(),
        Reference {
            name: name_of(&table.name, &columns, "fkey"),
            ..reference.clone()
        },
    ));
    if table.is_indexed(&columns) {
        return;
    }
    for key in &table.key {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let index = Index {
        name: name_of(&table.name, &columns, "idx"),
        columns,
        unique: false,
    };
    last.push(Change::AddIndex(table.name.clone(), index));
}

fn reference_like(there: &Table, reference: &Reference, table: &Table, last: &mut Vec<Change>) {
    let same = |it: &&Reference| {
        it.columns == reference.columns
            && it.to == reference.to
            && it.to_columns == reference.to_columns
    };
    let Some(found) = there.references.iter().find(same) else {
        refer(
            &Table {
                indexes: [&there.indexes[..], &table.indexes[..]].concat(),
                ..table.clone()
            },
            reference,
            last,
        );
        return;
    };
    // `a`, no action, is what an entity has that says nothing.
    let or_there = |said: &String, there: &String| match said.as_str() {
        "a" => there.clone(),
        _ => said.clone(),
    };
    let wanted = Reference {
        name: found.name.clone(),
        on_delete: or_there(&reference.on_delete, &found.on_delete),
        on_update: or_there(&reference.on_update, &found.on_update),
        ..reference.clone()
    };
    if wanted != *found {
        last.push(Change::DropReference(table.name.clone(), found.clone()));
        last.push(Change::AddReference(table.name.clone(), wanted));
    }
}

fn key(there: &Table, table: &Table, changes: &mut Vec<Change>) {
    let same: BTreeSet<&String> = there.key.iter().collect();
    if same != table.key.iter().collect() {
        let list = |key: &[String]| match key.is_empty() {
            true => "none".to_owned(),
            false => format!("`{}`", key.join("`, `")),
        };
        changes.push(Change::ByHand(format!(
            "The primary key of `{}` is {} in the database, {} in the entity",
            table.name.text(),
            list(&there.key),
            list(&table.key)
        )));
    }
}

/// A column of a table that entities describe.
fn column_like(
    table: &Name,
    there: &Column,
    column: &Column,
    key: &[String],
    changes: &mut Vec<Change>,
) {
    if there.generated {
        return;
    }
    if !fits(&column.ty, &there.ty) {
        changes.push(Change::SetType {
            table: table.clone(),
            from: there.clone(),
            to: column.ty.clone(),
        });
    }
    let name = || column.name.clone();
    if column.is_counted() {
        if !there.is_counted() && there.default.is_none() {
            changes.push(Change::SetIdentity(table.clone(), name()));
        }
    } else if let Some(default) = &column.default
        && there.default.as_deref().map(bare) != Some(bare(default))
    {
        changes.push(Change::SetDefault {
            table: table.clone(),
            column: name(),
            from: there.default.clone(),
            to: Some(default.clone()),
        });
    }
    if !key.contains(&column.name) {
        nullable(table, there, column, changes);
    }
}

fn nullable(table: &Name, there: &Column, column: &Column, changes: &mut Vec<Change>) {
    let (table, name) = (table.clone(), column.name.clone());
    match (there.not_null, column.not_null) {
        (true, false) => changes.push(Change::DropNotNull(table, name)),
        (false, true) => changes.push(Change::SetNotNull(table, name)),
        _ => {}
    }
}

/// A default without the type that Postgres prints behind it.
fn bare(default: &str) -> &str {
    match default.rsplit_once("::") {
        Some((value, ty)) if !ty.contains('\'') && !value.ends_with('(') => value,
        _ => default,
    }
}

/// Whether a column of the database is what an entity says, which says less than Postgres does: no
/// length, no precision, no kind of text, no kind of JSON.
fn fits(said: &Type, there: &Type) -> bool {
    let plain = said.name == said.plain;
    let text = |ty: &str| ty == "character varying" || ty == "text";
    said.name == there.name
        || (plain && said.plain == there.plain)
        || (plain && said.plain == there.base)
        || (text(&said.name) && there.category == "S")
        || (said.name == "json" && there.base == "jsonb")
        || matches!(
            (said.plain.strip_suffix("[]"), there.plain.strip_suffix("[]")),
            (Some(said), Some(there)) if text(said) && text(there)
        )
}

/// What makes `have` like `wanted` in everything that is known of either.
pub(super) fn whole(have: &Catalog, wanted: &Catalog) -> Vec<Change> {
    let (mut changes, mut last) = (Vec::new(), Vec::new());
    schemas(have, wanted, &mut changes);
    for it in &wanted.enums {
        labels(have, it, &mut changes);
    }
    // What is in the way of others goes first.
    for there in &have.tables {
        if let Some(table) = wanted.table(&there.name) {
            objects(there, table, &mut changes, &mut last);
        }
    }
    for table in &wanted.tables {
        let Some(there) = have.table(&table.name) else {
            changes.push(Change::CreateTable(table.clone()));
            let objects = table.objects.iter();
            last.extend(objects.map(|it| Change::AddObject(table.name.clone(), it.clone())));
            continue;
        };
        for column in &table.columns {
            match there.column(&column.name) {
                Some(there) => same_column(&table.name, there, column, &mut changes),
                None => changes.push(Change::AddColumn(table.name.clone(), column.clone())),
            }
        }
        for column in &there.columns {
            if table.column(&column.name).is_none() {
                changes.push(Change::DropColumn(table.name.clone(), column.clone()));
            }
        }
        key(there, table, &mut changes);
    }
    // References between tables that are new need all of them, and their keys.
    last.sort_by_key(|change| match change {
        Change::AddObject(_, object) => object.is_reference(),
        _ => false,
    });
    changes.extend(last);
    drop_tables(have, |name| wanted.table(name).is_none(), &mut changes);
    let gone = have.enums.iter();
    let gone = gone.filter(|there| !wanted.enums.iter().any(|it| it.name == there.name));
    changes.extend(gone.map(|there| Change::DropEnum(there.clone())));
    changes
}

/// Indexes and constraints, by their names.
fn objects(there: &Table, table: &Table, changes: &mut Vec<Change>, last: &mut Vec<Change>) {
    for object in &there.objects {
        // One of a column that goes, goes with it; dropping it before is as good.
        if !table.objects.contains(object) {
            changes.push(Change::DropObject(table.name.clone(), object.clone()));
        }
    }
    for object in &table.objects {
        if !there.objects.contains(object) {
            last.push(Change::AddObject(table.name.clone(), object.clone()));
        }
    }
}

fn same_column(table: &Name, there: &Column, column: &Column, changes: &mut Vec<Change>) {
    if there.generated || column.generated {
        if there != column {
            changes.push(Change::ByHand(format!(
                "`{}` of `{}` is computed by Postgres in another way, or in one of both only",
                column.name,
                table.text()
            )));
        }
        return;
    }
    if there.ty.name != column.ty.name {
        changes.push(Change::SetType {
            table: table.clone(),
            from: there.clone(),
            to: column.ty.clone(),
        });
    }
    match (there.is_counted(), column.is_counted()) {
        (false, true) => changes.push(Change::SetIdentity(table.clone(), column.name.clone())),
        (true, false) if there.identity => {
            changes.push(Change::DropIdentity(table.clone(), column.name.clone()));
        }
        (true, true) => {}
        _ if there.default != column.default => changes.push(Change::SetDefault {
            table: table.clone(),
            column: column.name.clone(),
            from: there.default.clone(),
            to: column.default.clone(),
        }),
        _ => {}
    }
    nullable(table, there, column, changes);
}

#[cfg(test)]
mod tests;
