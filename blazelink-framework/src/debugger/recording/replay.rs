//! A recording played to this build: each transaction is put once more to what the sessions watched then,
//! as the viewers see it by this build's rules, and what they would be told is compared with what they
//! were told.
//!
//! What must stay true: a difference that is told is the build's. A session of which it is not known what
//! it watched at that commit, because it began to or ceased just then, or because there was no room for
//! it, is not compared; nor is one whose viewer is not written down. All are counted. Conditions in SQL are put to the database as it is now.

use std::sync::Arc;

use blazelink_codes::limits;
use hashbrown::{HashMap, HashSet};

use super::difference::{Difference, Replayed, Telling};
use super::file::{Become, Entry, Recording};
use super::lines::WrittenViewer;
use crate::debugger::record::{Commit, Moment, Times};
use crate::object_id::ObjectId;
use crate::session::{Session, SessionLabel};
use crate::subscription::{Stage, SubscriptionManager};
use crate::viewer::{Viewer, ViewerForm};

/// Plays a recording to what this manager exposes and guards.
pub(crate) async fn replay(
    recording: &Recording,
    subscriptions: &SubscriptionManager,
    viewers: ViewerForm,
) -> Replayed {
    let mut cast = Cast::on(subscriptions.stage(), viewers);
    let unsettled = Unsettled::of(&recording.log);
    let mut replayed = Replayed::default();
    let mut log = recording.log.iter().peekable();
    for trace in &recording.traces {
        let times = trace.commit.times;
        while let Some(entry) = log.next_if(|entry| entry.at <= times.told) {
            cast.enter(entry);
        }
        let Some(performed) = cast.stage.perform(&trace.commit.transaction).await else {
            continue;
        };
        replayed.commits += 1;
        let was = tellings(&trace.commit, Some);
        let would = tellings(&performed, |label| cast.of_stage.get(&label).copied());
        let told: Vec<&Place> = was.keys().chain(would.keys()).collect();
        let mut seen = HashSet::new();
        for place in told.into_iter().filter(|place| seen.insert(*place)) {
            let (session, object) = place;
            if !cast.known.contains_key(session) {
                continue;
            }
            if unsettled.has(*session, times) {
                replayed.unsettled += 1;
                continue;
            }
            replayed.compared += 1;
            let (was, would) = (was.get(place).copied(), would.get(place).copied());
            if was == would {
                continue;
            }
            replayed.differ += 1;
            if replayed.differences.len() < limits::REPLAY_DIFFERENCES {
                replayed.differences.push(Difference {
                    number: trace.number,
                    session: *session,
                    object: object.clone(),
                    was,
                    would,
                });
            }
        }
        // Whoever else asks the debugger gets a turn.
        tokio::task::yield_now().await;
    }
    replayed.sessions = cast.known.len() as u64;
    replayed.unknown_viewers = cast.unknown.len() as u64;
    replayed
}

type Place = (SessionLabel, ObjectId);

/// What each session is told of each object. An object that it is told of more than once in a
/// transaction, such as a row that moves and one that moves there, counts as it is told last.
fn tellings(
    commit: &Commit,
    called: impl Fn(SessionLabel) -> Option<SessionLabel>,
) -> HashMap<Place, Telling> {
    let mut tellings = HashMap::new();
    for delivery in &commit.deliveries {
        let (Some(session), Some(said)) = (called(delivery.session), commit.said(delivery)) else {
            continue;
        };
        for (noticed, said) in commit.noticed(delivery).zip(said) {
            let telling = Telling {
                row: noticed.change.is_some(),
                kind: said.kind,
                print: said.print,
            };
            tellings.insert((session, noticed.object.clone()), telling);
        }
    }
    tellings
}

/// The sessions of a recording on the stage.
struct Cast {
    stage: Stage,
    viewers: ViewerForm,
    known: HashMap<SessionLabel, Arc<Session>>,
    /// What the stage calls them.
    of_stage: HashMap<SessionLabel, SessionLabel>,
    unknown: HashSet<SessionLabel>,
    left_out: HashSet<SessionLabel>,
}

impl Cast {
    fn on(stage: Stage, viewers: ViewerForm) -> Cast {
        Cast {
            stage,
            viewers,
            known: HashMap::new(),
            of_stage: HashMap::new(),
            unknown: HashSet::new(),
            left_out: HashSet::new(),
        }
    }

    /// Lets an entry of the log take effect.
    fn enter(&mut self, entry: &Entry) {
        if self.left_out.contains(&entry.session) {
            return;
        }
        match &entry.what {
            Become::LeftOut => {
                self.left_out.insert(entry.session);
                self.forget(entry.session);
            }
            Become::Ended => {
                if let Some(session) = self.known.get(&entry.session) {
                    self.stage.leave(session);
                }
            }
            Become::Watching(viewer, view) => {
                let viewer = match viewer {
                    WrittenViewer::Nobody => Some(Viewer::anonymous()),
                    WrittenViewer::Is(value) => self.viewers.read(value),
                    WrittenViewer::NotWritten => None,
                };
                let Some(viewer) = viewer else {
                    self.unknown.insert(entry.session);
                    self.forget(entry.session);
                    return;
                };
                let Some(session) = self.session(entry.session, &viewer) else {
                    return;
                };
                if let Some((name, view)) = view {
                    self.stage.watch(&session, name.clone(), view.clone());
                }
            }
        }
    }

    /// From now on nothing of it is compared.
    fn forget(&mut self, session: SessionLabel) {
        if let Some(session) = self.known.remove(&session) {
            self.stage.leave(&session);
        }
    }

    fn session(&mut self, label: SessionLabel, viewer: &Viewer) -> Option<Arc<Session>> {
        if let Some(session) = self.known.get(&label) {
            // It was nobody's until now, or it is this viewer's.
            let _ = session.bind(viewer);
            return Some(Arc::clone(session));
        }
        let session = self.stage.enter(viewer)?;
        self.of_stage.insert(session.label(), label);
        self.known.insert(label, Arc::clone(&session));
        Some(session)
    }
}

/// When it was not settled what a session watched.
struct Unsettled(HashMap<SessionLabel, Vec<(Moment, Moment)>>);

impl Unsettled {
    fn of(log: &[Entry]) -> Unsettled {
        let mut spans: HashMap<_, Vec<_>> = HashMap::new();
        for entry in log {
            let of_session = spans.entry(entry.session).or_default();
            of_session.push((entry.began, entry.at));
        }
        Unsettled(spans)
    }

    /// Whether that was so while the transaction was on its way to the session.
    fn has(&self, session: SessionLabel, times: Times) -> bool {
        let mut spans = self.0.get(&session).into_iter().flatten();
        spans.any(|(began, at)| *began <= times.told && *at >= times.visible)
    }
}
