//! `Event`: what a change did to one row, and the points of the index that it meets. Used by
//! `index`, which tells who watches them, and by `concerned`, which asks before.
//!
//! What must stay true: nothing that may have changed is passed over. A point that a value and a
//! residual make is met if the row held all of that before the change, or holds it after, as far
//! as the log tells: an old value that it does not tell may have been any.

use super::points::Points;
use super::pool::NONE;
use super::residual::Residual;
use crate::change::{Cell, Change, ChangeKind, Old, Row};
use crate::exposure::ExposedTable;
use crate::object_id::{Atom, Key, TableId};
use crate::session::UpdateKind;
use crate::value::Kind;

/// One row's event, cut from a change.
pub(super) struct Event<'a> {
    /// Position of the change in its transaction.
    pub(super) change: u32,
    pub(super) kind: UpdateKind,
    pub(super) table: TableId,
    pub(super) key: &'a Key,
    pub(super) row: Option<&'a Row>,
    images: Images<'a>,
}

/// What tells apart the events of one transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct EventName {
    change: u32,
    kind: UpdateKind,
}

/// Which images of a change an event looks values up in.
#[derive(Clone, Copy)]
struct Images<'a> {
    old: Option<&'a Old>,
    new: Option<&'a Row>,
    /// The row's key before the change.
    old_key: &'a Key,
}

impl<'a> Event<'a> {
    pub(super) fn name(&self) -> EventName {
        EventName {
            change: self.change,
            kind: self.kind,
        }
    }

    /// The row before it under this key, if it is known.
    pub(super) fn before(&self) -> Option<&'a Row> {
        match self.images.old {
            Some(Old::Full(row)) => Some(row),
            Some(Old::None | Old::Key(_)) | None => None,
        }
    }

    /// The row after it under this key.
    pub(super) fn after(&self) -> Option<&'a Row> {
        self.images.new
    }
}

/// The events that a change is: one, or two if the row moved to another key.
pub(super) fn events(at: u32, change: &Change) -> [Option<Event<'_>>; 2] {
    let old_row = match &change.old {
        Old::Full(row) => Some(row),
        Old::None | Old::Key(_) => None,
    };
    let new = change.new.as_ref();
    let old_key = change.moved.as_ref().unwrap_or(&change.key);
    let event = |kind, key, row, old, new| {
        let images = Images { old, new, old_key };
        Some(Event {
            change: at,
            kind,
            table: change.table,
            key,
            row,
            images,
        })
    };
    let old = Some(&change.old);
    match (change.kind, &change.moved) {
        (ChangeKind::Insert, _) => [event(UpdateKind::Create, &change.key, new, None, new), None],
        (ChangeKind::Delete, _) => [
            event(UpdateKind::Delete, &change.key, old_row, old, None),
            None,
        ],
        (ChangeKind::Update, None) => [event(UpdateKind::Update, &change.key, new, old, new), None],
        (ChangeKind::Update, Some(moved)) => [
            event(UpdateKind::Delete, moved, old_row, old, None),
            event(UpdateKind::Create, &change.key, new, None, new),
        ],
    }
}

/// Collects the points that an event meets: whoever watches one of them is concerned.
pub(super) fn points_met(
    points: &Points,
    table: &ExposedTable,
    event: &Event<'_>,
    found: &mut Vec<u32>,
) {
    found.extend(points.whole(table.id));
    found.extend(points.row(table.id, event.key));
    found.extend(points.everything());
    collect_values(points, table, event.images, found);
}

/// The points at which anything of a table is watched.
pub(super) fn points_of_table(points: &Points, table: TableId) -> impl Iterator<Item = u32> {
    let values = points.columns(table);
    let values = values.flat_map(move |column| points.values(table, column));
    let rows = points.whole(table).into_iter().chain(points.rows(table));
    rows.chain(values).chain(points.everything())
}

/// Collects the points of the watched values that the images hold or may hold.
fn collect_values(points: &Points, table: &ExposedTable, images: Images<'_>, found: &mut Vec<u32>) {
    for column in points.columns(table.id) {
        let meets = |&at: &u32| points[at].first != NONE && images.meet(points, table, at);
        let (old, new) = (images.before(table, column), images.after(table, column));
        if let (Some(Seen::Unknown), _) | (_, Some(Seen::Unknown)) = (&old, &new) {
            found.extend(points.values(table.id, column).filter(meets));
            continue;
        }
        let Some(kind) = kind_of(table, column) else {
            continue;
        };
        let value = |seen: Option<Seen<'_>>| seen.and_then(|seen| seen.value(kind));
        let (old, new) = (value(old), value(new));
        let new = new.filter(|new| Some(new) != old.as_ref());
        for value in old.iter().chain(&new) {
            found.extend(points.equal(table.id, column, value).filter(meets));
        }
    }
}

impl<'a> Images<'a> {
    /// Whether a point of this value, which has been found by it, is met.
    fn meet(&self, points: &Points, table: &ExposedTable, at: u32) -> bool {
        let residual = points.residual(at);
        if residual.is_none() {
            return true;
        }
        let (Some(column), Key::One(value)) = (points[at].column(), points[at].value()) else {
            return true;
        };
        [Images::before, Images::after].iter().any(|image| {
            let image = |column| image(self, table, column);
            all_hold(table, (column, value), residual, image)
        })
    }

    /// What the log tells of a column before the change; nothing if the row was not there.
    fn before(&self, table: &ExposedTable, column: u32) -> Option<Seen<'a>> {
        Some(match self.old? {
            Old::Full(row) => Seen::in_row(row, column),
            Old::None | Old::Key(_) => Seen::in_key(table, self.old_key, column),
        })
    }

    /// The same after the change. What the new image leaves out is as it was.
    fn after(&self, table: &ExposedTable, column: u32) -> Option<Seen<'a>> {
        match Seen::in_row(self.new?, column) {
            Seen::Unknown => self.before(table, column).or(Some(Seen::Unknown)),
            seen => Some(seen),
        }
    }
}

/// Whether one image of a row may hold a value and all that the residual says besides.
fn all_hold<'a>(
    table: &ExposedTable,
    (column, value): (u32, &Atom),
    residual: &Residual,
    image: impl Fn(u32) -> Option<Seen<'a>>,
) -> bool {
    let holds = |column: u32, values: &[Atom]| {
        image(column).is_some_and(|seen| match kind_of(table, column) {
            Some(kind) => values.iter().any(|value| seen.may_be(kind, value)),
            None => true,
        })
    };
    let mut rest = residual.equalities().iter();
    holds(column, std::slice::from_ref(value)) && rest.all(|one| holds(one.column, &one.values))
}

fn kind_of(table: &ExposedTable, column: u32) -> Option<&Kind> {
    let column = table.columns.get(column as usize);
    column.map(|column| &column.kind)
}

/// What the log tells of one column's value.
enum Seen<'a> {
    Text(&'a str),
    Key(&'a Atom),
    Null,
    Unknown,
}

impl<'a> Seen<'a> {
    fn in_row(row: &'a Row, column: u32) -> Seen<'a> {
        match row.cell(column as usize) {
            Cell::Null => Seen::Null,
            Cell::Unchanged => Seen::Unknown,
            Cell::Text(text) => Seen::Text(text),
        }
    }

    fn in_key(table: &ExposedTable, key: &'a Key, column: u32) -> Seen<'a> {
        let mut columns = table.key.iter();
        columns
            .position(|&of_key| of_key == column as usize)
            .and_then(|at| key.atoms().get(at))
            .map_or(Seen::Unknown, Seen::Key)
    }

    fn value(self, kind: &Kind) -> Option<Atom> {
        match self {
            Seen::Text(text) => Some(kind.atom(text)),
            Seen::Key(atom) => Some(atom.clone()),
            Seen::Null | Seen::Unknown => None,
        }
    }

    fn may_be(&self, kind: &Kind, value: &Atom) -> bool {
        match self {
            Seen::Text(text) => kind.makes(text, value),
            Seen::Key(atom) => *atom == value,
            Seen::Null => false,
            Seen::Unknown => true,
        }
    }
}
