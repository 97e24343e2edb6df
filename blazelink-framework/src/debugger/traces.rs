//! `Traces`: the transactions that are remembered, up to a number of bytes.
//!
//! Pure; the picture holds them. Beyond the limit, what went as it should goes first, but for a
//! sample of it; then what did not, the oldest first; what somebody has pinned goes last. What must
//! stay true: the bytes never exceed the limit, and what was let go is counted.

use std::collections::{BTreeSet, VecDeque};

use blazelink_codes::limits;
use hashbrown::HashMap;

use super::record::{Commit, Moment};
use super::trace::Trace;

/// Of the transactions that went as they should, one in so many is kept as long as those that did
/// not.
const SAMPLED: u64 = 16;

/// See the file's head.
#[derive(Debug)]
pub(crate) struct Traces {
    /// Looked up for each delivery that gets further, which is what the debugger does most.
    kept: HashMap<u64, Box<Trace>>,
    /// The numbers of those that are kept.
    numbers: BTreeSet<u64>,
    /// Numbers of those that nobody has looked at since they came, oldest first.
    fresh: VecDeque<u64>,
    /// Numbers of those that are worth more.
    notable: VecDeque<u64>,
    pinned: usize,
    bytes: usize,
    limit: usize,
    next: u64,
    discarded: u64,
}

impl Traces {
    /// None yet, and room for so many bytes.
    pub(crate) fn new(limit: usize) -> Traces {
        Traces {
            kept: HashMap::new(),
            numbers: BTreeSet::new(),
            fresh: VecDeque::new(),
            notable: VecDeque::new(),
            pinned: 0,
            bytes: 0,
            limit,
            next: 1,
            discarded: 0,
        }
    }

    /// Remembers a transaction. Its number, even if it finds no room.
    pub(crate) fn push(&mut self, commit: Box<Commit>) -> u64 {
        let number = self.next;
        self.next += 1;
        let trace = Trace::new(number, commit);
        self.bytes += trace.weight();
        self.kept.insert(number, Box::new(trace));
        self.numbers.insert(number);
        self.fresh.push_back(number);
        while self.bytes > self.limit && self.discard() {}
        number
    }

    /// The trace with this number, if it is kept.
    pub(crate) fn get(&self, number: u64) -> Option<&Trace> {
        self.kept.get(&number).map(|trace| &**trace)
    }

    /// The same, to be told how far it got.
    pub(crate) fn get_mut(&mut self, number: u64) -> Option<&mut Trace> {
        self.kept.get_mut(&number).map(|trace| &mut **trace)
    }

    /// Keeps a trace as long as possible, or no longer. False if it is gone, or as many are pinned as
    /// may be ([`limits::DEBUGGER_PINNED`]).
    pub(crate) fn pin(&mut self, number: u64, pinned: bool) -> bool {
        let Some(trace) = self.kept.get_mut(&number) else {
            return false;
        };
        if trace.pinned == pinned {
            return true;
        }
        if pinned && self.pinned >= limits::DEBUGGER_PINNED {
            return false;
        }
        trace.pinned = pinned;
        self.pinned = match pinned {
            true => self.pinned + 1,
            false => self.pinned - 1,
        };
        true
    }

    /// Those that are kept, the newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Trace> {
        let numbers = self.numbers.iter().rev();
        numbers.filter_map(|&number| self.get(number))
    }

    /// Those that are kept and became visible after this moment, the oldest first.
    pub(crate) fn since(&self, from: Moment) -> impl Iterator<Item = &Trace> + Clone {
        let numbers = self.numbers.iter();
        let kept = numbers.filter_map(|&number| self.get(number));
        kept.filter(move |trace| trace.commit.times.visible >= from)
    }

    /// How many came, ever.
    pub(crate) fn came(&self) -> u64 {
        self.next - 1
    }

    /// Number of those that are kept.
    pub(crate) fn len(&self) -> usize {
        self.kept.len()
    }

    /// How many were let go for want of room.
    pub(crate) fn discarded(&self) -> u64 {
        self.discarded
    }

    /// Bytes that are kept, and how many may be.
    pub(crate) fn bytes(&self) -> (usize, usize) {
        (self.bytes, self.limit)
    }

    /// Lets one go. False if there is none.
    fn discard(&mut self) -> bool {
        while let Some(number) = self.fresh.pop_front() {
            let trace = self.kept.get(&number);
            if trace.is_some_and(|it| it.is_notable() || it.number.is_multiple_of(SAMPLED)) {
                self.notable.push_back(number);
                continue;
            }
            return self.remove(number);
        }
        for _ in 0..self.pinned {
            let Some(number) = self.notable.pop_front() else {
                break;
            };
            if !self.kept.get(&number).is_some_and(|trace| trace.pinned) {
                return self.remove(number);
            }
            self.notable.push_back(number);
        }
        let oldest = self.notable.pop_front();
        oldest.is_some_and(|number| self.remove(number))
    }

    fn remove(&mut self, number: u64) -> bool {
        if let Some(trace) = self.kept.remove(&number) {
            self.numbers.remove(&number);
            self.bytes -= trace.weight();
            self.pinned -= usize::from(trace.pinned);
            self.discarded += 1;
        }
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::debugger::testing::commit;

    const ROOM: u64 = 64;

    /// With room for about so many that were told to one session.
    fn traces() -> Traces {
        let weight = Trace::new(0, commit(1, 1)).weight();
        Traces::new(weight * ROOM as usize)
    }

    fn numbers(traces: &Traces) -> Vec<u64> {
        traces.newest_first().map(|trace| trace.number).collect()
    }

    fn push(traces: &mut Traces, confirmed: bool) -> u64 {
        let number = traces.push(commit(1, 1));
        if confirmed && let Some(trace) = traces.get_mut(number) {
            trace.sent(0, Moment(1));
            trace.confirmed(0, Moment(2));
        }
        number
    }

    #[test]
    fn what_went_as_it_should_is_let_go_first_but_for_a_sample() {
        let mut traces = traces();
        let odd = push(&mut traces, false);
        for _ in 0..ROOM * 4 {
            push(&mut traces, true);
        }
        let kept = numbers(&traces);
        assert!(kept.contains(&odd));
        let sampled = kept.iter().filter(|it| it.is_multiple_of(SAMPLED)).count() as u64;
        assert_eq!(sampled, ROOM * 4 / SAMPLED);
        assert_eq!(traces.discarded(), ROOM * 4 + 1 - kept.len() as u64);
        let (bytes, limit) = traces.bytes();
        assert!(bytes <= limit);
    }

    #[test]
    fn what_is_pinned_goes_last_and_the_limit_holds_all_the_same() {
        let mut traces = traces();
        let pinned = push(&mut traces, true);
        assert!(traces.pin(pinned, true));
        for _ in 0..ROOM * 4 {
            push(&mut traces, false);
        }
        assert!(traces.get(pinned).is_some());
        assert_eq!(numbers(&traces).len() as u64, ROOM);
        assert!(traces.pin(pinned, false));
        for _ in 0..ROOM {
            push(&mut traces, false);
        }
        assert!(traces.get(pinned).is_none());
        assert!(!traces.pin(pinned, true), "it is gone");
        traces.push(commit(1, 10_000));
        let (bytes, limit) = traces.bytes();
        assert!(bytes <= limit, "one that is too large is not kept either");
    }

    #[test]
    fn not_more_are_pinned_than_may_be() {
        let mut traces = Traces::new(usize::MAX);
        let numbers: Vec<u64> = (0..=limits::DEBUGGER_PINNED)
            .map(|_| push(&mut traces, true))
            .collect();
        let (last, others) = numbers.split_last().unwrap();
        assert!(others.iter().all(|&number| traces.pin(number, true)));
        assert!(!traces.pin(*last, true));
        assert!(traces.pin(others[0], false));
        assert!(traces.pin(*last, true));
    }
}
