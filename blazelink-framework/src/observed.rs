//! The endpoint around everything that an app serves: counts requests, times them, and has each be a
//! span.
//!
//! `routes` puts it in front of the doors, so that what those refuse is seen too. With neither of the
//! features `metrics` and `otel` it only passes on.

use poem::{Endpoint, Request, Response};

use crate::meters::Meters;
use crate::spans;

/// An endpoint whose requests are seen.
#[derive(Debug)]
pub(crate) struct Observed<E> {
    meters: Meters,
    inner: E,
}

impl<E> Observed<E> {
    /// Has the requests to this endpoint be counted there.
    pub(crate) fn new(meters: Meters, inner: E) -> Observed<E> {
        Observed { meters, inner }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Observed<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let route = kind(request.uri().path());
        let timer = self.meters.timer();
        let span = spans::request(&request, route);
        let answered = span.around(self.inner.get_response(request)).await;
        span.answered(answered.status());
        self.meters.answered(route, answered.status(), timer);
        Ok(answered)
    }
}

/// What a path leads to: few words, for each is kept for ever where it is counted, and none that
/// whoever asks has chosen.
fn kind(path: &str) -> &'static str {
    let first = path.trim_start_matches('/').split('/').next();
    match first.unwrap_or_default() {
        "graphql" => "graphql",
        "ws" => "websocket",
        "blazelink" => "blazelink",
        "health" | "ready" | "metrics" => "watch",
        _ => "app",
    }
}

#[cfg(test)]
mod tests {
    use super::kind;

    #[test]
    fn path_is_counted_by_what_it_leads_to() {
        for (path, word) in [
            ("/graphql/", "graphql"),
            ("/graphql", "graphql"),
            ("/ws/connect", "websocket"),
            ("/blazelink/client.js", "blazelink"),
            ("/ready", "watch"),
            ("/", "app"),
            ("/users/graphql", "app"),
        ] {
            assert_eq!(kind(path), word, "{path}");
        }
    }
}
