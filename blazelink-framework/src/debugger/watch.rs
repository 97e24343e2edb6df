//! `/api/watch`: answers of the API that stay current for as long as somebody reads them.
//!
//! The pages ask it, one stream for each page that is open. What must stay true: what is told is what
//! the API answers in that moment, for it is asked. An answer is made only once the one before has been
//! taken, so whoever reads slowly, or not at all, costs nothing and misses nothing: the next delta is to
//! what there is then.

use std::sync::Arc;
use std::time::Duration;

use blazelink_codes::limits;
use bytes::Bytes;
use futures_util::stream;
use poem::http::{StatusCode, Uri};
use poem::{Body, Endpoint, Request, Response};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::delta::delta;

/// How often answers are compared.
const EVERY: Duration = Duration::from_millis(250);

/// Something is said at least so often, so that whoever reads knows that nothing has changed.
const HEARTBEAT: Duration = Duration::from_secs(2);

/// Answers that one stream keeps current.
const ANSWERS: usize = 8;

/// See the file's head.
pub(crate) struct Watch<E> {
    api: Arc<E>,
    viewers: Arc<Semaphore>,
}

impl<E> Watch<E> {
    /// Of answers of this API.
    pub(crate) fn new(api: Arc<E>) -> Watch<E> {
        let viewers = Arc::new(Semaphore::new(limits::DEBUGGER_VIEWERS));
        Watch { api, viewers }
    }
}

impl<E: Endpoint + 'static> Endpoint for Watch<E> {
    type Output = Response;

    /// `?get=/api/overview&get=/api/updates`: lines of JSON, each with the `get` that it is of, and a
    /// `delta` or, if the API refuses it, `status` and `error`. An empty object says that nothing has
    /// changed.
    async fn call(&self, request: Request) -> poem::Result<Response> {
        let query = request.uri().query().unwrap_or_default();
        let gets = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == "get");
        let gets: Option<Vec<Watched>> = gets.map(|(_, get)| Watched::of(&get)).collect();
        let Some(gets) = gets.filter(|gets| (1..=ANSWERS).contains(&gets.len())) else {
            let sentence =
                format!("`get` names a path below /api/, and there are 1 to {ANSWERS} of it");
            return Ok(refused(StatusCode::BAD_REQUEST, &sentence));
        };
        let Ok(viewer) = Arc::clone(&self.viewers).try_acquire_owned() else {
            let most = limits::DEBUGGER_VIEWERS;
            let sentence = format!("{most} pages of the debugger are open already: close one");
            return Ok(refused(StatusCode::SERVICE_UNAVAILABLE, &sentence));
        };
        let viewer = Viewer {
            api: Arc::clone(&self.api),
            gets,
            next: Instant::now(),
            _counted: viewer,
        };
        let lines = stream::unfold(viewer, |mut viewer| async {
            let lines = viewer.next().await;
            Some((Ok::<_, std::io::Error>(lines), viewer))
        });
        Ok(Response::builder()
            .content_type("application/x-ndjson")
            .body(Body::from_bytes_stream(lines)))
    }
}

/// Whoever reads a stream.
struct Viewer<E> {
    api: Arc<E>,
    gets: Vec<Watched>,
    /// When the answers are compared next.
    next: Instant,
    _counted: OwnedSemaphorePermit,
}

impl<E: Endpoint> Viewer<E> {
    /// The lines that are to be told next, as soon as there are some.
    async fn next(&mut self) -> Bytes {
        let begun = Instant::now();
        loop {
            tokio::time::sleep_until(self.next).await;
            let mut lines = Vec::new();
            for watched in &mut self.gets {
                let answer = ask(&*self.api, &watched.uri).await;
                if let Some(change) = delta(&watched.told, &answer) {
                    let line = json!({"get": watched.get, "delta": change});
                    lines.extend_from_slice(line.to_string().as_bytes());
                    lines.push(b'\n');
                    watched.told = answer;
                }
            }
            self.next = Instant::now() + EVERY.max(pace(lines.len()));
            if !lines.is_empty() {
                return lines.into();
            }
            if begun.elapsed() >= HEARTBEAT {
                return Bytes::from_static(b"{}\n");
            }
        }
    }
}

/// How long so many bytes last, at the most that a viewer is told.
fn pace(bytes: usize) -> Duration {
    Duration::from_secs_f64(bytes as f64 / limits::DEBUGGER_BYTES_PER_SECOND as f64)
}

/// One answer that is kept current.
struct Watched {
    get: String,
    uri: Uri,
    /// What its reader has.
    told: Value,
}

impl Watched {
    fn of(get: &str) -> Option<Watched> {
        let uri: Uri = get.parse().ok()?;
        let is_answer = uri.path().starts_with("/api/") && uri.authority().is_none();
        is_answer.then(|| Watched {
            get: get.to_owned(),
            uri,
            told: Value::Null,
        })
    }
}

/// What the API answers: the answer in `ok`, or what is wrong in `error`.
async fn ask(api: &impl Endpoint, uri: &Uri) -> Value {
    let request = Request::builder().uri(uri.clone()).finish();
    let response = match api.call(request).await {
        Ok(response) => poem::IntoResponse::into_response(response),
        Err(error) => error.into_response(),
    };
    let status = response.status();
    let body = response.into_body().into_bytes().await.unwrap_or_default();
    match (status, serde_json::from_slice::<Value>(&body)) {
        (StatusCode::OK, Ok(answer)) => json!({"ok": answer}),
        (_, Ok(answer)) if answer["error"].is_string() => json!({"error": answer["error"]}),
        _ => json!({"error": format!("The debugger says {status}")}),
    }
}

fn refused(status: StatusCode, sentence: &str) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .body(json!({"error": sentence}).to_string())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use futures_util::StreamExt;
    use poem::endpoint::make_sync;

    use super::*;

    fn watch() -> (Arc<AtomicU64>, impl Endpoint<Output = Response>) {
        let asked = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&asked);
        let api = make_sync(move |_| {
            let times = counter.fetch_add(1, Ordering::Relaxed);
            Response::builder().body(json!({"same": 1, "tens": times / 10}).to_string())
        });
        (asked, Watch::new(Arc::new(api)))
    }

    fn request(query: &str) -> Request {
        let uri = format!("/api/watch?{query}");
        Request::builder().uri_str(uri).finish()
    }

    #[tokio::test(start_paused = true)]
    async fn what_has_changed_is_told_and_while_nothing_has_that_the_stream_lives() {
        let (_, watch) = watch();
        let response = watch.call(request("get=/api/overview")).await.unwrap();
        let mut lines = response.into_body().into_bytes_stream();
        let mut next = async || {
            let line = lines.next().await.unwrap().unwrap();
            serde_json::from_slice::<Value>(&line).unwrap()
        };
        let first = next().await;
        assert_eq!(first["get"], "/api/overview");
        assert_eq!(first["delta"], json!([0, {"ok": {"same": 1, "tens": 0}}]));
        assert_eq!(next().await, json!({}));
        let change = next().await;
        assert_eq!(change["delta"], json!([1, {"ok": [1, {"tens": [0, 1]}]}]));
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_is_asked_for_whoever_does_not_read() {
        let (asked, watch) = watch();
        let response = watch.call(request("get=/api/overview")).await.unwrap();
        let mut lines = response.into_body().into_bytes_stream();
        lines.next().await.unwrap().unwrap();
        let before = asked.load(Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(asked.load(Ordering::Relaxed), before);
    }

    #[tokio::test]
    async fn only_answers_of_the_api_are_watched_and_only_by_so_many() {
        let (_, watch) = watch();
        for wrong in [
            "",
            "get=/files/main.js",
            "get=https://example.com/api/x",
            "get=%20",
        ] {
            let response = watch.call(request(wrong)).await.unwrap();
            assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{wrong}");
        }
        let mut open = Vec::new();
        for _ in 0..limits::DEBUGGER_VIEWERS {
            open.push(watch.call(request("get=/api/a")).await.unwrap());
        }
        let full = watch.call(request("get=/api/a")).await.unwrap();
        assert_eq!(full.status(), StatusCode::SERVICE_UNAVAILABLE);
        open.pop();
        let again = watch.call(request("get=/api/a")).await.unwrap();
        assert_eq!(again.status(), StatusCode::OK);
    }

    #[test]
    fn a_viewer_is_told_no_more_than_its_share() {
        let second = pace(limits::DEBUGGER_BYTES_PER_SECOND);
        assert_eq!(second, Duration::from_secs(1));
    }
}
