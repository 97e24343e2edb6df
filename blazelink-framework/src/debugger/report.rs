//! What whoever looks is told: the words of the HTTP API, which the tool and the pages read too.
//!
//! Values of rows are in none of them, except where [`ColumnChange`] says so. Times are microseconds
//! unless the name says otherwise. Moments are told rather than ages, so that an answer stays the same
//! while nothing happens: a viewer of it is told nothing then.

use poem_openapi::Object;
use poem_openapi::types::Any;
use serde_json::Value;

/// How the app does.
#[derive(Clone, Debug, Object)]
pub(crate) struct Overview {
    /// The app's name.
    pub(crate) app: String,
    /// `development` or `production`.
    pub(crate) environment: String,
    /// Blazelink's version.
    pub(crate) version: String,
    /// `live`, `starting` or `down`.
    pub(crate) state: String,
    /// How the app follows the database, in a sentence.
    pub(crate) health: String,
    /// Up to where every commit was handed to whoever watches what it changed (`pg_lsn`).
    pub(crate) handed_on: String,
    /// The way from Postgres to a client, in its order.
    pub(crate) stages: Vec<StageReport>,
    /// Transactions in each of the last seconds, the oldest first, the present one last.
    pub(crate) commits_per_second: Vec<u32>,
    /// Deliveries in each of the last seconds, the same way.
    pub(crate) deliveries_per_second: Vec<u32>,
    /// The sessions by state.
    pub(crate) sessions: SessionCounts,
    /// What is remembered, and what was let go.
    pub(crate) memory: Memory,
    /// What is wrong, at most five, the worst first.
    pub(crate) problems: Vec<Problem>,
    /// The recording that is being made; nothing if none is.
    pub(crate) recording: Option<String>,
    /// Whether commits are held back, because somebody wants to see how clients bear that.
    pub(crate) held: bool,
}

/// One stage of the way from Postgres to a client.
#[derive(Clone, Debug, Object)]
pub(crate) struct StageReport {
    /// `visible`, `matched`, `told`, `sent` or `confirmed`.
    pub(crate) name: String,
    /// How many went through it, ever.
    pub(crate) total: u64,
    /// How many in a second, lately.
    pub(crate) per_second: f64,
    /// What half of them took at most, lately.
    pub(crate) p50_us: Option<u64>,
    /// What 99 in a hundred took at most, lately.
    pub(crate) p99_us: Option<u64>,
    /// How many updates wait before it, in all sessions: to be written, or to be confirmed. Nothing
    /// where none can wait but the next commit.
    pub(crate) waiting: Option<u64>,
}

/// How many sessions are in which state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object)]
pub(crate) struct SessionCounts {
    /// All of them.
    pub(crate) all: u64,
    /// Their client has everything.
    pub(crate) live: u64,
    /// Something waits for their client, or for its word that it has handled it.
    pub(crate) behind: u64,
    /// Their client has no socket.
    pub(crate) offline: u64,
}

/// What the debugger remembers.
#[derive(Clone, Debug, Object)]
pub(crate) struct Memory {
    /// Transactions that are remembered.
    pub(crate) updates: u64,
    /// Bytes that they take.
    pub(crate) bytes: u64,
    /// Bytes that they may take.
    pub(crate) limit: u64,
    /// Transactions that were let go for want of room.
    pub(crate) discarded: u64,
    /// Records that found no room on their way to the debugger.
    pub(crate) lost: u64,
    /// Of so many transactions one is followed however it goes, and of the others those only of which
    /// something out of the ordinary came. Stages behind `told` are of those that are followed.
    pub(crate) sample: u32,
    /// Transactions that were not followed.
    pub(crate) passed: u64,
}

/// Something that is wrong.
#[derive(Clone, Debug, Object)]
pub(crate) struct Problem {
    /// What.
    pub(crate) sentence: String,
    /// What to do about it.
    pub(crate) action: String,
}

/// What has made a transaction, as it says itself.
#[derive(Clone, Debug, Object)]
pub(crate) struct CauseReport {
    /// What was asked for, such as `mutation createGameEvent`.
    pub(crate) operation: String,
    /// The label of the session that asked.
    pub(crate) session: Option<String>,
    /// What names the request.
    pub(crate) request: String,
    /// Whether this process says so: whoever may write to the log can say anything.
    pub(crate) verified: bool,
}

/// Whose connection has written a transaction.
#[derive(Clone, Debug, Object)]
pub(crate) struct WriterReport {
    /// The role that it has signed in as.
    pub(crate) role: String,
    /// What it calls itself, such as `psql`; empty if it does not.
    pub(crate) application: String,
}

/// What a transaction did to one table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object)]
pub(crate) struct TableReport {
    /// The table, as Postgres calls it.
    pub(crate) table: String,
    /// Rows that are new.
    pub(crate) inserts: u64,
    /// Rows that have changed.
    pub(crate) updates: u64,
    /// Rows that are gone.
    pub(crate) deletes: u64,
    /// Whether anything in it may have changed.
    pub(crate) whole: bool,
}

/// One transaction, in a line.
#[derive(Clone, Debug, Object)]
pub(crate) struct Update {
    /// Names it in this process.
    pub(crate) number: u64,
    /// Where its commit is in the log (`pg_lsn`).
    pub(crate) lsn: String,
    /// Postgres' transaction id.
    pub(crate) xid: u32,
    /// When it was committed, by Postgres' clock.
    pub(crate) committed_at: String,
    /// When it was told: milliseconds since 1970, by the app's clock.
    pub(crate) told_at_ms: u64,
    /// What has made it; nothing if it does not say.
    pub(crate) cause: Option<CauseReport>,
    /// Whose connection has written it, where it does not say what has made it and Postgres can tell:
    /// nobody else's can have.
    pub(crate) writer: Option<WriterReport>,
    /// What it did, table by table.
    pub(crate) tables: Vec<TableReport>,
    /// How many sessions got how far with it.
    pub(crate) funnel: FunnelReport,
    /// The longest time until a client had handled it, from its telling on.
    pub(crate) slowest_us: Option<u64>,
    /// What is out of the ordinary: `denied`, `merged`, `reset`, `slow`, `waiting`.
    pub(crate) flags: Vec<String>,
    /// Whether somebody wants it to be kept.
    pub(crate) pinned: bool,
}

/// How many got how far. Each counts sessions, but for the first three.
#[derive(Clone, Debug, Default, PartialEq, Eq, Object)]
pub(crate) struct FunnelReport {
    /// Rows that changed.
    pub(crate) changed: u64,
    /// Subscriptions that were found by what changed, and looked at.
    pub(crate) candidates: u64,
    /// Times that a session was not told of a row, because its viewer sees no difference.
    pub(crate) denied: u64,
    /// Sessions that were told, and are followed.
    pub(crate) told: u64,
    /// Sessions that were told as usual, and are not followed: see [`Memory::sample`].
    pub(crate) others: u64,
    /// Of these, those in whose outbox it did not stay as it was.
    pub(crate) merged: u64,
    /// Of these, those to whose socket it was written.
    pub(crate) sent: u64,
    /// Of these, those whose client has handled it.
    pub(crate) confirmed: u64,
}

/// Some transactions.
#[derive(Clone, Debug, Object)]
pub(crate) struct Updates {
    /// The newest first.
    pub(crate) updates: Vec<Update>,
    /// How many of those that are remembered were looked at.
    pub(crate) searched: u64,
    /// How many are remembered no more.
    pub(crate) discarded: u64,
    /// What to ask for as `before` to have older ones; nothing if there are none.
    pub(crate) next: Option<u64>,
}

/// One transaction, and everything that became of it.
#[derive(Clone, Debug, Object)]
pub(crate) struct Path {
    /// In a line.
    pub(crate) update: Update,
    /// When it was where, from its commit on.
    pub(crate) way: Vec<Hop>,
    /// The rows that changed, at most a hundred of them.
    pub(crate) changes: Vec<ChangeReport>,
    /// Of what sessions were told.
    pub(crate) notices: Vec<NoticeReport>,
    /// How many deliveries took how long until they were handled: each of these has twice the time
    /// of the one before, beginning with 64 µs.
    pub(crate) histogram: Vec<u64>,
    /// The sessions that were told, at most fifty, the slowest first.
    pub(crate) deliveries: Vec<DeliveryReport>,
}

/// One step of the way.
#[derive(Clone, Debug, Object)]
pub(crate) struct Hop {
    /// Where: `Postgres`, `Decoder`, `Gate`, `Matcher`, `Outbox`, `Socket`, `Client`.
    pub(crate) place: String,
    /// When it was done there, from the commit on; the first by two clocks. For sockets and clients,
    /// when half of them were.
    pub(crate) at_us: Option<u64>,
    /// What happened there.
    pub(crate) sentence: String,
}

/// One row that changed.
#[derive(Clone, Debug, Object)]
pub(crate) struct ChangeReport {
    /// The row, such as `game_event:17`.
    pub(crate) object: String,
    /// `insert`, `update` or `delete`.
    pub(crate) kind: String,
    /// Its key before, if it has another now.
    pub(crate) moved_from: Option<String>,
    /// Its columns; for an update, those that changed.
    pub(crate) columns: Vec<ColumnChange>,
    /// Whether the log says what the row was before.
    pub(crate) before_is_known: bool,
}

/// One column that changed.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub(crate) struct ColumnChange {
    /// Its name.
    pub(crate) column: String,
    /// Its value before, if values may be shown; nothing for NULL, and where it is not known.
    pub(crate) before: Option<String>,
    /// Its value after, the same way.
    pub(crate) after: Option<String>,
    /// Whether there are values that are not shown.
    pub(crate) masked: bool,
}

/// Of what sessions were told.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub(crate) struct NoticeReport {
    /// The row, or what was read, such as `game_event:17` or `user`.
    pub(crate) object: String,
    /// `create`, `update`, `delete` or `again`.
    pub(crate) kind: String,
    /// Sessions that were told of it.
    pub(crate) sessions: u64,
}

/// What one session was told of a transaction.
#[derive(Clone, Debug, Object)]
pub(crate) struct DeliveryReport {
    /// The session's label.
    pub(crate) session: String,
    /// Of what.
    pub(crate) objects: Vec<String>,
    /// `waiting`, `sent`, `confirmed` or `reset`.
    pub(crate) state: String,
    /// From its telling until it was written to a socket.
    pub(crate) sent_us: Option<u64>,
    /// From its telling until its client had handled it.
    pub(crate) confirmed_us: Option<u64>,
}

/// One session.
#[derive(Clone, Debug, Object)]
pub(crate) struct SessionReport {
    /// What it is called here; its id is a secret.
    pub(crate) session: String,
    /// `anonymous` or `known`.
    pub(crate) viewer: String,
    /// `live`, `behind` or `offline`.
    pub(crate) state: String,
    /// Since when it is connected or offline, or when it was seen first: milliseconds since 1970, by
    /// the app's clock. Nothing if it was not seen to do anything.
    pub(crate) since_at_ms: Option<u64>,
    /// Dependencies that it holds.
    pub(crate) subscriptions: u64,
    /// Updates that wait to be written to its socket.
    pub(crate) waiting: u64,
    /// Updates that were written, and that its client has not handled yet.
    pub(crate) unconfirmed: u64,
    /// Bytes that are kept for it.
    pub(crate) outbox_bytes: u64,
    /// The id of the last message that its client has handled, as far as its updates are followed.
    pub(crate) confirmed_up_to: u64,
    /// Updates that were written to its sockets, as far as was seen.
    pub(crate) sent_updates: u64,
    /// Bytes of their frames.
    pub(crate) sent_bytes: u64,
    /// Times that it was told to read everything anew.
    pub(crate) resets: u64,
}

/// Some sessions.
#[derive(Clone, Debug, Object)]
pub(crate) struct Sessions {
    /// Those that something waits for first, then the offline ones, then the live ones.
    pub(crate) sessions: Vec<SessionReport>,
    /// All of them by state.
    pub(crate) counts: SessionCounts,
}

/// One session with what it watches.
#[derive(Clone, Debug, Object)]
pub(crate) struct SessionDetail {
    /// The session.
    pub(crate) session: SessionReport,
    /// What it has read, and what it is told of for that.
    pub(crate) reads: Vec<ReadReport>,
    /// What is done to it, to see how its client bears it.
    pub(crate) mischief: MischiefReport,
}

/// What is done to a session, in development. By default nothing.
#[derive(Clone, Copy, Debug, Default, Object)]
#[oai(default)]
pub(crate) struct MischiefReport {
    /// Milliseconds by which each batch of updates is late.
    pub(crate) delay_ms: u16,
    /// Whether each update is sent twice.
    pub(crate) duplicate: bool,
    /// Whether what its client confirms goes unheard.
    pub(crate) freeze: bool,
}

/// Who watched what at a commit of a recording.
#[derive(Clone, Debug, Object)]
pub(crate) struct RecordedSessions {
    /// The sessions: those first that were told of the commit, and at most fifty.
    pub(crate) sessions: Vec<RecordedSession>,
    /// How many there were.
    pub(crate) all: u64,
}

/// A session at a commit of a recording.
#[derive(Clone, Debug, Object)]
pub(crate) struct RecordedSession {
    /// What it was called.
    pub(crate) session: String,
    /// `anonymous`, `known`, or `not written`.
    pub(crate) viewer: String,
    /// Whether it was told of the commit.
    pub(crate) told: bool,
    /// What it had read, and what it was told of for that.
    pub(crate) reads: Vec<ReadReport>,
    /// Whether it is not known what it watched, as that was more than there was room for.
    pub(crate) left_out: bool,
}

/// One thing that a session has read.
#[derive(Clone, Debug, Object)]
pub(crate) struct ReadReport {
    /// What, such as `user:3` or `game`.
    pub(crate) object: String,
    /// What it is told of for that, in words.
    pub(crate) dependencies: Vec<DependencyReport>,
}

/// One dependency.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub(crate) struct DependencyReport {
    /// In words, such as `GameEvent where player_id = 3`. Values that are no keys are left out.
    pub(crate) words: String,
    /// `declared` if the client named it, `derived` if the answer needed it.
    pub(crate) role: String,
    /// `everything`, `table`, `row` or `value`: how precisely it is matched.
    pub(crate) tier: String,
}

/// A query's answer, what it depends on, and what it ran.
#[derive(Clone, Debug, Object)]
pub(crate) struct Explored {
    /// The status that a client would have.
    pub(crate) status: u16,
    /// The answer that a client would have; a text where that is no JSON.
    pub(crate) answer: Any<Value>,
    /// How long it took.
    pub(crate) took_us: u64,
    /// As whom it was answered: `anonymous` or `known`.
    pub(crate) viewer: String,
    /// The session that watches what was read, if one does.
    pub(crate) session: Option<String>,
    /// What it read, and what each depends on.
    pub(crate) reads: Vec<ReadReport>,
    /// The statements that it ran, in the order in which they ended.
    pub(crate) statements: Vec<StatementReport>,
}

/// A statement that a query ran.
#[derive(Clone, Debug, Object)]
pub(crate) struct StatementReport {
    /// Its text, with places for its values.
    pub(crate) sql: String,
    /// How long the database took, as seen from the app.
    pub(crate) took_us: u64,
    /// Rows that it gave.
    pub(crate) rows: u64,
}

/// Some sessions' dependencies that have the same shape.
#[derive(Clone, Debug, Object)]
pub(crate) struct ShapeReport {
    /// The shape, such as `GameEvent where player_id`.
    pub(crate) shape: String,
    /// As in a dependency.
    pub(crate) tier: String,
    /// As in a dependency.
    pub(crate) role: String,
    /// Dependencies of that shape.
    pub(crate) dependencies: u64,
    /// Sessions that have one.
    pub(crate) sessions: u64,
    /// What it costs, in words.
    pub(crate) cost: String,
}

/// What sessions watch, by shape.
#[derive(Clone, Debug, Object)]
pub(crate) struct Subscriptions {
    /// Those with the most dependencies first.
    pub(crate) shapes: Vec<ShapeReport>,
    /// Sessions that were looked at.
    pub(crate) sessions: u64,
    /// Sessions that there are.
    pub(crate) of: u64,
    /// Dependencies of all sessions.
    pub(crate) dependencies: u64,
}

/// Why a session did, or did not, hear of a row.
#[derive(Clone, Debug, Object)]
pub(crate) struct Why {
    /// A word for it, that does not change: `confirmed`, `sent`, `waiting`, `merged`, `reset`,
    /// `offline`, `not-subscribed`, `filtered`, `denied`, `nothing-visible`, `not-published`,
    /// `identity-too-weak`, `not-reached`, `not-recorded` or `unchanged`.
    pub(crate) answer: String,
    /// The same in a sentence.
    pub(crate) sentence: String,
    /// What that was found out from, a sentence each.
    pub(crate) evidence: Vec<String>,
    /// The transaction that it is about.
    pub(crate) update: Option<u64>,
}

/// The state of every session in one string, for a picture of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Object)]
pub(crate) struct Grid {
    /// A letter for each cell: `l`ive, `b`ehind or `o`ffline. The sessions are in the order in which
    /// they came.
    pub(crate) cells: String,
    /// Sessions of a cell, whose letter is that of the worst of them.
    pub(crate) per_cell: u64,
    /// Sessions that there are.
    pub(crate) sessions: u64,
}

/// The tables that the app exposes.
#[derive(Clone, Debug, Object)]
pub(crate) struct SchemaReport {
    /// The tables, then the virtual ones.
    pub(crate) tables: Vec<TableSchema>,
}

/// One table.
#[derive(Clone, Debug, Object)]
pub(crate) struct TableSchema {
    /// Its name in GraphQL.
    pub(crate) name: String,
    /// Its schema and name in Postgres; nothing if it is virtual.
    pub(crate) table: Option<String>,
    /// The field of a query that reads its pages.
    pub(crate) root: String,
    /// Who sees what of it, in words.
    pub(crate) policy: String,
    /// Its columns.
    pub(crate) columns: Vec<ColumnReport>,
    /// Where its fields lead.
    pub(crate) relations: Vec<RelationReport>,
    /// The fields that the app computes.
    pub(crate) computed: Vec<ComputedReport>,
}

/// One column.
#[derive(Clone, Debug, Object)]
pub(crate) struct ColumnReport {
    /// Its name in GraphQL.
    pub(crate) name: String,
    /// Its type in Postgres.
    pub(crate) sql_type: String,
    /// Whether it is part of the key.
    pub(crate) key: bool,
    /// Whether it may be NULL.
    pub(crate) nullable: bool,
    /// Whether it never leaves the server.
    pub(crate) hidden: bool,
}

/// A field that leads to another table.
#[derive(Clone, Debug, Object)]
pub(crate) struct RelationReport {
    /// Its name.
    pub(crate) name: String,
    /// The other table's name in GraphQL.
    pub(crate) target: String,
    /// Whether it leads to many rows.
    pub(crate) many: bool,
}

/// A field that the app computes.
#[derive(Clone, Debug, Object)]
pub(crate) struct ComputedReport {
    /// Its name.
    pub(crate) name: String,
    /// The columns of its own row that it says it reads.
    pub(crate) reads: Vec<String>,
}

/// How the app stands with Postgres.
#[derive(Clone, Debug, Object)]
pub(crate) struct ReplicationReport {
    /// How the app follows the log, in a sentence.
    pub(crate) health: String,
    /// The server's version.
    pub(crate) server: String,
    /// Up to where the server has written its log (`pg_lsn`).
    pub(crate) written: String,
    /// Up to where every commit was handed to whoever watches what it changed.
    pub(crate) handed_on: String,
    /// Bytes of the log between the two.
    pub(crate) behind: u64,
    /// The slots of this database.
    pub(crate) slots: Vec<SlotReport>,
    /// The tables that are published, and what the log says of their rows.
    pub(crate) tables: Vec<PublishedReport>,
    /// The settings that matter.
    pub(crate) settings: Vec<SettingReport>,
}

/// A replication slot (Postgres manual, `pg_replication_slots`).
#[derive(Clone, Debug, Object)]
pub(crate) struct SlotReport {
    /// Its name.
    pub(crate) name: String,
    /// Whether somebody reads it.
    pub(crate) active: bool,
    /// Whether it is gone with its connection.
    pub(crate) temporary: bool,
    /// Up to where its reader has confirmed.
    pub(crate) confirmed: Option<String>,
    /// Bytes of the log that it holds back.
    pub(crate) held: u64,
    /// Bytes of the log that may still be written until it is lost; nothing if there is no limit.
    pub(crate) left: Option<u64>,
    /// `reserved`, `extended`, `unreserved` or `lost`.
    pub(crate) state: Option<String>,
}

/// A table that is published.
#[derive(Clone, Debug, Object)]
pub(crate) struct PublishedReport {
    /// Its schema and name.
    pub(crate) name: String,
    /// `key`, `full`, `index` or `nothing`: what the log says of a row before its change.
    pub(crate) identity: String,
    /// Whether it is in the publication.
    pub(crate) published: bool,
}

/// A setting of the server.
#[derive(Clone, Debug, Object)]
pub(crate) struct SettingReport {
    /// Its name.
    pub(crate) name: String,
    /// Its value, as `SHOW` has it.
    pub(crate) value: String,
}
