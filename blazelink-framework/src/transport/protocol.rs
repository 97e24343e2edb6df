//! Every message of the original dialect: who sends it, what answers it, how it is written.
//!
//! A message is one text frame with one JSON object, `{"type":..,"data":{..}}`; the server's also
//! carry `msg_id`. Extra keys are ignored both ways. The same messages stand as frames in
//! `protocol/*.json`, which the client's tests read too. Text stays UTF-8: the original escaped
//! what is not ASCII, every JSON reader takes both.

use std::fmt;

use blazelink_codes::close::CloseCode;
use serde_json::{Map, Value};

use crate::auth::AuthorizeEvent;
use crate::object_id::Scope;
use crate::session::UpdateKind;
use crate::value;

/// What a client may send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum ClientMessage {
    /// `ConfirmEvent`: the client has handled the message with this id. Nothing answers; the
    /// server may forget the message and those before it. Never sent, or sent with an id that
    /// the server never gave, it changes nothing.
    Confirm {
        /// The `msg_id` of the message.
        msg_id: u64,
    },
    /// `PingEvent`: the client asks whether the server is there. A `PingInEvent` with the same
    /// number answers.
    Ping {
        /// Chosen by the client.
        ping_id: i64,
    },
    /// `AuthorizeEvent`: the client says who it is. Nothing answers; if the app does not believe
    /// it, the socket is closed. Ignored by an app that judges nobody.
    Authorize(AuthorizeEvent),
}

/// Reads a client's text frame. Nothing if the frame is to be ignored: an object without `type`
/// or `data`, of a type that clients do not send, or whose `data` is not an object.
///
/// # Errors
///
/// The code to close the socket with, if the frame is not JSON, not an object, or a known message
/// with a missing or mistyped field.
pub(super) fn parse(text: &str) -> Result<Option<ClientMessage>, CloseCode> {
    let frame: Value = serde_json::from_str(text).map_err(|_| CloseCode::NotJson)?;
    let Value::Object(frame) = frame else {
        return Err(CloseCode::NotAnObject);
    };
    let (Some(Value::String(name)), Some(Value::Object(data))) =
        (frame.get("type"), frame.get("data"))
    else {
        return Ok(None);
    };
    match name.as_str() {
        "ConfirmEvent" => confirm(data),
        "PingEvent" => Ok(Some(ClientMessage::Ping {
            ping_id: integer(data, "ping_id")?.ok_or(CloseCode::BadMessage)?,
        })),
        "AuthorizeEvent" => Ok(Some(ClientMessage::Authorize(AuthorizeEvent {
            secret: string(data, "secret")?,
            handle: string(data, "handle")?,
        }))),
        _ => Ok(None),
    }
}

/// Appends a `ModelUpdateEvent`: the server tells of a row that the session watches, or, with
/// empty `changes`, of an object that the client is to read again. The client answers with a
/// `ConfirmEvent` once it has handled it.
///
/// `changes` is JSON; nothing means that the row is gone and not known.
pub(super) fn write_model_update(
    msg_id: u64,
    kind: UpdateKind,
    entity: &str,
    scope: &Scope,
    changes: Option<&[u8]>,
    out: &mut Vec<u8>,
) {
    begin("ModelUpdateEvent", msg_id, out);
    let kind: &[u8] = match kind {
        UpdateKind::Create => br#"{"update_type":"Create","identifier":{"obj_id":"#,
        UpdateKind::Update => br#"{"update_type":"Update","identifier":{"obj_id":"#,
        UpdateKind::Delete => br#"{"update_type":"Delete","identifier":{"obj_id":"#,
    };
    out.extend_from_slice(kind);
    match scope {
        Scope::Table => out.extend_from_slice(b"null"),
        Scope::Row(key) => key.write_json(out),
    }
    out.extend_from_slice(br#","entity":"#);
    value::write_string(entity, out);
    out.extend_from_slice(br#"},"changes":"#);
    out.extend_from_slice(changes.unwrap_or(b"null"));
    out.extend_from_slice(b"}}");
}

/// Appends a `PingInEvent`: the server's answer to a `PingEvent`. Nothing answers it.
pub(super) fn write_ping_in(msg_id: u64, ping_id: i64, out: &mut Vec<u8>) {
    begin("PingInEvent", msg_id, out);
    out.extend_from_slice(br#"{"ping_id":"#);
    write_number(ping_id, out);
    out.extend_from_slice(b"}}");
}

/// Appends the beginning of a message of the server, up to its `data`.
pub(super) fn begin(name: &str, msg_id: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(br#"","msg_id":"#);
    write_number(msg_id, out);
    out.extend_from_slice(br#","data":"#);
}

/// Appends an integer.
pub(super) fn write_number(number: impl fmt::Display, out: &mut Vec<u8>) {
    use std::io::Write;
    let written = write!(out, "{number}");
    debug_assert!(written.is_ok(), "writing to a Vec cannot fail");
}

fn confirm(data: &Map<String, Value>) -> Result<Option<ClientMessage>, CloseCode> {
    if !data.contains_key("payload") {
        return Err(CloseCode::BadMessage);
    }
    let msg_id = integer(data, "confirm_message_id")?;
    let msg_id = msg_id.and_then(|id| u64::try_from(id).ok());
    Ok(msg_id.map(|msg_id| ClientMessage::Confirm { msg_id }))
}

/// An integer, also as text or with an empty fraction. Nothing if it has more than 64 bits.
fn integer(data: &Map<String, Value>, field: &str) -> Result<Option<i64>, CloseCode> {
    let text = match data.get(field) {
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::String(text)) => text.trim().to_owned(),
        _ => return Err(CloseCode::BadMessage),
    };
    if let Ok(number) = text.parse() {
        return Ok(Some(number));
    }
    match text.parse::<f64>() {
        Ok(number) if number.fract() == 0.0 && number.abs() < 9e15 => Ok(Some(number as i64)),
        Ok(number) if number.fract() == 0.0 && number.is_finite() => Ok(None),
        _ => Err(CloseCode::BadMessage),
    }
}

fn string(data: &Map<String, Value>, field: &str) -> Result<String, CloseCode> {
    match data.get(field) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(CloseCode::BadMessage),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Client frames as data, besides the golden ones.
    #[test]
    fn integers_come_as_numbers_or_as_text() {
        let ping = |json: &str| {
            let frame = format!(r#"{{"type":"PingEvent","data":{{"ping_id":{json}}}}}"#);
            parse(&frame)
        };
        for (json, expected) in [
            ("42", Ok(42)),
            ("-7", Ok(-7)),
            ("\"43\"", Ok(43)),
            ("\" 43 \"", Ok(43)),
            ("44.0", Ok(44)),
            ("9223372036854775807", Ok(i64::MAX)),
            ("9223372036854775808", Err(CloseCode::BadMessage)),
            ("1.5", Err(CloseCode::BadMessage)),
            ("\"x\"", Err(CloseCode::BadMessage)),
            ("null", Err(CloseCode::BadMessage)),
            ("[1]", Err(CloseCode::BadMessage)),
        ] {
            let expected = expected.map(|ping_id| Some(ClientMessage::Ping { ping_id }));
            assert_eq!(ping(json), expected, "{json}");
        }
    }

    #[test]
    fn a_confirmation_of_an_impossible_id_is_ignored() {
        for id in ["-1", "1e300", "99999999999999999999"] {
            let data = format!(r#"{{"confirm_message_id":{id},"payload":{{}}}}"#);
            let frame = format!(r#"{{"type":"ConfirmEvent","data":{data}}}"#);
            assert_eq!(parse(&frame), Ok(None), "{id}");
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_not_followed() {
        assert_eq!(parse(&"[".repeat(60_000)), Err(CloseCode::NotJson));
    }

    proptest! {
        #[test]
        fn any_text_is_a_message_or_ignored_or_a_close_code(text in ".{0,200}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_object_is_a_message_or_ignored_or_a_bad_message(
            name in prop_oneof![
                Just("ConfirmEvent"), Just("PingEvent"), Just("AuthorizeEvent"),
                Just("ModelUpdateEvent"), Just("BaseModel"), Just("__name__")
            ],
            field in prop_oneof![
                Just("confirm_message_id"), Just("payload"), Just("ping_id"), Just("secret")
            ],
            value in prop_oneof![
                Just("1"), Just("{}"), Just("null"), Just("\"a\""), Just("1e999"), Just("[]")
            ],
        ) {
            let frame = format!(r#"{{"type":"{name}","data":{{"{field}":{value}}}}}"#);
            let expected = [CloseCode::BadMessage, CloseCode::NotJson];
            prop_assert!(parse(&frame).map_or_else(|code| expected.contains(&code), |_| true));
        }
    }
}
