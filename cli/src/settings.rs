//! What the developer has set: `Blazelink.toml` in the project, and over it the environment.
//!
//! The framework reads the same file; a key that neither knows is an error here, so that a typing
//! mistake does not go unnoticed.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::project::Project;

/// Where the app listens unless something else is said.
const PORT: u16 = 8000;

/// The settings that `dev` acts on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The user's own server. None: the private Postgres.
    pub(crate) database: Option<Supplied>,
    /// The port to begin with.
    pub(crate) port: u16,
    /// Where to listen.
    pub(crate) host: IpAddr,
    /// Further names by which browsers find the server.
    pub(crate) hosts: Vec<String>,
    /// Whether an empty database is seeded.
    pub(crate) seed: bool,
    /// Whether the kind of the replication slot was chosen, so that `dev` has no say in it.
    pub(crate) slot_chosen: bool,
}

/// A database that the user supplied. Its URL may hold a password and is never shown.
#[derive(PartialEq, Eq)]
pub(crate) struct Supplied {
    pub(crate) url: String,
    pub(crate) from: Source,
}

/// Where a setting was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Environment,
    File,
    CommandLine,
}

impl std::fmt::Debug for Supplied {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supplied")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// The whole file. What is marked as the framework's is read by the framework, and checked there.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    /// The framework's.
    #[serde(rename = "app")]
    _app: App,
    database: Database,
    server: Server,
    /// The framework's.
    #[serde(rename = "debugger")]
    _debugger: Option<toml::Table>,
    /// The framework's.
    #[serde(rename = "limits")]
    _limits: Option<toml::Table>,
    replication: Replication,
    dev: Dev,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct App {
    /// The framework's.
    #[serde(rename = "name")]
    _name: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Database {
    url: Option<String>,
    /// The framework's.
    #[serde(rename = "read_url")]
    _read_url: Option<toml::Value>,
    #[serde(rename = "pool")]
    _pool: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Server {
    port: Option<u16>,
    host: Option<IpAddr>,
    hosts: Vec<String>,
    /// The framework's.
    #[serde(rename = "state")]
    _state: Option<toml::Value>,
    /// The framework's.
    #[serde(rename = "origins")]
    _origins: Option<toml::Value>,
    /// The framework's.
    #[serde(rename = "metrics")]
    _metrics: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Replication {
    slot: Option<toml::Value>,
    /// The framework's.
    #[serde(rename = "url")]
    _url: Option<toml::Value>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Dev {
    seed: Option<bool>,
}

impl Settings {
    /// The settings of a project, with this process' environment.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub(crate) fn of(project: &Project) -> Result<Settings> {
        Settings::read(&project.folder, None, |name| std::env::var_os(name))
    }

    /// Refuses what is for the private Postgres alone where the user has a database of their own.
    ///
    /// # Errors
    /// [`Code::NotPrivate`], naming `verb`.
    pub(crate) fn require_private(&self, verb: &str) -> Result<()> {
        let Some(supplied) = &self.database else {
            return Ok(());
        };
        let (where_from, hint) = match supplied.from {
            Source::Environment => ("DATABASE_URL", "unset DATABASE_URL"),
            Source::File => (
                "[database] url in Blazelink.toml",
                "take [database] url out of Blazelink.toml",
            ),
            Source::CommandLine => ("`--db`", "leave `--db` out"),
        };
        let sentence = format!(
            "`blazelink {verb}` is for the private Postgres, and {where_from} names a database of \
             your own"
        );
        Err(Error::new(ErrorKind::Setup, Code::NotPrivate, sentence).with_hint(hint))
    }

    /// Reads the project's file and the environment (`variable` looks one up). `port` is the
    /// command line's and wins.
    ///
    /// # Errors
    /// [`Code::ConfigInvalid`], naming the key and the line.
    pub(crate) fn read(
        project: &Path,
        port: Option<u16>,
        variable: impl Fn(&str) -> Option<OsString>,
    ) -> Result<Settings> {
        let path = project.join("Blazelink.toml");
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(
                    invalid(&format!("`{}` cannot be read", path.display())).with_source(error)
                );
            }
        };
        let file = parse(&text, &path)?;
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let supplied = match variable("DATABASE_URL") {
            Some(url) => Some((text_of("DATABASE_URL", url)?, Source::Environment)),
            None => file.database.url.map(|url| (url, Source::File)),
        };
        let port_variable = match variable("BLAZELINK_PORT") {
            Some(value) => {
                let value = text_of("BLAZELINK_PORT", value)?;
                Some(value.parse().map_err(|_| {
                    invalid(&format!("BLAZELINK_PORT is `{value}`, which is no port"))
                        .with_hint("BLAZELINK_PORT=8000")
                })?)
            }
            None => None,
        };
        let host = match variable("BLAZELINK_HOST") {
            Some(value) => {
                let value = text_of("BLAZELINK_HOST", value)?;
                Some(value.parse().map_err(|_| {
                    invalid(&format!("BLAZELINK_HOST is `{value}`, which is no address"))
                        .with_hint("BLAZELINK_HOST=127.0.0.1")
                })?)
            }
            None => file.server.host,
        };
        let hosts = match variable("BLAZELINK_HOSTS") {
            Some(value) => text_of("BLAZELINK_HOSTS", value)?
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            None => file.server.hosts,
        };
        Ok(Settings {
            host: host.unwrap_or(Ipv4Addr::LOCALHOST.into()),
            hosts,
            database: supplied.map(|(url, from)| Supplied { url, from }),
            port: port.or(port_variable).or(file.server.port).unwrap_or(PORT),
            seed: file.dev.seed.unwrap_or(true),
            slot_chosen: file.replication.slot.is_some() || variable("BLAZELINK_SLOT").is_some(),
        })
    }
}

/// The parser's own rendering quotes the line, which may hold a password.
fn parse(text: &str, path: &Path) -> Result<File> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map_or(1, |before| before.matches('\n').count() + 1);
        invalid(&format!(
            "`{}`, line {line}: not understood",
            path.display()
        ))
        .with_source(error.message())
        .with_hint(
            "the keys are [database] url, [server] host, port, hosts and origins, [limits], \
             [replication] slot, [dev] seed",
        )
    })
}

fn text_of(name: &str, value: OsString) -> Result<String> {
    value
        .into_string()
        .map_err(|_| invalid(&format!("{name} is not UTF-8")))
}

fn invalid(sentence: &str) -> Error {
    Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence.to_owned())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn read(file: &str, environment: &[(&str, &str)], port: Option<u16>) -> Result<Settings> {
        let project = tempfile::tempdir().unwrap();
        std::fs::write(project.path().join("Blazelink.toml"), file).unwrap();
        Settings::read(project.path(), port, |name| {
            let found = environment.iter().find(|(known, _)| *known == name)?;
            Some(OsString::from(found.1))
        })
    }

    #[test]
    fn command_line_wins_over_environment_over_file_over_default() {
        let file = "[server]\nport = 1\n[database]\nurl = \"postgres://file\"\n";
        let ports =
            |environment: &[(&str, &str)], port| read(file, environment, port).unwrap().port;
        assert_eq!(read("", &[], None).unwrap().port, 8000);
        assert_eq!(ports(&[], None), 1);
        assert_eq!(ports(&[("BLAZELINK_PORT", "2")], None), 2);
        assert_eq!(ports(&[("BLAZELINK_PORT", "2")], Some(3)), 3);
        let supplied = |environment| read(file, environment, None).unwrap().database.unwrap();
        assert_eq!(supplied(&[]).from, Source::File);
        let ours = supplied(&[("DATABASE_URL", "postgres://env")]);
        assert_eq!(
            (ours.url.as_str(), ours.from),
            ("postgres://env", Source::Environment)
        );
        assert_eq!(
            read("", &[("DATABASE_URL", "")], None).unwrap().database,
            None
        );
    }

    #[test]
    fn keys_that_only_the_framework_reads_are_accepted() {
        let file = "[app]\nname = 'a'\n[server]\nhost = '::'\nhosts = ['a.example']\n\
                    origins = ['https://a.example']\n[limits]\nsessions = 1\n";
        assert_eq!(read(file, &[], None).unwrap().port, PORT);
    }

    #[test]
    fn unknown_key_is_an_error_that_names_it_and_its_line_and_no_value() {
        let file = "[database]\nurl = \"postgres://secret\"\n[server]\nprot = 8000\n";
        let told = format!("{:#}", read(file, &[], None).unwrap_err());
        assert!(told.contains("`prot`") && told.contains("line 4"), "{told}");
        assert!(
            told.contains("BLZ1001") && !told.contains("secret"),
            "{told}"
        );
        let told = format!(
            "{:#}",
            read("[server]\nport = \"x\"\n", &[], None).unwrap_err()
        );
        assert!(told.contains("line 2"), "{told}");
        let told = format!(
            "{:#}",
            read("", &[("BLAZELINK_PORT", "http")], None).unwrap_err()
        );
        assert!(told.contains("BLAZELINK_PORT"), "{told}");
    }
}
