//! `Recorder`: where the app says what it does, and whence the picture takes it.
//!
//! One for the process; the `SubscriptionManager` holds it. What must stay true on the way of an
//! update: while it is off it costs one relaxed load; while it is on it never waits, and a record
//! that finds no room is counted and let go. A commit is one record with one moment per stage,
//! however many sessions it is told; what a socket writes or its client confirms is one, however
//! many updates that is.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use blazelink_codes::limits;
use crossbeam_queue::ArrayQueue;

use super::record::{Draft, Moment, Record, Step, Watching, What};
use crate::cause::Seal;
use crate::session::SessionLabel;

/// What the app does, up to [`limits::DEBUGGER_RECORDS`] of it that nobody has taken yet.
#[derive(Debug)]
pub(crate) struct Recorder {
    on: AtomicBool,
    /// Whether also what sessions watch is recorded, and what exactly they are told.
    keeping: AtomicBool,
    /// Of so many transactions one is followed however it goes.
    sample: AtomicU32,
    /// Transactions that came while it was on.
    came: AtomicU32,
    began: Instant,
    /// Since when the transaction that is published next is visible.
    visible: AtomicU64,
    /// Made when the recorder is switched on for the first time.
    records: std::sync::OnceLock<ArrayQueue<Record>>,
    lost: AtomicU64,
    seal: Seal,
}

impl Default for Recorder {
    fn default() -> Self {
        Recorder {
            on: AtomicBool::new(false),
            keeping: AtomicBool::new(false),
            sample: AtomicU32::new(1),
            came: AtomicU32::new(0),
            began: Instant::now(),
            visible: AtomicU64::new(0),
            records: std::sync::OnceLock::new(),
            lost: AtomicU64::new(0),
            seal: Seal::default(),
        }
    }
}

impl Recorder {
    /// Whether anything is recorded.
    #[inline]
    pub(crate) fn is_on(&self) -> bool {
        cfg!(feature = "debugger") && self.on.load(Ordering::Relaxed)
    }

    /// Records from now on.
    pub(crate) fn switch_on(&self) {
        self.records();
        self.on.store(true, Ordering::Relaxed);
    }

    /// Whether also what sessions watch is recorded from now on, and what exactly they are told.
    pub(crate) fn keep(&self, keeping: bool) {
        self.keeping.store(keeping, Ordering::Relaxed);
    }

    /// Of so many transactions one is followed from now on, and of the others those only of which
    /// something out of the ordinary comes: somebody is not told, or not as it was.
    pub(crate) fn follow_one_in(&self, sample: NonZeroU32) {
        self.sample.store(sample.get(), Ordering::Relaxed);
    }

    /// Of how many transactions one is followed.
    pub(crate) fn sample(&self) -> u32 {
        self.sample.load(Ordering::Relaxed)
    }

    /// Whether a change of what a session watches is recorded.
    #[inline]
    pub(crate) fn is_keeping(&self) -> bool {
        self.is_on() && self.keeping.load(Ordering::Relaxed)
    }

    /// Records nothing any more, and lets go of what was not taken.
    pub(crate) fn switch_off(&self) {
        self.on.store(false, Ordering::Relaxed);
        while self.take().is_some() {}
    }

    /// Now.
    pub(crate) fn now(&self) -> Moment {
        self.moment(Instant::now())
    }

    /// When this was.
    pub(crate) fn moment(&self, instant: Instant) -> Moment {
        // As `as_micros`, in half the digits: it is done for each message.
        let since = instant.saturating_duration_since(self.began);
        let seconds = since.as_secs().saturating_mul(1_000_000);
        Moment(seconds.saturating_add(since.subsec_micros().into()))
    }

    /// The transactions that are published from now on are visible.
    pub(crate) fn visible(&self) {
        if self.is_on() {
            self.visible.store(self.now().0, Ordering::Relaxed);
        }
    }

    /// A transaction is about to be published; nothing if nobody wants to know.
    pub(crate) fn begin(&self) -> Option<Draft> {
        self.is_on().then(|| {
            let visible = Moment(self.visible.load(Ordering::Relaxed));
            let came = self.came.fetch_add(1, Ordering::Relaxed);
            // A recording is of everything.
            let keeping = self.is_keeping();
            let followed = keeping || came.is_multiple_of(self.sample().max(1));
            Draft::begin(visible, keeping, followed)
        })
    }

    /// A transaction was published.
    pub(crate) fn published(&self, record: Record) {
        self.push(record);
    }

    /// A session went on.
    #[inline]
    pub(crate) fn step(&self, session: SessionLabel, what: What) {
        if self.is_on() {
            self.push(Record::Step(Step {
                session,
                at: self.now(),
                what,
            }));
        }
    }

    /// The same at a moment that the caller knows anyway.
    #[inline]
    pub(crate) fn step_at(&self, instant: Instant, session: SessionLabel, what: What) {
        if self.is_on() {
            self.push(Record::Step(Step {
                session,
                at: self.moment(instant),
                what,
            }));
        }
    }

    /// What a session watches is another by now, or whose it is.
    pub(crate) fn watching(&self, watching: Watching) {
        self.push(Record::Watching(Box::new(watching)));
    }

    /// The next record, in about the order in which they came. To be called by one thread.
    pub(crate) fn take(&self) -> Option<Record> {
        self.records.get()?.pop()
    }

    /// With what the app's transactions say who has made them.
    pub(crate) fn seal(&self) -> &Seal {
        &self.seal
    }

    /// How many records found no room, ever.
    pub(crate) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    fn push(&self, record: Record) {
        if self.records().push(record).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn records(&self) -> &ArrayQueue<Record> {
        let make = || ArrayQueue::new(limits::DEBUGGER_RECORDS);
        self.records.get_or_init(make)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(recorder: &Recorder, up_to: u64) {
        recorder.step(SessionLabel::fresh(), What::Confirmed { up_to });
    }

    fn confirmed(record: Option<Record>) -> u64 {
        match record {
            Some(Record::Step(Step {
                what: What::Confirmed { up_to },
                ..
            })) => up_to,
            other => panic!("a confirmation, not {other:?}"),
        }
    }

    #[test]
    fn nothing_is_recorded_before_it_is_switched_on() {
        let recorder = Recorder::default();
        step(&recorder, 1);
        assert!(recorder.begin().is_none());
        recorder.switch_on();
        assert!(recorder.take().is_none());
        step(&recorder, 2);
        assert_eq!(confirmed(recorder.take()), 2);
        step(&recorder, 3);
        recorder.switch_off();
        step(&recorder, 4);
        assert!(recorder.take().is_none());
    }

    #[test]
    fn what_finds_no_room_is_counted_and_keeps_nobody_waiting() {
        let recorder = Recorder::default();
        recorder.switch_on();
        let beyond = 10;
        for up_to in 0..limits::DEBUGGER_RECORDS as u64 + beyond {
            step(&recorder, up_to);
        }
        assert_eq!(recorder.lost(), beyond);
        for up_to in 0..limits::DEBUGGER_RECORDS as u64 {
            assert_eq!(confirmed(recorder.take()), up_to);
        }
        assert!(recorder.take().is_none());
    }
}
