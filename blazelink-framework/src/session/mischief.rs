//! `Mischief`: what a session suffers because somebody wants to see how its client bears it. The debugger
//! sets it, in development; the session's socket does it.

/// What is done to a session. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mischief {
    /// Milliseconds by which each batch of updates is late.
    pub(crate) delay_ms: u16,
    /// Whether each update is sent twice.
    pub(crate) duplicate: bool,
    /// Whether what its client confirms goes unheard.
    pub(crate) freeze: bool,
}

const DUPLICATE: u32 = 1 << 16;
const FREEZE: u32 = 1 << 17;

impl Mischief {
    /// As one word, so that a socket looks at it for next to nothing.
    pub(super) fn to_word(self) -> u32 {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        u32::from(self.delay_ms) | flag(self.duplicate, DUPLICATE) | flag(self.freeze, FREEZE)
    }

    /// The same the other way.
    pub(super) fn of_word(word: u32) -> Mischief {
        Mischief {
            delay_ms: word as u16,
            duplicate: word & DUPLICATE != 0,
            freeze: word & FREEZE != 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_all_of_it() {
        assert_eq!(Mischief::default().to_word(), 0);
        for (delay_ms, duplicate, freeze) in
            [(u16::MAX, true, false), (0, false, true), (7, true, true)]
        {
            let mischief = Mischief {
                delay_ms,
                duplicate,
                freeze,
            };
            assert_eq!(Mischief::of_word(mischief.to_word()), mischief);
        }
    }
}
