//! The way from a transaction to the outboxes: locks the index, matches, unlocks, and only then
//! makes JSON and appends. Where tables are guarded, it is found out before who sees what
//! (`judging`).
//!
//! What must stay true: only one thread publishes, so every session sees commits in their order.

use std::sync::Arc;

use super::index::Notice;
use super::judge::{Everyone, Judge};
use super::manager::SubscriptionManager;
use super::viewers::{Encodings, Viewers};
use crate::change::Transaction;
use crate::debugger::{Draft, Noticed};
use crate::object_id::ObjectId;
use crate::session::{Delivered, Pushed, Session, Update, UpdateKind};
use crate::table::TableManager;
use crate::visibility::VisibleRow;

/// What a transaction matched.
pub(super) struct Matched<'a> {
    pub(super) notices: Vec<Notice<'a>>,
    /// (session, position of the notice), each session's together and in order.
    pub(super) hits: Vec<(u32, u32)>,
    /// The sessions in the order in which `hits` has them.
    pub(super) sessions: Vec<Option<Arc<Session>>>,
    /// How many subscriptions were looked at for that.
    pub(super) candidates: u32,
}

/// The hits of one session after the other.
fn same_session(hits: &[(u32, u32)]) -> impl Iterator<Item = &[(u32, u32)]> {
    hits.chunk_by(|a, b| a.0 == b.0)
}

/// Whether the way of each update of the transaction is to be known.
fn is_followed(draft: &Option<Draft>) -> bool {
    draft.as_ref().is_some_and(Draft::is_followed)
}

/// Of what sessions are told, if that is recorded.
fn noticed(recorded: bool, notices: &[Notice<'_>]) -> Vec<Noticed> {
    let notices = notices.iter().take(if recorded { usize::MAX } else { 0 });
    notices
        .map(|notice| {
            let (kind, change) = match notice {
                Notice::Row { kind, change, .. } => (*kind, Some(*change)),
                Notice::Again(_) => (UpdateKind::Update, None),
            };
            Noticed {
                object: notice.object(),
                kind,
                change,
            }
        })
        .collect()
}

impl SubscriptionManager {
    /// Tells every session of what the transaction changed for it. Waits for no client and needs
    /// no runtime; to be called by one thread only, in commit order. What guards tables is asked
    /// here and now if it was not before, and then without a limit of time.
    pub fn publish(&self, transaction: &Arc<Transaction>) {
        if let Some(tables) = &self.guarded {
            return self.publish_guarded(transaction, tables);
        }
        let mut draft = self.recorder().begin();
        let matched = self.matched(transaction, &mut Everyone);
        self.record_matched(&mut draft, &matched, 0);
        let mut ids = self.tell_commit(transaction, &matched).into_iter();
        let noticed = noticed(draft.is_some(), &matched.notices);
        let updates: Vec<(UpdateKind, Arc<Update>)> = matched
            .notices
            .into_iter()
            .map(|notice| {
                let (kind, update) = self.update(notice);
                (kind, Arc::new(update.with_id(ids.next())))
            })
            .collect();
        for (hits, session) in same_session(&matched.hits).zip(&matched.sessions) {
            // Who watches has a session: its number is given back after its watches are gone.
            let Some(session) = session else { continue };
            let told = hits.iter().map(|&(_, at)| {
                let (kind, update) = &updates[at as usize];
                (*kind, update)
            });
            let delivered = session.deliver(told, is_followed(&draft));
            self.count(hits.len(), delivered);
            if let Some(draft) = &mut draft {
                let told = hits.iter().map(|&(_, at)| {
                    let (kind, update) = &updates[at as usize];
                    (at, *kind, &**update)
                });
                draft.delivered(session.label(), told, delivered);
            }
        }
        self.record(draft, transaction, noticed);
    }

    /// As [`SubscriptionManager::publish`], to each session as its viewer sees it.
    fn publish_guarded(&self, transaction: &Arc<Transaction>, tables: &Arc<TableManager>) {
        let mut draft = self.recorder().begin();
        let verdicts = self.verdicts(transaction, tables);
        let mut viewers = Viewers::new(tables, &verdicts);
        let matched = self.matched(transaction, &mut viewers);
        self.record_matched(&mut draft, &matched, viewers.denied());
        let noticed = noticed(draft.is_some(), &matched.notices);
        let mut ids = self.tell_commit(transaction, &matched).into_iter();
        let notices = matched.notices.into_iter();
        let mut notices: Vec<Encodings<'_>> = notices
            .map(|notice| Encodings::new(self.exposure(), notice, ids.next()))
            .collect();
        for (hits, session) in same_session(&matched.hits).zip(&matched.sessions) {
            let Some(session) = session else { continue };
            // Another session has the number now: it has read what the transaction left.
            if !verdicts.judged(session) {
                continue;
            }
            let told: Vec<(u32, (UpdateKind, Arc<Update>))> = hits
                .iter()
                .filter_map(|&(number, at)| {
                    let told = notices[at as usize].for_session(number, &viewers)?;
                    Some((at, told))
                })
                .collect();
            let updates = told.iter().map(|(_, (kind, update))| (*kind, update));
            let delivered = session.deliver(updates, is_followed(&draft));
            self.count(told.len(), delivered);
            if let Some(draft) = &mut draft {
                let told = told.iter();
                let told = told.map(|(at, (kind, update))| (*at, *kind, &**update));
                draft.delivered(session.label(), told, delivered);
            }
        }
        self.record(draft, transaction, noticed);
    }

    fn count(&self, notices: usize, delivered: Delivered) {
        self.meters().told(notices);
        if delivered.pushed == Pushed::Emptied {
            self.meters().overflowed();
        }
    }

    fn record_matched(&self, draft: &mut Option<Draft>, matched: &Matched<'_>, denied: u32) {
        if let Some(draft) = draft {
            let (hits, sessions) = (matched.hits.len(), matched.sessions.len());
            let looked_at = (matched.candidates, denied);
            draft.matched(self.recorder().now(), hits, sessions, looked_at);
        }
    }

    fn record(&self, draft: Option<Draft>, transaction: &Arc<Transaction>, noticed: Vec<Noticed>) {
        if let Some(draft) = draft {
            let recorder = self.recorder();
            let read = recorder.moment(transaction.read_at);
            recorder.published(draft.end(recorder.now(), transaction, read, noticed));
        }
    }

    /// Whom the transaction concerns. The sessions are looked up before the index is unlocked:
    /// from then on a session may end and its number be given to another.
    fn matched<'a, J: Judge>(&self, transaction: &'a Transaction, judge: &mut J) -> Matched<'a> {
        let mut notices = Vec::new();
        let mut hits: Vec<(u32, u32)> = Vec::new();
        let mut index = self.lock();
        index.affected_as(
            transaction,
            self.exposure(),
            judge,
            &mut |notice, sessions| {
                let at = notices.len() as u32;
                notices.push(notice);
                hits.extend(sessions.iter().map(|&session| (session, at)));
            },
        );
        if notices.len() > 1 {
            hits.sort_unstable();
        }
        let candidates = index.candidates();
        let numbers = same_session(&hits).map(|hits| hits[0].0);
        let sessions = self.connections().by_numbers(numbers);
        Matched {
            notices,
            hits,
            sessions,
            candidates,
        }
    }

    /// What everybody is told of a notice, if everybody may be told of it.
    fn update(&self, notice: Notice<'_>) -> (UpdateKind, Update) {
        match notice {
            Notice::Row {
                kind,
                table,
                key,
                row,
                ..
            } => match VisibleRow::of_open(self.exposure(), table, row) {
                Some(row) => {
                    let table = self.exposure().table(table);
                    (kind, Update::row(table, key, row))
                }
                // Not reached: a manager without rules has open tables only.
                None => (
                    UpdateKind::Update,
                    Update::again(ObjectId::row(table, key.clone())),
                ),
            },
            Notice::Again(object) => (UpdateKind::Update, Update::again(object)),
        }
    }
}
