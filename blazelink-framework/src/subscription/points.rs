//! The points at which changes and subscriptions meet: whole tables, rows, and values of columns.
//!
//! A point is interned once, however many sessions watch it. Objects are points too: an
//! [`ObjectId`] is a whole table or a row. Look-ups hash; besides that each table lists its row
//! points and, per column, its equality points, so that "anything of this table" and "any value
//! of this column" cost what they find.
//!
//! The points of one value that residuals narrow are listed at the point of the value alone, which
//! is there as long as one of them is. Only that one is found by hashing what a row holds.

use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::dependency::Dependency;
use super::pool::{NONE, Pool};
use super::residual::Residual;
use super::residuals::Residuals;
use crate::object_id::{Atom, Key, ObjectId, Scope, TableId};

/// Places above every column number: the whole table, and the row by its key.
const WHOLE: u32 = u32::MAX;
const ROW: u32 = u32::MAX - 1;

/// Stands for all tables at once.
const EVERYTHING: TableId = TableId(u32::MAX);

/// One interned point.
#[derive(Debug)]
pub(super) struct Point {
    value: Key,
    table: TableId,
    /// [`WHOLE`], [`ROW`], or the column's position.
    place: u32,
    /// What narrows it; [`NONE`] for nothing.
    residual: u32,
    /// First of the points of the same value that a residual narrows, if none narrows this one.
    narrowed: u32,
    /// Neighbours among the points of the same table and place; of the same value, if a residual
    /// narrows it.
    next: u32,
    prev: u32,
    /// First of the links that watch the point; the graph keeps the list.
    pub(super) first: u32,
    /// Links among them that declare the point.
    pub(super) declared: u32,
    /// Reads of which the point is the object.
    pub(super) objects: u32,
    /// The commit in which the point's derived links were last collected.
    pub(super) collected: u32,
}

impl Default for Point {
    fn default() -> Self {
        Point {
            value: Key::from(0),
            table: TableId(0),
            place: WHOLE,
            residual: NONE,
            narrowed: NONE,
            next: NONE,
            prev: NONE,
            first: NONE,
            declared: 0,
            objects: 0,
            collected: 0,
        }
    }
}

impl Point {
    /// Whether the point is a table as a whole.
    pub(super) fn is_whole(&self) -> bool {
        self.place == WHOLE
    }

    /// Whether the point is all tables at once.
    pub(super) fn is_everything(&self) -> bool {
        self.table == EVERYTHING
    }

    /// The position of its column, if it is the value of one.
    pub(super) fn column(&self) -> Option<u32> {
        (self.place < ROW).then_some(self.place)
    }

    /// The value of its column, or the row's key.
    pub(super) fn value(&self) -> &Key {
        &self.value
    }

    /// The object that the point is, unless it is the value of a column, or everything.
    pub(super) fn object(&self) -> Option<ObjectId> {
        let scope = match self.place {
            WHOLE if !self.is_everything() => Scope::Table,
            ROW => Scope::Row(self.value.clone()),
            _ => return None,
        };
        Some(ObjectId {
            table: self.table,
            scope,
        })
    }
}

/// Where the lists of one table begin.
#[derive(Debug)]
struct Lists {
    rows: u32,
    /// Only columns with at least one equality point.
    columns: Vec<(u32, u32)>,
}

/// All points in use.
#[derive(Debug, Default)]
pub(super) struct Points {
    pool: Pool<Point>,
    by_value: HashTable<u32>,
    hasher: DefaultHashBuilder,
    tables: Vec<Lists>,
    residuals: Residuals,
}

impl Points {
    /// The point of a dependency, made if there is none.
    pub(super) fn intern(&mut self, dependency: Dependency) -> u32 {
        let (table, place, value) = match dependency {
            Dependency::Everything => (EVERYTHING, WHOLE, Key::from(0)),
            Dependency::Table(table) => (table, WHOLE, Key::from(0)),
            Dependency::Row(table, key) => (table, ROW, key),
            Dependency::Equal {
                table,
                column,
                value,
                residual,
            } => return self.intern_equal(table, column, Key::One(value), residual),
        };
        self.intern_at(table, place, value)
    }

    fn intern_equal(&mut self, table: TableId, column: u32, value: Key, residual: Residual) -> u32 {
        let residual = self.residuals.intern(residual);
        if residual == NONE {
            return self.intern_at(table, column, value);
        }
        if let Some(at) = self.find(table, column, value.atoms(), residual) {
            // It has its own already.
            self.residuals.release(residual);
            return at;
        }
        self.intern_at(table, column, value.clone());
        self.insert(Point {
            value,
            table,
            place: column,
            residual,
            ..Point::default()
        })
    }

    /// The dependency that a point was made for.
    pub(super) fn dependency(&self, at: u32) -> Dependency {
        let point = &self.pool[at];
        let (table, value) = (point.table, point.value.clone());
        match (point.place, value) {
            (WHOLE, _) if table == EVERYTHING => Dependency::Everything,
            (WHOLE, _) => Dependency::Table(table),
            (column, Key::One(value)) if column != ROW => Dependency::Equal {
                table,
                column,
                value,
                residual: self.residual(at).clone(),
            },
            (_, key) => Dependency::Row(table, key),
        }
    }

    /// What narrows a point besides its value.
    pub(super) fn residual(&self, at: u32) -> &Residual {
        self.residuals.get(self.pool[at].residual)
    }

    /// The point of an object, made if there is none.
    pub(super) fn intern_object(&mut self, object: ObjectId) -> u32 {
        match object.scope {
            Scope::Table => self.intern_at(object.table, WHOLE, Key::from(0)),
            Scope::Row(key) => self.intern_at(object.table, ROW, key),
        }
    }

    /// The point of an object, if there is one.
    pub(super) fn object(&self, object: &ObjectId) -> Option<u32> {
        match &object.scope {
            Scope::Table => self.whole(object.table),
            Scope::Row(key) => self.row(object.table, key),
        }
    }

    /// The point of all tables at once.
    pub(super) fn everything(&self) -> Option<u32> {
        self.whole(EVERYTHING)
    }

    /// The point of a whole table.
    pub(super) fn whole(&self, table: TableId) -> Option<u32> {
        self.find(table, WHOLE, Key::from(0).atoms(), NONE)
    }

    /// The point of a row.
    pub(super) fn row(&self, table: TableId, key: &Key) -> Option<u32> {
        self.find(table, ROW, key.atoms(), NONE)
    }

    /// The points of a column's value: itself, and those that a residual narrows.
    pub(super) fn equal(
        &self,
        table: TableId,
        column: u32,
        value: &Atom,
    ) -> impl Iterator<Item = u32> {
        let found = self.find(table, column, std::slice::from_ref(value), NONE);
        found.into_iter().flat_map(|at| self.with_narrowed(at))
    }

    /// The columns of a table in which values are watched.
    pub(super) fn columns(&self, table: TableId) -> impl Iterator<Item = u32> {
        self.tables
            .get(table.0 as usize)
            .into_iter()
            .flat_map(|lists| lists.columns.iter().map(|&(column, _)| column))
    }

    /// The row points of a table.
    pub(super) fn rows(&self, table: TableId) -> impl Iterator<Item = u32> {
        let first = self.tables.get(table.0 as usize);
        self.list(first.map_or(NONE, |lists| lists.rows))
    }

    /// The equality points of a column, with those that a residual narrows.
    pub(super) fn values(&self, table: TableId, column: u32) -> impl Iterator<Item = u32> {
        let first = self.tables.get(table.0 as usize).and_then(|lists| {
            let mut columns = lists.columns.iter();
            columns.find(|(used, _)| *used == column)
        });
        let values = self.list(first.map_or(NONE, |&(_, first)| first));
        values.flat_map(|at| self.with_narrowed(at))
    }

    fn with_narrowed(&self, at: u32) -> impl Iterator<Item = u32> {
        std::iter::once(at).chain(self.list(self.pool[at].narrowed))
    }

    /// Lets the point go if nobody watches it, it is no read's object, and no other is listed at it.
    pub(super) fn release(&mut self, at: u32) {
        let point = &self.pool[at];
        if point.first != NONE || point.objects > 0 || point.narrowed != NONE {
            return;
        }
        let hash = self.hash(point);
        if let Ok(entry) = self.by_value.find_entry(hash, |&other| other == at) {
            entry.remove();
        }
        let value = self.unnarrowed(at);
        self.unlist(at);
        let point = self.pool.remove(at);
        self.residuals.release(point.residual);
        if self.pool.len() == 0 {
            self.by_value = HashTable::new();
        }
        if let Some(value) = value {
            self.release(value);
        }
    }

    /// The point of the value alone, of one that a residual narrows.
    fn unnarrowed(&self, at: u32) -> Option<u32> {
        let point = &self.pool[at];
        let narrowed = point.residual != NONE;
        narrowed
            .then(|| self.find(point.table, point.place, point.value.atoms(), NONE))
            .flatten()
    }

    /// Number of points.
    pub(super) fn len(&self) -> usize {
        self.pool.len()
    }

    /// Forgets when points were collected; for when the commit numbers start again.
    pub(super) fn forget_stamps(&mut self) {
        for point in self.pool.iter_mut() {
            point.collected = 0;
        }
    }

    fn intern_at(&mut self, table: TableId, place: u32, value: Key) -> u32 {
        if let Some(at) = self.find(table, place, value.atoms(), NONE) {
            return at;
        }
        self.insert(Point {
            value,
            table,
            place,
            ..Point::default()
        })
    }

    fn insert(&mut self, point: Point) -> u32 {
        let hash = self.hash(&point);
        let at = self.pool.insert(point);
        let (pool, hasher) = (&self.pool, &self.hasher);
        self.by_value
            .insert_unique(hash, at, |&other| hash_of(hasher, &pool[other]));
        self.enlist(at);
        at
    }

    fn find(&self, table: TableId, place: u32, atoms: &[Atom], residual: u32) -> Option<u32> {
        let hash = hash_parts(&self.hasher, (table, place, residual), atoms);
        let same = |&at: &u32| {
            let point = &self.pool[at];
            (point.table, point.place, point.residual) == (table, place, residual)
                && point.value.atoms() == atoms
        };
        self.by_value.find(hash, same).copied()
    }

    fn hash(&self, point: &Point) -> u64 {
        hash_of(&self.hasher, point)
    }

    fn list(&self, first: u32) -> impl Iterator<Item = u32> {
        std::iter::successors((first != NONE).then_some(first), |&at| {
            let next = self.pool[at].next;
            (next != NONE).then_some(next)
        })
    }

    /// Puts a point at the front of its list; a whole table is in none.
    fn enlist(&mut self, at: u32) {
        let Some(head) = self.head(at) else {
            return;
        };
        let next = std::mem::replace(head, at);
        self.pool[at].next = next;
        if next != NONE {
            self.pool[next].prev = at;
        }
    }

    fn unlist(&mut self, at: u32) {
        let Point {
            table,
            place,
            residual,
            next,
            prev,
            ..
        } = self.pool[at];
        if next != NONE {
            self.pool[next].prev = prev;
        }
        if prev != NONE {
            self.pool[prev].next = next;
        } else if let Some(head) = self.head(at) {
            *head = next;
        }
        if next == NONE && prev == NONE && place < ROW && residual == NONE {
            let columns = &mut self.tables[table.0 as usize].columns;
            columns.retain(|&(column, _)| column != place);
        }
    }

    /// Where the list that a point is in begins.
    fn head(&mut self, at: u32) -> Option<&mut u32> {
        if let Some(value) = self.unnarrowed(at) {
            return Some(&mut self.pool[value].narrowed);
        }
        let Point { table, place, .. } = self.pool[at];
        if place == WHOLE {
            return None;
        }
        let table = table.0 as usize;
        if self.tables.len() <= table {
            self.tables.resize_with(table + 1, || Lists {
                rows: NONE,
                columns: Vec::new(),
            });
        }
        let lists = &mut self.tables[table];
        if place == ROW {
            return Some(&mut lists.rows);
        }
        let used = lists.columns.iter().position(|&(used, _)| used == place);
        let at = used.unwrap_or_else(|| {
            lists.columns.push((place, NONE));
            lists.columns.len() - 1
        });
        Some(&mut lists.columns[at].1)
    }
}

fn hash_of(hasher: &DefaultHashBuilder, point: &Point) -> u64 {
    let parts = (point.table, point.place, point.residual);
    hash_parts(hasher, parts, point.value.atoms())
}

fn hash_parts(hasher: &DefaultHashBuilder, parts: (TableId, u32, u32), atoms: &[Atom]) -> u64 {
    let mut state = hasher.build_hasher();
    parts.hash(&mut state);
    for atom in atoms {
        atom.hash(&mut state);
    }
    std::hash::Hasher::finish(&state)
}

impl std::ops::Index<u32> for Points {
    type Output = Point;

    fn index(&self, at: u32) -> &Point {
        &self.pool[at]
    }
}

impl std::ops::IndexMut<u32> for Points {
    fn index_mut(&mut self, at: u32) -> &mut Point {
        &mut self.pool[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_points_cost_what_their_record_says() {
        assert_eq!(size_of::<Point>(), 64);
    }

    #[test]
    fn lists_hold_exactly_the_points_in_use() {
        let mut points = Points::default();
        let table = TableId(2);
        let rows: Vec<u32> = (0..3)
            .map(|key| points.intern(Dependency::Row(table, Key::from(key))))
            .collect();
        let value = points.intern(Dependency::equal(table, 4, Atom::Int(1)));
        points.intern_object(ObjectId::table(table));
        assert_eq!(points.rows(table).count(), 3);
        assert_eq!(points.columns(table).collect::<Vec<_>>(), [4]);
        assert_eq!(points.values(table, 4).collect::<Vec<_>>(), [value]);
        assert_eq!(points.rows(TableId(9)).count(), 0);

        points.release(rows[1]);
        points.release(value);
        assert_eq!(points.rows(table).collect::<Vec<_>>(), [rows[2], rows[0]]);
        assert_eq!(points.columns(table).count(), 0);
        assert_eq!(points.row(table, &Key::from(1)), None);
        assert_eq!(points.row(table, &Key::from(2)), Some(rows[2]));
        assert_eq!(points.len(), 3);
    }
    #[test]
    fn narrowed_points_are_listed_at_their_value_which_stays_as_long_as_they_do() {
        let mut points = Points::default();
        let (table, value) = (TableId(2), Atom::Int(1));
        let narrowed = |kind: i64| Dependency::Equal {
            table,
            column: 4,
            value: Atom::Int(1),
            residual: Residual::of([(5, vec![Atom::Int(kind)])]),
        };
        let one = points.intern(narrowed(1));
        let other = points.intern(narrowed(2));
        assert_eq!(points.intern(narrowed(1)), one);
        let alone = points.intern(Dependency::equal(table, 4, value.clone()));
        let found = |points: &Points| points.equal(table, 4, &value).collect::<Vec<_>>();
        assert_eq!(found(&points), [alone, other, one]);
        assert_eq!(points.values(table, 4).count(), 3);
        assert_eq!(points.dependency(other), narrowed(2));

        points.release(alone);
        points.release(other);
        assert_eq!(found(&points), [alone, one]);
        points.release(one);
        assert_eq!((points.len(), points.residuals.len()), (0, 0));
        assert_eq!(points.columns(table).count(), 0);
    }
}
