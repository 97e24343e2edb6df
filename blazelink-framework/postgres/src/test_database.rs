//! A fresh database per test, on a cluster that all tests of a process share.

use std::collections::HashMap;
use std::error::Error as StdError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use tokio::sync::OnceCell;

use crate::cluster::Cluster;
use crate::database;

static SHARED: OnceCell<Arc<Cluster>> = OnceCell::const_new();
static TEMPLATES: Mutex<Option<HashMap<String, Arc<OnceCell<()>>>>> = Mutex::new(None);
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// Databases that wait to be dropped. Beyond it they are left to the cluster's end.
const DROPS_WAITING: usize = 1_024;

/// How long whoever reads from a slot of a database that is dropped may take to end: Postgres drops
/// none with an active slot.
const READER_ENDS_MS: u32 = 5_000;

/// A database of one test. Dropped with the value, as far as that goes; the cluster, with
/// whatever is left in it, ends with the process.
#[derive(Debug)]
pub struct TestDatabase {
    cluster: Arc<Cluster>,
    name: String,
    url: String,
    shared: bool,
}

impl TestDatabase {
    /// An empty database on the cluster that the tests of this process share.
    ///
    /// # Errors
    /// As [`Cluster::throwaway`], or [`Code::Database`].
    pub async fn create() -> Result<TestDatabase> {
        TestDatabase::on(shared().await?, "template1", true).await
    }

    /// An empty database on a cluster of its own, for a test that stops or kills the server.
    ///
    /// # Errors
    /// As [`TestDatabase::create`].
    pub async fn with_own_cluster() -> Result<TestDatabase> {
        TestDatabase::on(Arc::new(Cluster::throwaway().await?), "template1", false).await
    }

    /// A copy of the template called `name`, on the shared cluster. The first caller in this
    /// process has the template made: an empty database whose URL `prepare` is given, for
    /// migrations. `prepare` must have closed its connections when it returns; slots that it
    /// makes are not copied.
    ///
    /// # Errors
    /// As [`TestDatabase::create`], or what `prepare` returned.
    pub async fn from_template<E>(
        name: &str,
        prepare: impl AsyncFnOnce(String) -> Result<(), E>,
    ) -> Result<TestDatabase>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        let cluster = shared().await?;
        let template = format!("template_{name}");
        let made = {
            // Held for the look-up only, never across an await.
            let mut templates = TEMPLATES
                .lock()
                .unwrap_or_else(|broken| broken.into_inner());
            let templates = templates.get_or_insert_default();
            Arc::clone(templates.entry(template.clone()).or_default())
        };
        made.get_or_try_init(async || make_template(&cluster, &template, prepare).await)
            .await?;
        TestDatabase::on(cluster, &template, true).await
    }

    /// The database's URL, for tokio-postgres, sqlx and libpq.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The cluster it is in. Other tests of this process use it too, unless the database was made
    /// by [`TestDatabase::with_own_cluster`].
    pub fn cluster(&self) -> &Cluster {
        &self.cluster
    }

    async fn on(cluster: Arc<Cluster>, template: &str, shared: bool) -> Result<TestDatabase> {
        let name = format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        copy(&cluster, template, &name).await?;
        Ok(TestDatabase {
            url: cluster.url(&name),
            cluster,
            name,
            shared,
        })
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if self.shared {
            let _ = janitor().try_send((Arc::clone(&self.cluster), self.name.clone()));
        }
    }
}

async fn shared() -> Result<Arc<Cluster>> {
    SHARED
        .get_or_try_init(async || Ok(Arc::new(Cluster::throwaway().await?)))
        .await
        .cloned()
}

async fn make_template<E>(
    cluster: &Cluster,
    template: &str,
    prepare: impl AsyncFnOnce(String) -> Result<(), E>,
) -> Result<()>
where
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    // What an earlier attempt that failed may have left.
    drop_database(cluster, template).await?;
    copy(cluster, "template1", template).await?;
    prepare(cluster.url(template)).await.map_err(|error| {
        Error::new(
            ErrorKind::Unavailable,
            Code::Database,
            format!("The test database `{template}` could not be prepared"),
        )
        .with_source(error)
    })
}

async fn copy(cluster: &Cluster, template: &str, name: &str) -> Result<()> {
    // Copying files beats logging their pages where nothing is fsynced. 14 knows only that way.
    let strategy = if cluster.version().starts_with("14") {
        ""
    } else {
        "STRATEGY file_copy"
    };
    let create = format!(
        "CREATE DATABASE {} TEMPLATE {} {strategy}",
        database::quoted(name),
        database::quoted(template)
    );
    database::with_connection(&cluster.url("postgres"), async |client| {
        database::run(client, &create).await
    })
    .await
}

async fn drop_database(cluster: &Cluster, name: &str) -> Result<()> {
    let end_readers = format!(
        "SELECT pg_terminate_backend(active_pid, {READER_ENDS_MS}) FROM pg_replication_slots \
         WHERE database = {0} AND active_pid IS NOT NULL;
         SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots \
         WHERE database = {0}",
        database::literal(name)
    );
    let drop = format!(
        "DROP DATABASE IF EXISTS {} WITH (FORCE)",
        database::quoted(name)
    );
    database::with_connection(&cluster.url("postgres"), async |client| {
        database::run(client, &end_readers).await?;
        database::run(client, &drop).await
    })
    .await
}

/// The thread that drops databases: a `drop` can neither await nor rely on the runtime of its
/// test, which may be ending.
fn janitor() -> &'static SyncSender<(Arc<Cluster>, String)> {
    static JANITOR: OnceLock<SyncSender<(Arc<Cluster>, String)>> = OnceLock::new();
    JANITOR.get_or_init(|| {
        let (sender, receiver) = sync_channel(DROPS_WAITING);
        // Without the thread nothing is dropped before the cluster is.
        let _ = std::thread::Builder::new()
            .name("blazelink-janitor".into())
            .spawn(move || tidy(&receiver));
        sender
    })
}

fn tidy(receiver: &Receiver<(Arc<Cluster>, String)>) {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return;
    };
    for (cluster, name) in receiver {
        // What is refused here goes with the cluster.
        let _ = runtime.block_on(drop_database(&cluster, &name));
    }
}
