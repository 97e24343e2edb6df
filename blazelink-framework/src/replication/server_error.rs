//! What a Postgres server says when it refuses, and the error that becomes of it.

use std::fmt;
use std::io;

use blazelink_codes::Code;
use postgres_protocol::message::backend::ErrorFields;
use tokio_postgres::fallible_iterator::FallibleIterator;

use crate::error::{Error, ErrorKind};

/// SQLSTATE of a role without the right.
const INSUFFICIENT_PRIVILEGE: &str = "42501";
/// SQLSTATE of an unknown publication or slot.
const UNDEFINED_OBJECT: &str = "42704";
/// SQLSTATE of a slot that another process reads.
const OBJECT_IN_USE: &str = "55006";
/// SQLSTATE of a slot that is lost, and of a `wal_level` that is too low.
const NOT_IN_PREREQUISITE_STATE: &str = "55000";
/// SQLSTATE of a server without a sender left.
const TOO_MANY_CONNECTIONS: &str = "53300";
/// SQLSTATE of a server without a slot left.
const CONFIGURATION_LIMIT_EXCEEDED: &str = "53400";

/// An error or a notice of the server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerError {
    /// SQLSTATE.
    pub sqlstate: String,
    /// The primary message.
    pub message: String,
    /// The detail, or nothing.
    pub detail: String,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.sqlstate)?;
        if !self.detail.is_empty() {
            write!(f, ": {}", self.detail)?;
        }
        Ok(())
    }
}

impl std::error::Error for ServerError {}

impl ServerError {
    pub(super) fn read(mut fields: ErrorFields<'_>) -> ServerError {
        let mut error = ServerError::default();
        while let Ok(Some(field)) = fields.next() {
            let text = || String::from_utf8_lossy(field.value_bytes()).into_owned();
            match field.type_() {
                b'C' => error.sqlstate = text(),
                b'M' => error.message = text(),
                b'D' => error.detail = text(),
                _ => {}
            }
        }
        error
    }

    /// The server error at the root of an error, if there is one.
    pub(super) fn of(error: &Error) -> Option<&ServerError> {
        std::error::Error::source(error)?.downcast_ref()
    }

    /// Whether the publication was not there at the position that is being read. Making it again
    /// does not help: the slot has to be made anew.
    pub(super) fn lacks_publication(&self) -> bool {
        self.sqlstate == UNDEFINED_OBJECT && self.message.starts_with("publication")
    }

    /// Whether a pooler knows no such start-up parameter.
    pub(super) fn refuses_settings(&self) -> bool {
        refuses_settings(&self.message)
    }

    /// The error for whoever has to mend it.
    pub(super) fn into_error(self) -> Error {
        let (kind, code, sentence) = match &*self.sqlstate {
            INSUFFICIENT_PRIVILEGE => (
                ErrorKind::Setup,
                Code::ReplicationRole,
                "The database role may not do what replication needs",
            ),
            "28P01" | "28000" | "3D000" => (
                ErrorKind::Setup,
                Code::ReplicationConnection,
                "The server refuses the replication connection",
            ),
            TOO_MANY_CONNECTIONS | CONFIGURATION_LIMIT_EXCEEDED => (
                ErrorKind::Unavailable,
                Code::ReplicationCapacity,
                "The server has no replication slot or sender left",
            ),
            OBJECT_IN_USE => (
                ErrorKind::Unavailable,
                Code::SlotActive,
                "Another process reads from the replication slot",
            ),
            UNDEFINED_OBJECT if self.lacks_publication() => (
                ErrorKind::Unavailable,
                Code::Publication,
                "The publication did not exist at the position that the slot has reached",
            ),
            NOT_IN_PREREQUISITE_STATE if self.message.contains("wal_level") => (
                ErrorKind::Setup,
                Code::WalLevel,
                "The server does not write what logical replication needs",
            ),
            NOT_IN_PREREQUISITE_STATE | UNDEFINED_OBJECT => (
                ErrorKind::Unavailable,
                Code::SlotLost,
                "The replication slot cannot be read any more",
            ),
            _ => (
                ErrorKind::Unavailable,
                Code::ReplicationConnection,
                "The server ended the replication connection",
            ),
        };
        let error = Error::new(kind, code, sentence).with_source(self);
        match code {
            Code::ReplicationRole => error.with_hint("ALTER ROLE <role> REPLICATION;"),
            Code::ReplicationConnection if kind == ErrorKind::Setup => error.with_hint(
                "check user, password and database in DATABASE_URL or BLAZELINK_REPLICATION_URL",
            ),
            Code::SlotActive => error.with_hint(
                "one process at a time reads a durable slot: stop the other one,\n\
                 or give this one its own: BLAZELINK_SLOT=temporary",
            ),
            Code::ReplicationCapacity => error.with_hint(
                "Raise max_replication_slots and max_wal_senders and restart Postgres,\n\
                 or drop slots that nothing reads: SELECT slot_name, active FROM pg_replication_slots;",
            ),
            Code::WalLevel => {
                error.with_hint("ALTER SYSTEM SET wal_level = logical;\nthen restart Postgres")
            }
            _ => error,
        }
    }
}

/// What PgBouncer says to a start-up parameter that it cannot pass on.
pub(crate) fn refuses_settings(message: &str) -> bool {
    message.contains("unsupported startup parameter")
}

/// The connection broke.
pub(super) fn broken(error: io::Error) -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::ReplicationConnection,
        "The replication connection failed",
    )
    .with_source(error)
}

/// The server said what its protocol does not allow.
pub(super) fn protocol(what: &'static str) -> Error {
    Error::new(
        ErrorKind::Protocol,
        Code::ReplicationProtocol,
        "The replication connection does not follow its protocol",
    )
    .with_source(io::Error::other(what))
}
