//! Where events go in, and where monitors take them out.
//!
//! One for the process; the `SubscriptionManager` holds it. Whoever has something to tell asks
//! [`MonitorHub::is_watched`] first, and makes no event if nobody listens: one relaxed load is all
//! that monitoring costs then. Telling never waits for a monitor; what finds no room in a
//! monitor's queue is counted, and the monitor is told the count.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blazelink_codes::limits;
use tokio::sync::Notify;

use super::event::{Event, UpdateId};
use super::queue::Queue;

/// All monitors of the process.
#[derive(Debug, Default)]
pub struct MonitorHub {
    monitors: Mutex<Vec<Arc<Inbox>>>,
    /// How many there are.
    attached: AtomicUsize,
    /// Ids given so far.
    updates: AtomicU64,
}

/// A monitor's end of the hub. Dropped, it is detached.
#[derive(Debug)]
pub struct Monitor {
    hub: Arc<MonitorHub>,
    inbox: Arc<Inbox>,
}

/// [`limits::MONITORS`] are attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyMonitors;

#[derive(Debug)]
struct Inbox {
    queue: Mutex<Queue>,
    notify: Notify,
}

impl MonitorHub {
    /// Whether anybody is told. Telling is not worth its work if not.
    pub fn is_watched(&self) -> bool {
        self.attached.load(Ordering::Relaxed) > 0
    }

    /// Attaches a monitor: it is told of everything from now on.
    ///
    /// # Errors
    ///
    /// If there are as many as there may be.
    pub fn attach(self: &Arc<Self>) -> Result<Monitor, TooManyMonitors> {
        let mut monitors = self.lock();
        if monitors.len() >= limits::MONITORS {
            return Err(TooManyMonitors);
        }
        let inbox = Arc::new(Inbox {
            queue: Mutex::new(Queue::new(limits::MONITOR_BYTES)),
            notify: Notify::new(),
        });
        monitors.push(Arc::clone(&inbox));
        self.attached.store(monitors.len(), Ordering::Relaxed);
        let hub = Arc::clone(self);
        Ok(Monitor { hub, inbox })
    }

    /// Tells every monitor of these events, in this order.
    pub fn tell(&self, events: impl IntoIterator<Item = Event>) {
        let events: Vec<Arc<Event>> = events.into_iter().map(Arc::new).collect();
        for inbox in self.lock().iter() {
            let mut queue = inbox.lock();
            for event in &events {
                queue.push(event);
            }
            drop(queue);
            inbox.notify.notify_one();
        }
    }

    /// Gives out `count` ids for changes; the first of them.
    pub(crate) fn updates(&self, count: usize) -> UpdateId {
        UpdateId::nth(self.updates.fetch_add(count as u64, Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Inbox>>> {
        self.monitors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Monitor {
    /// Takes what waits, in order, about `bytes` of it. If events were lost, that is the last one
    /// before those that came after.
    pub fn take(&self, bytes: usize) -> Vec<Arc<Event>> {
        self.inbox.lock().take(bytes)
    }

    /// Waits until there is something to take. A wake-up before the call counts; several count as
    /// one.
    pub async fn woken(&self) {
        self.inbox.notify.notified().await;
    }
}

impl Drop for Monitor {
    fn drop(&mut self) {
        let mut monitors = self.hub.lock();
        monitors.retain(|inbox| !Arc::ptr_eq(inbox, &self.inbox));
        self.hub.attached.store(monitors.len(), Ordering::Relaxed);
    }
}

impl Inbox {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::session::SessionLabel;

    fn event() -> Event {
        let session = SessionLabel::fresh();
        Event::SubscriptionsDeleted { session }
    }

    #[tokio::test(start_paused = true)]
    async fn every_monitor_is_woken_and_told_in_order_from_when_it_was_attached() {
        let hub = Arc::new(MonitorHub::default());
        let (first, second, third) = (event(), event(), event());
        let early = hub.attach().unwrap();
        hub.tell([first.clone()]);
        let late = hub.attach().unwrap();
        hub.tell([second.clone(), third.clone()]);
        early.woken().await;
        late.woken().await;
        let taken = |monitor: &Monitor| -> Vec<Event> {
            let events = monitor.take(usize::MAX).into_iter();
            events.map(|event| Event::clone(&event)).collect()
        };
        assert_eq!(taken(&early), [first, second.clone(), third.clone()]);
        assert_eq!(taken(&late), [second, third]);
    }

    #[test]
    fn a_monitor_that_is_gone_is_told_nothing_and_leaves_its_place() {
        let hub = Arc::new(MonitorHub::default());
        assert!(!hub.is_watched());
        let monitors: Vec<Monitor> = (0..limits::MONITORS)
            .map(|_| hub.attach().unwrap())
            .collect();
        assert_eq!(hub.attach().unwrap_err(), TooManyMonitors);
        let gone = Arc::downgrade(&monitors[0].inbox);
        drop(monitors);
        assert!(!hub.is_watched());
        assert!(gone.upgrade().is_none(), "nothing waits for it any more");
        assert!(hub.attach().is_ok());
    }

    #[test]
    fn a_monitor_that_takes_nothing_costs_others_nothing_and_is_told_what_it_missed() {
        const BATCH: usize = 1_000;
        let hub = Arc::new(MonitorHub::default());
        let (idle, busy) = (hub.attach().unwrap(), hub.attach().unwrap());
        let batches = limits::MONITOR_BYTES / size_of::<Event>() / BATCH * 2;
        for _ in 0..batches {
            hub.tell(std::iter::repeat_with(event).take(BATCH));
            assert_eq!(busy.take(usize::MAX).len(), BATCH);
            assert!(idle.inbox.lock().bytes() <= limits::MONITOR_BYTES);
        }
        let mut missed = idle.take(usize::MAX);
        let count = (batches * BATCH - (missed.len() - 1)) as u64;
        assert!(count > 0);
        assert_eq!(missed.pop(), Some(Arc::new(Event::EventsLost { count })));
    }
}
