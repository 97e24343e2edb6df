//! Tests of what the index costs: matching does not grow with what others watch, nor the index
//! with how often somebody reads the same.

#![allow(clippy::unwrap_used)]

use std::time::SystemTime;

use super::index::SubscriptionIndex;
use super::{Dependency, Role, pool};
use crate::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use crate::exposure::{ExposedColumn, ExposedTable, Exposure};
use crate::object_id::{Atom, Key, ObjectId, TableId};
use crate::value::Kind;

const EVENT: TableId = TableId(0);
const PLAYER: u32 = 1;

/// Hash tables compare a few records that are not the one looked for.
const SPARE_LOOK_UPS: usize = 50;

/// Events with the column `player_id`.
fn exposure() -> Exposure {
    let column = |name: &str| ExposedColumn {
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

/// A session reads the event of its own number, and needs the events of the player of that number.
fn read(index: &mut SubscriptionIndex, session: u32) {
    let number = i64::from(session);
    let answer = index.begin(session, ObjectId::row(EVENT, Key::from(number)), 0);
    let own = Dependency::Row(EVENT, Key::from(number));
    let needed = Dependency::Equal {
        table: EVENT,
        column: PLAYER,
        value: Atom::from_text(&number.to_string(), true),
    };
    index.depend(&answer, Role::Declared, own, 10).unwrap();
    index.depend(&answer, Role::Derived, needed, 10).unwrap();
    index.finish(answer);
}

/// How many records are looked at for a change of event 7, which is of player 7.
fn look_ups_with(sessions: u32) -> usize {
    let mut index = SubscriptionIndex::default();
    (0..sessions).for_each(|session| read(&mut index, session));
    let row = || Row::from_texts(&[Some("7"), Some("7")]);
    let transaction = Transaction {
        xid: 1,
        commit_lsn: Lsn(1),
        end_lsn: Lsn(2),
        committed_at: SystemTime::UNIX_EPOCH,
        changes: vec![Change {
            table: EVENT,
            kind: ChangeKind::Update,
            key: Key::from(7),
            moved: None,
            old: Old::Full(row()),
            new: Some(row()),
        }],
        whole: Vec::new(),
    };
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
