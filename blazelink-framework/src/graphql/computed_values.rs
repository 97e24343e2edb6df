//! Walks through the values of computed fields: gathers the rows that they refer to, takes out what
//! the viewer does not see, and cuts pages. Pure; `computed_load` calls it.

use std::collections::{BTreeMap, HashMap};

use super::loaded::LoadedTargets;
use super::plan::{MemberField, RowValue, ValueSelection};
use crate::object_id::{Key, TableId};
use crate::table::{Identified, Output, TableManager, Window};

/// Cuts the page out of a value that holds all items.
pub(super) fn cut(value: &mut Output, window: Window) {
    let Output::Page { items, count } = value else {
        return;
    };
    if count.is_none() {
        *count = Some(i64::try_from(items.len()).unwrap_or(i64::MAX));
        let clamp = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
        let from = clamp(window.offset).min(items.len());
        items.drain(..from);
        items.truncate(clamp(window.limit));
    }
}

/// Collects the keys of a value's references by the numbers of their places.
pub(super) fn gather(selection: &ValueSelection, value: &Output, keys: &mut [Vec<Key>]) {
    match (selection, value) {
        (ValueSelection::List(item), Output::List(values)) => {
            values.iter().for_each(|value| gather(item, value, keys));
        }
        (ValueSelection::Struct { fields, .. }, Output::Struct(members)) => {
            for field in fields {
                if let MemberField::Member(at, selection) = &field.what
                    && let Some(member) = members.get(*at)
                {
                    gather(selection, member, keys);
                }
            }
        }
        (
            ValueSelection::Page {
                fields, counted, ..
            },
            Output::Page { items, .. },
        ) => {
            for item in ValueSelection::items(fields, counted) {
                items.iter().for_each(|value| gather(item, value, keys));
            }
        }
        (ValueSelection::Row(place), Output::Row(key)) => {
            if let Some(keys) = keys.get_mut(place.number) {
                keys.push(key.clone());
            }
        }
        _ => {}
    }
}

/// Takes out of lists and pages the references to rows that the viewer does not see.
pub(super) fn drop_unseen(
    selection: &ValueSelection,
    value: &mut Output,
    targets: &[LoadedTargets],
) {
    let seen = |item: &ValueSelection, value: &Output| match (item, value) {
        (ValueSelection::Row(place), Output::Row(key)) if place.guarded => targets
            .get(place.number)
            .is_some_and(|targets| targets.of.contains_key(key)),
        _ => true,
    };
    match (selection, value) {
        (ValueSelection::List(item), Output::List(values)) => {
            values.retain(|value| seen(item, value));
            values
                .iter_mut()
                .for_each(|it| drop_unseen(item, it, targets));
        }
        (ValueSelection::Struct { fields, .. }, Output::Struct(members)) => {
            for field in fields {
                if let MemberField::Member(at, selection) = &field.what
                    && let Some(member) = members.get_mut(*at)
                {
                    drop_unseen(selection, member, targets);
                }
            }
        }
        (
            ValueSelection::Page {
                fields, counted, ..
            },
            Output::Page { items, .. },
        ) => {
            for item in ValueSelection::items(fields, counted) {
                items.retain(|value| seen(item, value));
                items
                    .iter_mut()
                    .for_each(|it| drop_unseen(item, it, targets));
            }
        }
        _ => {}
    }
}

/// Collects the keys of guarded rows that a value's virtual tables are named with.
pub(super) fn gather_names(
    manager: &TableManager,
    value: &Output,
    keys: &mut BTreeMap<TableId, Vec<Key>>,
) {
    match value {
        Output::List(values) | Output::Struct(values) | Output::Page { items: values, .. } => {
            let values = values.iter();
            values.for_each(|value| gather_names(manager, value, keys));
        }
        Output::Virtual(dependencies) => {
            for named in Identified::all(dependencies) {
                if let Some(key) = &named.key
                    && manager.table(named.table).is_guarded()
                {
                    keys.entry(named.table).or_default().push(key.clone());
                }
            }
        }
        _ => {}
    }
}

/// Takes out the virtual tables that are named with a row of these tables that is not `seen`: as
/// items of lists and pages; elsewhere they become null.
pub(super) fn drop_names(value: &mut Output, seen: &HashMap<TableId, HashMap<Key, u32>>) {
    let is_seen = |named: &Identified| match (&named.key, seen.get(&named.table)) {
        (Some(key), Some(rows)) => rows.contains_key(key),
        _ => true,
    };
    let stays = |value: &Output| match value {
        Output::Virtual(dependencies) => Identified::all(dependencies).into_iter().all(is_seen),
        _ => true,
    };
    if !stays(value) {
        *value = Output::Null;
    }
    match value {
        Output::List(values) | Output::Page { items: values, .. } => {
            values.retain(stays);
            values.iter_mut().for_each(|value| drop_names(value, seen));
        }
        Output::Struct(members) => {
            members.iter_mut().for_each(|value| drop_names(value, seen));
        }
        _ => {}
    }
}

/// The places of references, in the order of their numbers.
pub(super) fn row_values<'p>(selection: &'p ValueSelection, found: &mut Vec<&'p RowValue>) {
    match selection {
        ValueSelection::Leaf | ValueSelection::Virtual { .. } => {}
        ValueSelection::List(item) => row_values(item, found),
        ValueSelection::Struct { fields, .. } => {
            for field in fields {
                if let MemberField::Member(_, member) = &field.what {
                    row_values(member, found);
                }
            }
        }
        ValueSelection::Page {
            fields, counted, ..
        } => {
            for item in ValueSelection::items(fields, counted) {
                row_values(item, found);
            }
        }
        ValueSelection::Row(place) => found.push(place),
    }
}
