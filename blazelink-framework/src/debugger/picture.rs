//! `Picture`: everything that is known of what the app has done lately, made of its records.
//!
//! Pure; the watcher feeds it and whoever asks reads it, behind one mutex. It holds no more than the
//! limit of its traces, and a few words for each session that there is.

use hashbrown::HashMap;

use super::course::{Course, Milestone, Pending};
use super::record::{Commit, Moment, Record, Step, Times, What};
use super::stage::{Stage, Told};
use super::traces::Traces;
use crate::session::{Pushed, SessionLabel};

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Picture {
    /// The transactions that are remembered.
    pub(crate) traces: Traces,
    courses: HashMap<SessionLabel, Course>,
    stages: Stages,
    /// Transactions that were not followed, as they are not of the sample.
    pub(crate) passed: u64,
}

/// The stages of the way from Postgres to a client.
#[derive(Debug, Default)]
struct Stages {
    /// Rows and whole tables, from read to visible.
    visible: Stage,
    /// Transactions, from visible to matched.
    matched: Stage,
    /// Transactions, from matched to told.
    told: Stage,
    /// Deliveries, from told to sent.
    sent: Stage,
    /// Deliveries, from sent to handled.
    confirmed: Stage,
}

impl Stages {
    /// A transaction was where then, up to the outboxes.
    fn published(&mut self, times: Times) {
        let gated = times.visible.since(times.decoded);
        self.visible.passed(times.visible, 1, gated);
        let matching = times.matched.since(times.visible);
        self.matched.passed(times.matched, 1, matching);
        let telling = times.told.since(times.matched);
        self.told.passed(times.told, 1, telling);
    }
}

/// What is told of the stages.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Pulses {
    /// Transactions that became visible.
    pub(crate) visible: Told,
    /// Transactions of which it was found out whom they concern.
    pub(crate) matched: Told,
    /// Transactions that were put into outboxes.
    pub(crate) told: Told,
    /// Deliveries that were written to sockets.
    pub(crate) sent: Told,
    /// Deliveries that clients have handled.
    pub(crate) confirmed: Told,
    /// Transactions by second, the oldest first.
    pub(crate) commits: Vec<u32>,
    /// Deliveries that were sent by second, the oldest first.
    pub(crate) deliveries: Vec<u32>,
}

impl Picture {
    /// Of an app of which nothing is known yet, with room for so many bytes of transactions.
    pub(crate) fn new(bytes: usize) -> Picture {
        Picture {
            traces: Traces::new(bytes),
            courses: HashMap::new(),
            stages: Stages::default(),
            passed: 0,
        }
    }

    /// One more thing has happened.
    pub(crate) fn add(&mut self, record: Record) {
        match record {
            Record::Commit(commit) => self.published(commit),
            Record::Passed(times) => {
                self.stages.published(times);
                self.passed += 1;
            }
            Record::Step(step) => self.stepped(step),
            // It is of what was, not of what is: recordings take it.
            Record::Watching(_) => {}
        }
    }

    /// How far a session got; nothing if none of its steps was seen.
    pub(crate) fn course(&self, session: SessionLabel) -> Option<&Course> {
        self.courses.get(&session)
    }

    /// How the stages do.
    pub(crate) fn pulses(&mut self, now: Moment) -> Pulses {
        let stages = &mut self.stages;
        Pulses {
            visible: stages.visible.told(now),
            matched: stages.matched.told(now),
            told: stages.told.told(now),
            sent: stages.sent.told(now),
            confirmed: stages.confirmed.told(now),
            commits: stages.told.seconds(now),
            deliveries: stages.sent.seconds(now),
        }
    }

    fn published(&mut self, commit: Box<Commit>) {
        let times = commit.times;
        self.stages.published(times);
        let deliveries: Vec<_> = (0..)
            .zip(&commit.deliveries)
            // What an outbox did not take has no message of its own.
            .filter(|(_, it)| matches!(it.pushed, Pushed::Appended | Pushed::Merged))
            .map(|(at, it)| (it.session, it.last(), at))
            .collect();
        let trace = self.traces.push(commit);
        for (session, last, delivery) in deliveries {
            let begin = || Course::begin(times.told);
            let course = self.courses.entry(session).or_insert_with(begin);
            let pending = Pending {
                last,
                trace,
                delivery,
            };
            let early = course.told(pending, |trace| self.traces.get(trace).is_some());
            let (traces, stages) = (&mut self.traces, &mut self.stages);
            if let Some(at) = early.sent {
                reached(traces, stages, pending, Milestone::Sent, at);
            }
            if let Some(at) = early.confirmed {
                reached(traces, stages, pending, Milestone::Confirmed, at);
            }
        }
    }

    fn stepped(&mut self, step: Step) {
        let Step { session, at, what } = step;
        if what == What::Ended {
            self.courses.remove(&session);
            return;
        }
        let begin = || Course::begin(at);
        let course = self.courses.entry(session).or_insert_with(begin);
        let (traces, stages) = (&mut self.traces, &mut self.stages);
        course.step(at, what, &mut |pending, milestone| {
            reached(traces, stages, pending, milestone, at);
        });
    }
}

/// A delivery got so far.
fn reached(
    traces: &mut Traces,
    stages: &mut Stages,
    of: Pending,
    milestone: Milestone,
    at: Moment,
) {
    let Some(trace) = traces.get_mut(of.trace) else {
        return;
    };
    let (stage, took) = match milestone {
        Milestone::Sent => (&mut stages.sent, trace.sent(of.delivery, at)),
        Milestone::Confirmed => (&mut stages.confirmed, trace.confirmed(of.delivery, at)),
    };
    if let Some(took) = took {
        stage.passed(at, 1, u64::from(took));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::debugger::testing::{commit, told_to};

    fn step(session: SessionLabel, at: u64, what: What) -> Record {
        let at = Moment(at);
        Record::Step(Step { session, at, what })
    }

    fn sent(up_to: u64) -> What {
        What::Sent {
            up_to,
            updates: 1,
            bytes: 10,
        }
    }

    fn picture() -> Picture {
        Picture::new(usize::MAX)
    }

    #[test]
    fn a_delivery_is_followed_until_its_client_has_handled_it() {
        let mut picture = picture();
        let session = SessionLabel::fresh();
        picture.add(Record::Commit(told_to(&[(session, 1)])));
        picture.add(Record::Commit(told_to(&[(session, 2)])));
        let funnel = |picture: &Picture, trace| {
            let funnel = picture.traces.get(trace).unwrap().funnel();
            (funnel.told, funnel.sent, funnel.confirmed)
        };
        assert_eq!(funnel(&picture, 1), (1, 0, 0));
        assert_eq!(picture.course(session).unwrap().waiting(), 2);
        picture.add(step(session, 30, sent(1)));
        assert_eq!(funnel(&picture, 1), (1, 1, 0));
        assert_eq!(funnel(&picture, 2), (1, 0, 0));
        picture.add(step(session, 40, sent(2)));
        picture.add(step(session, 70, What::Confirmed { up_to: 2 }));
        assert_eq!(funnel(&picture, 1), (1, 1, 1));
        assert_eq!(funnel(&picture, 2), (1, 1, 1));
        let trace = picture.traces.get(1).unwrap();
        let (_, reached) = trace.deliveries().next().unwrap();
        assert_eq!((reached.sent(), reached.confirmed()), (Some(30), Some(70)));
        let course = picture.course(session).unwrap();
        assert_eq!((course.waiting(), course.unconfirmed()), (0, 0));
        assert_eq!(course.confirmed_up_to, 2);
    }

    #[test]
    fn a_socket_may_be_faster_than_the_recorder() {
        let mut picture = picture();
        let session = SessionLabel::fresh();
        picture.add(step(session, 30, sent(1)));
        picture.add(Record::Commit(told_to(&[(session, 1)])));
        let funnel = |picture: &Picture, trace| picture.traces.get(trace).unwrap().funnel();
        assert_eq!(funnel(&picture, 1).sent, 1);
        assert_eq!(picture.course(session).unwrap().waiting(), 0);
        picture.add(step(session, 40, What::Confirmed { up_to: 1 }));
        assert_eq!(funnel(&picture, 1).confirmed, 1);
        picture.add(step(session, 50, sent(2)));
        picture.add(step(session, 60, What::Confirmed { up_to: 2 }));
        picture.add(Record::Commit(told_to(&[(session, 2)])));
        let second = funnel(&picture, 2);
        assert_eq!((second.sent, second.confirmed), (1, 1));
        let course = picture.course(session).unwrap();
        assert_eq!((course.waiting(), course.unconfirmed()), (0, 0));
    }

    #[test]
    fn what_a_broken_socket_may_have_lost_is_counted_once() {
        let mut picture = picture();
        let session = SessionLabel::fresh();
        picture.add(Record::Commit(told_to(&[(session, 1)])));
        picture.add(step(session, 10, sent(1)));
        picture.add(step(session, 20, What::Detached));
        picture.add(step(session, 30, What::Attached));
        assert_eq!(picture.course(session).unwrap().waiting(), 1);
        picture.add(step(session, 40, sent(1)));
        assert_eq!(picture.traces.get(1).unwrap().funnel().sent, 1);
        let pulses = picture.pulses(Moment(1_000_000));
        assert_eq!((pulses.sent.total, pulses.told.total), (1, 1));
    }

    #[test]
    fn an_ended_session_is_forgotten_and_so_are_deliveries_of_traces_that_are_gone() {
        let weight = super::super::trace::Trace::new(0, commit(1, 1)).weight();
        let mut picture = Picture::new(weight * 8);
        let session = SessionLabel::fresh();
        for id in 1..=100 {
            picture.add(Record::Commit(told_to(&[(session, id)])));
        }
        assert!(picture.course(session).unwrap().waiting() <= 8 + 16);
        picture.add(step(session, 10, What::Ended));
        assert!(picture.course(session).is_none());
    }
}
