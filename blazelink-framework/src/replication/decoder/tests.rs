//! What the decoder makes of whole streams of messages.

use super::*;
use crate::change::{Cell, Row};
use crate::exposure::ExposedColumn;
use crate::object_id::Atom;
use crate::replication::pgoutput::WireCell;
use crate::replication::testing::*;
use crate::value::Kind;

const USER: u32 = 16_384;
const SEAT: u32 = 16_385;
const OTHER: u32 = 16_386;
const USERS: TableId = TableId(0);
const SEATS: TableId = TableId(1);

fn exposed(id: u32, table: &str, columns: &[(&str, Kind)], key: &[usize]) -> ExposedTable {
    ExposedTable {
        id: TableId(id),
        schema: "public".into(),
        table: table.into(),
        entity: table.into(),
        columns: columns
            .iter()
            .map(|(name, kind)| ExposedColumn {
                renamed: None,
                name: (*name).into(),
                kind: kind.clone(),
            })
            .collect(),
        key: key.to_vec(),
    }
}

/// `user(id, name)` and `seat(number, hall)` with the key (hall, number); the wire has a column
/// `secret` between that is not exposed.
fn exposure() -> Arc<Exposure> {
    Arc::new(Exposure::new(vec![
        exposed(0, "user", &[("id", Kind::Int), ("name", Kind::Text)], &[0]),
        exposed(
            1,
            "seat",
            &[("number", Kind::Int), ("hall", Kind::Text)],
            &[1, 0],
        ),
    ]))
}

struct Stream {
    decoder: Decoder,
}

impl Stream {
    fn new() -> Stream {
        Stream {
            decoder: Decoder::new(exposure(), Limits::default()),
        }
    }

    /// Feeds messages and gives what they completed.
    fn feed(&mut self, messages: impl IntoIterator<Item = Vec<u8>>) -> Vec<Decoded> {
        let mut decoded = Vec::new();
        for message in messages {
            match self.decoder.decode(&message, arrival(0)) {
                Ok(more) => decoded.extend(more),
                Err(error) => panic!("{error}: {}", message.escape_ascii()),
            }
        }
        decoded
    }

    /// Feeds one transaction and gives it.
    fn transaction(&mut self, messages: impl IntoIterator<Item = Vec<u8>>) -> Transaction {
        let messages = messages.into_iter();
        let all = [begin(7)].into_iter().chain(messages).chain([commit(100)]);
        one(self.feed(all))
    }
}

fn one(mut decoded: Vec<Decoded>) -> Transaction {
    match decoded.pop() {
        Some(Decoded::Transaction(transaction)) if decoded.is_empty() => transaction,
        other => panic!("{other:?} after {decoded:?}"),
    }
}

fn user(identity: u8) -> Vec<u8> {
    let all = identity == b'f';
    let columns = [(true, "id"), (all, "secret"), (all, "name")];
    relation(None, USER, "user", identity, &columns)
}

fn cells(row: &Row) -> Vec<Cell<'_>> {
    (0..row.len()).map(|column| row.cell(column)).collect()
}

#[test]
fn row_holds_exposed_columns_only_and_in_their_order() {
    let columns = [(true, "hall"), (false, "price"), (true, "number")];
    let transaction = Stream::new().transaction([
        relation(None, SEAT, "seat", b'd', &columns),
        insert(None, SEAT, &[t("A"), t("99"), t("12")]),
    ]);
    let change = &transaction.changes[0];
    let row = change.new.as_ref().expect("an insert has a new row");
    assert_eq!(cells(row), [Cell::Text("12"), Cell::Text("A")]);
    assert_eq!(
        change.key.atoms(),
        [Atom::Text("A".into()), Atom::Int(12)],
        "in the order of the key's columns"
    );
}

#[test]
fn wide_columns_that_are_not_exposed_are_not_kept() {
    let wide = "x".repeat(10_000);
    let transaction = Stream::new().transaction([
        user(b'd'),
        insert(None, USER, &[t("1"), t(&wide), t("Ann")]),
    ]);
    let row = transaction.changes[0].new.as_ref().expect("a new row");
    assert_eq!(cells(row), [Cell::Text("1"), Cell::Text("Ann")]);
    assert!(row.weight() < 100, "{}", row.weight());
}

#[test]
fn each_replica_identity_tells_what_it_can_of_the_old_row() {
    let (old, new) = ([t("1"), N, t("Ann")], [t("1"), N, t("Bob")]);
    let key_only: [WireCell<'_>; 3] = [t("1"), N, N];
    let moved = [t("2"), N, t("Bob")];
    let row = Row::from_texts(&[Some("1"), Some("Ann")]);
    let old_key = || Old::Key(Key::from(1));
    let cases = [
        (b'd', update(None, USER, None, &new), Old::None, None, 1),
        (
            b'd',
            update(None, USER, Some((b'K', &key_only)), &moved),
            old_key(),
            Some(Key::from(1)),
            2,
        ),
        (
            b'f',
            update(None, USER, Some((b'O', &old)), &new),
            Old::Full(row.clone()),
            None,
            1,
        ),
        (
            b'f',
            update(None, USER, Some((b'O', &old)), &moved),
            Old::Full(row.clone()),
            Some(Key::from(1)),
            2,
        ),
        (
            b'd',
            delete(None, USER, b'K', &key_only),
            old_key(),
            None,
            1,
        ),
        (
            b'f',
            delete(None, USER, b'O', &old),
            Old::Full(row),
            None,
            1,
        ),
    ];
    for (identity, message, old, moved, key) in cases {
        let transaction = Stream::new().transaction([user(identity), message]);
        let change = &transaction.changes[0];
        assert_eq!(transaction.whole, []);
        match (&change.old, &old) {
            (Old::Full(row), Old::Full(expected)) => assert_eq!(cells(row), cells(expected)),
            (old, expected) => assert_eq!(old, expected),
        }
        assert_eq!((&change.moved, &change.key), (&moved, &Key::from(key)));
    }
}

#[test]
fn key_that_the_identity_does_not_tell_makes_the_table_whole() {
    // An index on `name` as identity: the row may have taken another id without a word.
    let columns = [(false, "id"), (false, "secret"), (true, "name")];
    let by_name = relation(None, USER, "user", b'i', &columns);
    for message in [
        update(None, USER, None, &[t("9"), N, t("Ann")]),
        delete(None, USER, b'K', &[N, N, t("Ann")]),
    ] {
        let transaction = Stream::new().transaction([by_name.clone(), message]);
        assert_eq!(transaction.changes, []);
        assert_eq!(transaction.whole, [USERS]);
    }
    let inserted = insert(None, USER, &[t("9"), N, t("Ann")]);
    let transaction = Stream::new().transaction([by_name, inserted]);
    assert_eq!(transaction.changes[0].key, Key::from(9));
}

#[test]
fn guarded_table_whose_old_row_is_not_told_is_whole() {
    let secret = ExposedColumn {
        renamed: None,
        name: "secret".into(),
        kind: Kind::Text,
    };
    let guarded = Exposure::clone(&exposure()).with_guarded(USERS, vec![secret]);
    let (old, new) = ([t("1"), N, t("Ann")], [t("1"), N, t("Bob")]);
    let cases = [
        (b'd', update(None, USER, None, &new), false),
        (b'd', delete(None, USER, b'K', &[t("1"), N, N]), false),
        (b'd', insert(None, USER, &new), true),
        (b'f', update(None, USER, Some((b'O', &old)), &new), true),
        (b'f', delete(None, USER, b'O', &old), true),
    ];
    for (identity, message, told) in cases {
        let mut stream = Stream {
            decoder: Decoder::new(Arc::new(guarded.clone()), Limits::default()),
        };
        let transaction = stream.transaction([user(identity), message]);
        assert_eq!(transaction.changes.len(), usize::from(told));
        assert_eq!(transaction.whole.is_empty(), told);
    }
}

#[test]
fn unchanged_values_come_from_the_old_row_if_it_has_them() {
    let old = [t("1"), t("s"), t("long")];
    let transaction = Stream::new().transaction([
        user(b'f'),
        update(None, USER, Some((b'O', &old)), &[t("1"), t("S"), U]),
    ]);
    let row = transaction.changes[0].new.as_ref().expect("a new row");
    assert_eq!(cells(row), [Cell::Text("1"), Cell::Text("long")]);

    let transaction =
        Stream::new().transaction([user(b'd'), update(None, USER, None, &[t("1"), t("S"), U])]);
    let row = transaction.changes[0].new.as_ref().expect("a new row");
    assert_eq!(cells(row), [Cell::Text("1"), Cell::Unchanged]);
}

#[test]
fn column_that_the_wire_lacks_is_not_known() {
    let transaction = Stream::new().transaction([
        relation(None, USER, "user", b'd', &[(true, "id")]),
        insert(None, USER, &[t("1")]),
    ]);
    let row = transaction.changes[0].new.as_ref().expect("a new row");
    assert_eq!(cells(row), [Cell::Text("1"), Cell::Unchanged]);
}

#[test]
fn what_cannot_be_a_row_makes_its_table_whole() {
    for cells in [
        [N, N, t("Ann")],
        [U, N, t("Ann")],
        [t("1"), N, WireCell::Text(b"\xff")],
        [t("1"), N, WireCell::Binary(b"Ann")],
    ] {
        let transaction = Stream::new().transaction([user(b'd'), insert(None, USER, &cells)]);
        assert_eq!(transaction.changes, []);
        assert_eq!(transaction.whole, [USERS]);
    }
    let short = [user(b'd'), insert(None, USER, &[t("1")])];
    assert_eq!(Stream::new().transaction(short).whole, [USERS]);
}

#[test]
fn relation_sent_again_changes_nothing_and_an_altered_one_makes_the_table_whole() {
    let mut stream = Stream::new();
    let row = |id| insert(None, USER, &[t(id), N, t("Ann")]);
    stream.transaction([user(b'd'), row("1")]);
    let again = stream.transaction([user(b'd'), row("2")]);
    assert_eq!((again.changes.len(), &again.whole[..]), (1, &[][..]));

    let columns = [(true, "id"), (false, "name")];
    let altered = relation(None, USER, "user", b'd', &columns);
    let dropped = stream.transaction([altered, insert(None, USER, &[t("3"), t("Bob")])]);
    assert_eq!(
        (dropped.changes.len(), &dropped.whole[..]),
        (0, &[USERS][..])
    );

    let after = stream.transaction([insert(None, USER, &[t("4"), t("Cid")])]);
    assert_eq!(after.changes[0].key, Key::from(4));
}

#[test]
fn table_made_again_under_its_name_is_whole_and_then_followed() {
    let mut stream = Stream::new();
    stream.transaction([user(b'd'), insert(None, USER, &[t("1"), N, N])]);
    let columns = [(true, "id"), (false, "secret"), (false, "name")];
    let anew = relation(None, OTHER, "user", b'd', &columns);
    let transaction = stream.transaction([anew, insert(None, OTHER, &[t("1"), N, N])]);
    assert_eq!(transaction.whole, [USERS]);
    let transaction = stream.transaction([insert(None, OTHER, &[t("2"), N, N])]);
    assert_eq!(transaction.changes.len(), 1);
}

#[test]
fn tables_that_are_not_exposed_only_move_the_position() {
    let decoded = Stream::new().feed([
        begin(7),
        relation(None, OTHER, "other", b'd', &[(true, "id")]),
        insert(None, OTHER, &[t("1")]),
        truncate(None, &[OTHER]),
        commit(100),
    ]);
    assert!(matches!(decoded[..], [Decoded::Progress(Lsn(108))]));
}

#[test]
fn truncate_makes_every_exposed_table_of_it_whole() {
    let seat = relation(
        None,
        SEAT,
        "seat",
        b'd',
        &[(true, "number"), (true, "hall")],
    );
    let transaction = Stream::new().transaction([
        user(b'd'),
        seat,
        insert(None, USER, &[t("1"), N, N]),
        truncate(None, &[SEAT, USER]),
    ]);
    assert_eq!(transaction.changes, []);
    assert_eq!(transaction.whole, [USERS, SEATS]);
}

#[test]
fn logical_messages_name_what_the_log_does_not_tell() {
    let cases = [
        (INVALIDATE, r#"{"table":"user"}"#, vec![USERS]),
        (INVALIDATE, r#"{"table":"public.seat"}"#, vec![SEATS]),
        (INVALIDATE, r#"{"table":"unknown"}"#, vec![]),
        (INVALIDATE, "no json", vec![]),
        (SCHEMA, "", vec![USERS, SEATS]),
        ("somebody.else", r#"{"table":"user"}"#, vec![]),
    ];
    for (prefix, content, whole) in cases {
        let within = Stream::new().feed([
            begin(7),
            logical(None, true, 50, prefix, content),
            commit(100),
        ]);
        let alone = Stream::new().feed([logical(None, false, 50, prefix, content)]);
        for (decoded, xid, end) in [(within, 7, 108), (alone, 0, 51)] {
            match &decoded[..] {
                [Decoded::Transaction(transaction)] => {
                    assert_eq!(transaction.whole, whole);
                    assert_eq!((transaction.xid, transaction.end_lsn), (xid, Lsn(end)));
                }
                [Decoded::Progress(position)] => {
                    assert!(whole.is_empty());
                    assert_eq!(*position, Lsn(end));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[test]
fn commit_says_where_and_when() {
    let transaction = Stream::new().transaction([user(b'd'), insert(None, USER, &[t("1"), N, N])]);
    assert_eq!(transaction.xid, 7);
    assert_eq!(transaction.commit_lsn, Lsn(100));
    assert_eq!(transaction.end_lsn, Lsn(108));
    let at = SystemTime::UNIX_EPOCH + POSTGRES_EPOCH + Duration::from_secs(1);
    assert_eq!(transaction.committed_at, at);
}

/// A streamed relation message.
fn streamed_user(xid: u32) -> Vec<u8> {
    let columns = [(true, "id"), (false, "secret"), (false, "name")];
    relation(Some(xid), USER, "user", b'd', &columns)
}

fn streamed_row(xid: u32, id: &str) -> Vec<u8> {
    insert(Some(xid), USER, &[t(id), N, N])
}

fn keys(transaction: &Transaction) -> Vec<Key> {
    let changes = transaction.changes.iter();
    changes.map(|change| change.key.clone()).collect()
}

#[test]
fn streamed_transaction_comes_whole_at_its_commit() {
    let mut stream = Stream::new();
    let before = stream.feed([
        stream_start(7, true),
        streamed_user(7),
        streamed_row(7, "1"),
        stream_stop(),
    ]);
    assert!(before.is_empty());
    assert!(stream.decoder.held_bytes() > 0);
    // Another one commits in between.
    let other = stream.transaction([user(b'd'), insert(None, USER, &[t("5"), N, N])]);
    assert_eq!(keys(&other), [Key::from(5)]);
    let after = one(stream.feed([
        stream_start(7, false),
        streamed_row(8, "2"),
        stream_stop(),
        stream_commit(7, 200),
    ]));
    assert_eq!(keys(&after), [Key::from(1), Key::from(2)]);
    assert_eq!((after.xid, after.end_lsn), (7, Lsn(208)));
    assert_eq!(stream.decoder.held_bytes(), 0);
}

#[test]
fn streamed_work_that_was_rolled_back_is_never_seen() {
    let mut stream = Stream::new();
    let transaction = one(stream.feed([
        stream_start(7, true),
        streamed_user(7),
        streamed_row(7, "1"),
        streamed_row(8, "2"),
        truncate(Some(9), &[USER]),
        stream_stop(),
        stream_abort(7, 8),
        stream_abort(7, 9),
        stream_start(7, false),
        streamed_row(7, "3"),
        stream_stop(),
        stream_commit(7, 200),
    ]));
    assert_eq!(keys(&transaction), [Key::from(1), Key::from(3)]);
    assert_eq!(transaction.whole, []);

    let nothing = stream.feed([
        stream_start(10, true),
        streamed_user(10),
        streamed_row(10, "4"),
        streamed_row(11, "5"),
        stream_stop(),
        stream_abort(10, 10),
    ]);
    assert!(nothing.is_empty());
    assert_eq!(stream.decoder.held_bytes(), 0);
}

#[test]
fn relation_of_a_rolled_back_subtransaction_is_forgotten() {
    let mut stream = Stream::new();
    let altered = relation(Some(8), USER, "user", b'd', &[(true, "id")]);
    let transaction = one(stream.feed([
        stream_start(7, true),
        streamed_user(7),
        streamed_row(7, "1"),
        altered,
        insert(Some(8), USER, &[t("2")]),
        stream_stop(),
        stream_abort(7, 8),
        stream_start(7, false),
        streamed_row(7, "3"),
        stream_stop(),
        stream_commit(7, 200),
    ]));
    assert_eq!(keys(&transaction), [Key::from(1), Key::from(3)]);
    assert_eq!(transaction.whole, []);
}

#[test]
fn huge_transactions_hold_no_more_than_the_limits() {
    let limits = Limits {
        changes_per_table: 100,
        transaction_bytes: 20_000,
        open_bytes: 30_000,
    };
    let mut stream = Stream {
        decoder: Decoder::new(exposure(), limits),
    };
    stream.feed([begin(7), user(b'd')]);
    let mut most = 0;
    for id in 0..5_000 {
        stream.feed([insert(None, USER, &[t(&id.to_string()), N, N])]);
        most = most.max(stream.decoder.held_bytes());
    }
    assert!(most > 0 && most <= limits.transaction_bytes, "{most}");
    assert_eq!(one(stream.feed([commit(100)])).whole, [USERS]);

    // Many at once share what is open.
    let long = "x".repeat(500);
    for xid in 20..60 {
        stream.feed([stream_start(xid, true), streamed_user(xid)]);
        for id in 0..20 {
            let id = id.to_string();
            stream.feed([insert(Some(xid), USER, &[t(&id), N, t(&long)])]);
            most = most.max(stream.decoder.held_bytes());
        }
        stream.feed([stream_stop()]);
    }
    assert!(most <= limits.open_bytes + 1_000, "{most}");
    for xid in 20..60 {
        let transaction = one(stream.feed([stream_commit(xid, 200)]));
        assert!(transaction.changes.len() == 20 || transaction.whole == [USERS]);
    }
    assert_eq!(stream.decoder.held_bytes(), 0);
}

#[test]
fn messages_out_of_their_place_are_errors() {
    for messages in [
        vec![insert(None, USER, &[t("1")])],
        vec![begin(7), insert(None, USER, &[t("1")])],
        vec![begin(7), truncate(None, &[USER])],
        vec![begin(7), begin(8)],
        vec![commit(100)],
        vec![stream_stop()],
        vec![begin(7), stream_start(8, true)],
        vec![begin(7), stream_stop()],
        vec![stream_start(8, true), commit(100)],
    ] {
        let mut decoder = Decoder::new(exposure(), Limits::default());
        let (last, before) = messages.split_last().expect("a message");
        for message in before {
            assert!(decoder.decode(message, arrival(0)).is_ok());
        }
        assert!(decoder.decode(last, arrival(0)).is_err());
        decoder.restart();
        assert!(decoder.is_between_transactions());
    }
}

fn arrival(sent: i64) -> Arrival {
    Arrival {
        sent: Timestamp(sent),
        read_at: Instant::now(),
    }
}

#[test]
fn any_message_in_any_place_is_decoded_or_refused() {
    let seeds = seeds();
    for (_, first) in &seeds {
        for (_, second) in &seeds {
            let mut decoder = Decoder::new(exposure(), Limits::default());
            for message in [first, second, first, &stream_stop(), second, &commit(9)] {
                if decoder.decode(message, arrival(i64::MIN)).is_err() {
                    decoder.restart();
                }
            }
        }
    }
}
