//! A replication connection before it streams: opened, authenticated, asked.
//!
//! tokio-postgres cannot open one, so this does, on `postgres-protocol`. It answers SQL as well,
//! which is how slots are made on the connection that will read them.

use std::io;
use std::time::Duration;

use blazelink_codes::Code;
use blazelink_migrations::{Execute, TextRow, identifier};
use postgres_protocol::authentication::{md5_hash, sasl};
use postgres_protocol::message::{backend, frontend};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio_postgres::config::{ChannelBinding, Host, SslMode};
use tokio_postgres::fallible_iterator::FallibleIterator;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

use super::cancel::{Cancel, Endpoint};
use super::server_error::{ServerError, broken, protocol};
use super::stream::ReplicationStream;
use super::tls;
use super::url::{DatabaseUrl, EXAMPLE, SESSION_SETTINGS};
use super::wire::{Socket, Wire};
use crate::change::Lsn;
use crate::error::{Error, ErrorKind, Result};

/// How long opening a connection may take, per host, unless the connection string says otherwise.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A dead reader is let go by the server after this time, so that it holds neither its slot nor
/// the server's log for longer.
const WAL_SENDER_TIMEOUT: &str = "10s";

/// How long a silent connection is trusted before the system asks whether the other end is there,
/// how often it then asks, and how long what we sent may stay unacknowledged. Making a slot waits
/// in silence without end, and must notice when nobody is left to end it.
const PROBE_AFTER: Duration = Duration::from_secs(10);
const PROBE_EVERY: Duration = Duration::from_secs(5);
#[cfg(target_os = "linux")]
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

/// Postgres' port.
const PORT: u16 = 5432;

/// An idle replication connection.
#[derive(Debug)]
pub struct ReplicationConnection {
    wire: Wire,
    endpoint: Endpoint,
    cancel: Option<Cancel>,
}

/// What the server answers to IDENTIFY_SYSTEM. Positions of different identities do not compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The cluster.
    pub system: String,
    /// Its history; another one after a failover.
    pub timeline: String,
    /// How far its log is safe now.
    pub flushed: Lsn,
}

impl ReplicationConnection {
    /// Opens a connection to the first host that answers.
    ///
    /// # Errors
    ///
    /// If no host can be reached, or the server refuses: the role may not replicate, all senders
    /// are taken, the password is wrong.
    pub async fn connect(url: &DatabaseUrl, application: &str) -> Result<ReplicationConnection> {
        let config = url.config();
        let timeout = config.get_connect_timeout().copied();
        let timeout = timeout.unwrap_or(CONNECT_TIMEOUT);
        let mut last = None;
        for (host, port) in endpoints(url) {
            let opening = open_host(url, &host, port, application);
            match tokio::time::timeout(timeout, opening).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) if error.kind() == ErrorKind::Setup => return Err(error),
                Ok(Err(error)) => last = Some(error),
                Err(_) => last = Some(broken(io::Error::from(io::ErrorKind::TimedOut))),
            }
        }
        Err(last.unwrap_or_else(|| {
            Error::new(
                ErrorKind::Setup,
                Code::ConfigInvalid,
                "The connection string of the database names no host",
            )
            .with_hint(EXAMPLE)
        }))
    }

    /// Runs one statement or replication command and gives its rows.
    ///
    /// # Errors
    ///
    /// What the server says ([`ServerError`] is the source), or that the connection broke.
    pub async fn query(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        frontend::query(sql, &mut self.wire.output).map_err(broken)?;
        self.wire.flush().await.map_err(broken)?;
        let mut rows = Vec::new();
        let mut failed = None;
        loop {
            match self.message().await {
                Ok(backend::Message::DataRow(row)) => rows.push(texts(&row)?),
                Ok(backend::Message::ErrorResponse(body)) => {
                    failed = Some(ServerError::read(body.fields()));
                }
                Ok(backend::Message::ReadyForQuery(_)) => break,
                Ok(_) => {}
                // After a fatal error the server closes without another word.
                Err(error) => return Err(failed.map_or(error, ServerError::into_error)),
            }
        }
        match failed {
            Some(error) => Err(error.into_error()),
            None => Ok(rows),
        }
    }

    /// The first cell of the first row; empty if there is none.
    pub async fn query_text(&mut self, sql: &str) -> Result<String> {
        let rows = self.query(sql).await?;
        let cell = rows.into_iter().flatten().next().flatten();
        Ok(cell.unwrap_or_default())
    }

    /// Which cluster and history this is.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn identify(&mut self) -> Result<Identity> {
        let rows = self.query("IDENTIFY_SYSTEM").await?;
        let mut cells = rows.into_iter().flatten().map(Option::unwrap_or_default);
        let flushed = |text: String| text.parse().ok();
        match (cells.next(), cells.next(), cells.next().and_then(flushed)) {
            (Some(system), Some(timeline), Some(flushed)) => Ok(Identity {
                system,
                timeline,
                flushed,
            }),
            _ => Err(protocol("IDENTIFY_SYSTEM has no answer")),
        }
    }

    /// The server's version as a number, such as 150018.
    ///
    /// # Errors
    ///
    /// If the server does not answer.
    pub async fn server_version(&mut self) -> Result<u32> {
        let text = self.query_text("SHOW server_version_num").await?;
        text.parse()
            .map_err(|_| protocol("the server's version is no number"))
    }

    /// Makes a slot that ends with this connection. Waits for transactions that are open now.
    ///
    /// # Errors
    ///
    /// If all slots are taken, `wal_level` is not `logical`, or the role may not replicate.
    pub async fn create_temporary_slot(&mut self, name: &str) -> Result<()> {
        let snapshot = if self.server_version().await? < 150_000 {
            "NOEXPORT_SNAPSHOT"
        } else {
            "(SNAPSHOT 'nothing')"
        };
        let name = identifier(name);
        let sql = format!("CREATE_REPLICATION_SLOT {name} TEMPORARY LOGICAL pgoutput {snapshot}");
        self.query(&sql).await.map(|_| ())
    }

    /// Begins to stream what the publication lists. `from` is where to begin at the earliest; the
    /// slot's own confirmed position holds if it is later.
    ///
    /// # Errors
    ///
    /// If the slot does not exist, was lost, or is being read by another process.
    pub async fn start(mut self, slot: &str, from: Lsn) -> Result<ReplicationStream> {
        let sql = format!(
            "START_REPLICATION SLOT {} LOGICAL {from} (proto_version '2', streaming 'on', \
             messages 'true', publication_names '{}')",
            identifier(slot),
            identifier(blazelink_migrations::PUBLICATION),
        );
        frontend::query(&sql, &mut self.wire.output).map_err(broken)?;
        self.wire.flush().await.map_err(broken)?;
        ReplicationStream::begin(self.wire).await
    }

    /// What ends a command that this connection waits for.
    pub(super) fn cancel(&self) -> Option<Cancel> {
        self.cancel.clone()
    }

    async fn message(&mut self) -> Result<backend::Message> {
        loop {
            if let Some(message) = backend::Message::parse(&mut self.wire.input).map_err(broken)? {
                return Ok(message);
            }
            self.wire.fill().await.map_err(broken)?;
        }
    }

    /// From the start-up message to the first ReadyForQuery.
    async fn start_up(
        &mut self,
        url: &DatabaseUrl,
        application: &str,
        settings: Settings,
    ) -> Result<()> {
        let user = url.user()?;
        let config = url.config();
        let mut parameters = vec![
            ("user", &*user),
            ("database", config.get_dbname().unwrap_or(&user)),
            ("replication", "database"),
            ("application_name", application),
            ("client_encoding", "UTF8"),
        ];
        parameters.extend(config.get_options().map(|options| ("options", options)));
        if settings == Settings::Ours {
            parameters.push(("wal_sender_timeout", WAL_SENDER_TIMEOUT));
            parameters.extend(SESSION_SETTINGS);
        }
        frontend::startup_message(parameters, &mut self.wire.output).map_err(broken)?;
        self.wire.flush().await.map_err(broken)
    }

    async fn authenticate(&mut self, url: &DatabaseUrl, end_point: Option<Vec<u8>>) -> Result<()> {
        let config = url.config();
        let password = || {
            config.get_password().ok_or_else(|| {
                Error::new(
                    ErrorKind::Setup,
                    Code::ReplicationConnection,
                    "The database asks for a password, and the connection string has none",
                )
                .with_hint("add it: postgres://USER:PASSWORD@HOST:5432/DATABASE")
            })
        };
        loop {
            match self.message().await? {
                backend::Message::AuthenticationOk => {}
                backend::Message::AuthenticationCleartextPassword => {
                    frontend::password_message(password()?, &mut self.wire.output)
                        .map_err(broken)?;
                    self.wire.flush().await.map_err(broken)?;
                }
                backend::Message::AuthenticationMd5Password(body) => {
                    let hash = md5_hash(url.user()?.as_bytes(), password()?, body.salt());
                    frontend::password_message(hash.as_bytes(), &mut self.wire.output)
                        .map_err(broken)?;
                    self.wire.flush().await.map_err(broken)?;
                }
                backend::Message::AuthenticationSasl(body) => {
                    let offered: Vec<String> = body
                        .mechanisms()
                        .map(|name| Ok(name.to_owned()))
                        .collect()
                        .map_err(broken)?;
                    let binding = config.get_channel_binding();
                    let scram = Scram::choose(&offered, &end_point, binding)?;
                    self.authenticate_scram(password()?, scram).await?;
                }
                backend::Message::ErrorResponse(body) => {
                    return Err(ServerError::read(body.fields()).into_error());
                }
                backend::Message::ReadyForQuery(_) => return Ok(()),
                backend::Message::BackendKeyData(key) => {
                    self.cancel = Some(Cancel::new(self.endpoint.clone(), &key));
                }
                backend::Message::NoticeResponse(_) | backend::Message::ParameterStatus(_) => {}
                _ => return Err(protocol("the server asks for an unknown authentication")),
            }
        }
    }

    async fn authenticate_scram(&mut self, password: &[u8], scram: Scram) -> Result<()> {
        let mut exchange = sasl::ScramSha256::new(password, scram.binding);
        frontend::sasl_initial_response(scram.mechanism, exchange.message(), &mut self.wire.output)
            .map_err(broken)?;
        loop {
            self.wire.flush().await.map_err(broken)?;
            match self.message().await? {
                backend::Message::AuthenticationSaslContinue(body) => {
                    exchange.update(body.data()).map_err(broken)?;
                    frontend::sasl_response(exchange.message(), &mut self.wire.output)
                        .map_err(broken)?;
                }
                backend::Message::AuthenticationSaslFinal(body) => {
                    return exchange.finish(body.data()).map_err(|error| {
                        Error::new(
                            ErrorKind::Setup,
                            Code::ReplicationConnection,
                            "The server does not know the password either: it is an impostor",
                        )
                        .with_source(error)
                    });
                }
                backend::Message::ErrorResponse(body) => {
                    return Err(ServerError::read(body.fields()).into_error());
                }
                _ => return Err(protocol("the server breaks off the authentication")),
            }
        }
    }
}

impl Execute for ReplicationConnection {
    async fn rows(&mut self, sql: &str) -> Result<Vec<TextRow>> {
        self.query(sql).await
    }
}

/// How the password is proved.
struct Scram {
    mechanism: &'static str,
    binding: sasl::ChannelBinding,
}

impl Scram {
    fn choose(
        offered: &[String],
        end_point: &Option<Vec<u8>>,
        wanted: ChannelBinding,
    ) -> Result<Scram> {
        let offers = |mechanism: &str| offered.iter().any(|name| name == mechanism);
        let wanted_at_all = wanted != ChannelBinding::Disable;
        match end_point.clone().filter(|_| wanted_at_all) {
            Some(end_point) if offers(sasl::SCRAM_SHA_256_PLUS) => Ok(Scram {
                mechanism: sasl::SCRAM_SHA_256_PLUS,
                binding: sasl::ChannelBinding::tls_server_end_point(end_point),
            }),
            _ if wanted == ChannelBinding::Require => Err(Error::new(
                ErrorKind::Setup,
                Code::ReplicationConnection,
                "The server does not offer channel binding, which the connection string requires",
            )
            .with_hint("ask for TLS (sslmode=require), or for less: channel_binding=prefer")),
            bound if offers(sasl::SCRAM_SHA_256) => Ok(Scram {
                mechanism: sasl::SCRAM_SHA_256,
                binding: match bound {
                    // Says that we could, so that a stripped offer is noticed.
                    Some(_) => sasl::ChannelBinding::unrequested(),
                    None => sasl::ChannelBinding::unsupported(),
                },
            }),
            _ => Err(protocol("the server asks for an unknown authentication")),
        }
    }
}

/// Hosts and ports in the order in which to try them.
fn endpoints(url: &DatabaseUrl) -> Vec<(Host, u16)> {
    let config = url.config();
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate();
    hosts
        .map(|(at, host)| {
            let port = ports.get(at).or(ports.first()).copied().unwrap_or(PORT);
            (host.clone(), port)
        })
        .collect()
}

/// Whether a connection asks for our settings when it starts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settings {
    Ours,
    /// Those of the role, for poolers that pass on none. Preflight compares.
    OfTheRole,
}

async fn open_host(
    url: &DatabaseUrl,
    host: &Host,
    port: u16,
    application: &str,
) -> Result<ReplicationConnection> {
    let opened = open(url, host, port, application, Settings::Ours).await;
    match &opened {
        Err(error) if ServerError::of(error).is_some_and(ServerError::refuses_settings) => {
            open(url, host, port, application, Settings::OfTheRole).await
        }
        _ => opened,
    }
}

async fn open(
    url: &DatabaseUrl,
    host: &Host,
    port: u16,
    application: &str,
    settings: Settings,
) -> Result<ReplicationConnection> {
    let (socket, end_point, endpoint) = match host {
        Host::Unix(folder) => {
            let file = folder.join(format!(".s.PGSQL.{port}"));
            let socket = UnixStream::connect(&file).await.map_err(broken)?;
            let socket: Box<dyn Socket> = Box::new(socket);
            (socket, None, Endpoint::Unix(file))
        }
        Host::Tcp(name) => {
            let (socket, end_point) = tcp(url, name, port).await?;
            (socket, end_point, Endpoint::Tcp(name.clone(), port))
        }
    };
    let mut connection = ReplicationConnection {
        wire: Wire::new(socket),
        endpoint,
        cancel: None,
    };
    connection.start_up(url, application, settings).await?;
    connection.authenticate(url, end_point).await?;
    Ok(connection)
}

/// A TCP connection, encrypted if that is wanted and offered, and then what to bind a password to.
async fn tcp(
    url: &DatabaseUrl,
    host: &str,
    port: u16,
) -> Result<(Box<dyn Socket>, Option<Vec<u8>>)> {
    let mut socket = TcpStream::connect((host, port)).await.map_err(broken)?;
    socket.set_nodelay(true).map_err(broken)?;
    watch_over(&socket).map_err(broken)?;
    let mode = url.config().get_ssl_mode();
    if mode == SslMode::Disable {
        return Ok((Box::new(socket), None));
    }
    if !offers_tls(&mut socket).await.map_err(broken)? {
        if mode == SslMode::Prefer {
            return Ok((Box::new(socket), None));
        }
        return Err(Error::new(
            ErrorKind::Setup,
            Code::ReplicationConnection,
            "The server does not offer TLS, which the connection string requires",
        )
        .with_hint("set ssl = on on the server, or ask for less: sslmode=prefer"));
    }
    let name = ServerName::try_from(host.to_owned())
        .map_err(|error| broken(io::Error::new(io::ErrorKind::InvalidInput, error)))?;
    let connector = TlsConnector::from(std::sync::Arc::new(url.tls()?));
    let socket = connector.connect(name, socket).await.map_err(broken)?;
    let (_, session) = socket.get_ref();
    let certificate = session.peer_certificates().and_then(<[_]>::first);
    let end_point = certificate.and_then(tls::end_point);
    Ok((Box::new(socket), end_point))
}

/// Has the system end the connection if the other end is gone without a word.
fn watch_over(socket: &TcpStream) -> io::Result<()> {
    let socket = SockRef::from(socket);
    let probes = TcpKeepalive::new()
        .with_time(PROBE_AFTER)
        .with_interval(PROBE_EVERY);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

async fn offers_tls(socket: &mut TcpStream) -> io::Result<bool> {
    let mut request = bytes::BytesMut::new();
    frontend::ssl_request(&mut request);
    socket.write_all(&request).await?;
    // One byte and no more: what follows it belongs to TLS.
    Ok(socket.read_u8().await? == b'S')
}

fn texts(row: &backend::DataRowBody) -> Result<TextRow> {
    let buffer = row.buffer();
    let cells = row.ranges().map(|range| {
        let text = range.and_then(|range| buffer.get(range));
        Ok(text.map(|text| String::from_utf8_lossy(text).into_owned()))
    });
    cells.collect().map_err(broken)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::replication::pooler;

    #[test]
    fn password_is_bound_to_the_certificate_where_both_sides_can() {
        let (plain, plus) = (sasl::SCRAM_SHA_256, sasl::SCRAM_SHA_256_PLUS);
        let hash = || Some(vec![1, 2, 3]);
        let cases = [
            (
                vec![plus, plain],
                hash(),
                ChannelBinding::Prefer,
                Some(plus),
            ),
            (
                vec![plus, plain],
                hash(),
                ChannelBinding::Require,
                Some(plus),
            ),
            (
                vec![plus, plain],
                hash(),
                ChannelBinding::Disable,
                Some(plain),
            ),
            (vec![plain], hash(), ChannelBinding::Prefer, Some(plain)),
            (vec![plain], hash(), ChannelBinding::Require, None),
            (vec![plus, plain], None, ChannelBinding::Prefer, Some(plain)),
            (vec![plus, plain], None, ChannelBinding::Require, None),
            (vec!["OAUTHBEARER"], hash(), ChannelBinding::Prefer, None),
        ];
        for (offered, end_point, wanted, expected) in cases {
            let offered: Vec<String> = offered.into_iter().map(str::to_owned).collect();
            let scram = Scram::choose(&offered, &end_point, wanted);
            assert_eq!(scram.ok().map(|scram| scram.mechanism), expected);
        }
    }

    #[tokio::test]
    async fn pooler_that_refuses_settings_is_asked_without_them() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let refused = &["datestyle", "options", "wal_sender_timeout"];
        tokio::spawn(pooler(listener, refused));
        let url = format!("postgres://me@127.0.0.1:{port}/db?sslmode=disable");
        let url = DatabaseUrl::parse(&url).unwrap();
        ReplicationConnection::connect(&url, "test").await.unwrap();
        let ordinary = crate::replication::OrdinaryConnection::connect(&url, "test").await;
        assert!(ordinary.is_ok(), "{ordinary:?}");
    }

    #[tokio::test]
    async fn other_end_of_a_silent_connection_is_looked_after() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = DatabaseUrl::parse("postgres://me@h/db?sslmode=disable").unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        watch_over(&socket).unwrap();
        assert!(SockRef::from(&socket).keepalive().unwrap());
        assert!(tcp(&url, "127.0.0.1", address.port()).await.is_ok());
    }

    #[test]
    fn hosts_are_tried_in_their_order_each_with_its_port() {
        let url = DatabaseUrl::parse("postgres://me@a:1,b:2/db").unwrap();
        let ports: Vec<u16> = endpoints(&url).into_iter().map(|(_, port)| port).collect();
        assert_eq!(ports, [1, 2]);
        let url = DatabaseUrl::parse("host=a,b user=me").unwrap();
        let ports: Vec<u16> = endpoints(&url).into_iter().map(|(_, port)| port).collect();
        assert_eq!(ports, [PORT, PORT]);
    }
}
