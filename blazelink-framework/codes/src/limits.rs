//! Every limit of Blazelink with its default, and what happens at it.
//!
//! A limit without a named behaviour is a bug. Sizes are bytes unless the name says otherwise.

use std::time::Duration;

/// Changes kept with their values per table and transaction. Beyond it the table's part of the
/// transaction becomes "the whole table changed".
pub const CHANGES_PER_TABLE: usize = 5_000;

/// Bytes of row images kept per transaction. Beyond it every table of the transaction so far
/// becomes "the whole table changed".
pub const TRANSACTION_BYTES: usize = 16 << 20;

/// Bytes of row images kept for all transactions that Postgres streams before their end. Beyond it
/// the transaction that grows is treated as if it were over [`TRANSACTION_BYTES`].
pub const OPEN_BYTES: usize = 64 << 20;

/// Subtransactions remembered per table as the reason why the whole table counts as changed.
/// Beyond it the table stays so even if all of them are rolled back.
pub const SUBTRANSACTIONS_PER_TABLE: usize = 4_096;

/// Changes that wait between the replication reader and the signaler. Beyond it the waiting
/// transactions are merged into one whose tables are whole; the reader never stops reading.
pub const WAITING_CHANGES: usize = 50_000;

/// Bytes of row images that wait between the replication reader and the signaler. Beyond it as
/// for [`WAITING_CHANGES`].
pub const WAITING_BYTES: usize = 64 << 20;

/// Transaction ids that wait for the visibility gate. Beyond it the older half is taken as
/// visible: their commits were read half a million transactions ago.
pub const WAITING_XIDS: usize = 1 << 20;

/// Status changes of the replication reader that wait for the signaler. Beyond it the oldest is
/// let go.
pub const WAITING_STATUSES: usize = 64;

/// Entries of an outbox up to which every update is sent on its own. Beyond it, updates of the
/// same object are merged into one that moves to the end.
pub const OUTBOX_MERGE_FROM: usize = 1_024;

/// Entries (distinct objects, once merging has begun) of an outbox. Beyond it the outbox is
/// emptied and the session is told of one update per object that it watches.
pub const OUTBOX_ENTRIES: usize = 16_384;

/// Bytes of an outbox: pending and sent but unconfirmed. Beyond it as for [`OUTBOX_ENTRIES`].
pub const OUTBOX_BYTES: usize = 4 << 20;

/// Bytes of a row's columns, as JSON, that one update tells. Beyond it the update names none: its
/// `changes` are empty, and who wants the row reads it again.
pub const UPDATE_BYTES: usize = 256 << 10;

/// Frames kept after they were sent, so that a dropped socket loses nothing that its client has
/// not confirmed. Beyond it the oldest is let go.
pub const UNCONFIRMED_FRAMES: usize = 1_024;

/// Bytes of a frame that a client may send. Beyond it the socket is closed with 1009. A
/// setting: `[limits] frame_bytes`.
pub const FRAME_BYTES: usize = 64 << 10;

/// Bytes of a request's line and headers. Beyond it the answer is 431, and the connection ends.
pub const HEAD_BYTES: usize = 64 << 10;

/// How long a client may take for a request's line and headers, from its connecting or from the
/// last answer on. Beyond it the connection ends; so does one over which nothing is asked.
pub const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// Bytes of a GraphQL request. Beyond it the answer is 413. A setting: `[limits] body_bytes`.
pub const BODY_BYTES: usize = 1 << 20;

/// Bytes of a GraphQL request that are read and let go after it has become too large, so that its
/// client hears so. Beyond it the connection ends in the middle of the request.
pub const BODY_DISCARDED: usize = 16 << 20;

/// How long a client may take for the body of a GraphQL request. Beyond it the answer is 408, and
/// the connection ends.
pub const BODY_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client may take nothing of an answer that is written to it. Beyond it the connection
/// ends. Longer than [`WRITE_TIMEOUT`], so that a websocket ends with its code.
pub const STALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Bytes of a session id. Beyond it the request is refused with 400 (403 on the websocket).
pub const SESSION_ID_BYTES: usize = 256;

/// Sessions of the process. Beyond it a request or websocket that would begin one more is answered
/// with 429; those that exist are served. A setting: `[limits] sessions`.
pub const SESSIONS: usize = 100_000;

/// Sessions begun from one IPv4 address or one IPv6 network of 64 bits: as many as an office behind
/// one address may have. Beyond it as for [`SESSIONS`]. A setting: `[limits] sessions_per_address`.
pub const SESSIONS_PER_ADDRESS: usize = 16_384;

/// Messages per second that a client may send over its socket, averaged over
/// [`MESSAGES_WINDOW`]; pings and pongs count, confirmations of what it was sent do not. Beyond it
/// the socket is closed with 4429. A setting: `[limits] messages_per_second`.
pub const MESSAGES_PER_SECOND: u32 = 200;

/// The time over which [`MESSAGES_PER_SECOND`] is averaged: a client that was silent for so long
/// may send the messages of all of it at once.
pub const MESSAGES_WINDOW: Duration = Duration::from_secs(10);

/// How long a session outlives its last socket. The original client's own delay reaches 30
/// seconds and grows by 5 with every close.
pub const GRACE: Duration = Duration::from_secs(120);

/// Bytes of the journal in which the original's subscriptions cross a restart. Beyond it reads are
/// not entered until it has been written anew, which happens within seconds and keeps half of it
/// for what lives; the sessions left out are stale after a restart, as if there were no journal. A
/// setting: `[limits] journal_bytes`.
pub const JOURNAL_BYTES: usize = 128 << 20;

/// Bytes up to which the journal is not written anew, even if little of it lives. Beyond it that
/// is done when it has grown past twice what lives.
pub const JOURNAL_SMALL: usize = 256 << 10;

/// Bytes of updates that a socket's task takes from its outbox and writes before it takes more.
/// What it has not taken still merges, so a slow reader holds no more than this outside of its
/// outbox; large enough that frames share their writes.
pub const WRITE_BATCH: usize = 32 << 10;

/// How often the server sends a websocket ping; a socket that answers none of two is closed.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// How long one write to a socket may take before the socket is closed with 4413.
pub const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the server waits, after it closed a socket, for the client to end the connection;
/// then it ends it itself. Without the wait a client that is still sending would see its
/// connection reset instead of the close code.
pub const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// Dependencies that one session may hold. Beyond it the request that asks for more is refused. A
/// setting: `[limits] subscriptions_per_session`.
pub const SUBSCRIPTIONS_PER_SESSION: usize = 100_000;

/// Monitors at once. Beyond it a client that is granted monitoring is told nothing, and the log
/// says so.
pub const MONITORS: usize = 16;

/// Bytes of events that wait for one monitor. Beyond it events are counted instead, until the
/// monitor has taken all that waits; then it is told how many it has missed.
pub const MONITOR_BYTES: usize = 4 << 20;

/// Events made of one transaction for monitors. Beyond it the rest of its changes is left out, and
/// counted as missed.
pub const MONITOR_EVENTS: usize = 16_384;

/// Sessions of which monitors are told for every change that it was compared with what they watch.
/// With more sessions, they are told of those that a transaction concerns, and of no more of those
/// than this.
pub const MONITOR_SESSIONS: usize = 256;

/// Identifiers that one list for monitors names. Beyond it the older ones are left out, and the
/// list says that it is not complete.
pub const MONITOR_IDENTIFIERS: usize = 256;

/// Nesting of a GraphQL selection. Beyond it the request is refused by validation (BLZ5005). A
/// setting: `[limits] query_depth`.
pub const QUERY_DEPTH: usize = 32;

/// Largest [`QUERY_DEPTH`] that can be set: validation needs stack for each level.
pub const QUERY_DEPTH_SETTING: usize = 128;

/// Fields of a GraphQL request, fragments opened. Beyond it the request is refused by validation
/// (BLZ5006). How many rows the fields mean is limited by [`ANSWER_ROWS`]. A setting: `[limits]
/// query_fields`.
pub const QUERY_COMPLEXITY: usize = 5_000;

/// Fields of a GraphQL request that it names anew, fragments opened: each may be a statement of its
/// own on the same rows. Beyond it the request is refused by validation (BLZ5008). A setting:
/// `[limits] query_aliases`.
pub const QUERY_ALIASES: usize = 500;

/// Rows of one page. A larger `size` is refused with an error on the field (BLZ5007). A setting:
/// `[limits] page_size`.
pub const PAGE_SIZE: i64 = 1_000;

/// How long one statement of the pool may take. Beyond it Postgres ends it, and the field that
/// needs it is null, with an error (BLZ5004). A setting: `[limits] statement_seconds`; 0 for no
/// limit.
pub const STATEMENT_TIMEOUT: Duration = Duration::from_secs(30);

/// Rows of a list, which has no pages. A list that would have more is null, with an error that says
/// to ask for less by `where`.
pub const LIST_ROWS: i64 = 1_000;

/// Conditions and values in the `where` of one page. Beyond it the field is null, with an error.
pub const FILTER_PARTS: usize = 1_000;

/// Equalities that one dependency holds: one by which it is found, and those that are checked then.
/// Further ones are left out, so that it is hit by more than it need be.
pub const DEPENDENCY_EQUALITIES: usize = 8;

/// Values that the checked equalities of one dependency name together: enough for a few short
/// lists, and little beside what else a session may keep in memory. An equality that does not fit is
/// left out.
pub const DEPENDENCY_VALUES: usize = 16;

/// Values of an `in` that are watched one by one. Beyond it the page depends on the whole table.
pub const PINNED_VALUES: usize = 64;

/// Parsed documents kept. Beyond it the least recently used one is let go.
pub const DOCUMENTS: usize = 1_024;

/// Bytes of a document's text up to which it is kept parsed. A longer one is parsed each time.
pub const DOCUMENT_BYTES: usize = 16 << 10;

/// Rows that one GraphQL request may ask for, counting every page at its full size for each of its
/// parents, and each call of a computed field as a row. Beyond it the field that asks for more is
/// null, with an error (BLZ5003). A setting: `[limits] answer_rows`.
pub const ANSWER_ROWS: usize = 100_000;

/// How long the hooks of an app may take before a row is saved. Beyond it the row is not saved, and
/// the mutation's field is null, with an error.
pub const SAVE_TIMEOUT: Duration = Duration::from_secs(10);

/// Calls of one computed field, for the rows of one statement, that wait at the same time. Beyond
/// it the next is called when one is done.
pub const COMPUTED_AT_ONCE: usize = 4;

/// Rows of a store of the app's own (`DataAccessor`) that are looked through for one page or one
/// count. Beyond it the field is null, with an error.
pub const ACCESSOR_ROWS: usize = 10_000;

/// How long one call of a computed field may take. Beyond it the field is null, with an error, and
/// the rest of the answer goes on. A setting: `[limits] field_timeout_ms`.
pub const FIELD_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the app may take to say who sends a request (`ContextFactory`) or what a client is
/// granted (`Authenticator`). Beyond it the request is answered with 503 and nothing is read, and
/// the client is granted nothing.
pub const CONTEXT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the app may take to say what viewers see of the tables of one commit. Beyond it who
/// watches rows of a table that is left is told to read again, and the table's rule is not asked
/// for commits until it has answered.
pub const RULES_TIMEOUT: Duration = Duration::from_millis(500);

/// How long Postgres may take to judge the rows of one commit by conditions in SQL. Beyond it who
/// watches rows that are left is told to read again.
pub const CONDITIONS_TIMEOUT: Duration = Duration::from_millis(500);

/// How long Postgres is not asked again after it took longer than [`CONDITIONS_TIMEOUT`]: so long,
/// commits do not wait for it, and are treated as if it had.
pub const CONDITIONS_PAUSE: Duration = Duration::from_secs(5);

/// Conditions in SQL by which one commit is judged, each a statement; viewers with equal ones share
/// it. Beyond it as for [`CONDITIONS_TIMEOUT`].
pub const CONDITIONS_PER_COMMIT: usize = 256;

/// Rows of one table and commit that Postgres is asked to judge by a condition. Beyond it as for
/// [`CONDITIONS_TIMEOUT`].
pub const CONDITION_ROWS: usize = 1_000;

/// Conditions that Postgres judges at the same time. Beyond it the next is asked when one is done.
pub const CONDITIONS_AT_ONCE: usize = 4;

/// Texts of statements whose analysis is kept. Beyond it all are let go, and analysed anew when
/// they come again.
pub const CAPTURED_SHAPES: usize = 4_096;

/// Bytes of a statement's text up to which its analysis is kept. A longer one is analysed each
/// time.
pub const CAPTURED_KEPT_BYTES: usize = 16 << 10;

/// Bytes of a statement's text up to which it is looked through. A longer one depends on
/// everything.
pub const CAPTURED_SQL_BYTES: usize = 1 << 20;

/// Operators and connectives of a statement up to which it is looked through. One with more
/// depends on everything.
pub const CAPTURED_OPERATORS: usize = 2_000;

/// Values that a statement compares one table's rows with, up to which it depends on the rows with
/// these values. With more it depends on the table.
pub const CAPTURED_VALUES: usize = 1_000;

/// Sentences on what computed fields read that are told once each. Beyond it no more are told.
pub const CAPTURED_WARNINGS: usize = 1_000;

/// Errors listed in one GraphQL answer. Further ones are left out; fields that they are about are
/// null.
pub const ANSWER_ERRORS: usize = 100;

/// Characters of a name in a request that an error repeats. Beyond it the rest is left out: a name
/// in a variable is sent once and may be repeated by every error of the answer.
pub const REPEATED_CHARS: usize = 64;

/// Transactions that the change bus keeps for consumers that come back. Beyond it the oldest are
/// let go, and who wants to start there has to start over.
pub const BUS_TRANSACTIONS: usize = 1_024;

/// Bytes of the transactions that the change bus keeps. Beyond it as for [`BUS_TRANSACTIONS`].
pub const BUS_BYTES: usize = 32 << 20;

/// How long an app that hands over to the next one waits for clients that keep connections to ask
/// once more, so that they open new ones. Beyond it, connections that are idle are closed: a client
/// that asks in that very moment has to ask again.
pub const HANDOVER_LINGER: Duration = Duration::from_millis(300);

/// How often the database is asked whether it answers and how far its log is; what `/ready` says is
/// at most so old.
pub const PULSE_EVERY: Duration = Duration::from_secs(2);

/// How long the database may take to answer that, a free connection of the pool included. Beyond it
/// the app is not ready.
pub const PULSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How old the last such answer may be. Beyond it the app is not ready.
pub const PULSE_STALE: Duration = Duration::from_secs(10);

/// How late commits may be told. Beyond it the app is not ready. A setting: `[limits]
/// ready_lag_seconds`.
pub const READY_LAG: Duration = Duration::from_secs(30);

/// How long open requests may take to end after the app was told to stop, and after them the
/// connections of each of its pools. Beyond it they are cut off.
pub const DRAIN: Duration = Duration::from_secs(5);

/// Records of what the app does that wait for the debugger. Beyond it they are counted and let go.
pub const DEBUGGER_RECORDS: usize = 1 << 16;

/// Bytes of the transactions that the debugger remembers. Beyond it those go first that went as they
/// should. A setting: `[debugger] bytes`.
pub const DEBUGGER_BYTES: usize = 32 << 20;

/// Transactions that are kept in the debugger because somebody wants them to. Beyond it no more can
/// be.
pub const DEBUGGER_PINNED: usize = 64;

/// Reads of a session of which the debugger knows since when they are watched. Beyond it the oldest is
/// let go.
pub const DEBUGGER_READS: usize = 256;

/// Recordings of the debugger that are kept. Beyond it none can be begun before one is deleted.
pub const RECORDINGS: usize = 64;

/// Dependencies of sessions that a recording notes while it is made. A session that comes beyond it is
/// counted and left out from then on: replaying does not compare it any more.
pub const RECORDING_DEPENDENCIES: usize = 250_000;

/// Deliveries that differ, of which a replay tells one by one. Beyond it they are counted.
pub const REPLAY_DIFFERENCES: usize = 1_000;

/// Bytes of a recording's file that is sent to be replayed. Beyond it that is refused.
pub const REPLAY_BYTES: usize = 256 << 20;

/// Pages of the debugger that are kept current at once. Beyond it one more is refused.
pub const DEBUGGER_VIEWERS: usize = 16;

/// Bytes in a second that one page of the debugger is told. Beyond it answers come less often.
pub const DEBUGGER_BYTES_PER_SECOND: usize = 64 << 10;
