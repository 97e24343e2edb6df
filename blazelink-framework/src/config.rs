//! `Config`: the settings of one app.
//!
//! Read once by [`run`](crate::run) before anything starts (`file`); tests build one by hand.

mod file;

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::limits;
pub use blazelink_migrations::SlotMode;
use serde::Deserialize;

use crate::dev::DevChannel;
use crate::error::Result;

/// Name of the settings file in the project's folder.
pub const FILE: &str = "Blazelink.toml";

/// Whether the app serves its developer or the public.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Environment {
    /// `BLAZELINK_ENV=development`, set by `blazelink dev` and by tests: the publication is kept
    /// in step with the exposed tables without asking, and everybody sees tables of which nothing
    /// is said.
    Development,
    /// Everything else: what differs is refused with the SQL that mends it, and nobody sees anything
    /// of a table of which nothing is said.
    #[default]
    Production,
}

/// Where metrics are served, at `/metrics`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsAt {
    /// Where the app is, behind its doors: whoever may ask the app reads them (`"app"`).
    App,
    /// At an address of their own, in front of the doors, such as `"127.0.0.1:9464"`.
    Address(SocketAddr),
}

/// What the debugger is like, where there is one (`[debugger]`): at an address of its own, or below a
/// path of the app's ([`Builder::debugger`](crate::Builder::debugger)).
#[derive(Clone, Debug)]
pub struct DebuggerConfig {
    /// Where it is asked; at no address of its own by default.
    pub at: Option<DebuggerAt>,
    /// Bytes of the transactions that it remembers (`bytes`).
    pub bytes: usize,
    /// Whether it shows values of rows (`values`); by default it does not.
    pub values: bool,
    /// Of so many transactions it follows one however it goes, and of the others those only of which
    /// something out of the ordinary comes: somebody is denied a row, or not told as it was
    /// (`sample`). By default all in development, and one in eight in production.
    pub sample: Option<NonZeroU32>,
}

impl Default for DebuggerConfig {
    fn default() -> Self {
        DebuggerConfig {
            at: None,
            bytes: limits::DEBUGGER_BYTES,
            values: false,
            sample: None,
        }
    }
}

/// Where the debugger is asked, and by whom.
#[derive(Clone, Debug)]
pub struct DebuggerAt {
    /// The address, which is best one of this machine's own (`[debugger] listen`,
    /// `BLAZELINK_DEBUGGER`).
    pub listen: SocketAddr,
    /// A socket that listens on that address already.
    pub listener: Option<Arc<TcpListener>>,
    /// What whoever asks must know (`BLAZELINK_DEBUGGER_KEY`, and never in a file).
    pub key: DebuggerKey,
    /// What whoever knows it may do (`[debugger] role`). By default everything in development, and
    /// look in production.
    pub role: Option<DebuggerRole>,
}

/// What somebody may do in the debugger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DebuggerRole {
    /// Look, and pin what is to be remembered.
    Reader,
    /// Also record, choose how much is followed, disconnect sessions; in development also make
    /// trouble. What is done is in the app's log, with who has done it.
    Operator,
}

impl DebuggerRole {
    /// See [`DebuggerAt::role`].
    pub(crate) fn usual(environment: Environment) -> DebuggerRole {
        match environment {
            Environment::Development => DebuggerRole::Operator,
            Environment::Production => DebuggerRole::Reader,
        }
    }
}

/// A secret. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct DebuggerKey(pub(crate) Arc<str>);

impl DebuggerKey {
    /// The shortest that a key may be.
    pub const SHORTEST: usize = 16;

    /// This text as a key; nothing if it is shorter than [`DebuggerKey::SHORTEST`].
    pub fn new(text: &str) -> Option<DebuggerKey> {
        (text.len() >= DebuggerKey::SHORTEST).then(|| DebuggerKey(text.into()))
    }
}

impl fmt::Debug for DebuggerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DebuggerKey(..)")
    }
}

/// How much clients may use of the server (`[limits]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientLimits {
    /// Sessions of the whole process (`sessions`).
    pub sessions: usize,
    /// Sessions begun from one address (`sessions_per_address`). Behind a proxy every client has
    /// the proxy's address.
    pub sessions_per_address: usize,
    /// Messages that a client may send over its socket, besides confirmations of what it was sent
    /// (`messages_per_second`); at least 1.
    pub messages_per_second: u32,
    /// Dependencies that one session may hold (`subscriptions_per_session`).
    pub subscriptions_per_session: usize,
    /// Bytes of a frame that a client may send (`frame_bytes`).
    pub frame_bytes: usize,
    /// Bytes of the body of a GraphQL request (`body_bytes`).
    pub body_bytes: usize,
    /// Bytes of the journal in the state folder (`journal_bytes`).
    pub journal_bytes: usize,
    /// How long one call of a computed field may take (`field_timeout_ms`, at least 1).
    pub field_timeout: Duration,
    /// Levels of fields in a GraphQL request (`query_depth`).
    pub query_depth: usize,
    /// Fields of a GraphQL request (`query_fields`).
    pub query_fields: usize,
    /// Fields of a GraphQL request that it names anew (`query_aliases`).
    pub query_aliases: usize,
    /// Rows of one page (`page_size`).
    pub page_size: u32,
    /// Rows of all pages of an answer, each counted at its full size (`answer_rows`).
    pub answer_rows: usize,
    /// How long one statement of the pool may take (`statement_seconds`); zero for no limit.
    pub statement_timeout: Duration,
    /// How late commits may be told before the app says that it is not ready (`ready_lag_seconds`,
    /// at least 1).
    pub ready_lag: Duration,
}

impl Default for ClientLimits {
    fn default() -> Self {
        ClientLimits {
            sessions: limits::SESSIONS,
            sessions_per_address: limits::SESSIONS_PER_ADDRESS,
            messages_per_second: limits::MESSAGES_PER_SECOND,
            subscriptions_per_session: limits::SUBSCRIPTIONS_PER_SESSION,
            frame_bytes: limits::FRAME_BYTES,
            body_bytes: limits::BODY_BYTES,
            journal_bytes: limits::JOURNAL_BYTES,
            field_timeout: limits::FIELD_TIMEOUT,
            query_depth: limits::QUERY_DEPTH,
            query_fields: limits::QUERY_COMPLEXITY,
            query_aliases: limits::QUERY_ALIASES,
            page_size: u32::try_from(limits::PAGE_SIZE).unwrap_or(u32::MAX),
            answer_rows: limits::ANSWER_ROWS,
            statement_timeout: limits::STATEMENT_TIMEOUT,
            ready_lag: limits::READY_LAG,
        }
    }
}

/// The settings of one app. `Debug` shows none of the connection strings.
#[derive(Clone)]
#[non_exhaustive]
pub struct Config {
    /// The app's name: part of the slot's name and of `application_name`.
    pub app: String,
    /// Where the database is (`[database] url`, `DATABASE_URL`). Holds a password: never logged.
    pub database_url: String,
    /// Where computed fields read, if that is another role than the rest of the app has, such as one
    /// that may only SELECT (`[database] read_url`, `BLAZELINK_READ_URL`). The same database, or
    /// one that is never behind it.
    pub read_url: Option<String>,
    /// Where the replication connection goes, if a pooler stands before the database
    /// (`[replication] url`, `BLAZELINK_REPLICATION_URL`).
    pub replication_url: Option<String>,
    /// How the slot lives.
    pub slot: SlotMode,
    /// Who is served.
    pub environment: Environment,
    /// Where to listen (`[server] host` and `port`, `BLAZELINK_HOST` and `BLAZELINK_PORT`).
    pub listen: SocketAddr,
    /// A socket that listens on that address already, to be served instead of one of our own:
    /// whoever started the app holds it too and may hand it to the next one.
    pub listener: Option<Arc<TcpListener>>,
    /// Names of the server besides the address it listens on and the loopback names, without port
    /// (`[server] hosts`, `BLAZELINK_HOSTS`).
    pub hosts: Vec<String>,
    /// Origins whose pages may use the server besides its own, such as `https://app.example.com`
    /// (`[server] origins`, `BLAZELINK_ORIGINS`). In development every port of this machine may.
    pub origins: Vec<String>,
    /// Where Prometheus reads the app's metrics (`[server] metrics`, `BLAZELINK_METRICS`); nowhere by
    /// default. Needs the feature `metrics`.
    pub metrics: Option<MetricsAt>,
    /// What the debugger is like. By default there is none, and nothing is recorded.
    pub debugger: DebuggerConfig,
    /// How much clients may use.
    pub limits: ClientLimits,
    /// The project's folder, in which templates and static files lie.
    pub folder: PathBuf,
    /// The folder in which the app keeps what is to outlive it (`[server] state`,
    /// `BLAZELINK_STATE`); one app per folder. Without one, clients of the original that were
    /// connected before a restart hear of nothing after it. [`Config::load`] names `.blazelink`
    /// in the project's folder in development, and none in production.
    pub state: Option<PathBuf>,
    /// Connections of the pool that answers queries, and of the one that computed fields read
    /// through (`[database] pool`).
    pub pool: u32,
    /// File to which one JSON object per line is written when the app is ready
    /// (`BLAZELINK_EVENTS`); how `blazelink dev` knows.
    pub events: Option<PathBuf>,
    /// What `blazelink dev` tells open pages through the app, if that has started it. Such an app's
    /// pages show what does not compile, and load again when their template changes.
    pub dev: Option<DevChannel>,
    /// Whether commits wait until a new snapshot sees them. Only the test that counts what goes
    /// wrong without the gate switches it off.
    #[doc(hidden)]
    pub visibility_gate: bool,
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("app", &self.app)
            .field("slot", &self.slot)
            .field("environment", &self.environment)
            .field("listen", &self.listen)
            .field("hosts", &self.hosts)
            .field("origins", &self.origins)
            .field("metrics", &self.metrics)
            .field("debugger", &self.debugger)
            .field("limits", &self.limits)
            .field("folder", &self.folder)
            .field("state", &self.state)
            .field("pool", &self.pool)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

impl Config {
    /// Settings for an app of this name on this database, everything else by default: port 8000
    /// on the loopback address, a durable slot, production.
    pub fn new(app: impl Into<String>, database_url: impl Into<String>) -> Config {
        Config {
            app: app.into(),
            database_url: database_url.into(),
            read_url: None,
            replication_url: None,
            slot: SlotMode::default(),
            environment: Environment::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8000)),
            listener: None,
            hosts: Vec::new(),
            origins: Vec::new(),
            metrics: None,
            debugger: DebuggerConfig::default(),
            limits: ClientLimits::default(),
            folder: PathBuf::from("."),
            state: None,
            pool: 10,
            events: None,
            dev: None,
            visibility_gate: true,
        }
    }

    /// The settings of the project in `folder`: `Blazelink.toml` if it is there, then the
    /// environment.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, holds an unknown key or a value of the wrong kind, if an
    /// environment variable has one, or if no database is named anywhere.
    pub fn load(folder: &Path, default_name: &str) -> Result<Config> {
        let mut config = file::read(folder, default_name)?;
        config.state = config.state.map(|state| folder.join(state));
        config.folder = folder.to_owned();
        Ok(config)
    }

    /// The settings of the project in `folder` for a test on this database: production's, as
    /// `Blazelink.toml` says them. Neither the environment nor what the file says of databases,
    /// addresses and state counts, so that no test meets what is not its own.
    #[cfg(feature = "test")]
    pub(crate) fn for_test(folder: &Path, url: &str) -> Result<Config> {
        let mut config = file::read_for_test(folder, url)?;
        config.slot = SlotMode::Temporary;
        config.listen.set_port(0);
        config.folder = folder.to_owned();
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_output_holds_no_password() {
        let mut config = Config::new("a", "postgres://u:secret@h");
        config.replication_url = Some("postgres://u:secret@h".to_owned());
        config.read_url = Some("postgres://u:secret@h".to_owned());
        assert!(!format!("{config:?}").contains("secret"));
    }
}
