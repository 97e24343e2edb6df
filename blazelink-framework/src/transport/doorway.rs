//! The endpoint around all routes: asks the doors about every request before any route sees it.
//!
//! `routes` puts everything that is served behind one of these. It answers what the doors refuse
//! and what browsers ask beforehand, and lets pages of listed origins read the other answers (Fetch
//! standard, CORS protocol).

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};

use super::doors::{Doors, Refusal, Verdict};

/// Headers that a page of a listed origin may send; the last is the original client's.
const HEADERS: HeaderValue = HeaderValue::from_static("authorization,content-type,session_id");

/// Methods that such a page may use. What a route takes is its own affair.
const METHODS: HeaderValue = HeaderValue::from_static("GET,HEAD,POST,PUT,PATCH,DELETE,OPTIONS");

/// Seconds for which a browser need not ask again.
const MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// An endpoint behind doors.
#[derive(Clone, Debug)]
pub struct Doorway<E> {
    doors: Doors,
    /// Paths that are answered whoever asks.
    open: &'static [&'static str],
    inner: E,
}

impl<E> Doorway<E> {
    /// Puts an endpoint behind doors.
    pub fn new(doors: Doors, inner: E) -> Doorway<E> {
        Doorway {
            doors,
            open: &[],
            inner,
        }
    }

    /// Lets everybody ask these paths, by whatever name and from whatever page. What they answer
    /// must be for anybody, and must change nothing.
    #[must_use]
    pub fn open_at(mut self, paths: &'static [&'static str]) -> Doorway<E> {
        self.open = paths;
        self
    }
}

impl<E: Endpoint> Endpoint for Doorway<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if self.open.contains(&request.uri().path()) {
            return Ok(self.inner.get_response(request).await);
        }
        let verdict = self
            .doors
            .judge(request.method(), request.uri(), request.headers());
        let origin = request.headers().get(header::ORIGIN).cloned();
        let mut response = match verdict {
            Verdict::Admit | Verdict::Share => self.inner.get_response(request).await,
            Verdict::Preflight => preflight(),
            Verdict::Refuse(refusal) => {
                tracing::debug!(?refusal, "request refused");
                refuse(refusal)
            }
        };
        let headers = response.headers_mut();
        if let (Verdict::Share | Verdict::Preflight, Some(origin)) = (verdict, origin) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        }
        // On every answer: a cache may hold it for a page of another origin.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        Ok(response)
    }
}

fn preflight() -> Response {
    Response::builder()
        .header(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS)
        .header(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS)
        .header(header::ACCESS_CONTROL_MAX_AGE, MAX_AGE)
        .content_type("text/plain; charset=utf-8")
        .body("OK")
}

fn refuse(refusal: Refusal) -> Response {
    let status = match refusal {
        Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
        Refusal::Origin => StatusCode::FORBIDDEN,
    };
    Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .body(refusal.sentence())
}
