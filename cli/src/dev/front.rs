//! Who answers on the socket while no app does: a page that shows the build, and the stream of
//! events that it follows, at the path at which apps serve it.
//!
//! `driver` has it stand in until an app is ready. Each connection answers one request. What must
//! stay true: it answers the names of this machine and those that were allowed, and no others, so a
//! page of a stranger's name that leads here (DNS rebinding) reads nothing.

use std::convert::Infallible;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::hearing::Heard;
use super::page::State;

/// The page; it brings script and style with it.
const PAGE: &str = include_str!("front.html");

/// Where pages follow what happens, here and in apps.
const EVENTS: &str = "/blazelink/dev/events";

/// Where pages answer what they are asked, here and in apps.
const ANSWER: &str = "/blazelink/dev/answer";

/// Bytes of an answer.
const ANSWER_BYTES: usize = 1 << 10;

/// Connections at the same time. Beyond it the oldest of the machine's queue wait.
const CONNECTIONS: usize = 256;

/// How long the head of a request may take.
const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long open requests may take once an app is ready.
const DRAIN: Duration = Duration::from_secs(1);

type Body = BoxBody<Bytes, Infallible>;

/// By which names the server is known.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) host: IpAddr,
    pub(crate) allowed: Vec<String>,
}

impl Names {
    /// Whether the value of `Host` is one of them.
    fn know(&self, host: &str) -> bool {
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or_default(),
            None => host.rsplit_once(':').map_or(host, |(name, _)| name),
        };
        if let Ok(address) = name.parse::<IpAddr>() {
            return address.is_loopback() || address == self.host || self.host.is_unspecified();
        }
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        name == "localhost"
            || name.ends_with(".localhost")
            || self
                .allowed
                .iter()
                .any(|known| known.eq_ignore_ascii_case(&name))
    }
}

/// A server that stands in until it is dropped or told to leave.
#[derive(Debug)]
pub(crate) struct Front {
    leave: watch::Sender<bool>,
    /// Whether nothing is accepted any more.
    left: watch::Receiver<bool>,
    serving: JoinHandle<()>,
}

impl Front {
    /// Answers on this socket with this state.
    ///
    /// # Errors
    ///
    /// If the system does not let us use the socket.
    pub(crate) fn stand(
        listener: TcpListener,
        names: Names,
        state: watch::Receiver<State>,
        answers: mpsc::Sender<Heard>,
    ) -> std::io::Result<Front> {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (leave, leaving) = watch::channel(false);
        let (gone, left) = watch::channel(false);
        let serving = async move {
            let mut connections = accept(listener, Arc::new(names), state, answers, leaving).await;
            gone.send_replace(true);
            let ended = async { while connections.join_next().await.is_some() {} };
            let _ = tokio::time::timeout(DRAIN, ended).await;
        };
        Ok(Front {
            leave,
            left,
            serving: tokio::spawn(serving),
        })
    }

    /// Accepts nothing from its return on, and tells pages that an app answers. In the background,
    /// what is open ends.
    pub(crate) async fn leave(mut self) {
        self.leave.send_replace(true);
        // An error means that the server has ended.
        let _ = self.left.wait_for(|left| *left).await;
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        if !*self.leave.borrow() {
            self.serving.abort();
        }
    }
}

/// Accepts connections until it is told to leave, and returns those that are open.
async fn accept(
    listener: tokio::net::TcpListener,
    names: Arc<Names>,
    state: watch::Receiver<State>,
    answers: mpsc::Sender<Heard>,
    mut leaving: watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = leaving.wait_for(|leave| *leave) => return connections,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept(), if connections.len() < CONNECTIONS => accepted,
        };
        let Ok((stream, _)) = accepted else {
            // Out of files, most likely: those that are open will end.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (names, state, leaving) = (Arc::clone(&names), state.clone(), leaving.clone());
        let answers = answers.clone();
        let answering = service_fn(move |request: Request<Incoming>| {
            let (names, answers) = (Arc::clone(&names), answers.clone());
            let (state, leaving) = (state.clone(), leaving.clone());
            async move {
                let is_answer = *request.method() == Method::POST && request.uri().path() == ANSWER;
                Ok::<_, Infallible>(match is_answer && is_of_this_page(&request, &names) {
                    true => hear(request, &answers).await,
                    false => answer(&request, &names, &state, &leaving),
                })
            }
        });
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .keep_alive(false)
                .serve_connection(TokioIo::new(stream), answering);
            // What breaks a connection is its client's affair.
            let _ = connection.await;
        });
    }
}

fn answer(
    request: &Request<Incoming>,
    names: &Names,
    state: &watch::Receiver<State>,
    leaving: &watch::Receiver<bool>,
) -> Response<Body> {
    let host = request.headers().get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok());
    if !host.is_none_or(|host| names.know(host)) {
        let text = "This server is not known by the name in the request's Host: \
                    blazelink dev --allow-host NAME";
        return text_of(StatusCode::MISDIRECTED_REQUEST, text.to_owned());
    }
    if *request.method() == Method::GET && request.uri().path() == EVENTS {
        return events(state.clone(), leaving.clone());
    }
    let accept = request.headers().get(header::ACCEPT);
    let by_a_person = accept
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if *request.method() == Method::GET && by_a_person {
        // A script in the page reads it: nothing in it may end that script.
        let now = state.borrow().line(true).replace('<', "\\u003c");
        let page = PAGE.replacen("\"{{state}}\"", &now, 1);
        return response(
            StatusCode::SERVICE_UNAVAILABLE,
            "text/html; charset=utf-8",
            full(page),
        );
    }
    let State { app, doing, .. } = &*state.borrow();
    let text = format!("`{app}` does not run yet: {doing}\n");
    text_of(StatusCode::SERVICE_UNAVAILABLE, text)
}

/// Whether a page that we serve has sent it. Browsers ask before they send JSON to another origin,
/// and are refused (Fetch standard, CORS protocol); those that are asked by a stranger's name do not
/// get here.
fn is_of_this_page(request: &Request<Incoming>, names: &Names) -> bool {
    let header = |name| request.headers().get(name).and_then(|it| it.to_str().ok());
    let json = header(header::CONTENT_TYPE).is_some_and(|it| it.starts_with("application/json"));
    let host = header(header::HOST);
    let same = header(header::ORIGIN).is_none_or(|origin| {
        let origin = origin.split_once("://").map(|(_, host)| host);
        origin.is_some() && origin == host
    });
    json && same && host.is_none_or(|host| names.know(host))
}

/// Hands on what a page has answered.
async fn hear(request: Request<Incoming>, answers: &mpsc::Sender<Heard>) -> Response<Body> {
    let body = Limited::new(request.into_body(), ANSWER_BYTES)
        .collect()
        .await;
    let heard = body.map(http_body_util::Collected::to_bytes).ok();
    let heard = heard.and_then(|body| serde_json::from_slice::<Heard>(&body).ok());
    match heard.map(|heard| answers.try_send(heard)) {
        Some(Ok(())) => text_of(StatusCode::ACCEPTED, String::new()),
        Some(Err(_)) => text_of(StatusCode::TOO_MANY_REQUESTS, String::new()),
        None => text_of(StatusCode::BAD_REQUEST, "no answer\n".to_owned()),
    }
}

/// The state now, whenever it changes, and `ready` once an app answers.
fn events(state: watch::Receiver<State>, leaving: watch::Receiver<bool>) -> Response<Body> {
    struct Follow {
        state: watch::Receiver<State>,
        leaving: watch::Receiver<bool>,
        first: bool,
    }
    let follow = Follow {
        state,
        leaving,
        first: true,
    };
    let lines = futures_util::stream::unfold(Some(follow), |follow| async {
        let mut follow = follow?;
        let changed = async {
            if !std::mem::take(&mut follow.first) {
                follow.state.changed().await.ok()?;
            }
            Some(follow.state.borrow_and_update().line(true))
        };
        let line = tokio::select! {
            biased;
            _ = follow.leaving.wait_for(|leave| *leave) => None,
            line = changed => line,
        };
        Some(match line {
            Some(line) => (frame(&line), Some(follow)),
            None => (frame(r#"{"event":"ready"}"#), None),
        })
    });
    let body = StreamBody::new(lines).boxed();
    response(StatusCode::OK, "text/event-stream", body)
}

fn frame(line: &str) -> Result<Frame<Bytes>, Infallible> {
    Ok(Frame::data(Bytes::from(format!("data: {line}\n\n"))))
}

fn text_of(status: StatusCode, text: String) -> Response<Body> {
    response(status, "text/plain; charset=utf-8", full(text))
}

fn full(text: String) -> Body {
    Full::new(Bytes::from(text)).boxed()
}

fn response(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_this_machine_and_allowed_ones_are_known() {
        let names = Names {
            host: IpAddr::from([192, 168, 0, 7]),
            allowed: vec!["game.lan".into()],
        };
        for (host, known) in [
            ("localhost:8000", true),
            ("app.localhost", true),
            ("127.0.0.1:8000", true),
            ("[::1]:8000", true),
            ("192.168.0.7", true),
            ("GAME.lan:8000", true),
            ("192.168.0.8", false),
            ("evil.example:8000", false),
            ("localhost.evil.example", false),
        ] {
            assert_eq!(names.know(host), known, "{host}");
        }
    }

    #[test]
    fn the_page_has_a_place_for_its_state_and_loads_nothing_from_elsewhere() {
        assert_eq!(PAGE.matches("\"{{state}}\"").count(), 1);
        for foreign in ["http://", "https://", "src=", "@import"] {
            assert!(!PAGE.contains(foreign), "{foreign}");
        }
    }
}
