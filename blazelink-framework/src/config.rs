//! Where the app's settings come from: `Blazelink.toml`, then the environment, which wins.
//!
//! Read once by [`run`](crate::run) before anything starts; tests build a [`Config`] by hand. An
//! unknown key or a value of the wrong kind is an error that names it, never a silent default.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::{Code, limits};
pub use blazelink_migrations::SlotMode;
use serde::Deserialize;

use crate::dev::DevChannel;
use crate::error::{Error, ErrorKind, Result};

/// Name of the settings file in the project's folder.
pub const FILE: &str = "Blazelink.toml";

/// The state folder in development, in the project's.
const STATE: &str = ".blazelink";

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
            .field("limits", &self.limits)
            .field("folder", &self.folder)
            .field("state", &self.state)
            .field("pool", &self.pool)
            .field("events", &self.events)
            .finish_non_exhaustive()
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    app: AppSection,
    database: DatabaseSection,
    server: ServerSection,
    limits: LimitsSection,
    replication: ReplicationSection,
    // What `blazelink dev` reads; the app has no use for it.
    #[serde(rename = "dev")]
    _dev: Option<toml::Table>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AppSection {
    name: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DatabaseSection {
    url: Option<String>,
    read_url: Option<String>,
    pool: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ServerSection {
    host: Option<IpAddr>,
    port: Option<u16>,
    state: Option<PathBuf>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsSection {
    sessions: Option<usize>,
    sessions_per_address: Option<usize>,
    messages_per_second: Option<NonZeroU32>,
    subscriptions_per_session: Option<usize>,
    frame_bytes: Option<usize>,
    body_bytes: Option<usize>,
    journal_bytes: Option<usize>,
    field_timeout_ms: Option<NonZeroU64>,
    query_depth: Option<usize>,
    query_fields: Option<usize>,
    query_aliases: Option<usize>,
    page_size: Option<u32>,
    answer_rows: Option<usize>,
    statement_seconds: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplicationSection {
    url: Option<String>,
    slot: Option<String>,
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
        let file = match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => parse(&text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => File::default(),
            Err(error) => {
                let sentence = format!("{FILE} cannot be read");
                return Err(setup(Code::ConfigInvalid, sentence).with_source(error));
            }
        };
        let mut config = resolve(file, default_name, |name| std::env::var(name).ok())?;
        config.state = config.state.map(|state| folder.join(state));
        config.folder = folder.to_owned();
        Ok(config)
    }
}

fn parse(text: &str) -> Result<File> {
    toml::from_str(text).map_err(|error| {
        // toml's text quotes the line it stumbled over, which may hold the database's password.
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = 1 + before.unwrap_or_default().matches('\n').count();
        setup(
            Code::ConfigInvalid,
            format!("{FILE}, line {line}: {}", error.message()),
        )
        .with_hint("see the list of settings in the README")
    })
}

fn resolve(
    file: File,
    default_name: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Config> {
    let url = variable("DATABASE_URL")
        .or(file.database.url)
        .ok_or_else(|| {
            setup(Code::ConfigMissing, "No database is named").with_hint(format!(
            "run `blazelink dev`, which brings its own, or set DATABASE_URL or [database] url in \
             {FILE}"
        ))
        })?;
    let mut config = Config::new(
        file.app.name.unwrap_or_else(|| default_name.to_owned()),
        url,
    );
    config.read_url = variable("BLAZELINK_READ_URL").or(file.database.read_url);
    config.replication_url = variable("BLAZELINK_REPLICATION_URL").or(file.replication.url);
    config.slot = match (variable("BLAZELINK_SLOT"), file.replication.slot) {
        (Some(name), _) => SlotMode::parse(&name, "BLAZELINK_SLOT")?,
        (None, Some(name)) => SlotMode::parse(&name, "[replication] slot")?,
        (None, None) => SlotMode::default(),
    };
    config.environment = match variable("BLAZELINK_ENV").as_deref() {
        None | Some("production") => Environment::Production,
        Some("development") => Environment::Development,
        Some(_) => return Err(bad_variable("BLAZELINK_ENV", "development or production")),
    };
    let host = match variable("BLAZELINK_HOST") {
        Some(text) => text
            .parse()
            .map_err(|_| bad_variable("BLAZELINK_HOST", "an address"))?,
        None => file.server.host.unwrap_or(config.listen.ip()),
    };
    let port = match variable("BLAZELINK_PORT") {
        Some(text) => text
            .parse()
            .map_err(|_| bad_variable("BLAZELINK_PORT", "a port"))?,
        None => file.server.port.unwrap_or(config.listen.port()),
    };
    config.listen = SocketAddr::new(host, port);
    config.state = match variable("BLAZELINK_STATE").map(PathBuf::from) {
        Some(none) if none.as_os_str().is_empty() => None,
        Some(state) => Some(state),
        None => file.server.state.or_else(|| {
            let developing = config.environment == Environment::Development;
            developing.then(|| PathBuf::from(STATE))
        }),
    };
    config.hosts = variable("BLAZELINK_HOSTS").map_or(file.server.hosts, list);
    config.origins = variable("BLAZELINK_ORIGINS").map_or(file.server.origins, list);
    config.limits = file.limits.resolve();
    if config.limits.query_depth > limits::QUERY_DEPTH_SETTING {
        let sentence = format!(
            "[limits] query_depth is more than {}",
            limits::QUERY_DEPTH_SETTING
        );
        return Err(setup(Code::ConfigInvalid, sentence).with_hint("set a smaller one"));
    }
    config.pool = file.database.pool.unwrap_or(config.pool).max(2);
    config.events = variable("BLAZELINK_EVENTS").map(PathBuf::from);
    Ok(config)
}

impl LimitsSection {
    fn resolve(self) -> ClientLimits {
        let default = ClientLimits::default();
        ClientLimits {
            sessions: self.sessions.unwrap_or(default.sessions),
            sessions_per_address: self
                .sessions_per_address
                .unwrap_or(default.sessions_per_address),
            messages_per_second: self
                .messages_per_second
                .map_or(default.messages_per_second, NonZeroU32::get),
            subscriptions_per_session: self
                .subscriptions_per_session
                .unwrap_or(default.subscriptions_per_session),
            frame_bytes: self.frame_bytes.unwrap_or(default.frame_bytes),
            body_bytes: self.body_bytes.unwrap_or(default.body_bytes),
            journal_bytes: self.journal_bytes.unwrap_or(default.journal_bytes),
            field_timeout: self
                .field_timeout_ms
                .map_or(default.field_timeout, |millis| {
                    Duration::from_millis(millis.get())
                }),
            query_depth: self.query_depth.unwrap_or(default.query_depth),
            query_fields: self.query_fields.unwrap_or(default.query_fields),
            query_aliases: self.query_aliases.unwrap_or(default.query_aliases),
            page_size: self.page_size.unwrap_or(default.page_size),
            answer_rows: self.answer_rows.unwrap_or(default.answer_rows),
            statement_timeout: self
                .statement_seconds
                .map_or(default.statement_timeout, |seconds| {
                    Duration::from_secs(seconds.into())
                }),
        }
    }
}

/// What a variable lists, separated by commas.
fn list(text: String) -> Vec<String> {
    let items = text.split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn setup(code: Code, sentence: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::Setup, code, sentence)
}

fn bad_variable(name: &str, wanted: &str) -> Error {
    setup(Code::ConfigInvalid, format!("{name} is not {wanted}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn load(text: &str, variables: &[(&str, &str)]) -> Result<Config> {
        resolve(parse(text)?, "shooter", |name| {
            variables
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    /// The original's client knows no other port.
    #[test]
    fn an_app_listens_on_port_8000_unless_it_is_told_otherwise() {
        let config = load("", &[("DATABASE_URL", "postgres://a")]);
        let config = config.expect("a database is named");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    }

    #[test]
    fn the_environment_wins_over_the_file() {
        let file = "[database]\nurl = 'postgres://a'\n[server]\nport = 9000\n\
                    [replication]\nslot = 'temporary'";
        let config = load(
            file,
            &[("DATABASE_URL", "postgres://b"), ("BLAZELINK_PORT", "9001")],
        );
        let config = config.expect("both are well formed");
        assert_eq!(config.database_url, "postgres://b");
        assert_eq!(config.listen.to_string(), "127.0.0.1:9001");
        assert_eq!(config.slot, SlotMode::Temporary);
        assert_eq!(config.environment, Environment::Production);
        assert_eq!(config.app, "shooter");
    }

    #[test]
    fn state_is_kept_in_development_and_where_a_folder_is_named() {
        let state = |file, env, named: Option<&str>| {
            let mut variables = vec![("DATABASE_URL", "postgres://a"), ("BLAZELINK_ENV", env)];
            variables.extend(named.map(|folder| ("BLAZELINK_STATE", folder)));
            load(file, &variables).unwrap().state
        };
        let file = "[server]\nstate = 'a'";
        for (file, env, named, expected) in [
            ("", "production", None, None),
            ("", "development", None, Some(".blazelink")),
            ("", "development", Some(""), None),
            (file, "production", None, Some("a")),
            (file, "development", Some("/b"), Some("/b")),
        ] {
            assert_eq!(state(file, env, named), expected.map(PathBuf::from));
        }
    }

    #[test]
    fn lists_come_from_the_file_or_separated_by_commas_from_the_environment() {
        let file = "[database]\nurl = 'x'\n[server]\nhosts = ['a.example']\n\
                    origins = ['https://a.example']\n[limits]\nsessions = 7\n\
                    journal_bytes = 8";
        let config = load(file, &[("BLAZELINK_HOSTS", "b.example, c.example,")]).unwrap();
        assert_eq!(config.hosts, ["b.example", "c.example"]);
        assert_eq!(config.origins, ["https://a.example"]);
        let expected = ClientLimits {
            sessions: 7,
            journal_bytes: 8,
            ..ClientLimits::default()
        };
        assert_eq!(config.limits, expected);
        let error = load("[limits]\nmessages_per_second = 0", &[]).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }

    #[test]
    fn limits_of_queries_are_settings() {
        let limits = |text: &str| {
            let file = format!("[database]\nurl = 'x'\n[limits]\n{text}");
            load(&file, &[]).map(|config| config.limits)
        };
        let file = "query_depth = 3\nquery_fields = 4\nquery_aliases = 5\npage_size = 6\n\
                    answer_rows = 7\nstatement_seconds = 8";
        let expected = ClientLimits {
            query_depth: 3,
            query_fields: 4,
            query_aliases: 5,
            page_size: 6,
            answer_rows: 7,
            statement_timeout: Duration::from_secs(8),
            ..ClientLimits::default()
        };
        assert_eq!(limits(file).unwrap(), expected);
        assert!(limits("query_depth = 128").is_ok());
        let error = limits("query_depth = 129").unwrap_err();
        assert_eq!(error.sentence(), "[limits] query_depth is more than 128");
    }

    #[test]
    fn unknown_keys_and_wrong_kinds_are_named_with_their_line_and_without_values() {
        let error = load("[database]\nurl = 'postgres://u:secret@h'\nurls = 1", &[]).unwrap_err();
        assert!(error.to_string().contains("line 3"), "{error}");
        assert!(error.to_string().contains("urls"), "{error}");
        assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        let error = load("", &[("DATABASE_URL", "x"), ("BLAZELINK_ENV", "dev")]).unwrap_err();
        assert_eq!(
            error.sentence(),
            "BLAZELINK_ENV is not development or production"
        );
    }

    #[test]
    fn debug_output_holds_no_password() {
        let mut config = Config::new("a", "postgres://u:secret@h");
        config.replication_url = Some("postgres://u:secret@h".to_owned());
        config.read_url = Some("postgres://u:secret@h".to_owned());
        assert!(!format!("{config:?}").contains("secret"));
    }

    #[test]
    fn a_missing_database_says_what_to_type() {
        let error = load("", &[]).unwrap_err();
        assert_eq!(error.code(), Code::ConfigMissing);
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("blazelink dev"))
        );
    }
}
