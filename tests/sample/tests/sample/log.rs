//! What the log says of a database's rows, through the real stream and the real decoder.

use std::time::Duration;

use blazelink::change::{Change, Lsn};
use blazelink::replication::{
    Arrival, DatabaseUrl, Decoded, Decoder, Frame, Limits, OrdinaryConnection,
    ReplicationConnection, ReplicationStream,
};
use blazelink_migrations::{Execute, ensure_publication, publish_table};

use crate::support::App;

/// No wait takes this long unless something is broken.
const PATIENCE: Duration = Duration::from_secs(120);

pub struct Log {
    sql: OrdinaryConnection,
    stream: ReplicationStream,
    decoder: Decoder,
}

impl Log {
    /// Follows these tables from now on, as an app does.
    pub async fn follow(app: &App, tables: &[&str]) -> Log {
        let url = DatabaseUrl::parse(app.postgres.url()).unwrap();
        let mut sql = OrdinaryConnection::connect(&url, "test").await.unwrap();
        ensure_publication(&mut sql).await.unwrap();
        for table in tables {
            publish_table(&mut sql, table).await.unwrap();
        }
        let mut connection = ReplicationConnection::connect(&url, "test").await.unwrap();
        let slot = format!("test_{}", app.postgres.name());
        connection.create_temporary_slot(&slot).await.unwrap();
        Log {
            sql,
            stream: connection.start(&slot, Lsn(0)).await.unwrap(),
            decoder: Decoder::new(app.manager.exposure(), Limits::default()),
        }
    }

    /// Every change that is committed by now and was not given before.
    pub async fn changes(&mut self) -> Vec<Change> {
        // What is not flushed yet is not told; a message flushes it and is told itself.
        let emit = "SELECT pg_logical_emit_message(true, 'test', 'now')";
        let rows = self.sql.rows(emit).await.unwrap();
        let now = rows.into_iter().flatten().next().flatten().unwrap();
        let now: Lsn = now.parse().unwrap();
        let mut changes = Vec::new();
        let reading = async {
            loop {
                let frames = self.stream.next().await.unwrap();
                for frame in frames.frames() {
                    let Frame::Message { sent, data } = frame else {
                        continue;
                    };
                    let end = match self
                        .decoder
                        .decode(
                            data,
                            Arrival {
                                sent,
                                read_at: std::time::Instant::now(),
                            },
                        )
                        .unwrap()
                    {
                        Some(Decoded::Progress(end)) => end,
                        Some(Decoded::Transaction(transaction)) => {
                            assert_eq!(transaction.whole, []);
                            changes.extend(transaction.changes);
                            transaction.end_lsn
                        }
                        None => continue,
                    };
                    self.stream.confirm(end);
                    if end >= now {
                        return;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, reading).await.unwrap();
        changes
    }
}
