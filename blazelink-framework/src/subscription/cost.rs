//! Tests of what the index costs: matching does not grow with what others watch, nor judging with
//! the rows of a commit, nor the index with how often somebody reads the same.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;

use super::event::Event;
use super::index::SubscriptionIndex;
use super::judge::{Heard, Judge};
use super::{Dependency, Residual, Role, pool};
use crate::change::{Change, ChangeKind, Old, Row, Transaction};
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::{Atom, Key, ObjectId, TableId};
use crate::value::Kind;

const EVENT: TableId = TableId(0);
const ID: u32 = 0;
const PLAYER: u32 = 1;

/// Hash tables compare a few records that are not the one looked for.
const SPARE_LOOK_UPS: usize = 50;

/// Events with the column `player_id`.
fn exposure() -> Exposure {
    let column = |name: &str| ExposedColumn {
        renamed: None,
        name: name.into(),
        kind: Kind::Int,
    };
    Exposure::new(vec![ExposedTable {
        id: EVENT,
        schema: "public".into(),
        table: "event".into(),
        entity: "Event".into(),
        columns: vec![column("id"), column("player_id")],
        key: vec![0],
    }])
}

/// A session reads the event of its own number, and needs the event of that number if it is of the
/// player of that number.
fn read(index: &mut SubscriptionIndex, session: u32) {
    let number = i64::from(session);
    let answer = index.begin(session, ObjectId::row(EVENT, Key::from(number)), 0);
    let own = Dependency::Row(EVENT, Key::from(number));
    let needed = Dependency::Equal {
        table: EVENT,
        column: PLAYER,
        value: Atom::Int(number),
        residual: Residual::of([(ID, vec![Atom::Int(number)])]),
    };
    index.depend(&answer, Role::Declared, own, 10).unwrap();
    index.depend(&answer, Role::Derived, needed, 10).unwrap();
    index.finish(answer);
}

/// A change of the event of this number, which is of the player of that number.
fn change(number: i64) -> Change {
    let text = number.to_string();
    let row = || Row::from_texts(&[Some(&text), Some(&text)]);
    Change {
        table: EVENT,
        kind: ChangeKind::Update,
        key: Key::from(number),
        moved: None,
        old: Old::Full(row()),
        new: Some(row()),
    }
}

fn commit(changes: Vec<Change>) -> Transaction {
    Transaction::of(changes, Vec::new())
}

/// How many records are looked at for a change of event 7, which is of player 7.
fn look_ups_with(sessions: u32) -> usize {
    let mut index = SubscriptionIndex::default();
    (0..sessions).for_each(|session| read(&mut index, session));
    let transaction = commit(vec![change(7)]);
    let mut told = Vec::new();
    let before = pool::looked_up();
    index.affected(&transaction, &exposure(), &mut |_, sessions| {
        told.extend_from_slice(sessions);
    });
    assert_eq!(told, [7]);
    pool::looked_up() - before
}

#[test]
fn a_change_looks_at_as_many_records_however_many_sessions_watch_something_else() {
    let few = look_ups_with(10);
    let many = look_ups_with(100_000);
    assert!(few > 0, "look-ups are counted");
    assert!(many <= few + SPARE_LOOK_UPS, "{few} became {many}");
}

/// Answers always the same, and counts how often it is asked.
struct Counting {
    answer: Heard,
    asked: usize,
}

impl Judge for Counting {
    fn guards(&self, _: TableId) -> bool {
        true
    }

    fn hears(&mut self, _: u32, _: &Event<'_>) -> Heard {
        self.asked += 1;
        self.answer
    }

    fn hears_of_table(&mut self, _: u32, _: TableId) -> bool {
        true
    }

    fn seen_anew(&self) -> BTreeSet<TableId> {
        BTreeSet::new()
    }

    fn sees_anew(&mut self, _: u32, _: TableId) -> bool {
        false
    }
}

#[test]
fn a_session_that_is_to_read_an_object_again_is_not_judged_for_further_rows() {
    const ROWS: i64 = 1_000;
    let mut index = SubscriptionIndex::default();
    let answer = index.begin(7, ObjectId::row(EVENT, Key::from(-1)), 0);
    let table = Dependency::Table(EVENT);
    index.depend(&answer, Role::Derived, table, 10).unwrap();
    index.finish(answer);
    let changes = (0..ROWS).map(change);
    let transaction = commit(changes.collect());
    for answer in [Heard::Yes, Heard::Unknown] {
        let mut judge = Counting { answer, asked: 0 };
        let mut told = 0;
        index.affected_as(&transaction, &exposure(), &mut judge, &mut |_, sessions| {
            told += sessions.len();
        });
        assert_eq!((told, judge.asked), (1, 1), "{answer:?}");
    }
}

#[test]
fn a_read_that_is_repeated_a_thousand_times_holds_what_it_held_at_first() {
    let mut index = SubscriptionIndex::default();
    read(&mut index, 7);
    let held = |index: &SubscriptionIndex| (index.len(), index.points(), index.reads(7).len());
    let first = held(&index);
    for _ in 0..1_000 {
        read(&mut index, 7);
    }
    assert_eq!(held(&index), first);
}
