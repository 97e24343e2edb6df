//! What a client of a test was told, read from a frame of the server.

use std::fmt;

use serde_json::Value;

use crate::session::UpdateKind;

/// One thing that a client was told of: `ModelUpdateEvent`. Compares with its text, such as
/// `"Update User 1"`.
#[derive(Clone, PartialEq, Eq)]
pub struct Update {
    /// What happened, or that the object is to be read again (`Update`).
    pub kind: UpdateKind,
    /// The GraphQL type of the object.
    pub entity: String,
    /// The row's key; null if the whole table is meant.
    pub key: Value,
    /// The row's columns by name as the viewer sees them; empty if the object is to be read again,
    /// null if nothing is known of a row that is gone.
    pub changes: Value,
}

impl Update {
    /// What this frame tells, if it tells of an object.
    pub(super) fn read(frame: &mut Value) -> Option<Update> {
        if frame["type"] != "ModelUpdateEvent" {
            return None;
        }
        let data = &mut frame["data"];
        Some(Update {
            kind: match data["update_type"].as_str()? {
                "Create" => UpdateKind::Create,
                "Update" => UpdateKind::Update,
                "Delete" => UpdateKind::Delete,
                _ => return None,
            },
            entity: data["identifier"]["entity"].as_str()?.to_owned(),
            key: data["identifier"]["obj_id"].take(),
            changes: data["changes"].take(),
        })
    }
}

impl fmt::Display for Update {
    /// `Create User 1`; without a key, of the whole table.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            UpdateKind::Create => "Create",
            UpdateKind::Update => "Update",
            UpdateKind::Delete => "Delete",
        };
        write!(f, "{kind} {}", self.entity)?;
        match &self.key {
            Value::Null => Ok(()),
            Value::String(text) => write!(f, " {text}"),
            key => write!(f, " {key}"),
        }
    }
}

impl fmt::Debug for Update {
    /// As the text that it compares with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl PartialEq<str> for Update {
    fn eq(&self, text: &str) -> bool {
        let own = self.to_string();
        own == text
    }
}

impl PartialEq<&str> for Update {
    fn eq(&self, text: &&str) -> bool {
        *self == **text
    }
}
