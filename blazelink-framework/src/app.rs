//! The builder an app is declared with, and the running app.
//!
//! The only file that knows every module: it connects the pool, checks the database, starts the
//! replication thread and the server, and ends them again. Everything else is told what it needs.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink_codes::{Code, limits};
use poem::endpoint::BoxEndpoint;
use poem::{Endpoint, EndpointExt, IntoEndpoint, Response};
use sea_orm::{DatabaseConnection, DbErr, Linked};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::{Authenticator, Authority, ContextFactory};
use crate::config::{ClientLimits, Config, Environment};
use crate::data;
use crate::dev::DevChannel;
use crate::error::{Error, ErrorKind, Result};
use crate::graphql::{Executor, QueryLimits};
use crate::pools::{self, Pools};
use crate::replication::{Following, Signaler};
use crate::routes;
use crate::session::{ConnectionManager, SessionLimits};
use crate::state_folder::StateFolder;
use crate::subscription::SubscriptionManager;
use crate::table::{
    DataAccessor, Extension, Table, TableManager, TableManagerBuilder, VirtualTable, Writes,
};
use crate::transport::HttpServer;
use crate::viewer::Viewer;
use crate::visibility::{Access, Openness, summary};

/// How long open requests, and after them the pool's connections, may take to end after the app
/// was told to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// How often sessions without a socket are looked through for those whose grace is over.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

type SeedFuture = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send>>;
type Seed = Box<dyn Fn(DatabaseConnection) -> SeedFuture + Send + Sync>;
type MakeRoute = Box<dyn FnOnce(&DatabaseConnection) -> BoxEndpoint<'static> + Send>;

/// The entry into the framework.
#[derive(Clone, Copy, Debug)]
pub struct Blazelink;

impl Blazelink {
    /// An app without tables, pages and routes.
    pub fn builder() -> Builder {
        Builder {
            tables: TableManagerBuilder::default(),
            seed: None,
            own_routes: Vec::new(),
            declared: routes::Declared::default(),
            authority: Authority::default(),
        }
    }
}

/// Declares an app: its tables, pages and routes. Nothing happens before [`Builder::start`].
#[must_use = "an app does nothing before it is started"]
pub struct Builder {
    tables: TableManagerBuilder,
    seed: Option<Seed>,
    own_routes: Vec<(String, MakeRoute)>,
    declared: routes::Declared,
    authority: Authority,
}

impl Builder {
    /// Exposes one entity that derives [`Table`].
    pub fn table<E: Table>(mut self) -> Builder {
        self.tables = self.tables.table::<E>();
        self
    }

    /// Exposes every entity that derives [`Table`] in this module or below it, such as
    /// `"mygame::entities"`.
    pub fn discover(mut self, module: &str) -> Builder {
        self.tables = self.tables.discover(module);
        self
    }

    /// Adds computed fields to an entity that is exposed.
    pub fn extend(mut self, extension: Extension) -> Builder {
        self.tables = self.tables.extend(extension);
        self
    }

    /// Exposes a [`VirtualTable`].
    pub fn virtual_table<V: VirtualTable>(mut self) -> Builder {
        self.tables = self.tables.virtual_table::<V>();
        self
    }

    /// Says what each viewer may see of an entity that is exposed. Of an entity of which nothing is
    /// said nobody sees anything, but in development everybody sees everything.
    ///
    /// The closure is asked for each request and each commit, so it must be quick and answer from
    /// the viewer and from memory: what it says counts from the next request and commit on. While
    /// it runs for a commit, requests are answered and new reads watched, but commits wait. One that
    /// takes longer than [`limits::RULES_TIMEOUT`] for a commit is not waited for: who watches rows of the
    /// entity is told to read again.
    ///
    /// [`limits::RULES_TIMEOUT`]: crate::codes::limits::RULES_TIMEOUT
    pub fn visible<E: Table>(
        mut self,
        access: impl Fn(&Viewer) -> Access + Send + Sync + 'static,
    ) -> Builder {
        self.tables = self.tables.visible::<E>(access);
        self
    }

    /// Gives an entity that is exposed mutations, and says who may use them: `createUser`,
    /// `updateUser`, `deleteUser`. Without it, and without `#[blazelink(writes)]` on the entity, it
    /// has none; without a rule in it nobody may use them, in development neither.
    pub fn writes<E: Table>(mut self, writes: Writes) -> Builder {
        self.tables = self.tables.writes::<E>(writes);
        self
    }

    /// Has the rows of an entity that is exposed read from a store of the app's own instead of
    /// Postgres: rows by key, pages of the table, and to-one and to-many relations to and from it.
    ///
    /// - Policies hold: rules are judged on the rows that the store gives. With a rule a page is
    ///   read from its beginning, and fails behind
    ///   [`limits::ACCESSOR_ROWS`](crate::codes::limits::ACCESSOR_ROWS) rows; so does every count.
    ///   The row is read as a whole, hidden columns too.
    /// - What only SQL can say is refused with an error: `where`, `orderBy`, `after`, `next`,
    ///   relations through junctions and chains, a policy with a condition in SQL, `Model`s and
    ///   `Select`s in computed fields, and, at the start, mutations.
    /// - The table exists in Postgres too, which tells the types of its columns; it may be empty.
    ///   What is read is watched as usual, but a change is told only by a commit to that table:
    ///   there is no other way for the app to tell one.
    pub fn accessor<E: Table>(mut self, accessor: impl DataAccessor) -> Builder {
        self.tables = self.tables.accessor::<E>(accessor);
        self
    }

    /// Says that everybody may see everything of an entity that is exposed, as
    /// `#[blazelink(public)]` on its `Model` does. What the builder says of an entity goes before
    /// what stands on it.
    pub fn public<E: Table>(mut self) -> Builder {
        self.tables = self.tables.public::<E>();
        self
    }

    /// Exposes a chain of relations, SeaORM's `Linked`, as a field of the entity where it begins:
    /// a to-one relation if no step leads to more than one row, else a to-many one. A row to which
    /// several ways lead is there once.
    ///
    /// Every table on the way must be exposed, and no step may have a condition of its own. Of a
    /// table between, any change has the field read again; the first one is watched by the rows
    /// that its row leads to.
    ///
    /// ```
    /// # mod entities { pub mod user {
    /// #     use sea_orm::entity::prelude::*;
    /// #     #[sea_orm::model]
    /// #     #[derive(Clone, Debug, PartialEq, DeriveEntityModel, blazelink::Table)]
    /// #     #[sea_orm(table_name = "user")]
    /// #     pub struct Model {
    /// #         #[sea_orm(primary_key)] pub id: i32,
    /// #         pub leader_id: Option<i32>,
    /// #         #[sea_orm(self_ref, relation_enum = "Leader", from = "leader_id", to = "id")]
    /// #         pub leader: BelongsTo<Option<Entity>>,
    /// #     }
    /// #     impl ActiveModelBehavior for ActiveModel {}
    /// # } }
    /// use entities::user;
    /// use sea_orm::{Linked, RelationDef, RelationTrait};
    ///
    /// struct LeaderOfLeader;
    ///
    /// impl Linked for LeaderOfLeader {
    ///     type FromEntity = user::Entity;
    ///     type ToEntity = user::Entity;
    ///
    ///     fn link(&self) -> Vec<RelationDef> {
    ///         vec![user::Relation::Leader.def(), user::Relation::Leader.def()]
    ///     }
    /// }
    ///
    /// let app = blazelink::Blazelink::builder()
    ///     .table::<user::Entity>()
    ///     .linked("leader_of_leader", LeaderOfLeader);
    /// ```
    pub fn linked<L: Linked>(mut self, field: &'static str, chain: L) -> Builder
    where
        L::FromEntity: Table,
        L::ToEntity: Table,
    {
        self.tables = self.tables.linked(field, chain);
        self
    }

    /// Makes a to-many relation of an entity, by its name in the schema, a plain list instead of
    /// pages. For relations that have no field of their own; others say `#[blazelink(list)]`.
    ///
    /// A list has at most [`LIST_ROWS`](blazelink_codes::limits::LIST_ROWS) rows. One that would
    /// have more is null, with an error.
    pub fn list<E: Table>(mut self, relation: &'static str) -> Builder {
        self.tables = self.tables.list::<E>(relation);
        self
    }

    /// Asks this factory who sends a request. Without one everybody is anonymous.
    pub fn context(mut self, factory: impl ContextFactory) -> Builder {
        self.authority = self.authority.with_context(factory);
        self
    }

    /// Has this authenticator judge what clients say of themselves on their websockets
    /// (`AuthorizeEvent`). Without one that is ignored.
    pub fn authenticator(mut self, authenticator: impl Authenticator) -> Builder {
        self.authority = self.authority.with_authenticator(authenticator);
        self
    }

    /// What `seed` runs. It is run by `blazelink dev` before every start, so it must leave a
    /// database alone that has rows already.
    pub fn seed<F, Fut>(mut self, seed: F) -> Builder
    where
        F: Fn(DatabaseConnection) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), DbErr>> + Send + 'static,
    {
        self.seed = Some(Box::new(move |database| Box::pin(seed(database))));
        self
    }

    /// Serves an endpoint of the app's own under this path; it is made once, with the pool.
    pub fn route<F, E>(mut self, path: &str, endpoint: F) -> Builder
    where
        F: FnOnce(DatabaseConnection) -> E + Send + 'static,
        E: IntoEndpoint,
        E::Endpoint: 'static,
    {
        let make: MakeRoute = Box::new(move |database| {
            endpoint(database.clone())
                .into_endpoint()
                .map_to_response()
                .boxed()
        });
        self.own_routes.push((path.to_owned(), make));
        self
    }

    /// Serves a minijinja template of the project's `templates` folder under this path.
    pub fn page(mut self, path: &str, template: &str) -> Builder {
        self.declared
            .pages
            .push((path.to_owned(), template.to_owned()));
        self
    }

    /// Serves the files of a folder of the project under this path.
    pub fn files(mut self, path: &str, folder: impl Into<PathBuf>) -> Builder {
        self.declared.folders.push((path.to_owned(), folder.into()));
        self
    }

    /// The GraphQL schema of the tables, as SDL. Needs no database.
    ///
    /// # Errors
    ///
    /// If the tables contradict each other.
    pub fn sdl(self) -> Result<String> {
        crate::graphql::sdl(&self.tables.build()?)
    }

    /// Runs what was given to [`Builder::seed`].
    ///
    /// # Errors
    ///
    /// If the database cannot be reached, or the seeding fails.
    pub async fn run_seed(self, config: &Config) -> Result<()> {
        let Some(seed) = self.seed else { return Ok(()) };
        // Rows in bulk may take their time.
        let unhurried = Config {
            limits: ClientLimits {
                statement_timeout: Duration::ZERO,
                ..config.limits
            },
            ..config.clone()
        };
        let database = pools::connect(&unhurried).await?;
        seed(database.clone()).await.map_err(|error| {
            Error::new(
                ErrorKind::Setup,
                Code::Database,
                "Seeding the database failed",
            )
            .with_source(error)
        })?;
        pools::close(database, DRAIN).await;
        Ok(())
    }

    /// Starts the app: connects, checks the database, follows its log and listens.
    ///
    /// Returns as soon as requests are answered; [`App::live`] waits until commits arrive.
    ///
    /// # Errors
    ///
    /// If the tables contradict each other or the database, if the database cannot be reached or
    /// does not replicate, or if the address cannot be bound.
    pub async fn start(self, config: Config) -> Result<App> {
        let doors = routes::doors(&config)?;
        let tables = match config.environment {
            Environment::Development => self.tables.open_unless_said(),
            Environment::Production => self.tables,
        };
        let manager = tables.build()?;
        let database = pools::connect(&config).await?;
        let mut manager = data::verify(manager, &database).await?;
        let mut pools = Pools::of(database.clone());
        if manager.computes() {
            pools.reads = pools::connect_reads(&config).await?;
            manager = data::follow_reads(manager, &pools.reads).await?;
        }
        let manager = Arc::new(manager);
        for missing in data::missing_indexes(&manager, &database).await? {
            let relations = missing.relations.join(", ");
            tracing::warn!(%relations, "pages read more rows than they have: {}", missing.sql);
        }
        manager.check_visibility()?;
        manager.check_writes()?;
        tell_what_is_open(&manager);
        let exposure = manager.exposure();
        let limits = query_limits(&config.limits);
        let executor = Executor::with_limits(Arc::clone(&manager), database.clone(), limits)?
            .with_field_timeout(config.limits.field_timeout)
            .reading_through(pools.reads.clone());
        let executor = Arc::new(executor);
        let connections = Arc::new(ConnectionManager::new(SessionLimits {
            total: config.limits.sessions,
            per_address: config.limits.sessions_per_address,
        }));
        let subscriptions = SubscriptionManager::new(exposure, connections)
            .with_limit_per_session(config.limits.subscriptions_per_session)
            .with_visibility(&manager)
            .with_conditions(Arc::new(data::SqlConditions::new(
                database.clone(),
                Handle::current(),
            )));
        let subscriptions = Arc::new(subscriptions);
        let state = StateFolder::open(&config, &subscriptions);

        let mut declared = self.declared;
        for (path, make) in self.own_routes {
            declared.endpoints.push((path, make(&database)));
        }
        let served = routes::Served {
            executor,
            subscriptions: Arc::clone(&subscriptions),
            authority: Arc::new(self.authority),
        };
        let endpoint = routes::assemble(&config, doors, served, declared)?;
        let server = listen(&config).await?;
        let address = server.address();

        let (stop, stopping) = watch::channel(false);
        let (linger, lingering) = watch::channel(None);
        let signaler = Signaler::prepare(&config, &database, subscriptions.clone()).await?;
        let (following, status) = signaler.spawn(stopping.clone())?;
        let serving = tokio::spawn(serve(server, endpoint, lingering));
        let remembering = state.map(|state| tokio::spawn(state.keep(stopping.clone())));
        let sweeping = tokio::spawn(sweep(subscriptions.clone(), stopping));
        Ok(App {
            address,
            status,
            stop,
            linger,
            pools,
            subscriptions,
            dev: config.dev,
            serving: Some(serving),
            sweeping,
            remembering,
            following: Some(following),
        })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("pages", &self.declared.pages)
            .finish_non_exhaustive()
    }
}

/// A running app.
pub struct App {
    address: SocketAddr,
    status: watch::Receiver<Following>,
    stop: watch::Sender<bool>,
    /// How long kept connections may linger, once the server is to stop.
    linger: watch::Sender<Option<Duration>>,
    pools: Pools,
    subscriptions: Arc<SubscriptionManager>,
    dev: Option<DevChannel>,
    serving: Option<JoinHandle<()>>,
    sweeping: JoinHandle<()>,
    /// Holds the state folder until the app stops.
    remembering: Option<JoinHandle<()>>,
    following: Option<std::thread::JoinHandle<()>>,
}

impl App {
    /// Where the app listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The sessions of the app's clients, and the count of their sockets.
    pub fn connections(&self) -> &ConnectionManager {
        self.subscriptions.connections()
    }

    /// Waits until commits of the database arrive.
    pub async fn live(&self) {
        let mut status = self.status.clone();
        // The sender lives as long as the replication thread; without it nothing becomes live.
        if status
            .wait_for(|status| *status == Following::Live)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }

    /// How the app follows the database's log, now and later.
    pub fn status(&self) -> watch::Receiver<Following> {
        self.status.clone()
    }

    /// Completes once commits cannot arrive any more, because the part that follows the log has
    /// broken down: from then on what sessions see is stale, and only a new process mends it. A
    /// lost connection is none of that; it comes back by itself ([`App::status`]).
    pub async fn failed(&self) -> Error {
        let mut status = self.status.clone();
        // The sender lives as long as the replication thread.
        while status.changed().await.is_ok() {}
        Error::new(
            ErrorKind::Unavailable,
            Code::ReplicationConnection,
            "The replication thread has ended by itself, so sessions hear of no commit any more",
        )
        .with_hint("start the app again; what stands in its log before this is a defect, report it")
    }

    /// Gives way to a process that accepts on the same socket already: no request fails and no
    /// commit is kept from anybody. First every client that keeps connections is moved over, so that
    /// none reads here what it will not be told about; then the websockets are closed, slot and
    /// state folder let go.
    pub async fn hand_over(mut self) {
        self.close_dev();
        self.linger.send_replace(Some(limits::HANDOVER_LINGER));
        self.served().await;
        self.stop().await;
    }

    /// Waits until no request is answered any more.
    async fn served(&mut self) {
        if let Some(serving) = self.serving.take() {
            tell_failed(serving.await.is_err());
        }
    }

    fn close_dev(&self) {
        if let Some(dev) = &self.dev {
            dev.close();
        }
    }

    /// Stops: closes the websockets, lets open requests end, gives the slot back.
    pub async fn stop(mut self) {
        self.close_dev();
        self.stop.send_replace(true);
        self.linger.send_if_modified(|linger| {
            let first = linger.is_none();
            linger.get_or_insert(Duration::ZERO);
            first
        });
        self.subscriptions.connections().stop();
        let following = self.following.take();
        let joined = tokio::task::spawn_blocking(move || following.map(|thread| thread.join()));
        self.served().await;
        tell_failed((&mut self.sweeping).await.is_err());
        tell_failed(!matches!(joined.await, Ok(None | Some(Ok(())))));
        // Each socket's task says goodbye to its client, within a time limit of its own.
        self.subscriptions.connections().sockets_closed().await;
        if let Some(remembering) = self.remembering.take() {
            // What watches is written down no more: the folder is somebody else's now.
            let _ = remembering.await;
        }
        self.pools.close(DRAIN).await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.close_dev();
        self.stop.send_replace(true);
        self.linger.send_replace(Some(Duration::ZERO));
        self.subscriptions.connections().stop();
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

fn tell_failed(failed: bool) {
    if failed {
        tracing::error!("a part of the app had failed before it was stopped");
    }
}

fn query_limits(limits: &ClientLimits) -> QueryLimits {
    QueryLimits {
        depth: limits.query_depth,
        fields: limits.query_fields,
        aliases: limits.query_aliases,
        page_size: limits.page_size.into(),
        answer_rows: limits.answer_rows,
    }
}

/// Logs who may read what, a line per table.
fn tell_what_is_open(manager: &TableManager) {
    for line in summary(manager) {
        match line.openness {
            Openness::Said | Openness::Lent => tracing::info!("{line}"),
            Openness::Closed => tracing::warn!("{line}"),
        }
    }
}

async fn listen(config: &Config) -> Result<HttpServer> {
    let address = config.listen;
    let server = match &config.listener {
        Some(listener) => listener.try_clone().and_then(HttpServer::on),
        None => HttpServer::bind(address).await,
    };
    server.map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::Listen,
            format!("{address} cannot be listened on"),
        )
        .with_source(error)
        .with_hint("set another port: BLAZELINK_PORT, or [server] port in Blazelink.toml")
    })
}

async fn serve(
    server: HttpServer,
    endpoint: impl Endpoint<Output = Response> + 'static,
    mut lingering: watch::Receiver<Option<Duration>>,
) {
    let stopped = async move {
        // An error means that the app itself is gone: stop as well.
        let linger = lingering.wait_for(Option::is_some).await;
        linger.ok().and_then(|linger| *linger).unwrap_or_default()
    };
    server.serve(endpoint, stopped, DRAIN).await;
}

/// Ends the sessions whose grace is over, until the app stops.
async fn sweep(subscriptions: Arc<SubscriptionManager>, mut stopping: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(SWEEP_EVERY);
    loop {
        let stopped = tokio::select! {
            _ = ticks.tick() => false,
            _ = stopping.wait_for(|stop| *stop) => true,
        };
        if stopped {
            return;
        }
        let subscriptions = Arc::clone(&subscriptions);
        // It may write files.
        let swept = move || subscriptions.sweep(Instant::now());
        match tokio::task::spawn_blocking(swept).await {
            Ok(0) => {}
            Ok(ended) => tracing::debug!(ended, "sessions ended"),
            Err(error) => tracing::error!(%error, "ending idle sessions failed"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::exposure::Exposure;

    #[tokio::test]
    async fn end_of_the_replication_thread_is_noticed() {
        let (following, status) = watch::channel(Following::default());
        let exposure = Arc::new(Exposure::new(Vec::new()));
        let connections = Arc::new(ConnectionManager::default());
        let thread = std::thread::spawn(move || {
            following.send_replace(Following::Live);
            // As a panic would, it ends without being asked to.
        });
        let app = App {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            status,
            stop: watch::channel(false).0,
            linger: watch::channel(None).0,
            pools: Pools::of(DatabaseConnection::default()),
            subscriptions: Arc::new(SubscriptionManager::new(exposure, connections)),
            dev: None,
            serving: Some(tokio::spawn(async {})),
            sweeping: tokio::spawn(async {}),
            remembering: None,
            following: Some(thread),
        };
        let failed = tokio::time::timeout(DRAIN, app.failed()).await;
        assert_eq!(failed.unwrap().code(), Code::ReplicationConnection);
    }
}
