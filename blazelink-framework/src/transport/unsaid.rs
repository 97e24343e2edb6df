//! `Unsaid`: what a socket has not told the recorder yet of what it wrote and what its client confirmed.
//!
//! Pure; the socket's task holds one. Of updates that are followed each step is told at once, since
//! somebody wants to know when it was; of others only with the next one that is, or when the socket has
//! time for it: they are many, and only count.

use crate::debugger::What;

/// See the file's head.
#[derive(Debug, Default)]
pub(super) struct Unsaid {
    /// The last message id that was written, with the number of updates and their bytes.
    sent: Option<(u64, u32, u32)>,
    /// The last message id that the client has confirmed: it may confirm much at once.
    confirmed: Option<u64>,
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

    /// The client has confirmed what it was sent up to this message id.
    pub(super) fn confirmed(&mut self, up_to: u64) {
        self.confirmed = self.confirmed.max(Some(up_to));
    }

    /// Whether the client has confirmed something that was not told.
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

    /// The same of what was confirmed. What is not told is not kept: the next confirmation is of it too.
    pub(super) fn take_confirmed(&mut self, followed: u64) -> Option<What> {
        let up_to = self.confirmed.take()?;
        if followed <= self.told_confirmed {
            return None;
        }
        self.told_confirmed = up_to;
        Some(What::Confirmed { up_to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_followed_is_told_at_once_and_the_rest_with_it() {
        let mut unsaid = Unsaid::default();
        unsaid.sent(3, 3, 30);
        unsaid.confirmed(2);
        assert!(unsaid.has_confirmed());
        assert_eq!(unsaid.take_sent(0), None, "nothing is followed");
        assert_eq!(unsaid.take_confirmed(0), None);
        assert!(!unsaid.has_confirmed());
        unsaid.sent(5, 2, 20);
        let all = What::Sent {
            up_to: 5,
            updates: 5,
            bytes: 50,
        };
        assert_eq!(unsaid.take_sent(4), Some(all));
        assert_eq!(unsaid.take_sent(u64::MAX), None, "it is told once");
        unsaid.confirmed(4);
        unsaid.confirmed(5);
        assert_eq!(unsaid.take_confirmed(4), Some(What::Confirmed { up_to: 5 }));
        unsaid.sent(6, 1, 10);
        unsaid.confirmed(6);
        assert_eq!(unsaid.take_sent(4), None);
        assert_eq!(unsaid.take_confirmed(4), None);
        let rest = What::Sent {
            up_to: 6,
            updates: 1,
            bytes: 10,
        };
        assert_eq!(unsaid.take_sent(u64::MAX), Some(rest));
    }
}
