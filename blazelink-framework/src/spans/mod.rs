//! What an app tells OpenTelemetry: a span per request and per commit; with the feature `otel`.
//!
//! `run` installs the exporter where the standard variables name a collector. Spans say what kind of
//! thing was done and how it ended: no values, no paths, no ids of sessions. Without the feature a
//! span is nothing.

#[cfg(not(feature = "otel"))]
mod off;
#[cfg(feature = "otel")]
mod on;

#[cfg(not(feature = "otel"))]
pub(crate) use off::{Exporter, commit, request};
#[cfg(feature = "otel")]
pub(crate) use on::{Exporter, commit, request};
