//! What waits for one monitor: events in order, up to a number of bytes, and a count of those that
//! found no room.
//!
//! Pure; the hub holds one per monitor behind a mutex. What must stay true: once an event was
//! lost, nothing is taken in until the monitor has taken everything and was told of the loss, so
//! that what it gets has gaps only where it is told of one.

use std::collections::VecDeque;
use std::sync::Arc;

use super::event::Event;

/// The events that wait for a monitor.
#[derive(Debug)]
pub(super) struct Queue {
    events: VecDeque<Arc<Event>>,
    /// Bytes that the events keep alive.
    bytes: usize,
    /// The most that `bytes` may be.
    limit: usize,
    /// Events that found no room after those that wait.
    lost: u64,
}

impl Queue {
    /// An empty queue for so many bytes.
    pub(super) fn new(limit: usize) -> Queue {
        Queue {
            events: VecDeque::new(),
            bytes: 0,
            limit,
            lost: 0,
        }
    }

    /// Appends an event, or counts it as lost.
    pub(super) fn push(&mut self, event: &Arc<Event>) {
        let weight = weight(event);
        if self.lost > 0 || self.bytes + weight > self.limit {
            self.lost += 1;
            return;
        }
        self.bytes += weight;
        self.events.push_back(Arc::clone(event));
    }

    /// Takes events in order, about `bytes` of them and at least one if there is one; then, if
    /// none is left, how many were lost after them.
    pub(super) fn take(&mut self, bytes: usize) -> Vec<Arc<Event>> {
        let mut taken = Vec::new();
        let mut weighed = 0;
        while weighed < bytes {
            let Some(event) = self.events.pop_front() else {
                break;
            };
            weighed += weight(&event);
            taken.push(event);
        }
        self.bytes -= weighed;
        if self.events.is_empty() {
            self.events = VecDeque::new();
            if self.lost > 0 {
                let count = std::mem::take(&mut self.lost);
                taken.push(Arc::new(Event::EventsLost { count }));
            }
        }
        taken
    }

    /// Bytes that the events keep alive.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Bytes that an event costs a queue, as if no other held it.
fn weight(event: &Arc<Event>) -> usize {
    size_of::<Arc<Event>>() + event.weight()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::session::SessionLabel;

    fn event() -> Arc<Event> {
        let session = SessionLabel::fresh();
        Arc::new(Event::SubscriptionsDeleted { session })
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_after_what_waits() {
        let weight = weight(&event());
        let mut queue = Queue::new(weight * 2);
        let [first, second, third] = [event(), event(), event()];
        for event in [&first, &second, &third] {
            queue.push(event);
        }
        assert_eq!(queue.take(1), [first]);
        queue.push(&third);
        let lost = Arc::new(Event::EventsLost { count: 2 });
        assert_eq!(queue.take(weight), [second, lost]);
        queue.push(&third);
        assert_eq!(queue.take(weight), [third]);
        assert!(queue.take(weight).is_empty());
    }

    proptest! {
        #[test]
        fn every_event_is_taken_or_counted_and_the_bytes_are_bounded(
            steps in prop::collection::vec(any::<bool>(), 0..200),
            room in 0_usize..8,
        ) {
            let weight = weight(&event());
            let mut queue = Queue::new(weight * room);
            let (mut pushed, mut seen) = (0, 0);
            let mut count = |taken: Vec<Arc<Event>>| for event in taken {
                seen += match *event {
                    Event::EventsLost { count } => count,
                    _ => 1,
                };
            };
            for push in steps {
                if push {
                    queue.push(&event());
                    pushed += 1;
                } else {
                    count(queue.take(weight * 2));
                }
                prop_assert!(queue.bytes() <= weight * room);
            }
            count(queue.take(usize::MAX));
            prop_assert_eq!(seen, pushed);
        }
    }
}
