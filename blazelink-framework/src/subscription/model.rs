//! A second, naive implementation of the index, and the test that both always agree.
//!
//! The model keeps plain sets and asks every dependency about every change.

#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::collection::vec;
use proptest::prelude::*;

use super::index::{Answer, Notice, SubscriptionIndex};
use super::{Dependency, Residual, Role};
use crate::change::{Cell, Change, ChangeKind, Old, Row, Span, Transaction};
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::{Atom, Key, ObjectId, Scope, TableId};
use crate::session::UpdateKind;
use crate::value::Kind;

const LIMIT: usize = 40;

/// Two tables with the columns `id`, `owner`, `note`.
fn exposure() -> Exposure {
    let column = |name: &str, kind| ExposedColumn {
        renamed: None,
        name: name.into(),
        kind,
    };
    let tables = (0..2).map(|id| ExposedTable {
        id: TableId(id),
        schema: "public".into(),
        table: format!("table{id}"),
        entity: format!("Table{id}"),
        columns: vec![
            column("id", Kind::Int),
            column("owner", Kind::Int),
            column("note", Kind::Text),
        ],
        key: vec![0],
    });
    Exposure::new(tables.collect())
}

#[derive(Clone, Debug, Default)]
struct Read {
    confirmed: Vec<(Role, Dependency)>,
    asked: Vec<(Role, Dependency)>,
    open: usize,
    settled: bool,
}

impl Read {
    fn counts(&self) -> impl Iterator<Item = &(Role, Dependency)> {
        self.confirmed.iter().chain(&self.asked)
    }

    fn links(&self) -> usize {
        let mut seen: Vec<&Dependency> = Vec::new();
        for (_, dependency) in self.counts() {
            if !seen.contains(&dependency) {
                seen.push(dependency);
            }
        }
        seen.len()
    }
}

type Name = (u32, ObjectId, u64);

#[derive(Default)]
struct Model {
    reads: BTreeMap<Name, Read>,
}

/// What somebody knows who looks whenever he is told to, as a ledger does.
#[derive(Default)]
struct Kept(BTreeMap<Name, Vec<String>>);

impl Kept {
    fn look(&mut self, index: &SubscriptionIndex, name: &Name) {
        self.0.insert(name.clone(), Kept::now(index, name));
    }

    fn check(&self, index: &SubscriptionIndex, name: &Name) {
        let known = self.0.get(name).cloned().unwrap_or_default();
        assert_eq!(known, Kept::now(index, name));
    }

    fn now(index: &SubscriptionIndex, (session, object, selection): &Name) -> Vec<String> {
        let view = index.dependencies(*session, object, *selection);
        let mut view: Vec<String> = view.iter().map(|one| format!("{one:?}")).collect();
        view.sort();
        view
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Row(u8, u32, Key),
    Again(ObjectId),
}

impl Model {
    fn depend(&mut self, name: &Name, role: Role, dependency: Dependency) -> bool {
        let held: usize = self
            .reads
            .iter()
            .filter(|(other, _)| other.0 == name.0)
            .map(|(_, read)| read.links())
            .sum();
        let read = self.reads.get_mut(name).unwrap();
        let known = read.counts().any(|(_, known)| *known == dependency);
        if !known && held >= LIMIT {
            return false;
        }
        if !read.asked.contains(&(role, dependency.clone())) {
            read.asked.push((role, dependency));
        }
        true
    }

    fn close(&mut self, name: &Name, finished: bool) {
        let read = self.reads.get_mut(name).unwrap();
        read.open -= 1;
        read.settled |= finished;
        if read.open > 0 {
            return;
        }
        let asked = std::mem::take(&mut read.asked);
        if std::mem::take(&mut read.settled) {
            read.confirmed = asked;
        }
        if read.confirmed.is_empty() {
            self.reads.remove(name);
        }
    }

    fn unsubscribe(&mut self, name: &Name) {
        if let Some(read) = self.reads.get_mut(name) {
            read.confirmed.clear();
            if read.open == 0 {
                self.reads.remove(name);
            }
        }
    }

    fn watched(&self, session: u32) -> Vec<ObjectId> {
        let mut objects = BTreeSet::new();
        for ((owner, object, _), read) in &self.reads {
            if *owner != session || read.counts().next().is_none() {
                continue;
            }
            objects.insert(object.clone());
            for (role, dependency) in read.counts() {
                match (role, dependency) {
                    (Role::Declared, Dependency::Table(table)) => {
                        objects.insert(ObjectId::table(*table));
                    }
                    (Role::Declared, Dependency::Row(table, key)) => {
                        objects.insert(ObjectId::row(*table, key.clone()));
                    }
                    _ => {}
                }
            }
        }
        objects.into_iter().collect()
    }

    fn affected(&self, session: u32, transaction: &Transaction) -> Vec<Told> {
        let reads = self.reads.iter().filter(|(name, _)| name.0 == session);
        let wanted: Vec<_> = reads
            .flat_map(|(name, read)| read.counts().map(|(role, dep)| (&name.1, *role, dep)))
            .collect();
        let mut rows = Vec::new();
        let mut told = BTreeSet::new();
        let mut again = BTreeSet::new();
        for change in &transaction.changes {
            for event in split(change) {
                let table = change.table;
                let hits = |dependency: &Dependency| event.hits(table, dependency);
                let mut declared = false;
                for (object, role, dependency) in &wanted {
                    if !hits(dependency) {
                        continue;
                    }
                    if *role == Role::Derived {
                        again.insert((*object).clone());
                        continue;
                    }
                    declared = true;
                    if let Dependency::Table(table) = dependency {
                        told.insert(ObjectId::table(*table));
                    }
                }
                if declared {
                    told.insert(ObjectId::row(table, event.key.clone()));
                    rows.push(Told::Row(event.kind as u8, table.0, event.key.clone()));
                }
            }
        }
        for table in &transaction.whole {
            for (object, role, dependency) in &wanted {
                again.extend(match (role, dependency) {
                    (_, Dependency::Table(of) | Dependency::Row(of, _)) if of != table => None,
                    (_, Dependency::Equal { table: of, .. }) if of != table => None,
                    (Role::Declared, Dependency::Table(of)) => Some(ObjectId::table(*of)),
                    (Role::Declared, Dependency::Row(of, key)) => {
                        Some(ObjectId::row(*of, key.clone()))
                    }
                    _ => Some((*object).clone()),
                });
            }
        }
        let mut again: Vec<_> = again.difference(&told).cloned().map(Told::Again).collect();
        again.sort();
        rows.extend(again);
        rows
    }
}

struct Event {
    kind: UpdateKind,
    key: Key,
    old: Option<Old>,
    old_key: Key,
    new: Option<Row>,
}

fn split(change: &Change) -> Vec<Event> {
    let old_key = change.moved.clone().unwrap_or(change.key.clone());
    let event = |kind, key: &Key, old, new| Event {
        kind,
        key: key.clone(),
        old,
        old_key: old_key.clone(),
        new,
    };
    let (old, new) = (Some(change.old.clone()), change.new.clone());
    match (change.kind, &change.moved) {
        (ChangeKind::Insert, _) => vec![event(UpdateKind::Create, &change.key, None, new)],
        (ChangeKind::Delete, _) => vec![event(UpdateKind::Delete, &change.key, old, None)],
        (_, None) => vec![event(UpdateKind::Update, &change.key, old, new)],
        (_, Some(moved)) => vec![
            event(UpdateKind::Delete, moved, old, None),
            event(UpdateKind::Create, &change.key, None, new),
        ],
    }
}

impl Event {
    fn hits(&self, table: TableId, dependency: &Dependency) -> bool {
        match dependency {
            Dependency::Everything => true,
            Dependency::Table(of) => *of == table,
            Dependency::Row(of, key) => *of == table && *key == self.key,
            Dependency::Equal {
                table: of,
                column,
                value,
                residual,
            } => {
                let mut equalities = vec![(*column, vec![value.clone()])];
                let rest = residual.equalities().iter();
                equalities.extend(rest.map(|one| (one.column, one.values.to_vec())));
                let all = |holds: &dyn Fn(usize, &Atom) -> bool| {
                    let mut equalities = equalities.iter();
                    equalities.all(|(column, values)| {
                        let mut values = values.iter();
                        values.any(|value| holds(*column as usize, value))
                    })
                };
                let before = |column, value: &Atom| match &self.old {
                    None => true,
                    Some(Old::Full(row)) => row.text(column) == Some(&value.to_string()),
                    Some(_) if column == 0 => self.old_key == Key::One(value.clone()),
                    Some(_) => true,
                };
                let after = |row: &Row, column, value: &Atom| match row.cell(column) {
                    Cell::Unchanged => before(column, value),
                    Cell::Null => false,
                    Cell::Text(text) => text == value.to_string(),
                };
                let new = self.new.as_ref();
                *of == table
                    && (self.old.is_some() && all(&before)
                        || new.is_some_and(|row| all(&|at, value| after(row, at, value))))
            }
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Open(u32, ObjectId, u64),
    Depend(usize, Role, Vec<Dependency>),
    Close(usize, bool),
    Unsubscribe(u32, ObjectId, u64),
    Forget(u32),
    Commit(Vec<Change>, Vec<TableId>),
}

fn table() -> impl Strategy<Value = TableId> {
    (0..2_u32).prop_map(TableId)
}

fn object() -> impl Strategy<Value = ObjectId> {
    (table(), prop::option::of(0..3_i64)).prop_map(|(table, key)| ObjectId {
        table,
        scope: key.map_or(Scope::Table, |key| Scope::Row(Key::from(key))),
    })
}

fn dependency() -> impl Strategy<Value = Dependency> {
    prop_oneof![
        1 => Just(Dependency::Everything),
        4 => table().prop_map(Dependency::Table),
        4 => (table(), 0..40_i64).prop_map(|(table, key)| Dependency::Row(table, Key::from(key % 4))),
        4 => (table(), 0..4_i64).prop_map(|(table, key)| Dependency::Row(table, Key::from(key))),
        4 => (table(), 0..30_i64).prop_map(|(table, key)| Dependency::Row(table, Key::from(key))),
        4 => (table(), equality(), residual()).prop_map(|(table, (column, value), residual)| {
            Dependency::Equal {
                table,
                column,
                value,
                residual,
            }
        }),
    ]
}

fn equality() -> impl Strategy<Value = (u32, Atom)> {
    (0..3_u32, 0..3_i64).prop_map(|(column, value)| (column, atom(column, value)))
}

fn residual() -> impl Strategy<Value = Residual> {
    let one = (0..3_u32, vec(0..3_i64, 1..3));
    let one = one.prop_map(|(column, values)| {
        let values = values.into_iter().map(|value| atom(column, value));
        (column, values.collect::<Vec<_>>())
    });
    vec(one, 0..3).prop_map(Residual::of)
}

fn atom(column: u32, value: i64) -> Atom {
    match column {
        2 => Atom::Text(value.to_string().into()),
        _ => Atom::Int(value),
    }
}

type Cells = (Option<i64>, Option<i64>);

fn row(key: i64, cells: Cells) -> Row {
    let text = |cell: Option<i64>| cell.map(|cell| cell.to_string());
    let texts = [Some(key.to_string()), text(cells.0), text(cells.1)];
    Row::from_texts(&texts.each_ref().map(|text| text.as_deref()))
}

/// The same without a value for the note, as the log has it that was not told of a long one.
fn row_without_note(key: i64, cells: Cells) -> Row {
    let texts = [key.to_string(), cells.0.unwrap_or(0).to_string()];
    let end = |at: usize| texts[at].len() as u32;
    let spans = [
        Span::Text {
            start: 0,
            end: end(0),
        },
        Span::Text {
            start: end(0),
            end: end(0) + end(1),
        },
        Span::Unchanged,
    ];
    Row::new(texts.concat().into(), spans.into()).unwrap()
}

fn change() -> impl Strategy<Value = Change> {
    let cells = || (prop::option::of(0..3_i64), prop::option::of(0..3_i64));
    let kind = prop_oneof![
        Just(ChangeKind::Insert),
        Just(ChangeKind::Update),
        Just(ChangeKind::Delete)
    ];
    let keys = (0..4_i64, prop::option::of(0..4_i64));
    let told = (any::<bool>(), prop::bool::weighted(0.8));
    (table(), kind, keys, cells(), cells(), told).prop_map(
        |(table, kind, (key, moved), before, after, (full, with_note))| {
            let moved = moved.filter(|moved| *moved != key && kind == ChangeKind::Update);
            let old_key = moved.unwrap_or(key);
            let old = match kind {
                ChangeKind::Insert => Old::None,
                _ if full => Old::Full(row(old_key, before)),
                ChangeKind::Update if moved.is_none() => Old::None,
                _ => Old::Key(Key::from(old_key)),
            };
            Change {
                table,
                kind,
                key: Key::from(key),
                moved: moved.map(Key::from),
                old,
                new: match kind {
                    ChangeKind::Delete => None,
                    ChangeKind::Update if !with_note => Some(row_without_note(key, after)),
                    _ => Some(row(key, after)),
                },
            }
        },
    )
}

fn step() -> impl Strategy<Value = Step> {
    let role = || prop_oneof![Just(Role::Declared), Just(Role::Derived)];
    prop_oneof![
        3 => (0..3_u32, object(), 0..2_u64).prop_map(|(s, o, n)| Step::Open(s, o, n)),
        8 => (0..8_usize, role(), vec(dependency(), 1..8))
            .prop_map(|(at, r, d)| Step::Depend(at, r, d)),
        3 => (0..8_usize, prop::bool::weighted(0.7)).prop_map(|(at, ok)| Step::Close(at, ok)),
        1 => (0..3_u32, object(), 0..2_u64).prop_map(|(s, o, n)| Step::Unsubscribe(s, o, n)),
        1 => (0..3_u32).prop_map(Step::Forget),
        4 => (vec(change(), 0..5), vec(table(), 0..2)).prop_map(|(mut changes, whole)| {
            changes.retain(|change| !whole.contains(&change.table));
            Step::Commit(changes, whole)
        }),
    ]
}

fn transaction(changes: Vec<Change>, whole: Vec<TableId>) -> Transaction {
    Transaction::of(changes, whole)
}

fn told_by_index(
    index: &mut SubscriptionIndex,
    transaction: &Transaction,
) -> BTreeMap<u32, Vec<Told>> {
    let mut told: BTreeMap<u32, Vec<Told>> = BTreeMap::new();
    index.affected(transaction, &exposure(), &mut |notice, sessions| {
        let notice = match notice {
            Notice::Row {
                kind, table, key, ..
            } => Told::Row(kind as u8, table.0, key.clone()),
            Notice::Again(object) => Told::Again(object),
        };
        for session in sessions {
            told.entry(*session).or_default().push(notice.clone());
        }
    });
    for list in told.values_mut() {
        // Objects to be read again come last, in no particular order.
        let rows = list
            .iter()
            .take_while(|told| matches!(told, Told::Row(..)))
            .count();
        list[rows..].sort();
    }
    told
}

fn run(steps: Vec<Step>) {
    let mut index = SubscriptionIndex::default();
    let mut model = Model::default();
    let mut kept = Kept::default();
    let mut open: Vec<(Name, Answer)> = Vec::new();
    for step in steps {
        match step {
            Step::Open(session, object, selection) => {
                let answer = index.begin(session, object.clone(), selection);
                let name = (session, object, selection);
                model.reads.entry(name.clone()).or_default().open += 1;
                open.push((name, answer));
            }
            Step::Depend(at, role, dependencies) if !open.is_empty() => {
                let (name, answer) = &open[at % open.len()];
                for dependency in dependencies {
                    let added = index.depend(answer, role, dependency.clone(), LIMIT);
                    assert_eq!(added.is_ok(), model.depend(name, role, dependency));
                }
            }
            Step::Close(at, finished) if !open.is_empty() => {
                let (name, answer) = open.swap_remove(at % open.len());
                model.close(&name, finished);
                let changed = match finished {
                    true => index.finish(answer),
                    false => index.fail(answer),
                };
                if changed {
                    kept.look(&index, &name);
                }
                if !open.iter().any(|(other, _)| *other == name) {
                    kept.check(&index, &name);
                }
            }
            Step::Depend(..) | Step::Close(..) => {}
            Step::Unsubscribe(session, object, selection) => {
                index.unsubscribe(session, &object, selection);
                let name = (session, object, selection);
                model.unsubscribe(&name);
                kept.look(&index, &name);
            }
            Step::Forget(session) => {
                index.forget(session);
                let names: Vec<Name> = model.reads.keys().cloned().collect();
                for name in names.iter().filter(|name| name.0 == session) {
                    model.unsubscribe(name);
                    kept.look(&index, name);
                }
            }
            Step::Commit(changes, whole) => {
                let transaction = transaction(changes, whole);
                let told = told_by_index(&mut index, &transaction);
                for session in 0..3 {
                    let expected = model.affected(session, &transaction);
                    assert_eq!(told.get(&session).cloned().unwrap_or_default(), expected);
                    assert_eq!(index.watched(session), model.watched(session));
                }
            }
        }
    }
    for (_, answer) in open {
        index.fail(answer);
    }
    (0..3).for_each(|session| index.forget(session));
    assert!(index.is_empty(), "links are left behind");
    assert_eq!(index.points(), 0, "points are left behind");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn index_and_model_agree_whatever_happens(steps in vec(step(), 1..120)) {
        run(steps);
    }
}
