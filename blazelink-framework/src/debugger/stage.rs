//! `Stage`: how many went through one stage of the way from Postgres to a client, and how long that
//! took each. Pure.

use hdrhistogram::Histogram;

use super::record::Moment;

/// Seconds that rates are told of, each on its own.
pub(crate) const SECONDS: usize = 60;

/// How long what was timed counts, in microseconds; it is let go in halves.
const WINDOW: u64 = 10_000_000;

/// The longest that is told apart, in microseconds: a minute.
const LONGEST: u64 = 60_000_000;

/// One stage.
#[derive(Debug)]
pub(crate) struct Stage {
    /// In this half of the window, and in the one before.
    times: Option<[Histogram<u32>; 2]>,
    /// Which half of the window `times` has come to.
    half: u64,
    /// By second, in a ring.
    counts: [u32; SECONDS],
    /// The second that `counts` has come to.
    second: u64,
    /// All ever.
    total: u64,
}

/// What is told of a stage.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Told {
    /// How many, ever.
    pub(crate) total: u64,
    /// How many in a second, over the last ten that are over.
    pub(crate) rate: f64,
    /// Microseconds that half of them took at most, over the last five to ten seconds; nothing if
    /// there was none.
    pub(crate) p50: Option<u64>,
    /// The same of 99 in a hundred.
    pub(crate) p99: Option<u64>,
}

impl Default for Stage {
    fn default() -> Self {
        // The bounds are sound: a failure leaves the times out.
        let times = || Histogram::new_with_bounds(1, LONGEST, 2).ok();
        Stage {
            times: times().zip(times()).map(|(now, before)| [now, before]),
            half: 0,
            counts: [0; SECONDS],
            second: 0,
            total: 0,
        }
    }
}

impl Stage {
    /// So many went through it at once, and each took so many microseconds.
    pub(crate) fn passed(&mut self, at: Moment, count: u32, micros: u64) {
        self.go_on(at);
        self.total += u64::from(count);
        self.counts[self.second as usize % SECONDS] += count;
        if let Some([now, _]) = &mut self.times {
            now.saturating_record_n(micros.clamp(1, LONGEST), count);
        }
    }

    /// What there is to tell.
    pub(crate) fn told(&mut self, at: Moment) -> Told {
        self.go_on(at);
        let times = self.times.as_ref().map(|[now, before]| {
            let mut both = now.clone();
            // They have the same bounds.
            let _ = both.add(before);
            both
        });
        let times = times.filter(|times| !times.is_empty());
        let quantile = |of| times.as_ref().map(|times| times.value_at_quantile(of));
        let seconds = 10.min(self.second);
        let counted: u32 = (1..=seconds).map(|back| self.count(back)).sum();
        Told {
            total: self.total,
            rate: f64::from(counted) / (seconds.max(1) as f64),
            p50: quantile(0.5),
            p99: quantile(0.99),
        }
    }

    /// How many in each of the last seconds, the oldest first, the present one last.
    pub(crate) fn seconds(&mut self, at: Moment) -> Vec<u32> {
        self.go_on(at);
        let back = (0..SECONDS as u64).rev();
        back.map(|back| self.count(back)).collect()
    }

    fn count(&self, back: u64) -> u32 {
        let second = self.second.checked_sub(back);
        second.map_or(0, |second| self.counts[second as usize % SECONDS])
    }

    fn go_on(&mut self, at: Moment) {
        let second = at.0 / 1_000_000;
        for next in (self.second + 1..=second).take(SECONDS) {
            self.counts[next as usize % SECONDS] = 0;
        }
        if second > self.second + SECONDS as u64 {
            self.counts = [0; SECONDS];
        }
        self.second = self.second.max(second);
        let half = at.0 / (WINDOW / 2);
        if let Some([now, before]) = &mut self.times
            && half > self.half
        {
            std::mem::swap(now, before);
            now.reset();
            if half > self.half + 1 {
                before.reset();
            }
            self.half = half;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: u64) -> Moment {
        Moment(second * 1_000_000)
    }

    #[test]
    fn rates_are_of_the_last_ten_seconds_and_times_of_about_as_many() {
        let mut stage = Stage::default();
        for at in 0..20 {
            stage.passed(second(at), 3, 100 * (at + 1));
        }
        let told = stage.told(second(20));
        assert_eq!((told.total, told.rate), (60, 3.0));
        let p50 = told.p50.unwrap_or_default();
        assert!((1_500..=2_000).contains(&p50), "{p50}");
        let seconds = stage.seconds(second(20));
        assert_eq!(seconds.len(), SECONDS);
        assert_eq!(seconds.iter().sum::<u32>(), 60);
        assert_eq!(seconds.last(), Some(&0));
    }

    #[test]
    fn what_is_long_past_counts_no_more() {
        let mut stage = Stage::default();
        stage.passed(second(5), 7, 100);
        let told = stage.told(second(5 + 3 * SECONDS as u64));
        assert_eq!((told.total, told.rate, told.p50), (7, 0.0, None));
        let seconds = stage.seconds(second(5 + 3 * SECONDS as u64));
        assert!(seconds.iter().all(|&count| count == 0));
    }
}
