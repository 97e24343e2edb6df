//! What an app counts of itself, for Prometheus; with the feature `metrics`.
//!
//! `Meters` goes wherever something is counted: counters and histograms, no lock. Sizes are not kept
//! up to date but asked for when they are read (`scrape`). Without the feature a `Meters` is nothing,
//! and so is what is done with it: no call of it is left in the program.

#[cfg(not(feature = "metrics"))]
mod no_scrape;
#[cfg(not(feature = "metrics"))]
mod off;
#[cfg(feature = "metrics")]
mod on;
#[cfg(feature = "metrics")]
mod scrape;

#[cfg(not(feature = "metrics"))]
pub(crate) use no_scrape::Scrape;
#[cfg(not(feature = "metrics"))]
pub(crate) use off::Meters;
#[cfg(feature = "metrics")]
pub(crate) use on::Meters;
#[cfg(feature = "metrics")]
pub(crate) use scrape::Scrape;

/// Where metrics are served.
pub(crate) const METRICS: &str = "/metrics";
