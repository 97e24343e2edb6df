//! `BLZnnnn`: the codes that start-up, the command line tool and the log print.
//!
//! What a code means stands here in a sentence; what to do about it, in `explain/`.
//!
//! A code is stable once released: it may be retired, it never changes its meaning. Its thousands
//! say which part of Blazelink speaks:
//! - 1: settings, environment, files, and what a process needs of the system;
//! - 2: the private Postgres;
//! - 3: replication: publication, slot, preflight, stream;
//! - 4: tables and the GraphQL schema made from them;
//! - 5: the database while answering;
//! - 6: sessions and sockets;
//! - 7: the command line tool;
//! - 8: the tests of an app.

use std::fmt;
use std::str::FromStr;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal;)+) => {
        /// A stable error code. Printed as `BLZ` and four digits.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Code {
            /// Every code, in ascending order.
            pub const ALL: &'static [Code] = &[$(Code::$name),+];

            /// What the code means, in one sentence.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }
        }
    };
}

codes! {
    /// A setting cannot be read or has a value of the wrong kind.
    ConfigInvalid = 1001;
    /// A required setting is missing.
    ConfigMissing = 1002;
    /// A page's template is missing or does not parse.
    Template = 1003;
    /// A path cannot be served, or is declared twice.
    Route = 1004;
    /// The system refuses what a process needs, such as threads.
    System = 1005;
    /// No Postgres server binaries were found on this machine.
    PostgresNotFound = 2001;
    /// The private Postgres did not start.
    PostgresStart = 2002;
    /// The private cluster's folder cannot be made or read.
    PostgresFolder = 2003;
    /// Postgres' binaries could not be installed.
    PostgresInstall = 2004;
    /// The Postgres server is older than Blazelink needs.
    ServerVersion = 3001;
    /// The server does not write what logical replication needs.
    WalLevel = 3002;
    /// The role may not replicate.
    ReplicationRole = 3003;
    /// All replication slots or senders of the server are taken.
    ReplicationCapacity = 3004;
    /// The publication does not list exactly the exposed tables.
    Publication = 3005;
    /// An exposed table does not send what liveness needs.
    ReplicaIdentity = 3006;
    /// The pool and the replication connection print values differently.
    SessionSettings = 3007;
    /// The replication slot was lost or made unusable.
    SlotLost = 3008;
    /// Another process reads from the replication slot.
    SlotActive = 3009;
    /// The replication connection failed.
    ReplicationConnection = 3010;
    /// The replication stream holds what pgoutput does not define.
    ReplicationProtocol = 3011;
    /// A table without a key cannot be followed.
    TableWithoutKey = 3012;
    /// Queries are answered by a standby.
    ReadsFromStandby = 3013;
    /// Two things in the GraphQL schema have the same name.
    SchemaCollision = 4001;
    /// A name is no GraphQL name, or is one of the framework's own.
    SchemaName = 4002;
    /// An entity and the database disagree.
    SchemaMismatch = 4003;
    /// No table is exposed.
    SchemaEmpty = 4004;
    /// A table definition contradicts itself.
    SchemaDefinition = 4005;
    /// The database did not answer a statement.
    Database = 5001;
    /// The database answered what was not asked.
    DatabaseAnswer = 5002;
    /// A request asks for more rows than one answer may have.
    TooManyRows = 5003;
    /// A statement took longer than the server allows.
    StatementTimeout = 5004;
    /// A query nests deeper than the server allows.
    QueryTooDeep = 5005;
    /// A query has more fields than the server allows.
    QueryTooComplex = 5006;
    /// A page is larger than the server allows.
    PageTooLarge = 5007;
    /// A query names more fields anew than the server allows.
    TooManyAliases = 5008;
    /// Whoever asks may not write that.
    WriteDenied = 5010;
    /// A value that is to be written is not accepted.
    InputInvalid = 5011;
    /// Another row has what only one row may have.
    NotUnique = 5012;
    /// A reference leads to no row, or other rows refer to the row.
    Reference = 5013;
    /// The database has a rule that a row would break.
    Constraint = 5014;
    /// A row was written by somebody else at the same time.
    Contended = 5015;
    /// The row that is to be written is not there.
    RowMissing = 5016;
    /// A row was not written for a reason that only the log tells.
    WriteFailed = 5017;
    /// A statement that a computed field reads with was refused before it was sent.
    StatementRefused = 5018;
    /// Something was to be read through a context outside of the call that it belongs to.
    ReadingOver = 5019;
    /// A computed field panics.
    FieldPanicked = 5021;
    /// A computed field takes longer than it may.
    FieldTimeout = 5022;
    /// The accessor that the app has put behind a table fails, panics, or gives what was not asked for.
    AccessorFailed = 5023;
    /// A table with an accessor was asked for what only Postgres can answer.
    AccessorRefused = 5024;
    /// The port asked for cannot be bound.
    Listen = 6002;
    /// A session watches more than it may.
    TooManySubscriptions = 6003;
    /// More sessions than the server, or one address, may have.
    TooManySessions = 6004;
    /// The journal of what sessions watch cannot be written.
    Journal = 6010;
    /// The project folder is not a Blazelink project.
    NotAProject = 7001;
    /// A command that the tool ran failed.
    CommandFailed = 7002;
    /// What stands on the command line cannot be done together, or names what is not there.
    Usage = 7003;
    /// A question has to be answered, and there is no terminal to answer at.
    NeedsAnswer = 7004;
    /// The machine, the project or the database is not as it has to be.
    Unhealthy = 7005;
    /// A check found that two things differ which should be the same.
    Differs = 7006;
    /// The tool was told to stop before it had done what was asked.
    Interrupted = 7007;
    /// A file of the project cannot be read or written.
    ProjectFile = 7008;
    /// A migration failed.
    MigrationFailed = 7020;
    /// What is for the private Postgres was asked for on a database of somebody's own.
    NotPrivate = 7021;
    /// There is no snapshot or branch of that name.
    NoSuchCopy = 7022;
    /// A database is in use and cannot be dropped or copied.
    DatabaseInUse = 7023;
    /// Another `blazelink dev` runs in the project.
    AlreadyRunning = 7024;
    /// An app cannot have that name.
    ProjectName = 7025;
    /// A new project's folder has something in it already.
    FolderTaken = 7026;
    /// A generator would overwrite what somebody has written.
    GeneratorConflict = 7031;
    /// There is no run of a generator that could be undone.
    NothingToUndo = 7032;
    /// What a generator has written was edited since, so that undoing it would lose that.
    EditedSince = 7033;
    /// An entity, a field or a migration cannot have that name.
    NameRefused = 7034;
    /// No debugger answers, or it does not take the key.
    NoDebugger = 7035;
    /// The debugger knows nothing of what it is asked for.
    NotRemembered = 7036;
    /// A recording cannot be made, read or replayed.
    NoRecording = 7037;
    /// What a test waited for has not come in time.
    TestTimeout = 8001;
    /// The client of a test was not answered as it expects.
    TestAnswer = 8002;
    /// The websocket of a test's client has ended.
    TestSocket = 8003;
}

impl Code {
    /// The number, without the `BLZ`.
    pub fn number(self) -> u16 {
        self as u16
    }
}

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads `BLZ3002`, in any case, or the number alone.
    fn from_str(text: &str) -> Result<Code, UnknownCode> {
        let text = text.trim();
        let digits = match text.get(..3) {
            Some(prefix) if prefix.eq_ignore_ascii_case("BLZ") => &text[3..],
            _ => text,
        };
        let number: u16 = digits.parse().map_err(|_| UnknownCode)?;
        let known = Code::ALL.iter().find(|code| code.number() == number);
        known.copied().ok_or(UnknownCode)
    }
}

/// A text that is no code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCode;

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no code of Blazelink's")
    }
}

impl std::error::Error for UnknownCode {}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BLZ{:04}", self.number())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_print_with_four_digits() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Code::WalLevel.to_string(), "BLZ3002");
        assert!(Code::ALL.iter().all(|code| code.meaning().ends_with('.')));
    }

    #[test]
    fn codes_are_read_as_people_write_them() {
        for text in ["BLZ3002", "blz3002", "3002", " BLZ3002 "] {
            assert_eq!(text.parse(), Ok(Code::WalLevel), "{text}");
        }
        for text in ["", "BLZ", "BLZ0000", "3002x", "99999999", "é3002", "wal"] {
            assert_eq!(text.parse::<Code>(), Err(UnknownCode), "{text}");
        }
    }
}
