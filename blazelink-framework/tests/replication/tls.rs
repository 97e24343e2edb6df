//! TLS to the server, of each strictness.
//!
//! The private cluster listens on a Unix socket only, where Postgres does not speak TLS: here a
//! proxy with a certificate of its own does so on its behalf.

use std::path::PathBuf;
use std::sync::Arc;

use blazelink::replication::{DatabaseUrl, OrdinaryConnection, ReplicationConnection};
use blazelink_postgres::TestDatabase;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio_postgres::config::Host;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// An authority that signs, and the file with its certificate.
struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
}

impl Authority {
    fn new(folder: &std::path::Path, name: &str) -> Authority {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let file = folder.join(name);
        std::fs::write(&file, issuer.pem()).unwrap();
        Authority { issuer, file }
    }

    fn acceptor(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        TlsAcceptor::from(Arc::new(config))
    }
}

/// Answers to requests for TLS, with `S` and a handshake or with `N`, and passes on the rest.
async fn proxy(acceptor: Option<TlsAcceptor>, database: &TestDatabase) -> u16 {
    let config: tokio_postgres::Config = database.url().parse().unwrap();
    let mut folders = config.get_hosts().iter().filter_map(|host| match host {
        Host::Unix(folder) => Some(folder.clone()),
        Host::Tcp(_) => None,
    });
    let folder = folders.next().unwrap();
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let socket = folder.join(format!(".s.PGSQL.{port}"));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, acceptor.clone(), socket.clone()));
        }
    });
    port
}

async fn pass_on(
    mut client: TcpStream,
    acceptor: Option<TlsAcceptor>,
    socket: PathBuf,
) -> std::io::Result<()> {
    let mut server = UnixStream::connect(socket).await?;
    let mut request = [0; 8];
    client.read_exact(&mut request).await?;
    client
        .write_all(if acceptor.is_some() { b"S" } else { b"N" })
        .await?;
    match acceptor {
        Some(acceptor) => {
            let mut client = acceptor.accept(client).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        }
        None => {
            tokio::io::copy_bidirectional(&mut client, &mut server).await?;
        }
    }
    Ok(())
}

/// Whether both kinds of connection open, which must agree.
async fn opens(host: &str, port: u16, database: &TestDatabase, parameters: &str) -> bool {
    let name = database.name();
    let url = format!("postgres://postgres@{host}:{port}/{name}?{parameters}");
    let url = DatabaseUrl::parse(&url).unwrap();
    let replication = ReplicationConnection::connect(&url, "test").await;
    let ordinary = OrdinaryConnection::connect(&url, "test").await;
    assert_eq!(
        replication.is_ok(),
        ordinary.is_ok(),
        "{replication:?} {ordinary:?}"
    );
    replication.is_ok()
}

#[tokio::test]
async fn certificate_is_looked_at_as_strictly_as_the_url_says() {
    let database = TestDatabase::create().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let ours = Authority::new(folder.path(), "ours.pem");
    let other = Authority::new(folder.path(), "other.pem");
    let port = proxy(Some(ours.acceptor("localhost")), &database).await;
    let ours = format!("sslrootcert={}", ours.file.display());
    let other = format!("sslrootcert={}", other.file.display());

    for (host, parameters, expected) in [
        ("localhost", "sslmode=prefer".to_owned(), true),
        ("localhost", "sslmode=require".to_owned(), true),
        ("127.0.0.1", "sslmode=require".to_owned(), true),
        ("localhost", format!("sslmode=require&{ours}"), true),
        ("localhost", format!("sslmode=require&{other}"), false),
        ("localhost", format!("sslmode=verify-ca&{ours}"), true),
        ("127.0.0.1", format!("sslmode=verify-ca&{ours}"), true),
        ("localhost", format!("sslmode=verify-ca&{other}"), false),
        ("localhost", format!("sslmode=verify-full&{ours}"), true),
        ("127.0.0.1", format!("sslmode=verify-full&{ours}"), false),
        ("localhost", format!("sslmode=verify-full&{other}"), false),
    ] {
        let opened = opens(host, port, &database, &parameters).await;
        assert_eq!(opened, expected, "{host} {parameters}");
    }
}

#[tokio::test]
async fn server_without_tls_is_accepted_only_where_the_url_allows_it() {
    let database = TestDatabase::create().await.unwrap();
    let port = proxy(None, &database).await;
    assert!(opens("localhost", port, &database, "sslmode=prefer").await);
    assert!(!opens("localhost", port, &database, "sslmode=require").await);
    assert!(!opens("localhost", port, &database, "sslmode=verify-full").await);
}
