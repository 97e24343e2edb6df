//! `/blazelink/dev/..`: the script in the app's pages, the stream that it follows, and what somebody
//! answers there to a question of the tool's.
//!
//! `routes` serves them behind the doors like everything else, and only where `blazelink dev` has
//! started the app. Pages of other origins can open the stream and read nothing of it, and cannot
//! answer.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::stream;
use poem::http::{StatusCode, header};
use poem::{Body, Endpoint, Request, Response};
use serde::{Deserialize, Serialize};

use super::channel::{DevChannel, Listener};

/// Where the stream is.
pub(crate) const EVENTS: &str = "/blazelink/dev/events";

/// Where questions are answered.
pub(crate) const ANSWER: &str = "/blazelink/dev/answer";

/// Bytes of an answer.
const ANSWER_BYTES: usize = 1 << 10;

/// Where the script is.
pub(crate) const SCRIPT: &str = "/blazelink/dev/overlay.js";

const TEXT: &str = include_str!("overlay.js");

/// How often a stream on which nothing happens says so, so that one whose page is gone ends.
const QUIET: Duration = Duration::from_secs(15);

/// The script.
pub(crate) fn script() -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(TEXT)
}

/// A stream of what pages are told (HTML standard, server-sent events).
pub(crate) fn events(channel: &DevChannel) -> Response {
    let lines = stream::unfold(channel.listen(), |mut listener| async move {
        let text = next(&mut listener).await?;
        Some((Ok::<_, io::Error>(text), listener))
    });
    Response::builder()
        .status(StatusCode::OK)
        .content_type("text/event-stream")
        .header(header::CACHE_CONTROL, "no-store")
        .body(Body::from_bytes_stream(lines))
}

/// What writes the answers of pages into the file in which the app tells events.
#[derive(Clone, Debug)]
pub(crate) struct Answers {
    pub(crate) events: PathBuf,
}

#[derive(Deserialize, Serialize)]
struct Answered {
    id: u32,
    choice: String,
}

#[derive(Serialize)]
struct Told {
    event: &'static str,
    #[serde(flatten)]
    answered: Answered,
}

impl Endpoint for Answers {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(Response::from(self.status_of(request).await))
    }
}

impl Answers {
    async fn status_of(&self, mut request: Request) -> StatusCode {
        // Pages of other ports of this machine get past the doors.
        let site = request.header("sec-fetch-site");
        if site.is_some_and(|site| site != "same-origin") {
            return StatusCode::FORBIDDEN;
        }
        let json = request.content_type();
        if !json.is_some_and(|it| it.starts_with("application/json")) {
            return StatusCode::UNSUPPORTED_MEDIA_TYPE;
        }
        let body = request.take_body().into_bytes_limit(ANSWER_BYTES).await;
        let answered = body
            .ok()
            .and_then(|body| serde_json::from_slice(&body).ok());
        let Some(answered) = answered else {
            return StatusCode::BAD_REQUEST;
        };
        let event = "answer";
        match super::announce(&self.events, &Told { event, answered }) {
            Ok(()) => StatusCode::ACCEPTED,
            Err(error) => {
                tracing::warn!(%error, "an answer cannot be handed on");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }
}

async fn next(listener: &mut Listener) -> Option<String> {
    match tokio::time::timeout(QUIET, listener.next()).await {
        Ok(line) => line.map(|line| format!("data: {line}\n\n")),
        Err(_) => Some(":\n\n".to_owned()),
    }
}

/// The page with the script in it: a file of the page's own origin, so that policies which pages
/// set for themselves let it in.
pub(crate) fn with_script(mut html: String) -> String {
    let tag = format!("<script src=\"{SCRIPT}\" defer></script>\n");
    let lower = html.to_ascii_lowercase();
    let at = lower.find("</head>").or_else(|| lower.rfind("</body>"));
    html.insert_str(at.unwrap_or(html.len()), &tag);
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_script_stands_once_in_any_page() {
        for page in [
            "<!doctype html><HEAD><title>ü</title></HEAD><body></body>",
            "<p>no head</p></body>",
            "text",
            "",
        ] {
            let with = with_script(page.to_owned());
            assert_eq!(with.matches(SCRIPT).count(), 1, "{with}");
            assert_eq!(
                with.replace(
                    "<script src=\"/blazelink/dev/overlay.js\" defer></script>\n",
                    ""
                ),
                page
            );
        }
        let page = with_script("<head></head><body></body>".into());
        assert!(page.starts_with("<head><script src="), "{page}");
    }
}
