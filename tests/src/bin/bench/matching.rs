//! Matching: what a change costs, and a subscription weighs, with few and with many of them.

use std::hint::black_box;
use std::time::{Instant, SystemTime};

use blazelink::change::{Change, ChangeKind, Lsn, Old, Row, Transaction};
use blazelink::exposure::{ExposedColumn, ExposedTable, Exposure};
use blazelink::object_id::{Key, ObjectId, TableId};
use blazelink::subscription::{Dependency, Role, SubscriptionIndex};
use blazelink::value::Kind;
use blazelink_tests::memory;

use crate::report::{Bound, Report, median};

const TABLE: TableId = TableId(0);
const FEW: usize = 1_000;
const MANY: usize = 1_000_000;
const SESSIONS: usize = 10_000;
const CHANGES: usize = 200_000;
const ROUNDS: usize = 5;

pub(crate) fn measure(report: &mut Report) {
    let exposure = exposure();
    let few = subscribed(FEW);

    let before = memory::resident();
    let begun = Instant::now();
    let mut many = subscribed(MANY);
    let subscribing = begun.elapsed();
    let weight = (memory::resident() - before) as f64 / MANY as f64;

    let mut few = few;
    let (mut of_few, mut of_many) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        of_few.push(per_change(&mut few, FEW, &exposure));
        of_many.push(per_change(&mut many, MANY, &exposure));
    }
    let (of_few, of_many) = (median(&mut of_few), median(&mut of_many));
    report.add(
        "A change at 1,000,000 subscriptions against one at 1,000, time",
        of_many / of_few,
        Bound::AtMost(1.3),
        format!("{of_many:.0} ns against {of_few:.0} ns"),
    );
    report.add(
        "A subscription, bytes of memory",
        weight,
        Bound::AtMost(250.0),
        format!("{MANY} rows in {SESSIONS} sessions"),
    );
    report.add(
        "Subscribing, per second",
        MANY as f64 / subscribing.as_secs_f64(),
        Bound::AtLeast(100_000.0),
        format!("{MANY} in {:.2} s", subscribing.as_secs_f64()),
    );
    let begun = Instant::now();
    for number in 0..MANY {
        many.unsubscribe(session_of(number), &object(number), 0);
    }
    let unsubscribing = begun.elapsed();
    assert!(many.is_empty(), "everything was let go");
    report.add(
        "Unsubscribing, per second",
        MANY as f64 / unsubscribing.as_secs_f64(),
        Bound::AtLeast(100_000.0),
        format!("{MANY} in {:.2} s", unsubscribing.as_secs_f64()),
    );
}

fn exposure() -> Exposure {
    let column = |name: &str, kind| ExposedColumn {
        name: name.to_owned(),
        kind,
    };
    Exposure::new(vec![ExposedTable {
        id: TABLE,
        schema: "public".to_owned(),
        table: "player".to_owned(),
        entity: "Player".to_owned(),
        columns: vec![column("id", Kind::Int), column("name", Kind::Text)],
        key: vec![0],
    }])
}

fn object(number: usize) -> ObjectId {
    ObjectId::row(TABLE, Key::from(number as i64))
}

fn session_of(number: usize) -> u32 {
    (number % SESSIONS) as u32
}

/// An index in which `count` rows are each watched by one session.
fn subscribed(count: usize) -> SubscriptionIndex {
    let mut index = SubscriptionIndex::default();
    for number in 0..count {
        let answer = index.begin(session_of(number), object(number), 0);
        let row = Dependency::Row(TABLE, Key::from(number as i64));
        index
            .depend(&answer, Role::Declared, row, MANY)
            .expect("the limit is far away");
        index.finish(answer);
    }
    index
}

/// Nanoseconds per change, each in a commit of its own and each watched by one session. The rows
/// are taken all over the table, as they would be changed.
fn per_change(index: &mut SubscriptionIndex, rows: usize, exposure: &Exposure) -> f64 {
    let commits: Vec<Transaction> = (0..CHANGES)
        .map(|n| commit(n.wrapping_mul(7_919_993) % rows))
        .collect();
    let mut told = 0;
    let begun = Instant::now();
    for commit in &commits {
        index.affected(commit, exposure, &mut |notice, sessions| {
            told += sessions.len();
            black_box(notice);
        });
    }
    let elapsed = begun.elapsed();
    assert_eq!(told, CHANGES, "each change concerns one session");
    elapsed.as_nanos() as f64 / CHANGES as f64
}

fn commit(number: usize) -> Transaction {
    let id = number.to_string();
    let row = |name| Row::from_texts(&[Some(&id), Some(name)]);
    let change = Change {
        table: TABLE,
        kind: ChangeKind::Update,
        key: Key::from(number as i64),
        moved: None,
        old: Old::Full(row("before")),
        new: Some(row("after")),
    };
    Transaction {
        xid: 1,
        commit_lsn: Lsn(1),
        end_lsn: Lsn(2),
        committed_at: SystemTime::UNIX_EPOCH,
        changes: vec![change],
        whole: Vec::new(),
    }
}
