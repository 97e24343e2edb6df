//! The original's `DebugMessage`: how an event becomes a frame for a monitor.
//!
//! Called by the task of a monitor's socket. Nothing answers these messages. Their ids are far
//! beyond those of updates, so that a client that confirms them all the same confirms no update.
//!
//! Where they differ from the original's:
//! - `connection_id` is the session's label. There it was the id, with which whoever monitors could
//!   have taken over the session.
//! - `sync_subscriptions` comes once per request, not once per subscription, which took time by
//!   the square of their number. A list that leaves out older ones says `"complete":false`.
//! - A read that changes nothing of what is watched adds nothing.
//! - `record_subscription_deleted` comes when a session ends after its grace time. There a session
//!   lost what it watched with the first change while its client was away.
//! - An object that is to be read again is an update too, with `cause_id`. There was none.
//! - With many sessions, those that a change does not concern are not mentioned.

use super::frames::Frames;
use super::protocol;
use crate::change::ChangeKind;
use crate::exposure::{ExposedTable, Exposure};
use crate::monitor::{Event, Monitor, Subscription, UpdateId};
use crate::object_id::{ObjectId, Scope};
use crate::session::SessionLabel;
use crate::value;

/// The first id of a debug message. From here up to twice as much, every JSON reader holds it
/// exactly.
const FIRST_ID: u64 = 1 << 52;

/// What one monitor is told, as messages.
#[derive(Debug)]
pub(super) struct DebugMessages {
    monitor: Monitor,
    next_id: u64,
}

impl DebugMessages {
    /// Messages for this monitor.
    pub(super) fn new(monitor: Monitor) -> DebugMessages {
        DebugMessages {
            monitor,
            next_id: FIRST_ID,
        }
    }

    /// Takes what waits for the monitor, about `bytes` of it.
    pub(super) fn take(&mut self, exposure: &Exposure, bytes: usize, out: &mut Frames) {
        for event in self.monitor.take(bytes) {
            out.push(|out| write_event(exposure, self.next_id, &event, out));
            self.next_id += 1;
        }
    }

    /// Waits until there is something to take.
    pub(super) async fn woken(&self) {
        self.monitor.woken().await;
    }
}

/// Appends the message that an event is.
fn write_event(exposure: &Exposure, msg_id: u64, event: &Event, out: &mut Vec<u8>) {
    let mut message = Message { exposure, out };
    match event {
        Event::SubscriptionAdded {
            session,
            subscription,
        } => {
            message.begin(msg_id, None, "add_subscription", Some(*session));
            message.text(r#"{"object_id":"#);
            message.subscription(subscription);
            message.text("}}}");
        }
        Event::SubscriptionsListed {
            session,
            subscriptions,
            complete,
        } => {
            message.begin(msg_id, None, "sync_subscriptions", Some(*session));
            message.text(r#"{"object_ids":["#);
            message.list(subscriptions, Message::subscription);
            message.text(if *complete {
                "]}}}"
            } else {
                r#"],"complete":false}}}"#
            });
        }
        Event::ChangeLogged {
            update,
            cause,
            kind,
            object,
        } => {
            message.begin(msg_id, Some(*update), "log_update", None);
            message.change(*cause, *kind, object);
            message.text("}}");
        }
        Event::SessionChecked { update, session } => {
            let action = "record_connection_check";
            message.begin(msg_id, Some(*update), action, Some(*session));
            message.text("{}}}");
        }
        Event::MatchFound {
            update,
            session,
            object,
        } => message.about(
            msg_id,
            Some(*update),
            "record_subscription_found",
            *session,
            object,
        ),
        Event::MatchNotFound {
            update,
            session,
            object,
        } => message.about(
            msg_id,
            Some(*update),
            "record_subscription_not_found",
            *session,
            object,
        ),
        Event::MessageSent {
            update,
            session,
            object,
        } => message.about(msg_id, *update, "message_sent", *session, object),
        Event::SubscriptionsDeleted { session } => {
            message.begin(msg_id, None, "record_subscription_deleted", Some(*session));
            message.text("{}}}");
        }
        // Not the original's; what knows no such type passes over it.
        Event::EventsLost { count } => {
            protocol::begin("DebugMessagesLost", msg_id, message.out);
            message.text(r#"{"count":"#);
            protocol::write_number(count, message.out);
            message.text("}}");
        }
    }
}

struct Message<'a> {
    exposure: &'a Exposure,
    out: &'a mut Vec<u8>,
}

impl Message<'_> {
    /// Everything up to the payload.
    fn begin(
        &mut self,
        msg_id: u64,
        update: Option<UpdateId>,
        action: &str,
        session: Option<SessionLabel>,
    ) {
        protocol::begin("DebugMessage", msg_id, self.out);
        self.text(r#"{"update_id":"#);
        self.number_or_null(update);
        self.text(r#","action":""#);
        self.text(action);
        self.text(r#"","connection_id":"#);
        match session {
            Some(session) => value::write_string(&session.to_string(), self.out),
            None => self.text("null"),
        }
        self.text(r#","payload":"#);
    }

    /// A whole message whose payload is one object.
    fn about(
        &mut self,
        msg_id: u64,
        update: Option<UpdateId>,
        action: &str,
        session: SessionLabel,
        object: &ObjectId,
    ) {
        self.begin(msg_id, update, action, Some(session));
        self.text(r#"{"object_id":"#);
        self.object(object);
        self.text("}}}");
    }

    fn change(&mut self, cause: Option<UpdateId>, kind: ChangeKind, object: &ObjectId) {
        let ExposedTable { table, entity, .. } = self.exposure.table(object.table);
        self.text(r#"{"cause_id":"#);
        self.number_or_null(cause);
        self.text(r#","table":"#);
        // A virtual table has no name in Postgres.
        value::write_string(if table.is_empty() { entity } else { table }, self.out);
        self.text(r#","pk":"#);
        self.key(object);
        self.text(match kind {
            ChangeKind::Insert => r#","kind":"insert"}"#,
            ChangeKind::Update => r#","kind":"update"}"#,
            ChangeKind::Delete => r#","kind":"delete"}"#,
        });
    }

    /// An identifier with what it depends on.
    fn subscription(&mut self, subscription: &Subscription) {
        self.identifier(&subscription.object, &subscription.dependencies);
    }

    /// An identifier by itself.
    fn object(&mut self, object: &ObjectId) {
        self.identifier(object, &[]);
    }

    fn identifier(&mut self, object: &ObjectId, dependencies: &[ObjectId]) {
        self.text(r#"{"obj_id":"#);
        self.key(object);
        self.text(r#","entity":"#);
        value::write_string(&self.exposure.table(object.table).entity, self.out);
        self.text(r#","modifiers":"[]","dependencies":["#);
        self.list(dependencies, Message::object);
        self.text("]}");
    }

    fn list<T>(&mut self, items: &[T], mut write: impl FnMut(&mut Self, &T)) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.text(",");
            }
            write(self, item);
        }
    }

    /// The row's key, or null for a table.
    fn key(&mut self, object: &ObjectId) {
        match &object.scope {
            Scope::Table => self.text("null"),
            Scope::Row(key) => key.write_json(self.out),
        }
    }

    fn number_or_null(&mut self, id: Option<UpdateId>) {
        match id {
            Some(id) => protocol::write_number(id.number(), self.out),
            None => self.text("null"),
        }
    }

    fn text(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::monitor::MonitorHub;
    use crate::object_id::{Key, TableId};

    /// The label in the golden frames.
    const LABEL: &str = "s_0009f2";

    fn exposure() -> Exposure {
        let exposed = |id, table: &str, entity: &str| ExposedTable {
            id: TableId(id),
            schema: "public".into(),
            table: table.into(),
            entity: entity.into(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        let tables = vec![
            exposed(0, "game", "Game"),
            exposed(1, "game_event", "GameEvent"),
        ];
        Exposure::new(tables).with_virtual_tables(vec![exposed(2, "", "Stats")])
    }

    #[test]
    fn events_are_written_as_the_golden_frames_say() {
        let game = || ObjectId::row(TableId(0), Key::from(1));
        let row = || ObjectId::row(TableId(1), Key::from(13));
        let events_table = || ObjectId::table(TableId(1));
        let read = || Subscription::of_read(game(), vec![game(), events_table()]);
        let session = SessionLabel::fresh();
        let hub = Arc::new(MonitorHub::default());
        let (update, next) = (hub.updates(1), hub.updates(1));
        let logged = |update, cause, kind, object| Event::ChangeLogged {
            update,
            cause,
            kind,
            object,
        };
        let listed = |subscriptions, complete| Event::SubscriptionsListed {
            session,
            subscriptions,
            complete,
        };
        let cases = [
            (
                "add_subscription",
                Event::SubscriptionAdded {
                    session,
                    subscription: read().next().unwrap(),
                },
            ),
            ("sync_subscriptions", listed(read().collect(), true)),
            (
                "sync_subscriptions_newest",
                listed(read().skip(2).collect(), false),
            ),
            (
                "log_update",
                logged(update, None, ChangeKind::Insert, row()),
            ),
            (
                "log_update_table",
                logged(update, None, ChangeKind::Update, events_table()),
            ),
            (
                "log_update_read_again",
                logged(
                    next,
                    Some(update),
                    ChangeKind::Update,
                    ObjectId::table(TableId(2)),
                ),
            ),
            (
                "connection_check",
                Event::SessionChecked { update, session },
            ),
            (
                "subscription_found",
                Event::MatchFound {
                    update,
                    session,
                    object: row(),
                },
            ),
            (
                "subscription_not_found",
                Event::MatchNotFound {
                    update,
                    session,
                    object: row(),
                },
            ),
            (
                "message_sent",
                Event::MessageSent {
                    update: Some(update),
                    session,
                    object: row(),
                },
            ),
            (
                "message_sent_owed",
                Event::MessageSent {
                    update: None,
                    session,
                    object: game(),
                },
            ),
            (
                "subscription_deleted",
                Event::SubscriptionsDeleted { session },
            ),
            ("messages_lost", Event::EventsLost { count: 12 }),
        ];
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol");
        for (name, event) in cases {
            let golden = std::fs::read_to_string(folder.join(format!("debug_{name}.json")));
            let golden: Value = serde_json::from_str(&golden.unwrap()).unwrap();
            assert_eq!(golden["msg_id"], FIRST_ID);
            let expected = golden["frame"].as_str().unwrap();
            let mut out = Vec::new();
            write_event(&exposure(), FIRST_ID, &event, &mut out);
            assert_eq!(
                String::from_utf8(out).unwrap(),
                expected.replace(LABEL, &session.to_string()),
                "{name}"
            );
        }
    }

    #[test]
    fn ids_grow_from_message_to_message() {
        let hub = Arc::new(MonitorHub::default());
        let mut messages = DebugMessages::new(hub.attach().unwrap());
        let mut frames = Frames::default();
        for count in 1..3 {
            hub.tell([Event::EventsLost { count }]);
            messages.take(&exposure(), usize::MAX, &mut frames);
        }
        let messages = frames.into_messages().into_iter();
        let ids = messages.map(|message| {
            let frame: Value = serde_json::from_str(message.to_text().unwrap()).unwrap();
            frame["msg_id"].as_u64().unwrap()
        });
        assert_eq!(ids.collect::<Vec<_>>(), [FIRST_ID, FIRST_ID + 1]);
    }
}
