//! What the debugger's unit tests share: transactions, and whom they were told.

use std::sync::Arc;

use super::record::{Commit, Draft, Moment, Noticed, Record};
use crate::change::{Change, ChangeKind, Old, Transaction};
use crate::object_id::{Key, ObjectId};
use crate::session::{Delivered, Pushed, SessionLabel, Update, UpdateKind};
use crate::subscription::testing::USER;

/// So many rows that were told to so many sessions.
pub(super) fn commit(changes: i64, sessions: usize) -> Box<Commit> {
    let sessions: Vec<_> = (0..sessions).map(|_| (SessionLabel::fresh(), 1)).collect();
    of(changes, &sessions)
}

/// A row that was told to these sessions with these message ids.
pub(super) fn told_to(sessions: &[(SessionLabel, u64)]) -> Box<Commit> {
    of(1, sessions)
}

fn of(changes: i64, sessions: &[(SessionLabel, u64)]) -> Box<Commit> {
    let keys = (0..changes).map(Key::from);
    let inserted = keys.map(|key| Change {
        table: USER,
        kind: ChangeKind::Insert,
        key,
        moved: None,
        old: Old::None,
        new: None,
    });
    let transaction = Arc::new(Transaction::of(inserted.collect(), Vec::new()));
    let update = Update::again(ObjectId::row(USER, Key::from(0)));
    let mut draft = Draft::begin(Moment(0), false, true);
    draft.matched(Moment(0), sessions.len(), sessions.len(), (0, 0));
    for &(session, first) in sessions {
        let pushed = Pushed::Appended;
        let told = (0, UpdateKind::Create, &update);
        draft.delivered(session, std::iter::once(told), Delivered { first, pushed });
    }
    let noticed = Noticed {
        object: ObjectId::row(USER, Key::from(0)),
        kind: UpdateKind::Create,
        change: Some(0),
    };
    match draft.end(Moment(0), &transaction, Moment(0), vec![noticed]) {
        Record::Commit(commit) => commit,
        other => panic!("it is followed, and is not {other:?}"),
    }
}
