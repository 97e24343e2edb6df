//! What these tests share: a database with published tables, a stream of it, and waiting.

use std::sync::Arc;
use std::time::Duration;

use blazelink::change::{Cell, Change, Lsn, Row, Transaction};
use blazelink::exposure::{ExposedColumn, ExposedTable, Exposure};
use blazelink::object_id::TableId;
use blazelink::replication::{
    Arrival, DatabaseUrl, Decoded, Decoder, Frame, Limits, OrdinaryConnection,
    ReplicationConnection, ReplicationStream,
};
use blazelink::value::Kind;
use blazelink_migrations::{Execute, ensure_publication, publish_table};
use blazelink_postgres::TestDatabase;

/// No wait of these tests takes this long unless something is broken.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// An exposed table of schema `public` with the number of its place; integer columns end in `#`.
pub(crate) fn exposed(id: u32, table: &str, columns: &[&str], key: &[usize]) -> ExposedTable {
    ExposedTable {
        id: TableId(id),
        schema: "public".into(),
        table: table.into(),
        entity: table.into(),
        columns: columns
            .iter()
            .map(|column| ExposedColumn {
                renamed: None,
                name: column.trim_end_matches('#').into(),
                kind: if column.ends_with('#') {
                    Kind::Int
                } else {
                    Kind::Text
                },
            })
            .collect(),
        key: key.to_vec(),
    }
}

/// A database, and an ordinary connection to it.
pub(crate) struct Database {
    pub(crate) test: TestDatabase,
    pub(crate) url: DatabaseUrl,
    pub(crate) sql: Sql,
}

/// An ordinary connection that runs scripts.
pub(crate) struct Sql(OrdinaryConnection);

impl Sql {
    pub(crate) async fn connect(url: &DatabaseUrl) -> Sql {
        Sql(OrdinaryConnection::connect(url, "test").await.unwrap())
    }

    /// Runs statements; several in one text are one transaction.
    pub(crate) async fn run(&mut self, sql: &str) {
        self.0.rows(sql).await.unwrap();
    }

    /// The first cell of the answer.
    pub(crate) async fn text(&mut self, sql: &str) -> String {
        let rows = self.0.rows(sql).await.unwrap();
        rows.into_iter()
            .flatten()
            .next()
            .flatten()
            .unwrap_or_default()
    }

    pub(crate) fn execute(&mut self) -> &mut OrdinaryConnection {
        &mut self.0
    }
}

impl Database {
    /// A database of the shared cluster in which `schema` was run and the tables are published.
    pub(crate) async fn create(schema: &str, published: &[&str]) -> Database {
        Database::on(TestDatabase::create().await.unwrap(), schema, published).await
    }

    pub(crate) async fn on(test: TestDatabase, schema: &str, published: &[&str]) -> Database {
        let url = DatabaseUrl::parse(test.url()).unwrap();
        let mut sql = Sql::connect(&url).await;
        sql.run(schema).await;
        ensure_publication(sql.execute()).await.unwrap();
        for table in published {
            publish_table(sql.execute(), table).await.unwrap();
        }
        Database { test, url, sql }
    }

    /// Streams from a new temporary slot.
    pub(crate) async fn follow(&self, exposure: Vec<ExposedTable>) -> Follower {
        self.follow_within(exposure, Limits::default()).await
    }

    pub(crate) async fn follow_within(
        &self,
        exposure: Vec<ExposedTable>,
        limits: Limits,
    ) -> Follower {
        let mut connection = ReplicationConnection::connect(&self.url, "test")
            .await
            .unwrap();
        let slot = format!("test_{}", self.test.name());
        connection.create_temporary_slot(&slot).await.unwrap();
        Follower {
            stream: connection.start(&slot, Lsn(0)).await.unwrap(),
            decoder: Decoder::new(Arc::new(Exposure::new(exposure)), limits),
            most_held: 0,
        }
    }
}

/// A stream with its decoder.
pub(crate) struct Follower {
    pub(crate) stream: ReplicationStream,
    pub(crate) decoder: Decoder,
    /// The most bytes that the decoder held after any message.
    pub(crate) most_held: usize,
}

impl Follower {
    /// Every transaction up to the position that the database has reached now.
    pub(crate) async fn until_now(&mut self, sql: &mut Sql) -> Vec<Transaction> {
        // What is not flushed yet is not told; a message flushes it and is told itself.
        let now = sql
            .text("SELECT pg_logical_emit_message(true, 'test', 'now')")
            .await;
        let now: Lsn = now.parse().unwrap();
        let mut transactions = Vec::new();
        let reading = async {
            loop {
                let frames = self.stream.next().await.unwrap();
                for frame in frames.frames() {
                    let Frame::Message { sent, data } = frame else {
                        continue;
                    };
                    let decoded = self
                        .decoder
                        .decode(
                            data,
                            Arrival {
                                sent,
                                read_at: std::time::Instant::now(),
                            },
                        )
                        .unwrap();
                    self.most_held = self.most_held.max(self.decoder.held_bytes());
                    let end = match decoded {
                        Some(Decoded::Progress(end)) => end,
                        Some(Decoded::Transaction(transaction)) => {
                            transactions.push(transaction);
                            transactions.last().unwrap().end_lsn
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
        transactions
    }

    /// The one transaction that was committed since the last call.
    pub(crate) async fn one(&mut self, sql: &mut Sql) -> Transaction {
        let mut transactions = self.until_now(sql).await;
        assert_eq!(transactions.len(), 1, "{transactions:?}");
        transactions.remove(0)
    }

    /// The one change that was committed since the last call.
    pub(crate) async fn one_change(&mut self, sql: &mut Sql) -> Change {
        let mut transaction = self.one(sql).await;
        assert_eq!(transaction.whole, []);
        assert_eq!(transaction.changes.len(), 1, "{transaction:?}");
        transaction.changes.remove(0)
    }
}

/// The cells of a row as text: `NULL`, `?` for what is not known.
pub(crate) fn texts(row: &Row) -> Vec<&str> {
    (0..row.len())
        .map(|column| match row.cell(column) {
            Cell::Null => "NULL",
            Cell::Unchanged => "?",
            Cell::Text(text) => text,
        })
        .collect()
}
