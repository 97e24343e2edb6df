//! An outbox through pushes, takes, confirmations, lost sockets and resets.

use super::*;
use crate::object_id::{Key, TableId};
use crate::session::open;

fn object(key: i64) -> ObjectId {
    ObjectId::row(TableId(0), Key::from(key))
}

fn update(key: i64) -> Arc<Update> {
    Arc::new(Update::again(object(key)))
}

fn filled(entries: i64) -> Outbox {
    let mut outbox = Outbox::default();
    for key in 0..entries {
        outbox.push(UpdateKind::Update, &update(key));
    }
    outbox
}

fn take_all(outbox: &mut Outbox) -> Vec<Entry> {
    let mut out = Vec::new();
    outbox.take(usize::MAX, &mut out);
    out
}

fn ids(entries: &[Entry]) -> Vec<u64> {
    entries.iter().map(|entry| entry.msg_id).collect()
}

const FROM: i64 = limits::OUTBOX_MERGE_FROM as i64;

#[test]
fn updates_are_sent_one_by_one_while_few_wait() {
    let mut outbox = Outbox::default();
    for _ in 0..3 {
        outbox.push(UpdateKind::Update, &update(1));
    }
    assert_eq!(ids(&take_all(&mut outbox)), [1, 2, 3]);
    assert_eq!(outbox.waiting(), 0);
}

#[test]
fn updates_of_one_object_merge_at_the_end_once_many_wait() {
    use UpdateKind::{Create, Delete, Update};
    let cases = [
        (Create, Update, Create),
        (Create, Delete, Delete),
        (Update, Update, Update),
        (Update, Delete, Delete),
        (Delete, Create, Update),
        (Delete, Update, Update),
    ];
    for (first, second, expected) in cases {
        let mut outbox = Outbox::default();
        outbox.push(first, &update(-1));
        for key in 1..FROM {
            outbox.push(Update, &update(key));
        }
        outbox.push(second, &update(-1));
        assert_eq!(outbox.waiting(), FROM as usize);
        let entries = take_all(&mut outbox);
        let last = &entries[entries.len() - 1];
        assert_eq!((last.kind, &last.update.object), (expected, &object(-1)));
        assert!(ids(&entries).is_sorted());
    }
}

#[test]
fn merging_takes_hold_of_what_waited_before_it_began() {
    let mut outbox = Outbox::default();
    for at in 0..FROM {
        outbox.push(UpdateKind::Update, &update(at % 10));
    }
    outbox.push(UpdateKind::Update, &update(0));
    let keys: Vec<ObjectId> = take_all(&mut outbox)
        .into_iter()
        .map(|entry| entry.update.object.clone())
        .collect();
    // The last ten before the merge were 4, .., 9, 0, .., 3.
    let expected = [4, 5, 6, 7, 8, 9, 1, 2, 3, 0];
    assert_eq!(keys, expected.map(object));
}

#[test]
fn merging_that_has_ended_begins_anew() {
    let mut outbox = Outbox::default();
    for _ in 0..3 {
        for at in 0..FROM + 10 {
            outbox.push(UpdateKind::Update, &update(at % 10));
        }
        assert!(outbox.waiting() < 100);
    }
}

#[test]
fn a_row_named_earlier_survives_a_request_to_read_again_and_the_end_of_one_does_not() {
    let table = crate::exposure::ExposedTable {
        id: TableId(0),
        schema: "public".into(),
        table: "t".into(),
        entity: "T".into(),
        columns: Vec::new(),
        key: Vec::new(),
    };
    let named = Arc::new(Update::row(&table, &Key::from(1), open(None)));
    let again = || (UpdateKind::Update, update(1));
    for kind in [UpdateKind::Create, UpdateKind::Update] {
        let merged = merged((kind, Arc::clone(&named)), again());
        assert_eq!(merged, (kind, Arc::clone(&named)));
    }
    // Many rows at once may have brought it back, and who drops a deleted row asks no more.
    assert_eq!(merged((UpdateKind::Delete, named), again()), again());
}

#[test]
fn a_confirmation_covers_what_was_sent_before_it_and_nothing_else() {
    let mut outbox = filled(5);
    let mut out = Vec::new();
    outbox.take(1, &mut out);
    outbox.take(1, &mut out);
    outbox.confirm(5);
    outbox.confirm(99);
    assert_eq!((outbox.unconfirmed, outbox.waiting()), (2, 3));
    outbox.confirm(2);
    assert_eq!((outbox.unconfirmed, outbox.waiting()), (0, 3));
}

#[test]
fn a_new_socket_gets_the_unconfirmed_then_the_missed() {
    let mut outbox = filled(3);
    take_all(&mut outbox);
    outbox.confirm(1);
    outbox.push(UpdateKind::Update, &update(9));
    outbox.rewind();
    assert_eq!(ids(&take_all(&mut outbox)), [2, 3, 4]);
    outbox.confirm(4);
    outbox.rewind();
    assert!(take_all(&mut outbox).is_empty());
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_client_that_never_confirms_costs_bounded_memory_and_is_reset_when_it_returns() {
    let mut outbox = Outbox::default();
    for key in 0..100_000 {
        outbox.push(UpdateKind::Update, &update(key));
        take_all(&mut outbox);
    }
    assert_eq!(outbox.entries.len(), limits::UNCONFIRMED_FRAMES);
    assert!(!outbox.reset_due);
    outbox.rewind();
    assert!(outbox.reset_due);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_late_confirmation_makes_up_for_what_was_let_go() {
    let mut outbox = filled(limits::UNCONFIRMED_FRAMES as i64 + 10);
    take_all(&mut outbox);
    outbox.confirm(9);
    outbox.rewind();
    assert!(outbox.reset_due, "message 10 was let go unconfirmed");

    let mut outbox = filled(limits::UNCONFIRMED_FRAMES as i64 + 10);
    take_all(&mut outbox);
    outbox.confirm(10);
    outbox.rewind();
    assert!(!outbox.reset_due);
}

#[test]
fn a_client_that_never_reads_is_owed_a_reset() {
    let mut outbox = Outbox::default();
    let mut most = 0;
    for key in 0..100_000 {
        outbox.push(UpdateKind::Update, &update(key));
        most = most.max(outbox.bytes());
    }
    assert!(most <= limits::OUTBOX_BYTES);
    assert!(outbox.reset_due);
    assert_eq!((outbox.bytes(), outbox.waiting()), (0, 0));
    assert!(outbox.begin_reset());
    outbox.refill(vec![object(1), object(2)]);
    let entries = take_all(&mut outbox);
    assert_eq!(entries.len(), 2);
    assert!(
        entries[0].msg_id > limits::OUTBOX_ENTRIES as u64,
        "ids only grow"
    );
}

#[test]
fn a_reset_larger_than_the_outbox_is_not_reset_again() {
    let mut outbox = Outbox::default();
    outbox.reset();
    assert!(outbox.begin_reset());
    let objects = limits::OUTBOX_ENTRIES as i64 * 3;
    outbox.refill((0..objects).map(object).collect());
    outbox.push(UpdateKind::Update, &update(-1));
    assert!(!outbox.reset_due);
    assert_eq!(take_all(&mut outbox).len(), objects as usize + 1);
    assert_eq!(outbox.refilled.entries, 0);
}
