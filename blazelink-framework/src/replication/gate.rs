//! The visibility gate: a commit is handed on only once a new snapshot sees it.
//!
//! The log tells of a commit when it is flushed; the transaction leaves the list of running ones
//! afterwards. A client that refetched in between would read the row as it was and never be told
//! again. The signaler calls [`Gate::pass`] once per batch, on the server that answers reads.

use std::time::Duration;

use blazelink_codes::Code;
use tokio_postgres::{Client, Statement};

use super::backoff::Backoff;
use super::ordinary::{OrdinaryConnection, unreachable};
use super::url::DatabaseUrl;
use crate::error::{Error, ErrorKind, Result};

/// Questions repeated back to back before the first pause: each takes about the 0.2 ms in which
/// nearly all transactions become visible, and the timer knows nothing below 1 ms.
const EAGER: u32 = 3;

/// The first and the longest pause between two questions.
const PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(5);

/// How long the server may take to answer. A connection whose other end has gone without a word
/// would otherwise hold everything up until the system gives it up, after many minutes.
const ANSWER: Duration = Duration::from_secs(10);

/// Which transactions a snapshot sees, by ids without their epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Snapshot {
    xmax: u32,
    running: Vec<u32>,
}

impl Snapshot {
    /// Reads `xmin:xmax:xip,xip,..`, as `pg_snapshot` prints it.
    fn parse(text: &str) -> Option<Snapshot> {
        // The low half of a full transaction id is the id that the log carries.
        let id = |text: &str| text.parse::<u64>().ok().map(|id| id as u32);
        let mut parts = text.split(':');
        let (_xmin, xmax, running) = (id(parts.next()?)?, id(parts.next()?)?, parts.next()?);
        let running = running.split(',').filter(|text| !text.is_empty());
        Some(Snapshot {
            xmax,
            running: running.map(id).collect::<Option<_>>()?,
        })
    }

    /// Whether the transaction has ended for this snapshot. Ids wrap around: of two, the later
    /// is less than 2^31 ahead.
    fn sees(&self, xid: u32) -> bool {
        self.xmax.wrapping_sub(xid) as i32 > 0 && !self.running.contains(&xid)
    }
}

/// Asks the server that answers reads what its snapshots see.
#[derive(Debug)]
pub struct Gate {
    url: DatabaseUrl,
    application: String,
    connection: Option<(OrdinaryConnection, Statement)>,
    open: bool,
}

impl Gate {
    /// A gate on this server. It connects when it is first asked.
    pub fn new(url: DatabaseUrl, application: impl Into<String>) -> Gate {
        Gate {
            url,
            application: application.into(),
            connection: None,
            open: false,
        }
    }

    /// A gate that asks nothing, for the test that proves that one is needed.
    pub fn always_open(mut self) -> Gate {
        self.open = true;
        self
    }

    /// Waits until a new snapshot sees all these transactions (0 stands for none). Waits for the
    /// server as well if it cannot be reached. Cancel-safe.
    ///
    /// There is no time limit: a transaction that waits for its standby may stay unseen for long.
    /// Whoever waits here must also listen for a reset, after which the server may be another
    /// one that never knew these transactions.
    pub async fn pass(&mut self, xids: &[u32]) {
        if self.open {
            return;
        }
        let mut unseen: Vec<u32> = xids.iter().copied().filter(|&xid| xid != 0).collect();
        let mut backoff = Backoff::default();
        let mut asked = 0;
        while !unseen.is_empty() {
            let answer = tokio::time::timeout(ANSWER, self.ask()).await;
            match answer.unwrap_or_else(|_| Err(silent())) {
                Ok(snapshot) => {
                    unseen.retain(|&xid| !snapshot.sees(xid));
                    asked += 1;
                    if !unseen.is_empty() && asked > EAGER {
                        let factor = 1 << (asked - EAGER - 1).min(3);
                        tokio::time::sleep((PAUSE * factor).min(LONGEST_PAUSE)).await;
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot ask which commits are visible; retrying");
                    self.connection = None;
                    tokio::time::sleep(backoff.next(&mut rand::rng())).await;
                }
            }
        }
    }

    async fn ask(&mut self) -> Result<Snapshot> {
        let (connection, statement) = match self.connection.take() {
            Some(connection) => self.connection.insert(connection),
            None => {
                let opened = open(&self.url, &self.application).await?;
                self.connection.insert(opened)
            }
        };
        ask(connection.client(), statement).await
    }
}

async fn open(url: &DatabaseUrl, application: &str) -> Result<(OrdinaryConnection, Statement)> {
    let connection = OrdinaryConnection::connect(url, application).await?;
    let prepared = connection
        .client()
        .prepare("SELECT pg_current_snapshot()::text");
    let statement = prepared.await.map_err(unreachable)?;
    Ok((connection, statement))
}

async fn ask(client: &Client, statement: &Statement) -> Result<Snapshot> {
    let row = client.query_one(statement, &[]).await;
    let row = row.map_err(unreachable)?;
    let text: &str = row.try_get(0).map_err(unreachable)?;
    Snapshot::parse(text).ok_or_else(|| {
        Error::new(
            ErrorKind::Protocol,
            Code::DatabaseAnswer,
            "pg_current_snapshot() answered no snapshot",
        )
    })
}

fn silent() -> Error {
    Error::new(
        ErrorKind::Unavailable,
        Code::Database,
        "The database does not answer",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn server_that_does_not_answer_is_asked_over_a_new_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let url = format!("postgres://me@127.0.0.1:{port}/db?sslmode=disable");
        let mut gate = Gate::new(DatabaseUrl::parse(&url).unwrap(), "test");
        let connections = async {
            let first = listener.accept().await.unwrap();
            let second = listener.accept().await.unwrap();
            (first, second)
        };
        let patience = Duration::from_secs(3600);
        let asked = tokio::time::timeout(patience, async {
            tokio::select! {
                () = gate.pass(&[1]) => panic!("nobody has answered"),
                _ = connections => {}
            }
        });
        asked.await.unwrap();
    }

    #[test]
    fn snapshot_sees_what_ended_before_it() {
        let snapshot = Snapshot::parse("10:20:12,15").unwrap();
        let seen: Vec<u32> = (8..22).filter(|&xid| snapshot.sees(xid)).collect();
        assert_eq!(seen, [8, 9, 10, 11, 13, 14, 16, 17, 18, 19]);
        assert!(Snapshot::parse("20:20:").unwrap().sees(19));
    }

    #[test]
    fn snapshot_compares_ids_across_the_wrap() {
        let epoch = 1_u64 << 32;
        let snapshot = Snapshot::parse(&format!("{}:{}:{}", epoch - 5, epoch + 5, epoch + 1));
        let snapshot = snapshot.unwrap();
        assert!(snapshot.sees(u32::MAX));
        assert!(snapshot.sees(4));
        assert!(!snapshot.sees(1));
        assert!(!snapshot.sees(5));
    }

    #[test]
    fn what_is_no_snapshot_is_refused() {
        for text in ["", "1", "1:2", "1:2:x", "a:2:", "1:2:3,,x"] {
            assert_eq!(Snapshot::parse(text), None, "{text}");
        }
    }
}
