//! `App`: the running app. `Builder` starts it, `run` and tests stop it.
//!
//! The only file that knows every module: it connects the pool, checks the database, starts the
//! replication thread and the server, and ends them again. Everything else is told what it needs.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blazelink_codes::{Code, limits};
use poem::{Endpoint, EndpointExt, Response, Route};
use sea_orm::DatabaseConnection;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::auth::Authority;
use crate::change::Lsn;
use crate::config::{ClientLimits, Config, Environment, MetricsAt};
use crate::data;
use crate::debugger::{self, Debugger, Inspector};
use crate::dev::DevChannel;
use crate::error::{Error, ErrorKind, Result};
use crate::graphql::{Executor, QueryLimits};
use crate::health::Pulse;
use crate::meters::{METRICS, Scrape};
use crate::pools::{self, Pools};
use crate::replication::{Following, Signaler, Tells};
use crate::routes;
use crate::session::{ConnectionManager, SessionLimits};
use crate::state_folder::StateFolder;
use crate::subscription::SubscriptionManager;
use crate::table::{TableManager, TableManagerBuilder};
use crate::transport::HttpServer;
use crate::visibility::{Openness, summary};

/// How often sessions without a socket are looked through for those whose grace is over.
const SWEEP_EVERY: Duration = Duration::from_secs(5);

/// A running app.
pub struct App {
    address: SocketAddr,
    status: watch::Receiver<Following>,
    handed_on: watch::Receiver<Lsn>,
    stop: watch::Sender<bool>,
    /// How long kept connections may linger, once the server is to stop.
    linger: watch::Sender<Option<Duration>>,
    pools: Pools,
    subscriptions: Arc<SubscriptionManager>,
    dev: Option<DevChannel>,
    serving: Option<JoinHandle<()>>,
    sweeping: JoinHandle<()>,
    pulsing: JoinHandle<()>,
    /// Serves metrics at an address of their own, until the server stops.
    metering: Option<(SocketAddr, JoinHandle<()>)>,
    debugger: Option<Debugger>,
    /// Holds the state folder until it is aborted.
    remembering: Option<JoinHandle<()>>,
    following: Option<std::thread::JoinHandle<()>>,
}

impl App {
    /// Starts an app that has been declared; see [`Builder::start`](crate::Builder::start).
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) async fn start(
        tables: TableManagerBuilder,
        authority: Authority,
        declared: routes::Declared,
        config: Config,
    ) -> Result<App> {
        let doors = routes::doors(&config)?;
        let tables = open_as(tables, &config);
        let manager = tables.build()?;
        let database = pools::connect(&config).await?;
        let mut manager = data::verify(manager, &database).await?;
        let mut pools = Pools::of(database.clone());
        if manager.computes() {
            pools.reads = pools::connect_reads(&config).await?;
            pools.computes = true;
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

        let (stop, stopping) = watch::channel(false);
        let (linger, lingering) = watch::channel(None);
        let tells = Tells::default();
        let held = tells.held.clone();
        let (status, handed_on) = (tells.following.subscribe(), tells.handed_on.subscribe());
        let ready_lag = config.limits.ready_lag;
        let pulse = Pulse::new(
            status.clone(),
            handed_on.clone(),
            lingering.clone(),
            ready_lag,
        );

        let scrape = Scrape::of(&config, &subscriptions, &pulse, &pools)?;
        let (metrics, scrape) = match config.metrics {
            Some(MetricsAt::Address(address)) => (None, scrape.map(|scrape| (address, scrape))),
            Some(MetricsAt::App) | None => (scrape, None),
        };
        let metering = match scrape {
            Some((address, scrape)) => {
                let setting = "BLAZELINK_METRICS, or [server] metrics in Blazelink.toml";
                let server = HttpServer::bind(address).await;
                let server = server.map_err(|error| not_listening(address, setting, error))?;
                let at = server.address();
                tracing::info!(url = %format!("http://{at}{METRICS}"), "serving metrics");
                let endpoint = Route::new().at(METRICS, scrape).map_to_response();
                Some((
                    at,
                    tokio::spawn(serve(server, endpoint, linger.subscribe())),
                ))
            }
            None => None,
        };

        let viewers = authority.viewer_form();
        let explorer = debugger::Explorer::new(Arc::clone(&executor), Handle::current());
        let is_debugged = config.debugger.at.is_some() || declared.debugger.is_some();
        let inspector = is_debugged.then(|| {
            let subject = debugger::Subject {
                app: config.app.clone(),
                environment: config.environment,
                subscriptions: Arc::clone(&subscriptions),
                tables: Arc::clone(&manager),
                status: status.clone(),
                handed_on: handed_on.clone(),
                postgres: debugger::Postgres::new(database.clone(), Handle::current()),
                explorer,
                held,
                shelf: config.state.as_deref().map(debugger::Shelf::below),
                viewers,
            };
            Arc::new(Inspector::new(subject, &config.debugger))
        });
        let served = routes::Served {
            inspector: inspector.clone(),
            executor,
            subscriptions: Arc::clone(&subscriptions),
            authority: Arc::new(authority),
            database: database.clone(),
            pulse: pulse.clone(),
            metrics,
        };
        let endpoint = routes::assemble(&config, doors, served, declared)?;
        let server = listen(&config).await?;
        let address = server.address();

        let signaler = Signaler::prepare(&config, &database, subscriptions.clone()).await?;
        let following = signaler.spawn(stopping.clone(), tells)?;
        let debugger = inspector.and_then(|inspector| {
            Debugger::start(config.debugger.at.clone(), inspector, lingering.clone())
        });
        let serving = tokio::spawn(serve(server, endpoint, lingering));
        let remembering = state.map(|state| tokio::spawn(state.keep()));
        let pulsing = tokio::spawn(pulse.run(database, stopping.clone()));
        let sweeping = tokio::spawn(sweep(subscriptions.clone(), stopping));
        Ok(App {
            address,
            status,
            handed_on,
            stop,
            linger,
            pools,
            subscriptions,
            dev: config.dev,
            serving: Some(serving),
            sweeping,
            pulsing,
            metering,
            debugger,
            remembering,
            following: Some(following),
        })
    }

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

    /// Where metrics are served, if that is at an address of their own
    /// ([`MetricsAt::Address`](crate::config::MetricsAt::Address)).
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metering.as_ref().map(|(address, _)| *address)
    }

    /// Where the debugger is asked, if the settings name an address and it could be listened on.
    pub async fn debugger_address(&self) -> Option<SocketAddr> {
        self.debugger.as_ref()?.address().await
    }

    /// How the app follows the database's log, now and later.
    pub fn status(&self) -> watch::Receiver<Following> {
        self.status.clone()
    }

    /// Up to which position of the log every commit has been handed to whoever watches what it
    /// changed, now and later. It begins anew where the server has another history.
    pub fn handed_on(&self) -> watch::Receiver<Lsn> {
        self.handed_on.clone()
    }

    /// The pool of connections that answers queries, which the app's own routes are given too.
    pub fn database(&self) -> &DatabaseConnection {
        &self.pools.database
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

    /// Gives way to a process that accepts on the same socket already: no request fails, and whoever
    /// is not told of a commit by either is told to read again. First every client that keeps connections is moved over, so that
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
        let debugger = self.debugger.take();
        let joined = tokio::task::spawn_blocking(move || {
            if let Some(debugger) = debugger {
                debugger.join();
            }
            following.map(|thread| thread.join())
        });
        self.served().await;
        tell_failed((&mut self.sweeping).await.is_err());
        tell_failed((&mut self.pulsing).await.is_err());
        if let Some((_, metering)) = self.metering.take() {
            tell_failed(metering.await.is_err());
        }
        tell_failed(!matches!(joined.await, Ok(None | Some(Ok(())))));
        // Each socket's task says goodbye to its client, within a time limit of its own.
        self.subscriptions.connections().sockets_closed().await;
        if let Some(remembering) = self.remembering.take() {
            // Nothing is written down any more: from here on the folder is somebody else's.
            remembering.abort();
            let _ = remembering.await;
        }
        self.pools.close(limits::DRAIN).await;
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.close_dev();
        self.stop.send_replace(true);
        self.linger.send_replace(Some(Duration::ZERO));
        self.subscriptions.connections().stop();
        if let Some(remembering) = &self.remembering {
            remembering.abort();
        }
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// In development everybody sees tables of which nothing is said.
pub(crate) fn open_as(tables: TableManagerBuilder, config: &Config) -> TableManagerBuilder {
    match config.environment {
        Environment::Development => tables.open_unless_said(),
        Environment::Production => tables,
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
    let setting = "BLAZELINK_PORT, or [server] port in Blazelink.toml";
    server.map_err(|error| not_listening(address, setting, error))
}

fn not_listening(address: SocketAddr, setting: &str, error: std::io::Error) -> Error {
    let sentence = format!("{address} cannot be listened on");
    Error::new(ErrorKind::Setup, Code::Listen, sentence)
        .with_source(error)
        .with_hint(format!("set another port: {setting}"))
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
    server.serve(endpoint, stopped, limits::DRAIN).await;
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
    use sea_orm::DatabaseConnection;

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
            handed_on: watch::channel(Lsn::default()).1,
            stop: watch::channel(false).0,
            linger: watch::channel(None).0,
            pools: Pools::of(DatabaseConnection::default()),
            subscriptions: Arc::new(SubscriptionManager::new(exposure, connections)),
            dev: None,
            serving: Some(tokio::spawn(async {})),
            sweeping: tokio::spawn(async {}),
            pulsing: tokio::spawn(async {}),
            metering: None,
            debugger: None,
            remembering: None,
            following: Some(thread),
        };
        let failed = tokio::time::timeout(limits::DRAIN, app.failed()).await;
        assert_eq!(failed.unwrap().code(), Code::ReplicationConnection);
    }
}
