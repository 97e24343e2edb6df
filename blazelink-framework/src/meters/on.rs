//! The counters and histograms of one app, in a registry of its own.

use std::sync::Arc;
use std::time::Instant;

use poem::http::StatusCode;
use prometheus::core::Collector;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, Opts, Registry,
};

/// Bounds of the time that commits wait until they are visible, in seconds: most take a fifth of a
/// millisecond.
const GATE_SECONDS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 10.0,
];

/// Bounds of the time that a request takes, in seconds.
const REQUEST_SECONDS: &[f64] = &[
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Counts what happens in one app.
#[derive(Clone, Debug)]
pub(crate) struct Meters {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    registry: Registry,
    commits: IntCounter,
    changes: IntCounter,
    notices: IntCounter,
    overflows: IntCounter,
    resets: IntCounter,
    gate: Histogram,
    requests: IntCounterVec,
    request_seconds: HistogramVec,
}

/// Something that takes time has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timer {
    begun: Instant,
}

impl Timer {
    fn seconds(self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

impl Default for Meters {
    fn default() -> Self {
        let registry = Registry::new();
        let counter = |name, help| register(&registry, IntCounter::new(name, help));
        let inner = Inner {
            commits: counter(
                "blazelink_commits_total",
                "Transactions taken from the log and handed on",
            ),
            changes: counter(
                "blazelink_changes_total",
                "Changed rows of the transactions that were handed on",
            ),
            notices: counter(
                "blazelink_notices_total",
                "Updates put into outboxes for what commits changed",
            ),
            overflows: counter(
                "blazelink_outbox_overflows_total",
                "Outboxes that were emptied at their limit, their sessions being told to read again",
            ),
            resets: counter(
                "blazelink_resets_total",
                "Times that every session was told to read again, the log having a gap",
            ),
            gate: register(
                &registry,
                Histogram::with_opts(
                    HistogramOpts::new(
                        "blazelink_gate_wait_seconds",
                        "How long commits waited until a new snapshot saw them",
                    )
                    .buckets(GATE_SECONDS.to_vec()),
                ),
            ),
            requests: register(
                &registry,
                IntCounterVec::new(
                    Opts::new("blazelink_requests_total", "Requests answered"),
                    &["route", "status"],
                ),
            ),
            request_seconds: register(
                &registry,
                HistogramVec::new(
                    HistogramOpts::new(
                        "blazelink_request_seconds",
                        "How long requests took until their answer began",
                    )
                    .buckets(REQUEST_SECONDS.to_vec()),
                    &["route"],
                ),
            ),
            registry,
        };
        Meters {
            inner: Arc::new(inner),
        }
    }
}

impl Meters {
    /// Where further metrics of the app are registered.
    pub(super) fn registry(&self) -> &Registry {
        &self.inner.registry
    }

    /// Something begins that takes time.
    pub(crate) fn timer(&self) -> Timer {
        Timer {
            begun: Instant::now(),
        }
    }

    /// A transaction with so many changed rows was handed on.
    pub(crate) fn committed(&self, changes: usize) {
        self.inner.commits.inc();
        self.inner.changes.inc_by(changes as u64);
    }

    /// So many updates went to outboxes.
    pub(crate) fn told(&self, notices: usize) {
        self.inner.notices.inc_by(notices as u64);
    }

    /// An outbox was emptied at its limit.
    pub(crate) fn overflowed(&self) {
        self.inner.overflows.inc();
    }

    /// Every session starts over.
    pub(crate) fn started_over(&self) {
        self.inner.resets.inc();
    }

    /// Transactions are visible after this time.
    pub(crate) fn visible_after(&self, timer: Timer) {
        self.inner.gate.observe(timer.seconds());
    }

    /// A request was answered.
    pub(crate) fn answered(&self, route: &'static str, status: StatusCode, timer: Timer) {
        let counted = &self.inner.requests;
        counted.with_label_values(&[route, status.as_str()]).inc();
        let timed = &self.inner.request_seconds;
        timed.with_label_values(&[route]).observe(timer.seconds());
    }
}

/// Registers a metric of this package: its name is sound and there once, as the tests see, which
/// register all of them.
pub(super) fn register<C: Collector + Clone + 'static>(
    registry: &Registry,
    metric: prometheus::Result<C>,
) -> C {
    let metric = metric.expect("the name of a metric is a literal that Prometheus allows");
    let registered = registry.register(Box::new(metric.clone()));
    registered.expect("each metric has a name of its own");
    metric
}
