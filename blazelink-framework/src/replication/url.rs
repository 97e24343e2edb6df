//! Where the database is and how to get there: a connection string, read as both of our drivers
//! read it.
//!
//! `tokio_postgres::Config` knows neither `verify-full` nor `sslrootcert`, and takes a `host`
//! among the parameters as one more host rather than as the host; SeaORM's driver does the
//! opposite in all three. A string must mean one database to both, so these are settled here.

use std::borrow::Cow;
use std::path::PathBuf;

use blazelink_codes::Code;
use tokio_postgres::Config;
use tokio_postgres::config::SslMode;

use super::tls::{self, Verify};
use crate::error::{Error, ErrorKind, Result};

/// What every connection is opened with, so that all of them print values alike.
pub(crate) const SESSION_SETTINGS: [(&str, &str); 5] = [
    ("datestyle", "ISO, MDY"),
    ("intervalstyle", "postgres"),
    ("timezone", "UTC"),
    ("extra_float_digits", "1"),
    ("bytea_output", "hex"),
];

/// What to write where a connection string is none.
pub(super) const EXAMPLE: &str =
    "postgres://USER@HOST:5432/DATABASE, in DATABASE_URL or BLAZELINK_REPLICATION_URL";

/// A parsed connection string.
#[derive(Clone)]
pub struct DatabaseUrl {
    config: Config,
    verify: Verify,
    root_certificate: Option<PathBuf>,
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DatabaseUrl")
            .field("database", &self.config.get_dbname())
            .finish_non_exhaustive()
    }
}

impl DatabaseUrl {
    /// Where an app with these settings reads the log.
    ///
    /// # Errors
    ///
    /// As [`DatabaseUrl::parse`].
    pub(crate) fn of_replication(config: &crate::config::Config) -> Result<DatabaseUrl> {
        let url = config.replication_url.as_ref();
        DatabaseUrl::parse(url.unwrap_or(&config.database_url))
    }

    /// Reads `postgres://..` or `key=value ..`.
    ///
    /// # Errors
    ///
    /// If it is not a connection string. The error does not repeat it: it may hold a password.
    pub fn parse(text: &str) -> Result<DatabaseUrl> {
        let mut tls = TlsParameters::default();
        let text = if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            tls.take_from_url(text)
        } else {
            tls.take_from_pairs(text)
        };
        let mut config: Config = text.parse().map_err(|error: tokio_postgres::Error| {
            invalid("The connection string of the database cannot be read").with_source(error)
        })?;
        let (mode, verify) = tls.resolve()?;
        config.ssl_mode(mode);
        Ok(DatabaseUrl {
            config,
            verify,
            root_certificate: tls.root_certificate,
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.config
    }

    /// # Errors
    ///
    /// If the root certificates cannot be read.
    pub(super) fn tls(&self) -> Result<tokio_rustls::rustls::ClientConfig> {
        tls::client_config(self.verify, self.root_certificate.as_deref())
    }

    /// The user, else the one of the environment as `psql` would take it.
    pub(super) fn user(&self) -> Result<Cow<'_, str>> {
        if let Some(user) = self.config.get_user() {
            return Ok(user.into());
        }
        let mut names = ["PGUSER", "USER", "LOGNAME"].into_iter();
        let user = names.find_map(|name| std::env::var(name).ok());
        user.map(Cow::Owned)
            .ok_or_else(|| invalid("The connection string of the database names no user"))
    }
}

/// [`SESSION_SETTINGS`] as the value of the start-up parameter `options`, behind the user's own.
pub(super) fn session_options(own: Option<&str>) -> String {
    let mut options = own.unwrap_or_default().to_owned();
    for (name, value) in SESSION_SETTINGS {
        options.push_str(&format!(" -c {name}={}", value.replace(' ', "\\ ")));
    }
    options.trim_start().to_owned()
}

/// The parameters that are ours to read.
#[derive(Default)]
struct TlsParameters {
    mode: Option<String>,
    root_certificate: Option<PathBuf>,
}

impl TlsParameters {
    /// Takes our parameters out of a URL.
    fn take_from_url(&mut self, url: &str) -> String {
        let Some((front, query)) = url.split_once('?') else {
            return url.to_owned();
        };
        let mut front = Cow::Borrowed(front);
        let mut rest = Vec::new();
        for pair in query.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = || {
                url::form_urlencoded::parse(format!("v={value}").as_bytes())
                    .map(|(_, value)| value.into_owned())
                    .collect::<String>()
            };
            match key {
                "sslmode" | "ssl-mode" => self.mode = Some(decoded()),
                "sslrootcert" | "ssl-root-cert" | "ssl-ca" => {
                    self.root_certificate = Some(decoded().into());
                }
                // Known to SeaORM's driver only, and of no meaning to ours.
                "statement-cache-capacity" => {}
                "host" => {
                    let (without, port) = without_host(&front);
                    front = without.into();
                    rest.push(pair.to_owned());
                    rest.extend(port.map(|port| format!("port={port}")));
                }
                _ => rest.push(pair.to_owned()),
            }
        }
        format!("{front}?{}", rest.join("&"))
    }

    /// Takes our parameters out of `key=value` pairs. Values in quotes are left to the driver.
    fn take_from_pairs(&mut self, pairs: &str) -> String {
        let mut rest = Vec::new();
        for pair in pairs.split(' ') {
            match pair.split_once('=') {
                Some(("sslmode", value)) => self.mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => self.root_certificate = Some(value.into()),
                _ => rest.push(pair),
            }
        }
        rest.join(" ")
    }

    /// What libpq makes of these modes: below `verify-ca` the server's certificate is not looked
    /// at, unless the user names the authority that must have signed it.
    fn resolve(&self) -> Result<(SslMode, Verify)> {
        let signed = self.root_certificate.is_some();
        Ok(match self.mode.as_deref() {
            Some("disable") => (SslMode::Disable, Verify::Nothing),
            None | Some("allow" | "prefer") => (SslMode::Prefer, Verify::Nothing),
            Some("require") if signed => (SslMode::Require, Verify::Authority),
            Some("require") => (SslMode::Require, Verify::Nothing),
            Some("verify-ca") => (SslMode::Require, Verify::Authority),
            Some("verify-full") => (SslMode::Require, Verify::AuthorityAndName),
            Some(_) => {
                return Err(invalid(
                    "The connection string of the database has an unknown `sslmode`",
                )
                .with_hint("sslmode is disable, prefer, require, verify-ca or verify-full"));
            }
        })
    }
}

/// The URL's front without its host, and its port if it has one.
fn without_host(front: &str) -> (String, Option<String>) {
    let Some((scheme, rest)) = front.split_once("://") else {
        return (front.to_owned(), None);
    };
    let (authority, path) = match rest.split_once('/') {
        Some((authority, path)) => (authority, format!("/{path}")),
        None => (rest, String::new()),
    };
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    let port = match host.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => Some(port.to_owned()),
        _ => None,
    };
    (format!("{scheme}://{user}{path}"), port)
}

fn invalid(sentence: &'static str) -> Error {
    Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence).with_hint(EXAMPLE)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio_postgres::config::Host;

    use super::*;

    #[test]
    fn host_among_the_parameters_is_the_only_host() {
        let url = DatabaseUrl::parse("postgres://me:pw@localhost:5433/db?host=/run/pg").unwrap();
        assert_eq!(url.config.get_hosts(), [Host::Unix("/run/pg".into())]);
        assert_eq!(url.config.get_ports(), [5433]);
        assert_eq!(url.config.get_user(), Some("me"));
        assert_eq!(url.config.get_dbname(), Some("db"));
    }

    #[test]
    fn tls_parameters_mean_what_libpq_means_by_them() {
        let cases = [
            ("", SslMode::Prefer, Verify::Nothing),
            ("sslmode=disable", SslMode::Disable, Verify::Nothing),
            ("sslmode=require", SslMode::Require, Verify::Nothing),
            (
                "sslmode=require&sslrootcert=%2Fca.pem",
                SslMode::Require,
                Verify::Authority,
            ),
            ("sslmode=verify-ca", SslMode::Require, Verify::Authority),
            (
                "sslmode=verify-full",
                SslMode::Require,
                Verify::AuthorityAndName,
            ),
        ];
        for (query, mode, verify) in cases {
            let url = DatabaseUrl::parse(&format!("postgres://me@h/db?{query}")).unwrap();
            assert_eq!((url.config.get_ssl_mode(), url.verify), (mode, verify));
        }
        let url = DatabaseUrl::parse("host=h user=me sslmode=verify-full sslrootcert=/ca").unwrap();
        assert_eq!(url.verify, Verify::AuthorityAndName);
        assert_eq!(url.root_certificate, Some("/ca".into()));
    }

    #[test]
    fn error_does_not_repeat_the_password() {
        let error = DatabaseUrl::parse("postgres://me:secret@h:port/db").unwrap_err();
        assert!(!format!("{error:#}").contains("secret"), "{error:#}");
        assert!(DatabaseUrl::parse("postgres://me@h/db?sslmode=maybe").is_err());
    }

    #[test]
    fn options_escape_the_blank_of_the_date_style() {
        assert_eq!(
            session_options(Some("-c search_path=app")),
            "-c search_path=app -c datestyle=ISO,\\ MDY -c intervalstyle=postgres \
             -c timezone=UTC -c extra_float_digits=1 -c bytea_output=hex"
        );
    }
}
