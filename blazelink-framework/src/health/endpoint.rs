//! `/health` and `/ready`: what is told to whoever asks, and no more.

use std::time::Instant;

use poem::http::{Method, StatusCode, header};
use poem::{Request, Response};

use super::pulse::Pulse;

/// Answered as long as the process runs: who gets no answer may start it anew.
pub(crate) const HEALTH: &str = "/health";

/// Answered with 200 while the app can do its work, else with 503: who sends it clients sends them
/// elsewhere meanwhile.
pub(crate) const READY: &str = "/ready";

/// What `/health` answers.
pub(crate) fn health(request: &Request) -> Response {
    answer(request, StatusCode::OK, r#"{"health":"ok"}"#.to_owned())
}

/// What `/ready` answers.
pub(crate) fn ready(request: &Request, pulse: &Pulse) -> Response {
    let (status, body) = match pulse.verdict(Instant::now()) {
        Ok(()) => (StatusCode::OK, r#"{"ready":true}"#.to_owned()),
        Err(reason) => (
            StatusCode::SERVICE_UNAVAILABLE,
            format!(r#"{{"ready":false,"reason":"{}"}}"#, reason.word()),
        ),
    };
    answer(request, status, body)
}

fn answer(request: &Request, status: StatusCode, body: String) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Response::builder()
            .status(StatusCode::METHOD_NOT_ALLOWED)
            .header(header::ALLOW, "GET, HEAD")
            .finish();
    }
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header(header::CACHE_CONTROL, "no-store")
        .body(body)
}
