//! Spans, and the exporter that takes them to a collector.

use blazelink_codes::Code;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use poem::Request;
use poem::http::{HeaderMap, StatusCode};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Subscriber, trace_span};
use tracing_opentelemetry::{OpenTelemetryLayer, OpenTelemetrySpanExt};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::registry::LookupSpan;

use crate::error::{Error, ErrorKind, Result};

/// What our own spans are called in `tracing`, where the log does not show them.
const TARGET: &str = "blazelink::spans";

/// Variables of OpenTelemetry's that name a collector; the first that is set counts.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// Takes spans to a collector, in batches, on a thread of its own.
#[derive(Debug)]
pub(crate) struct Exporter {
    provider: SdkTracerProvider,
}

impl Exporter {
    /// To the collector that the standard variables name; none if they name none. Not to be called
    /// where tasks run: making it may block.
    ///
    /// # Errors
    ///
    /// If what they say is none.
    pub(crate) fn from_environment(app: &str) -> Result<Option<Exporter>> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        if !is_wanted(variable) {
            return Ok(None);
        }
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.map_err(not_exported)?;
        Ok(Some(Exporter::through(exporter, resource(app, variable))))
    }

    fn through(exporter: SpanExporter, resource: Resource) -> Exporter {
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource)
            .build();
        Exporter { provider }
    }

    /// What has spans exported: ours, and those of the app's own that are at least `INFO`.
    pub(crate) fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> + use<S> {
        let tracer: SdkTracer = self.provider.tracer("blazelink");
        let shown = Targets::new()
            .with_default(LevelFilter::INFO)
            .with_target(TARGET, LevelFilter::TRACE);
        OpenTelemetryLayer::new(tracer).with_filter(shown)
    }

    /// Exports what is left. Not to be called where tasks run: it blocks.
    pub(crate) fn flush(self) {
        if let Err(error) = self.provider.shutdown() {
            tracing::warn!(%error, "the last spans were not exported");
        }
    }
}

fn is_wanted(variable: impl Fn(&str) -> Option<String>) -> bool {
    let says = |name: &str, word: &str| variable(name).is_some_and(|value| value == word);
    let named = ENDPOINTS.iter().any(|name| variable(name).is_some());
    named && !says("OTEL_SDK_DISABLED", "true") && !says("OTEL_TRACES_EXPORTER", "none")
}

/// What the spans belong to: what the variables say, and the app's name if they say none.
fn resource(app: &str, variable: impl Fn(&str) -> Option<String>) -> Resource {
    let named = variable("OTEL_SERVICE_NAME").is_some()
        || variable("OTEL_RESOURCE_ATTRIBUTES").is_some_and(|said| said.contains("service.name="));
    let resource = Resource::builder();
    if named {
        resource.build()
    } else {
        resource.with_service_name(app.to_owned()).build()
    }
}

fn not_exported(error: opentelemetry_otlp::ExporterBuildError) -> Error {
    let sentence = "Spans cannot be exported as the variables OTEL_EXPORTER_OTLP_.. say";
    Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence)
        .with_source(error)
        .with_hint("name a collector that takes OTLP over HTTP: http://localhost:4318")
}

/// Something that is done.
#[derive(Clone, Debug)]
pub(crate) struct Span {
    span: tracing::Span,
}

impl Span {
    /// Has it last as long as this.
    pub(crate) fn around<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        work.instrument(self.span.clone())
    }

    /// The request was answered so.
    pub(crate) fn answered(&self, status: StatusCode) {
        self.span
            .record("http.response.status_code", status.as_u16());
        if status.is_server_error() {
            self.span.record("otel.status_code", "ERROR");
        }
    }
}

/// A request; of the trace that it says it belongs to (W3C Trace Context).
pub(crate) fn request(request: &Request, route: &'static str) -> Span {
    let span = trace_span!(
        target: TARGET,
        "request",
        otel.name = route,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method(request),
        http.route = route,
        http.response.status_code = Empty,
    );
    if !span.is_disabled() {
        let parent = TraceContextPropagator::new().extract(&Headers(request.headers()));
        // Refused only where the span has begun already.
        let _ = span.set_parent(parent);
    }
    Span { span }
}

/// A transaction with so many changed rows, from the moment it is visible until every outbox has it.
pub(crate) fn commit(changes: usize) -> Span {
    let span = trace_span!(target: TARGET, "commit", otel.kind = "consumer", changes);
    Span { span }
}

/// One of a few words, whatever the client sent.
fn method(request: &Request) -> &'static str {
    match request.method().as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "_OTHER",
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(|name| name.as_str()).collect()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::TcpListener;

    use opentelemetry_otlp::WithExportConfig;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// What is posted to a collector: path and body.
    fn posted(listener: &TcpListener) -> (String, Vec<u8>) {
        let (stream, _) = listener.accept().unwrap();
        let mut input = BufReader::new(&stream);
        let mut first = String::new();
        input.read_line(&mut first).unwrap();
        let mut length = 0;
        loop {
            let mut line = String::new();
            input.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        input.read_exact(&mut body).unwrap();
        let answer = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        (&stream).write_all(answer.as_bytes()).unwrap();
        (first, body)
    }

    fn holds(body: &[u8], part: &[u8]) -> bool {
        body.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn requests_and_commits_reach_the_collector_and_carry_on_the_clients_trace() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let collecting = std::thread::spawn(move || posted(&listener));
        let exporter = SpanExporter::builder().with_http().with_endpoint(endpoint);
        let exporter = exporter.build().unwrap();
        let exporter = Exporter::through(exporter, resource("mygame", |_| None));
        let subscriber = tracing_subscriber::registry().with(exporter.layer());
        let trace = [0xAB; 16];
        tracing::subscriber::with_default(subscriber, || {
            let asked = Request::builder()
                .uri("/graphql/?token=secret".parse().unwrap())
                .header(
                    "traceparent",
                    format!("00-{}-{}-01", "ab".repeat(16), "cd".repeat(8)),
                )
                .finish();
            let span = request(&asked, "graphql");
            span.answered(StatusCode::OK);
            commit(3);
        });
        exporter.flush();
        let (first, body) = collecting.join().unwrap();
        assert!(first.starts_with("POST /v1/traces "), "{first}");
        for part in [&b"mygame"[..], b"graphql", b"commit", &trace, &[0xCD; 8]] {
            assert!(holds(&body, part), "{part:?}");
        }
        assert!(
            !holds(&body, b"secret"),
            "a path may tell what is nobody's business"
        );
    }

    #[test]
    fn nothing_is_exported_unless_a_collector_is_named_and_nobody_objects() {
        let wanted = |set: &[(&str, &str)]| {
            is_wanted(|name| {
                let found = set.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let named = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
        assert!(!wanted(&[]));
        assert!(wanted(&[named]));
        assert!(wanted(&[(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://a"
        )]));
        assert!(!wanted(&[named, ("OTEL_SDK_DISABLED", "true")]));
        assert!(!wanted(&[named, ("OTEL_TRACES_EXPORTER", "none")]));
    }
}
