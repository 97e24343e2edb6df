//! How many sessions there are, in all and per address, and whether one more may begin.
//!
//! Kept by `connections` behind its mutex. What must stay true: it holds an address only while a
//! session that began there lives, so it is bounded by the number of sessions.

use std::time::{Duration, Instant};

use blazelink_codes::{Code, limits};
use hashbrown::HashMap;

use super::peer::Peer;
use crate::error::{Error, ErrorKind, Result};

/// How often the log tells that sessions are refused.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How many sessions there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Of the whole process.
    pub total: usize,
    /// Begun from one address.
    pub per_address: usize,
}

impl Default for SessionLimits {
    fn default() -> Self {
        SessionLimits {
            total: limits::SESSIONS,
            per_address: limits::SESSIONS_PER_ADDRESS,
        }
    }
}

/// Counts sessions.
#[derive(Debug, Default)]
pub struct Admission {
    limits: SessionLimits,
    total: usize,
    by_peer: HashMap<Peer, usize>,
    told: Option<Instant>,
}

impl Admission {
    /// Without any session yet.
    pub fn new(limits: SessionLimits) -> Admission {
        Admission {
            limits,
            ..Admission::default()
        }
    }

    /// Whether a client from there may begin one more session.
    ///
    /// # Errors
    ///
    /// [`Code::TooManySessions`], worded for the client; counts nothing.
    pub fn check(&self, peer: Peer) -> Result<()> {
        let at_peer = self.by_peer.get(&peer).copied().unwrap_or_default();
        let sentence = if at_peer >= self.limits.per_address {
            "Too many sessions have begun from this address; close one and wait"
        } else if self.total >= self.limits.total {
            "The server has as many sessions as it takes; ask again later"
        } else {
            return Ok(());
        };
        let error = Error::new(ErrorKind::Request, Code::TooManySessions, sentence);
        Err(error)
    }

    /// Whether the log is to tell now that a session was refused.
    pub fn tells(&mut self, now: Instant) -> bool {
        let since = self.told.map(|told| now.saturating_duration_since(told));
        let tells = since.is_none_or(|since| since >= TELL_EVERY);
        if tells {
            self.told = Some(now);
        }
        tells
    }

    /// A session has begun, for a client from there or for none.
    pub fn began(&mut self, peer: Option<Peer>) {
        self.total += 1;
        if let Some(peer) = peer {
            *self.by_peer.entry(peer).or_default() += 1;
        }
    }

    /// A session that began so has ended.
    pub fn ended(&mut self, peer: Option<Peer>) {
        self.total = self.total.saturating_sub(1);
        let Some(peer) = peer else { return };
        if let Some(count) = self.by_peer.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.by_peer.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn peer(text: &str) -> Peer {
        Peer::new(text.parse().unwrap())
    }

    #[test]
    fn the_log_tells_of_refusals_once_a_minute() {
        let (mut admission, now) = (Admission::default(), Instant::now());
        assert!(admission.tells(now));
        assert!(!admission.tells(now + TELL_EVERY / 2));
        assert!(admission.tells(now + TELL_EVERY));
    }

    #[test]
    fn one_address_is_full_before_the_server_is_and_what_ends_gives_back() {
        let limits = SessionLimits {
            total: 3,
            per_address: 2,
        };
        let mut admission = Admission::new(limits);
        let (one, other) = (peer("192.0.2.1"), peer("192.0.2.2"));
        admission.began(Some(one));
        assert!(admission.check(one).is_ok());
        admission.began(Some(one));
        let refused = admission.check(one).unwrap_err();
        assert!(refused.sentence().contains("this address"), "{refused}");
        assert!(admission.check(other).is_ok());
        admission.began(None);
        let refused = admission.check(other).unwrap_err();
        assert!(refused.sentence().contains("The server"), "{refused}");
        admission.ended(None);
        assert!(admission.check(other).is_ok());
        admission.ended(Some(one));
        assert!(admission.check(one).is_ok());
        admission.ended(Some(one));
        assert!(admission.by_peer.is_empty() && admission.total == 0);
    }
}
