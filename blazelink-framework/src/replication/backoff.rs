//! How long to wait before the next attempt. Pure: chance is handed in.

use std::time::Duration;

use rand::{Rng, RngExt};

/// The pause after the first failure, and the longest one.
const SHORTEST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(5);

/// Pauses that double from 50 ms to 5 s, each shortened by up to a half by chance, so that many
/// do not come back at once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Backoff {
    failures: u32,
}

impl Backoff {
    /// The pause after one more failure.
    pub(crate) fn next(&mut self, rng: &mut impl Rng) -> Duration {
        let whole = SHORTEST
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        rng.random_range(whole / 2..=whole)
    }

    /// It worked: the next failure is a first one.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn pauses_double_to_their_longest_and_begin_anew_after_success() {
        let mut rng = StdRng::seed_from_u64(7);
        let mut backoff = Backoff::default();
        let mut whole = SHORTEST;
        for _ in 0..100 {
            let pause = backoff.next(&mut rng);
            assert!(pause >= whole / 2 && pause <= whole, "{pause:?} {whole:?}");
            whole = (whole * 2).min(LONGEST);
        }
        backoff.reset();
        assert!(backoff.next(&mut rng) <= SHORTEST);
    }
}
