//! The original dialect: how an update becomes a frame, and what a client's frame does.
//!
//! Called by the websocket's task. The dialect has no message for "read everything again": a
//! reset is one `ModelUpdateEvent` per watched object, which the outbox holds like any other.

use blazelink_codes::close::CloseCode;

use super::protocol::{self, ClientMessage};
use crate::auth::AuthorizeEvent;
use crate::exposure::Exposure;
use crate::session::Entry;

/// What the websocket's task does about a client's frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Received {
    /// Nothing.
    Nothing,
    /// The session's outbox hears that this message was handled.
    Confirmed(u64),
    /// A `PingInEvent` with this number is sent.
    Ping(i64),
    /// The app judges what the client says of itself.
    Authorize(AuthorizeEvent),
}

/// Reads a client's text frame.
///
/// # Errors
///
/// The code to close the socket with.
pub(super) fn receive(text: &str) -> Result<Received, CloseCode> {
    Ok(match protocol::parse(text)? {
        Some(ClientMessage::Confirm { msg_id }) => Received::Confirmed(msg_id),
        Some(ClientMessage::Ping { ping_id }) => Received::Ping(ping_id),
        Some(ClientMessage::Authorize(event)) => Received::Authorize(event),
        None => Received::Nothing,
    })
}

/// Appends the frame of an outbox entry.
pub(super) fn write_frame(exposure: &Exposure, entry: &Entry, out: &mut Vec<u8>) {
    let object = &entry.update.object;
    protocol::write_model_update(
        entry.msg_id,
        entry.kind,
        &exposure.table(object.table).entity,
        &object.scope,
        entry.update.changes(),
        out,
    );
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use serde_json::Value;

    use super::*;
    use crate::change::Row;
    use crate::exposure::{ExposedColumn, ExposedTable};
    use crate::object_id::{Key, ObjectId, TableId};
    use crate::session::{Update, UpdateKind, open};
    use crate::value::Kind;

    fn exposure() -> Exposure {
        let column = |name: &str, kind| ExposedColumn {
            renamed: None,
            name: name.into(),
            kind,
        };
        Exposure::new(vec![ExposedTable {
            id: TableId(0),
            schema: "public".into(),
            table: "game_event".into(),
            entity: "GameEvent".into(),
            columns: vec![
                column("id", Kind::Int),
                column("type", Kind::Text),
                column("player_id", Kind::Int),
            ],
            key: vec![0],
        }])
    }

    fn golden(name: &str) -> Value {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("protocol");
        let text = std::fs::read_to_string(folder.join(format!("{name}.json"))).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    fn frame(entry: Entry) -> String {
        let mut out = Vec::new();
        write_frame(&exposure(), &entry, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn virtual_tables_are_named_without_a_key() {
        let stats = ExposedTable {
            id: TableId(1),
            schema: String::new(),
            table: String::new(),
            entity: "PlayerStats".into(),
            columns: Vec::new(),
            key: Vec::new(),
        };
        let exposure = exposure().with_virtual_tables(vec![stats]);
        let entry = Entry {
            msg_id: 7,
            kind: UpdateKind::Update,
            update: Arc::new(Update::again(ObjectId::table(TableId(1)))),
        };
        let mut out = Vec::new();
        write_frame(&exposure, &entry, &mut out);
        let frame: Value = serde_json::from_slice(&out).unwrap();
        let identifier = serde_json::json!({"obj_id": null, "entity": "PlayerStats"});
        assert_eq!(frame["data"]["identifier"], identifier);
        assert_eq!(frame["data"]["changes"], serde_json::json!({}));
    }

    #[test]
    fn updates_are_written_as_the_golden_frames_say() {
        let exposure = exposure();
        let table = exposure.table(TableId(0));
        let row = |kind: &str| Row::from_texts(&[Some("13"), Some(kind), Some("1")]);
        let key = Key::from(13);
        let cases = [
            (
                "model_update_create",
                UpdateKind::Create,
                Update::row(table, &key, open(Some(&row("kill")))),
            ),
            (
                "model_update_update",
                UpdateKind::Update,
                Update::row(table, &key, open(Some(&row("Zoë \"1\"")))),
            ),
            (
                "model_update_delete",
                UpdateKind::Delete,
                Update::row(table, &key, open(Some(&row("kill")))),
            ),
            (
                "model_update_delete_unknown",
                UpdateKind::Delete,
                Update::row(table, &Key::from("a\"b"), open(None)),
            ),
            (
                "model_update_read_again",
                UpdateKind::Update,
                Update::again(ObjectId::row(TableId(0), key.clone())),
            ),
            (
                "model_update_table",
                UpdateKind::Update,
                Update::again(ObjectId::table(TableId(0))),
            ),
        ];
        for (name, kind, update) in cases {
            let golden = golden(name);
            let entry = Entry {
                msg_id: golden["msg_id"].as_u64().unwrap(),
                kind,
                update: Arc::new(update),
            };
            assert_eq!(golden["direction"], "server");
            assert_eq!(golden["frame"], frame(entry), "{name}");
        }
    }

    #[test]
    fn a_ping_is_answered_as_the_golden_frame_says() {
        let mut out = Vec::new();
        protocol::write_ping_in(66210, 42, &mut out);
        assert_eq!(
            golden("ping_in")["frame"],
            String::from_utf8(out).unwrap().as_str()
        );
    }

    #[test]
    fn client_frames_do_what_the_golden_frames_say() {
        let said = AuthorizeEvent {
            secret: "s".into(),
            handle: "h".into(),
        };
        let cases = [
            ("confirm", Received::Confirmed(58963)),
            ("ping", Received::Ping(42)),
            ("authorize", Received::Authorize(said)),
        ];
        for (name, expected) in cases {
            let golden = golden(name);
            assert_eq!(golden["direction"], "client");
            assert_eq!(receive(golden["frame"].as_str().unwrap()), Ok(expected));
        }
    }

    #[test]
    fn what_is_ignored_and_what_closes_the_socket_is_as_listed() {
        let golden = golden("refused");
        for frame in golden["ignored"].as_array().unwrap() {
            let frame = frame.as_str().unwrap();
            assert_eq!(receive(frame), Ok(Received::Nothing), "{frame}");
        }
        for case in golden["fatal"].as_array().unwrap() {
            let frame = case["frame"].as_str().unwrap();
            let code = receive(frame).unwrap_err();
            assert_eq!(case["close"], code.number(), "{frame}");
        }
    }
}
