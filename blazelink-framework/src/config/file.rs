//! `Blazelink.toml`, and the environment, which goes before it: how they make a [`Config`].
//!
//! Called by [`Config::load`]. An unknown key or a value of the wrong kind is an error that names
//! it, and no error quotes a value: it may be the database's password.

use std::borrow::Cow;
use std::net::{IpAddr, SocketAddr};
use std::num::{NonZeroU32, NonZeroU64};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blazelink_codes::{Code, limits};
use serde::Deserialize;

use super::{
    ClientLimits, Config, DebuggerAt, DebuggerConfig, DebuggerKey, DebuggerRole, Environment, FILE,
    MetricsAt, SlotMode,
};
use crate::error::{Error, ErrorKind, Result};

/// The state folder in development, in the project's.
const STATE: &str = ".blazelink";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    app: AppSection,
    database: DatabaseSection,
    server: ServerSection,
    debugger: DebuggerSection,
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
    metrics: Option<String>,
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
    ready_lag_seconds: Option<NonZeroU32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DebuggerSection {
    listen: Option<SocketAddr>,
    bytes: Option<usize>,
    values: bool,
    sample: Option<NonZeroU32>,
    role: Option<DebuggerRole>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ReplicationSection {
    url: Option<String>,
    slot: Option<String>,
}

/// The settings of the project in `folder`, with the paths as they are written.
pub(super) fn read(folder: &Path, default_name: &str) -> Result<Config> {
    resolve(open(folder)?, default_name, |name| std::env::var(name).ok())
}

/// What the file in `folder` says for a test on this database: nothing that leads elsewhere.
#[cfg(feature = "test")]
pub(super) fn read_for_test(folder: &Path, url: &str) -> Result<Config> {
    let mut file = open(folder)?;
    file.database = DatabaseSection::default();
    file.replication = ReplicationSection::default();
    file.server.host = None;
    file.server.state = None;
    file.server.metrics = None;
    file.debugger = DebuggerSection::default();
    resolve(file, "test", |name| {
        (name == "DATABASE_URL").then(|| url.to_owned())
    })
}

/// The file in `folder`; an empty one, if there is none.
fn open(folder: &Path) -> Result<File> {
    match std::fs::read_to_string(folder.join(FILE)) {
        Ok(text) => parse(&text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(File::default()),
        Err(error) => {
            let sentence = format!("{FILE} cannot be read");
            Err(setup(Code::ConfigInvalid, sentence).with_source(error))
        }
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
        .with_hint("see docs/settings.md of Blazelink, which lists every setting")
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
    config.metrics = match (variable("BLAZELINK_METRICS"), file.server.metrics) {
        (Some(text), _) => metrics_at(&text, "BLAZELINK_METRICS")?,
        (None, Some(text)) => metrics_at(&text, "[server] metrics")?,
        (None, None) => None,
    };
    config.debugger = debugger(file.debugger, &variable)?;
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
            ready_lag: self.ready_lag_seconds.map_or(default.ready_lag, |seconds| {
                Duration::from_secs(seconds.get().into())
            }),
        }
    }
}

/// Where metrics are served, as a setting says it.
fn metrics_at(text: &str, setting: &str) -> Result<Option<MetricsAt>> {
    match text {
        "" => Ok(None),
        "app" => Ok(Some(MetricsAt::App)),
        address => match address.parse() {
            Ok(address) => Ok(Some(MetricsAt::Address(address))),
            Err(_) => Err(bad_variable(setting, "an address with a port, or \"app\"")
                .with_hint("set 127.0.0.1:9464, and have Prometheus read /metrics there")),
        },
    }
}

/// What the debugger is like.
fn debugger(
    section: DebuggerSection,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<DebuggerConfig> {
    Ok(DebuggerConfig {
        at: debugger_at(section.listen, section.role, variable)?,
        bytes: section.bytes.unwrap_or(limits::DEBUGGER_BYTES),
        values: section.values,
        sample: section.sample,
    })
}

/// Where the debugger is asked.
fn debugger_at(
    listen: Option<SocketAddr>,
    role: Option<DebuggerRole>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<DebuggerAt>> {
    const KEY: &str = "BLAZELINK_DEBUGGER_KEY";
    let listen = match variable("BLAZELINK_DEBUGGER") {
        Some(none) if none.is_empty() => None,
        Some(text) => Some(text.parse().map_err(|_| {
            bad_variable("BLAZELINK_DEBUGGER", "an address with a port")
                .with_hint("set 127.0.0.1:9000, or nothing for no debugger")
        })?),
        None => listen,
    };
    let Some(listen) = listen else {
        return Ok(None);
    };
    let key = variable(KEY).and_then(|key| DebuggerKey::new(&key));
    let key = key.ok_or_else(|| {
        let shortest = DebuggerKey::SHORTEST;
        bad_variable(KEY, &format!("a key of {shortest} characters or more")).with_hint(format!(
            "{KEY}=$(openssl rand -hex 16), or set no address for the debugger"
        ))
    })?;
    Ok(Some(DebuggerAt {
        listen,
        listener: None,
        key,
        role,
    }))
}

/// What a variable lists, separated by commas.
fn list(text: String) -> Vec<String> {
    let items = text.split(',').map(str::trim);
    items
        .filter(|item| !item.is_empty())
        .map(str::to_owned)
        .collect()
}

fn setup(code: Code, sentence: impl Into<Cow<'static, str>>) -> Error {
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
    fn the_debugger_is_nowhere_unless_an_address_and_a_key_are_named() {
        let debugger = |file: &str, variables: &[(&str, &str)]| {
            let mut all = vec![("DATABASE_URL", "postgres://a")];
            all.extend(variables);
            load(file, &all).map(|config| config.debugger)
        };
        let file = "[debugger]\nlisten = '127.0.0.1:9000'\nvalues = true";
        let key = ("BLAZELINK_DEBUGGER_KEY", "0123456789abcdef");
        assert!(debugger("", &[key]).unwrap().at.is_none());
        let config = debugger(file, &[key]).unwrap();
        assert!(config.values && config.bytes == limits::DEBUGGER_BYTES);
        assert_eq!(config.sample, None);
        let at = config.at.unwrap();
        assert_eq!(at.listen, SocketAddr::from(([127, 0, 0, 1], 9000)));
        assert_eq!(at.role, None);
        assert!(!format!("{at:?}").contains("abcdef"));
        let none = debugger(file, &[key, ("BLAZELINK_DEBUGGER", "")]).unwrap();
        assert!(none.at.is_none());
        let more = format!("{file}\nsample = 4\nrole = 'operator'");
        let config = debugger(&more, &[key]).unwrap();
        assert_eq!(config.sample, NonZeroU32::new(4));
        assert_eq!(config.at.unwrap().role, Some(DebuggerRole::Operator));
        for wrong in ["sample = 0", "role = 'owner'"] {
            let refused = debugger(&format!("{file}\n{wrong}"), &[key]).unwrap_err();
            assert!(refused.to_string().contains("line 4"), "{refused}");
        }
        for variables in [&[][..], &[("BLAZELINK_DEBUGGER_KEY", "short")]] {
            let refused = debugger(file, variables).unwrap_err();
            let sentence = "BLAZELINK_DEBUGGER_KEY is not a key of 16 characters or more";
            assert_eq!(refused.sentence(), sentence);
        }
    }

    #[test]
    fn metrics_are_nowhere_unless_an_address_or_the_app_is_named() {
        let metrics = |file: &str, variable: Option<&str>| {
            let mut variables = vec![("DATABASE_URL", "postgres://a")];
            variables.extend(variable.map(|text| ("BLAZELINK_METRICS", text)));
            load(file, &variables).map(|config| config.metrics)
        };
        let address = MetricsAt::Address(SocketAddr::from(([127, 0, 0, 1], 9464)));
        let file = "[server]\nmetrics = 'app'";
        assert_eq!(metrics("", None).unwrap(), None);
        assert_eq!(metrics(file, None).unwrap(), Some(MetricsAt::App));
        let named = metrics(file, Some("127.0.0.1:9464"));
        assert_eq!(named.unwrap(), Some(address));
        assert_eq!(metrics(file, Some("")).unwrap(), None);
        let refused = metrics("[server]\nmetrics = 'yes'", None).unwrap_err();
        let sentence = "[server] metrics is not an address with a port, or \"app\"";
        assert_eq!(refused.sentence(), sentence);
    }

    #[test]
    fn limits_of_queries_are_settings() {
        let limits = |text: &str| {
            let file = format!("[database]\nurl = 'x'\n[limits]\n{text}");
            load(&file, &[]).map(|config| config.limits)
        };
        let file = "query_depth = 3\nquery_fields = 4\nquery_aliases = 5\npage_size = 6\n\
                    answer_rows = 7\nstatement_seconds = 8\nready_lag_seconds = 9";
        let expected = ClientLimits {
            query_depth: 3,
            query_fields: 4,
            query_aliases: 5,
            page_size: 6,
            answer_rows: 7,
            statement_timeout: Duration::from_secs(8),
            ready_lag: Duration::from_secs(9),
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
    fn a_missing_database_says_what_to_type() {
        let error = load("", &[]).unwrap_err();
        assert_eq!(error.code(), Code::ConfigMissing);
        assert!(
            error
                .hint()
                .is_some_and(|hint| hint.contains("blazelink dev"))
        );
    }

    #[cfg(feature = "test")]
    #[test]
    fn test_meets_nothing_that_is_not_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[app]\nname = 'game'\n\
                    [database]\nurl = 'postgres://a'\nread_url = 'postgres://b'\n\
                    [replication]\nurl = 'postgres://c'\nslot = 'durable'\n\
                    [server]\nhost = '0.0.0.0'\nport = 80\nstate = 'state'\n\
                    hosts = ['example.com']\n[limits]\npage_size = 7\n";
        std::fs::write(folder.path().join(FILE), text).unwrap();
        let config = Config::for_test(folder.path(), "postgres://test").unwrap();
        assert_eq!(config.database_url, "postgres://test");
        assert_eq!((config.read_url, config.replication_url), (None, None));
        assert_eq!(config.slot, SlotMode::Temporary);
        assert_eq!(config.environment, Environment::Production);
        assert_eq!(config.listen, SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!((config.state, config.events), (None, None));
        assert_eq!(config.folder, folder.path());
        let holds = (
            config.app.as_str(),
            config.limits.page_size,
            config.hosts.len(),
        );
        assert_eq!(holds, ("game", 7, 1));
    }
}
