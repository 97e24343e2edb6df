//! The app of a test: started on a database of its own, and ended with it.

use std::fmt;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use blazelink_codes::Code;
use blazelink_postgres::TestDatabase;
use sea_orm::DatabaseConnection;
use sea_orm_migration::MigratorTrait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::barrier::Barrier;
use super::client::{Links, TestClient};
use super::{APPS_AT_ONCE, in_time, template};
use crate::app::App;
use crate::builder::{Blazelink, Builder};
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};

/// Connections of each of a test's two pools.
const POOL: u32 = 4;

/// Connections that an app and its test may hold at once, without the one that reads the log: two
/// pools, the gate, and what makes the database and looks at the server while it starts.
const CONNECTIONS: usize = 2 * POOL as usize + 3;

// As many as a private Postgres takes.
const _: () = assert!(APPS_AT_ONCE * CONNECTIONS < 200);

/// How many messages a client may send: each `settled` sends one or two, and no test waits between.
const MESSAGES_PER_SECOND: u32 = 1_000_000;

/// The places of the apps that run at once.
static PLACES: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(APPS_AT_ONCE)));

/// A running app on a database of its own. Both end when it is dropped.
pub struct TestApp {
    // In the order in which they end.
    app: App,
    database: TestDatabase,
    _place: OwnedSemaphorePermit,
    barrier: Arc<Barrier>,
    links: Links,
}

impl TestApp {
    /// Starts the app that `declare` describes on an empty database with these migrations applied,
    /// and waits until it is live. See [`TestApp::setup`] for one with rows or other settings.
    ///
    /// # Errors
    ///
    /// If there is no Postgres, if a migration fails, or as [`Builder::start`].
    pub async fn start<D, M>(declare: D, migrator: M) -> Result<TestApp>
    where
        D: Fn(Builder) -> Builder,
        M: MigratorTrait,
    {
        TestApp::setup(declare, migrator).start().await
    }

    /// The same, and more can be said before it starts.
    pub fn setup<D, M>(declare: D, _: M) -> TestSetup<D, M>
    where
        D: Fn(Builder) -> Builder,
        M: MigratorTrait,
    {
        TestSetup {
            declare,
            migrator: PhantomData,
            folder: None,
            seeded: false,
            change: Vec::new(),
        }
    }

    /// The app's pool: what is committed through it reaches clients as every commit does.
    pub fn db(&self) -> &DatabaseConnection {
        self.app.database()
    }

    /// The URL of the database, for any other client.
    pub fn database_url(&self) -> &str {
        self.database.url()
    }

    /// Where the app listens.
    pub fn address(&self) -> SocketAddr {
        self.app.address()
    }

    /// The app itself.
    pub fn app(&self) -> &App {
        &self.app
    }

    /// A client that sends no `Authorization`.
    ///
    /// # Errors
    ///
    /// If the app does not take it.
    pub async fn client(&self) -> Result<TestClient> {
        self.open(None).await
    }

    /// A client whose requests carry this `Authorization`, from which the app's [`ContextFactory`]
    /// makes a viewer.
    ///
    /// # Errors
    ///
    /// If the app does not take it.
    ///
    /// [`ContextFactory`]: crate::ContextFactory
    pub async fn client_as(&self, authorization: &str) -> Result<TestClient> {
        self.open(Some(authorization.to_owned())).await
    }

    /// Waits until every commit so far has been told to whoever watches what it changed, and has
    /// arrived there: from here on, a client that is not [stale](TestClient::stale) was not told.
    ///
    /// # Errors
    ///
    /// If the app does not come that far within [`PATIENCE`](super::PATIENCE), or has ended the
    /// websocket of a client.
    pub async fn settled(&self) -> Result<()> {
        self.barrier.passed().await?;
        for link in self.links.there() {
            link.drained().await?;
        }
        Ok(())
    }

    /// Stops the app and waits for it; the database goes then. Dropping it does not wait.
    pub async fn stop(self) {
        self.app.stop().await;
    }

    async fn open(&self, authorization: Option<String>) -> Result<TestClient> {
        let (barrier, links) = (Arc::clone(&self.barrier), self.links.clone());
        TestClient::open(self.address(), authorization, barrier, links).await
    }
}

impl fmt::Debug for TestApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestApp")
            .field("address", &self.address())
            .finish_non_exhaustive()
    }
}

type Change = Box<dyn FnOnce(&mut Config) + Send>;

/// What is said of a [`TestApp`] before it starts.
#[must_use = "nothing happens before `start`"]
pub struct TestSetup<D, M> {
    declare: D,
    migrator: PhantomData<fn() -> M>,
    folder: Option<PathBuf>,
    seeded: bool,
    change: Vec<Change>,
}

impl<D, M> TestSetup<D, M>
where
    D: Fn(Builder) -> Builder,
    M: MigratorTrait,
{
    /// With the templates, static files and `Blazelink.toml` of this folder, instead of those of the
    /// package that is tested.
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// With the rows that the app's [`Builder::seed`] makes.
    pub fn seeded(mut self) -> Self {
        self.seeded = true;
        self
    }

    /// With other settings than those of a test.
    pub fn config(mut self, change: impl FnOnce(&mut Config) + Send + 'static) -> Self {
        self.change.push(Box::new(change));
        self
    }

    /// Starts it, and waits until it is live.
    ///
    /// # Errors
    ///
    /// As [`TestApp::start`]; also if seeding fails.
    pub async fn start(self) -> Result<TestApp> {
        let place = place().await?;
        let database = template::migrated::<M>().await?;
        let mut config = settings(self.folder, database.url())?;
        for change in self.change {
            change(&mut config);
        }
        if self.seeded {
            (self.declare)(Blazelink::builder())
                .run_seed(&config)
                .await?;
        }
        let app = (self.declare)(Blazelink::builder()).start(config).await?;
        in_time(|| "The app's replication slot".to_owned(), app.live()).await?;
        Ok(TestApp {
            barrier: Arc::new(Barrier::of(&app)),
            app,
            database,
            _place: place,
            links: Links::default(),
        })
    }
}

impl<D, M> fmt::Debug for TestSetup<D, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSetup")
            .field("seeded", &self.seeded)
            .finish_non_exhaustive()
    }
}

async fn place() -> Result<OwnedSemaphorePermit> {
    let free = Arc::clone(&PLACES).acquire_owned();
    let what = || format!("A place among the {APPS_AT_ONCE} apps that run at once");
    let taken = in_time(what, free).await.map_err(|error| {
        error.with_hint("let a test start fewer apps, or run fewer at once: --test-threads")
    })?;
    taken.map_err(|error| {
        let sentence = "No app can be started any more";
        Error::new(ErrorKind::Unavailable, Code::TestTimeout, sentence).with_source(error)
    })
}

/// The settings of a test in this folder; without one, in the current folder, which cargo makes the
/// package's.
fn settings(folder: Option<PathBuf>, url: &str) -> Result<Config> {
    let here = folder.map_or_else(std::env::current_dir, Ok);
    let folder = here.map_err(|error| {
        let sentence = "The current folder is gone";
        Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence).with_source(error)
    })?;
    let mut config = Config::for_test(&folder, url)?;
    config.pool = POOL;
    config.limits.messages_per_second = MESSAGES_PER_SECOND;
    Ok(config)
}
