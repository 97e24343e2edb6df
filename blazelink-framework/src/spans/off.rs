//! Nothing is traced: the program is built without the feature `otel`.

use poem::Request;
use poem::http::StatusCode;
use tracing::Subscriber;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Identity;
use tracing_subscriber::registry::LookupSpan;

use crate::error::Result;

/// Exports nothing.
#[derive(Debug)]
pub(crate) struct Exporter;

impl Exporter {
    /// Never one.
    #[allow(clippy::unnecessary_wraps, reason = "the other `Exporter` may fail")]
    pub(crate) fn from_environment(_app: &str) -> Result<Option<Exporter>> {
        Ok(None)
    }

    #[allow(clippy::unused_self, reason = "the other `Exporter` has one")]
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        Identity::new()
    }

    #[allow(clippy::unused_self, reason = "the other `Exporter` has spans left")]
    pub(crate) fn flush(self) {}
}

/// No span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span;

#[allow(clippy::unused_self, reason = "the other `Span` is something")]
impl Span {
    #[inline]
    pub(crate) fn around<F: Future>(&self, work: F) -> F {
        work
    }

    #[inline]
    pub(crate) fn answered(&self, _status: StatusCode) {}
}

#[inline]
pub(crate) fn request(_request: &Request, _route: &'static str) -> Span {
    Span
}

#[inline]
pub(crate) fn commit(_changes: usize) -> Span {
    Span
}
