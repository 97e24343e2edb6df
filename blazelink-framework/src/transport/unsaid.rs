//! `Unsaid`: what a socket has not told the recorder yet of what it wrote and what its client confirmed.
//!
//! Pure; the socket's task holds one. Of updates that are followed each step is told at once, since
//! somebody wants to know when it was; of others only with the next one that is, or when the socket has
//! time for it: they are many, and only count.

use std::time::Instant;

use crate::debugger::What;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    /// The last message id that was written, with the number of updates and their bytes.
    sent: Option<(u64, u32, u32)>,
    /// The last message id that the client has confirmed, and when: it may confirm much at once.
    confirmed: Option<(u64, Instant)>,
    /// Up to which message id it was told what was written, and what was confirmed.
    told_sent: u64,
    told_confirmed: u64,
}

impl Unsaid {
    /// Updates up to this message id were written.
    pub(super) fn sent(&mut self, up_to: u64, updates: u32, bytes: u32) {
        let (_, before, more) = self.sent.unwrap_or_default();
        self.sent = Some((
            up_to,
            before.saturating_add(updates),
            more.saturating_add(bytes),
        ));
    }

    /// The client has confirmed what it was sent up to this message id, where updates up to that one are
    /// followed. What is not followed is let go: the next confirmation is of it too.
    pub(super) fn confirmed(&mut self, up_to: u64, at: Instant, followed: u64) {
        if followed > self.told_confirmed {
            self.confirmed = self.confirmed.max(Some((up_to, at)));
        }
    }

    /// Whether the client has confirmed something that is to be told.
    pub(super) fn has_confirmed(&self) -> bool {
        self.confirmed.is_some()
    }

    /// What is to be told now of what was written, where updates up to this message id are followed.
    pub(super) fn take_sent(&mut self, followed: u64) -> Option<What> {
        if followed <= self.told_sent {
            return None;
        }
        let (up_to, updates, bytes) = self.sent.take()?;
        self.told_sent = up_to;
        Some(What::Sent {
            up_to,
            updates,
            bytes,
        })
    }

    /// The same of what was confirmed, and when.
    pub(super) fn take_confirmed(&mut self) -> Option<(What, Instant)> {
        let (up_to, at) = self.confirmed.take()?;
        self.told_confirmed = up_to;
        Some((What::Confirmed { up_to }, at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_is_told_at_once_and_the_rest_with_it() {
        let mut unsaid = Unsaid::default();
        let now = Instant::now();
        unsaid.sent(3, 3, 30);
        unsaid.confirmed(2, now, 0);
        assert!(!unsaid.has_confirmed(), "nothing is followed");
        assert_eq!(unsaid.take_sent(0), None);
        assert_eq!(unsaid.take_confirmed(), None);
        unsaid.sent(5, 2, 20);
        let all = What::Sent {
            up_to: 5,
            updates: 5,
            bytes: 50,
        };
        assert_eq!(unsaid.take_sent(4), Some(all));
        assert_eq!(unsaid.take_sent(u64::MAX), None, "it is told once");
        unsaid.confirmed(4, now, 4);
        unsaid.confirmed(5, now, 4);
        let confirmed = What::Confirmed { up_to: 5 };
        assert_eq!(unsaid.take_confirmed(), Some((confirmed, now)));
        unsaid.sent(6, 1, 10);
        unsaid.confirmed(6, now, 4);
        assert_eq!(unsaid.take_sent(4), None);
        assert_eq!(unsaid.take_confirmed(), None);
        let rest = What::Sent {
            up_to: 6,
            updates: 1,
            bytes: 10,
        };
        assert_eq!(unsaid.take_sent(u64::MAX), Some(rest));
    }
}
