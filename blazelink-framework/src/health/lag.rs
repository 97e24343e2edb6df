//! How far telling is behind committing.
//!
//! Pure: `pulse` says every now and then up to where the server has written its log, and asks how
//! old the oldest of these positions is that has not been handed on. So lag is a time by our own
//! clock, whatever clocks and how much log the server writes.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::change::Lsn;

/// Bytes by which the end of the log and the position that the server tells as its end may differ
/// while nothing is left to tell: the head of a page, which a record that ends with its page is not
/// followed by yet (`XLogLongPageHeaderData` is 40 bytes, and records begin at multiples of 8). Any
/// commit is longer, with what it commits.
const PAGE_HEAD: u64 = 48;

/// Positions remembered. Beyond it every other one is let go, so that the oldest stays and times get
/// coarser.
const POSITIONS: usize = 256;

/// How far behind what is handed on is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Lag {
    /// Bytes of the log, between what was written when it was last asked and what is handed on.
    pub(crate) bytes: u64,
    /// How long ago something was there already that is not handed on.
    pub(crate) time: Duration,
}

/// Positions of the log's end that are not handed on yet, and when they were seen.
#[derive(Debug, Default)]
pub(crate) struct Positions {
    seen: VecDeque<(Instant, Lsn)>,
    last: Lsn,
}

impl Positions {
    /// The server has written its log up to here.
    pub(crate) fn see(&mut self, now: Instant, end: Lsn) {
        // Another server, or one that was restored: its positions do not compare with those before.
        if end < self.last {
            self.seen.clear();
        }
        if end > self.last || self.seen.is_empty() {
            self.seen.push_back((now, end));
        }
        self.last = end;
        if self.seen.len() > POSITIONS {
            let mut at = 0;
            self.seen.retain(|_| {
                at += 1;
                at % 2 == 1
            });
        }
    }

    /// How far behind that `handed_on` is.
    pub(crate) fn lag(&mut self, now: Instant, handed_on: Lsn) -> Lag {
        let reached = |end: Lsn| handed_on.0.saturating_add(PAGE_HEAD) >= end.0;
        while self.seen.front().is_some_and(|&(_, end)| reached(end)) {
            self.seen.pop_front();
        }
        let oldest = self.seen.front();
        Lag {
            bytes: if reached(self.last) {
                0
            } else {
                self.last.0.saturating_sub(handed_on.0)
            },
            time: oldest.map_or(Duration::ZERO, |&(seen, _)| {
                now.saturating_duration_since(seen)
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn what_is_handed_on_is_as_late_as_the_oldest_position_that_it_has_not_reached() {
        let mut positions = Positions::default();
        let start = Instant::now();
        for second in 0..5_u32 {
            let end = Lsn(1_000 * u64::from(second + 1));
            positions.see(start + SECOND * second, end);
        }
        let now = start + SECOND * 5;
        let lag = |bytes, seconds| Lag {
            bytes,
            time: SECOND * seconds,
        };
        assert_eq!(positions.lag(now, Lsn(1_500)), lag(3_500, 4));
        assert_eq!(positions.lag(now, Lsn(4_000)), lag(1_000, 1));
        assert_eq!(positions.lag(now, Lsn(5_000)), lag(0, 0));
    }

    #[test]
    fn idle_server_is_not_behind_for_the_head_of_a_page() {
        let mut positions = Positions::default();
        let start = Instant::now();
        positions.see(start, Lsn(8_192 + 40));
        positions.see(start + SECOND, Lsn(8_192 + 40));
        assert_eq!(
            positions.lag(start + SECOND * 60, Lsn(8_192)),
            Lag::default()
        );
        positions.see(start + SECOND * 60, Lsn(8_192 + 100));
        let lag = positions.lag(start + SECOND * 61, Lsn(8_192));
        assert_eq!(lag.time, SECOND);
    }

    #[test]
    fn positions_of_another_server_are_not_waited_for() {
        let mut positions = Positions::default();
        let start = Instant::now();
        positions.see(start, Lsn(1_000_000));
        positions.see(start + SECOND, Lsn(1_000));
        assert_eq!(
            positions.lag(start + SECOND * 9, Lsn(1_000)),
            Lag::default()
        );
    }

    #[test]
    fn however_long_nothing_is_handed_on_the_oldest_position_is_known() {
        let mut positions = Positions::default();
        let start = Instant::now();
        for second in 0..10_000_u32 {
            positions.see(start + SECOND * second, Lsn(u64::from(second) * 100 + 100));
        }
        assert!(positions.seen.len() <= POSITIONS);
        let lag = positions.lag(start + SECOND * 10_000, Lsn(0));
        assert_eq!(lag.time, SECOND * 10_000);
    }
}
