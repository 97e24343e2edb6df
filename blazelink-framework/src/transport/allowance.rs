//! How many messages a client may send over one socket.
//!
//! Kept by each websocket's task. A message that confirms one of ours is free, so that a client
//! keeps up with whatever we send; everything else is paced.

use std::time::{Duration, Instant};

use blazelink_codes::limits;

/// The pace of one socket: some messages per second, averaged over
/// [`limits::MESSAGES_WINDOW`].
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// What one message costs.
    every: Duration,
    /// When all messages so far are paid for.
    due: Instant,
    /// Frames sent that may still be confirmed for free.
    confirmable: u32,
}

impl Allowance {
    /// For a socket that opens now. `per_second` is at least 1.
    pub fn new(per_second: u32, now: Instant) -> Allowance {
        Allowance {
            every: Duration::from_secs(1) / per_second.max(1),
            due: now,
            confirmable: 0,
        }
    }

    /// The server sends this many frames.
    pub fn sent(&mut self, frames: usize) {
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.confirmable = self.confirmable.saturating_add(frames);
    }

    /// Takes a confirmation from the client. False if it is one message too many.
    pub fn take_confirm(&mut self, now: Instant) -> bool {
        match self.confirmable.checked_sub(1) {
            Some(left) => {
                self.confirmable = left;
                true
            }
            None => self.take(now),
        }
    }

    /// Takes any other message from the client. False if it is one too many.
    pub fn take(&mut self, now: Instant) -> bool {
        let due = self.due.max(now) + self.every;
        let within = due.saturating_duration_since(now) <= limits::MESSAGES_WINDOW;
        if within {
            self.due = due;
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(allowance: &mut Allowance, now: Instant) -> usize {
        (0..1_000_000).take_while(|_| allowance.take(now)).count()
    }

    #[test]
    fn a_burst_of_one_window_is_taken_and_then_the_pace_holds() {
        let start = Instant::now();
        let mut allowance = Allowance::new(5, start);
        let burst = 5 * limits::MESSAGES_WINDOW.as_secs() as usize;
        assert_eq!(taken(&mut allowance, start), burst);
        assert_eq!(taken(&mut allowance, start + Duration::from_secs(2)), 10);
        let late = start + Duration::from_secs(3_600);
        assert_eq!(taken(&mut allowance, late), burst, "waiting saves no more");
    }

    #[test]
    fn confirming_what_was_sent_costs_nothing_and_more_is_paced() {
        let now = Instant::now();
        let mut allowance = Allowance::new(1, now);
        let burst = taken(&mut allowance, now);
        assert!(!allowance.take_confirm(now));
        allowance.sent(1_000);
        assert!((0..1_000).all(|_| allowance.take_confirm(now)));
        assert!(!allowance.take_confirm(now));
        assert_eq!(burst, limits::MESSAGES_WINDOW.as_secs() as usize);
    }
}
