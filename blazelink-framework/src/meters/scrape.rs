//! What Prometheus reads: everything that was counted, and the sizes of this moment.
//!
//! `routes` serves it at `/metrics`, or `app` on an address of its own. Reading looks at each session
//! for a moment and at nothing that a commit waits for.

use std::sync::Arc;
use std::time::Instant;

use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response};
use prometheus::{Gauge, IntGauge, IntGaugeVec, Opts, TextEncoder};
use sea_orm::DatabaseConnection;

use super::on::{Meters, register};
use crate::config::Config;
use crate::error::Result;
use crate::health::Pulse;
use crate::pools::Pools;
use crate::subscription::SubscriptionManager;

/// Answers with the metrics of an app.
pub(crate) struct Scrape {
    meters: Meters,
    sizes: Sizes,
    subscriptions: Arc<SubscriptionManager>,
    pulse: Pulse,
    pools: Vec<(&'static str, DatabaseConnection)>,
}

/// What is set before it is read.
struct Sizes {
    sessions: IntGauge,
    sockets: IntGauge,
    subscriptions: IntGauge,
    outbox_bytes: IntGauge,
    largest_outbox: IntGauge,
    ready: IntGauge,
    lag_bytes: IntGauge,
    lag_seconds: Gauge,
    pool: IntGaugeVec,
}

impl Scrape {
    /// Of the app that these belong to, if its settings say where metrics are served.
    ///
    /// # Errors
    ///
    /// Never: it is the program without metrics that cannot have one.
    #[allow(clippy::unnecessary_wraps, reason = "the other `Scrape` may fail")]
    pub(crate) fn of(
        config: &Config,
        subscriptions: &Arc<SubscriptionManager>,
        pulse: &Pulse,
        pools: &Pools,
    ) -> Result<Option<Scrape>> {
        let served = config.metrics.is_some();
        Ok(served.then(|| Scrape::new(Arc::clone(subscriptions), pulse.clone(), pools)))
    }

    fn new(subscriptions: Arc<SubscriptionManager>, pulse: Pulse, pools: &Pools) -> Scrape {
        let meters = subscriptions.meters().clone();
        let registry = meters.registry();
        let gauge = |name, help| register(registry, IntGauge::new(name, help));
        let sizes = Sizes {
            sessions: gauge("blazelink_sessions", "Sessions"),
            sockets: gauge("blazelink_sockets", "Open websockets"),
            subscriptions: gauge(
                "blazelink_subscriptions",
                "Rows, tables and column values that sessions watch",
            ),
            outbox_bytes: gauge(
                "blazelink_outbox_bytes",
                "Bytes of updates that wait for clients or for their confirmation",
            ),
            largest_outbox: gauge(
                "blazelink_outbox_largest_bytes",
                "The same of the session for which the most waits",
            ),
            ready: gauge("blazelink_ready", "1 while /ready answers 200"),
            lag_bytes: gauge(
                "blazelink_replication_lag_bytes",
                "Bytes of the database's log that are written and not handed on",
            ),
            lag_seconds: register(
                registry,
                Gauge::new(
                    "blazelink_replication_lag_seconds",
                    "How long the oldest of these bytes has been written",
                ),
            ),
            pool: register(
                registry,
                IntGaugeVec::new(
                    Opts::new("blazelink_pool_connections", "Connections of a pool"),
                    &["pool", "state"],
                ),
            ),
        };
        let reads = pools.computes.then(|| ("computed", pools.reads.clone()));
        let pools = [("queries", pools.database.clone())]
            .into_iter()
            .chain(reads);
        Scrape {
            meters,
            sizes,
            subscriptions,
            pulse,
            pools: pools.collect(),
        }
    }

    fn measure(&self, now: Instant) {
        let sizes = &self.sizes;
        let connections = self.subscriptions.connections();
        let sessions = connections.all();
        let outboxes = sessions.iter().map(|session| session.outbox_bytes());
        let (total, largest) = outboxes.fold((0, 0), |(total, largest), bytes| {
            (total + bytes, bytes.max(largest))
        });
        set(&sizes.sessions, sessions.len());
        set(&sizes.sockets, connections.sockets());
        set(&sizes.subscriptions, self.subscriptions.subscriptions());
        set(&sizes.outbox_bytes, total);
        set(&sizes.largest_outbox, largest);
        set(&sizes.ready, usize::from(self.pulse.verdict(now).is_ok()));
        // Before anything is handed on nobody knows, and 0 would be a lie.
        let (bytes, seconds) = self.pulse.lag(now).map_or((-1, -1.0), |lag| {
            let bytes = i64::try_from(lag.bytes).unwrap_or(i64::MAX);
            (bytes, lag.time.as_secs_f64())
        });
        sizes.lag_bytes.set(bytes);
        sizes.lag_seconds.set(seconds);
        for (name, pool) in &self.pools {
            let pool = pool.get_postgres_connection_pool();
            let idle = pool.num_idle();
            let used = (pool.size() as usize).saturating_sub(idle);
            set(&sizes.pool.with_label_values(&[name, "idle"]), idle);
            set(&sizes.pool.with_label_values(&[name, "used"]), used);
        }
    }

    /// What is served; the metrics that the app itself has registered with `prometheus` come last.
    fn text(&self, now: Instant) -> prometheus::Result<String> {
        self.measure(now);
        let mut families = self.meters.registry().gather();
        families.extend(prometheus::gather());
        TextEncoder::new().encode_to_string(&families)
    }
}

impl Endpoint for Scrape {
    type Output = Response;

    async fn call(&self, _: Request) -> poem::Result<Response> {
        match self.text(Instant::now()) {
            Ok(text) => Ok(Response::builder()
                .content_type(prometheus::TEXT_FORMAT)
                .header(header::CACHE_CONTROL, "no-store")
                .body(text)),
            Err(error) => {
                tracing::error!(%error, "metrics are not printed");
                Ok(StatusCode::INTERNAL_SERVER_ERROR.into())
            }
        }
    }
}

fn set(gauge: &IntGauge, size: usize) {
    gauge.set(i64::try_from(size).unwrap_or(i64::MAX));
}
