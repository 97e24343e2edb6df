//! One thing that a monitor is told.
//!
//! Made by the `SubscriptionManager` and by sockets' tasks, shared by all monitors, written by the
//! dialect of each. What must stay true: an event holds keys and labels, never a row's values and
//! never a session's id.

use std::num::NonZeroU64;

use crate::change::ChangeKind;
use crate::object_id::{ObjectId, Scope};
use crate::session::SessionLabel;

/// Names one change on its way through the server. Growing, and unique within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UpdateId(NonZeroU64);

impl UpdateId {
    /// The id with this number, counted from 0.
    pub(super) fn nth(number: u64) -> UpdateId {
        UpdateId(NonZeroU64::MIN.saturating_add(number))
    }

    /// The id that comes `count` after this one.
    pub(super) fn after(self, count: usize) -> UpdateId {
        UpdateId(self.0.saturating_add(count as u64))
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0.get()
    }
}

/// What a session has asked to be told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// What was read, or what the client named beside it.
    pub object: ObjectId,
    /// What the client named beside it; the object itself too, if it named anything.
    pub dependencies: Vec<ObjectId>,
}

impl Subscription {
    /// The subscriptions that one read of `object` is, the read itself first, if `declared` is
    /// all that its session is told of for it.
    pub(crate) fn of_read(
        object: ObjectId,
        declared: Vec<ObjectId>,
    ) -> impl Iterator<Item = Subscription> {
        let dependencies = match declared.as_slice() {
            // As in the original: who names nothing beside it is told of the object itself.
            [only] if *only == object => Vec::new(),
            _ => declared,
        };
        let beside = dependencies.clone().into_iter();
        let beside = beside.map(|object| Subscription {
            object,
            dependencies: Vec::new(),
        });
        let read = Subscription {
            object,
            dependencies,
        };
        std::iter::once(read).chain(beside)
    }

    fn weight(&self) -> usize {
        let dependencies = self.dependencies.iter();
        let text = dependencies.map(text_of).sum::<usize>() + text_of(&self.object);
        size_of::<Subscription>() + size_of_val(&*self.dependencies) + text
    }
}

/// What happened. Per change and session the events come in the order of the variants; so do
/// those of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A read has made its session watch something.
    SubscriptionAdded {
        /// Whose read.
        session: SessionLabel,
        /// What it watches.
        subscription: Subscription,
    },
    /// A request has changed what its session watches: everything that it watches by now.
    SubscriptionsListed {
        /// Whose request.
        session: SessionLabel,
        /// What it watches, oldest first.
        subscriptions: Vec<Subscription>,
        /// Whether that is all: at most
        /// [`MONITOR_IDENTIFIERS`](blazelink_codes::limits::MONITOR_IDENTIFIERS) are named.
        complete: bool,
    },
    /// A commit has changed a row or, as an update, a whole table; or it has changed what the
    /// answer for an object was made from.
    ChangeLogged {
        /// The change.
        update: UpdateId,
        /// For an object that is to be read again: the change of its commit that is why, if the
        /// commit has no other.
        cause: Option<UpdateId>,
        /// What happened to the object.
        kind: ChangeKind,
        /// What changed.
        object: ObjectId,
    },
    /// A change was compared with what a session watches.
    SessionChecked {
        /// The change.
        update: UpdateId,
        /// The session.
        session: SessionLabel,
    },
    /// The session is to be told.
    MatchFound {
        /// The change.
        update: UpdateId,
        /// The session.
        session: SessionLabel,
        /// Of what it is to be told.
        object: ObjectId,
    },
    /// The change is none of the session's business.
    MatchNotFound {
        /// The change.
        update: UpdateId,
        /// The session.
        session: SessionLabel,
        /// What changed.
        object: ObjectId,
    },
    /// A message is about to be written to the session's socket.
    MessageSent {
        /// The change, or the last of those that have become one message; nothing if the session
        /// is only owed the message, or if no monitor was attached when the change was logged.
        update: Option<UpdateId>,
        /// The session.
        session: SessionLabel,
        /// Of what it is told.
        object: ObjectId,
    },
    /// A session has ended, and with it all that it watched.
    SubscriptionsDeleted {
        /// The session.
        session: SessionLabel,
    },
    /// Here, at least so many events are missing: more came than may wait or be told.
    EventsLost {
        /// How many.
        count: u64,
    },
}

impl Event {
    /// Bytes that the event keeps alive.
    pub(super) fn weight(&self) -> usize {
        let beside = match self {
            Event::SubscriptionAdded { subscription, .. } => subscription.weight(),
            Event::SubscriptionsListed { subscriptions, .. } => {
                subscriptions.iter().map(Subscription::weight).sum()
            }
            Event::ChangeLogged { object, .. }
            | Event::MatchFound { object, .. }
            | Event::MatchNotFound { object, .. }
            | Event::MessageSent { object, .. } => text_of(object),
            Event::SessionChecked { .. }
            | Event::SubscriptionsDeleted { .. }
            | Event::EventsLost { .. } => 0,
        };
        size_of::<Event>() + beside
    }
}

/// Bytes of an object outside of its own record.
fn text_of(object: &ObjectId) -> usize {
    match &object.scope {
        Scope::Table => 0,
        Scope::Row(key) => key.weight(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object_id::{Key, TableId};

    fn object(key: i64) -> ObjectId {
        ObjectId::row(TableId(0), Key::from(key))
    }

    fn subscription(key: i64, dependencies: &[i64]) -> Subscription {
        Subscription {
            object: object(key),
            dependencies: dependencies.iter().copied().map(object).collect(),
        }
    }

    fn of_read(key: i64, declared: &[i64]) -> Vec<Subscription> {
        let declared = declared.iter().copied().map(object).collect();
        Subscription::of_read(object(key), declared).collect()
    }

    #[test]
    fn a_read_comes_before_what_was_named_beside_it() {
        let expected = [
            subscription(1, &[1, 2]),
            subscription(1, &[]),
            subscription(2, &[]),
        ];
        assert_eq!(of_read(1, &[1, 2]), expected);
    }

    #[test]
    fn a_read_that_names_nothing_beside_it_is_one_subscription() {
        assert_eq!(of_read(1, &[1]), [subscription(1, &[])]);
        assert_eq!(of_read(1, &[]), [subscription(1, &[])]);
    }

    #[test]
    fn long_keys_count_as_what_they_hold() {
        let long = "x".repeat(1_000);
        let event = Event::MatchFound {
            update: UpdateId::nth(0),
            session: SessionLabel::fresh(),
            object: ObjectId::row(TableId(0), Key::from(long.as_str())),
        };
        assert!(event.weight() > 1_000);
    }
}
