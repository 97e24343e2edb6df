//! `Seal`: how a transaction says in the log what has made it, and how it is known that it was us.
//!
//! The writer of rows has it say so, the decoder reads it. Whoever may write to the database may write
//! such a message too, so ours have a code that only this process can make: another's word is told as
//! one that is not verified.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sea_orm::{DbBackend, Statement};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::change::Cause;

/// The prefix of such messages (PostgreSQL manual, section 9.28.6, `pg_logical_emit_message`).
pub(crate) const PREFIX: &str = "blazelink.cause";

/// Bytes of a message; a longer one is not read.
const LONGEST: usize = 1 << 10;

/// Bytes of an operation's name; a longer one is cut.
const NAME: usize = 200;

/// Has the transaction in which it is run say this in the log, if that commits.
pub(crate) fn statement(message: String) -> Statement {
    Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_catalog.pg_logical_emit_message(true, $1, $2)",
        [PREFIX.into(), message.into()],
    )
}

/// The key of this process.
#[derive(Clone)]
pub(crate) struct Seal([u8; 64]);

impl Default for Seal {
    /// A new one, drawn at random.
    fn default() -> Self {
        Seal(rand::random())
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(..)")
    }
}

#[derive(Serialize, Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    operation: std::borrow::Cow<'a, str>,
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    session: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    request: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    code: std::borrow::Cow<'a, str>,
}

impl Seal {
    /// What the transaction is to say.
    pub(crate) fn message(&self, operation: &str, session: Option<&str>, request: &str) -> String {
        let end = operation.floor_char_boundary(NAME);
        let mut message = Message {
            operation: operation[..end].into(),
            session: session.map(Into::into),
            request: request.into(),
            code: "".into(),
        };
        let code = STANDARD_NO_PAD.encode(self.code(&message).finalize().into_bytes());
        message.code = code.into();
        // It holds text only.
        serde_json::to_string(&message).unwrap_or_default()
    }

    /// What a transaction says; nothing if it is no such message.
    pub(crate) fn read(&self, content: &[u8]) -> Option<Cause> {
        let content = content.get(..content.len().min(LONGEST + 1))?;
        if content.len() > LONGEST {
            return None;
        }
        let message: Message<'_> = serde_json::from_slice(content).ok()?;
        let code = STANDARD_NO_PAD.decode(&*message.code).unwrap_or_default();
        Some(Cause {
            verified: self.code(&message).verify_slice(&code).is_ok(),
            operation: (&*message.operation).into(),
            session: message.session.as_deref().map(Into::into),
            request: (&*message.request).into(),
        })
    }

    fn code(&self, message: &Message<'_>) -> Hmac<Sha256> {
        // Keys of every length are taken.
        let mut code = Hmac::<Sha256>::new(&self.0.into());
        let session = message.session.as_deref().unwrap_or_default();
        for part in [&message.operation, session, &message.request] {
            code.update(&(part.len() as u64).to_le_bytes());
            code.update(part.as_bytes());
        }
        code
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_this_process_says_is_verified_and_what_others_say_is_not() {
        let (ours, theirs) = (Seal::default(), Seal::default());
        let message = ours.message("mutation createGame", Some("s_0009f2"), "r_1");
        let cause = ours.read(message.as_bytes()).unwrap();
        assert!(cause.verified);
        assert_eq!(&*cause.operation, "mutation createGame");
        assert_eq!(cause.session.as_deref(), Some("s_0009f2"));
        assert_eq!(&*cause.request, "r_1");
        assert!(!theirs.read(message.as_bytes()).unwrap().verified);
        let forged = message.replace("createGame", "deleteGame");
        assert!(!ours.read(forged.as_bytes()).unwrap().verified);
        let by_hand = br#"{"operation":"nightly job","request":"1"}"#;
        let cause = ours.read(by_hand).unwrap();
        assert_eq!((&*cause.operation, cause.verified), ("nightly job", false));
    }

    #[test]
    fn what_is_no_cause_or_too_long_is_none() {
        let seal = Seal::default();
        assert_eq!(seal.read(b""), None);
        assert_eq!(seal.read(b"{}"), None);
        let long = "x".repeat(LONGEST);
        let message = format!(r#"{{"operation":"{long}","request":""}}"#);
        assert_eq!(seal.read(message.as_bytes()), None);
        let cut = seal.message(&"ä".repeat(LONGEST), None, "r_1");
        assert!(seal.read(cut.as_bytes()).unwrap().verified);
    }
}
