//! A client of a test: asks over HTTP, and is told over its websocket, as a page in a browser is.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use blazelink_codes::Code;
use hyper::StatusCode;
use serde_json::Value;

use super::barrier::Barrier;
use super::http::{self, Asker};
use super::link::Link;
use super::query::Query;
use super::update::Update;
use crate::error::{Error, ErrorKind, Result};

/// The links of all clients of an app, of which some may be gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Links(Arc<Mutex<Vec<Weak<Link>>>>);

impl Links {
    async fn open(&self, address: SocketAddr) -> Result<Arc<Link>> {
        let link = Arc::new(Link::open(address).await?);
        let mut links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.retain(|link| link.strong_count() > 0);
        links.push(Arc::downgrade(&link));
        Ok(link)
    }

    /// Those of clients that are there.
    pub(super) fn there(&self) -> Vec<Arc<Link>> {
        let links = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        links.iter().filter_map(Weak::upgrade).collect()
    }
}

/// A session of its own with an open websocket. Made by [`TestApp::client`].
///
/// It confirms what it is told and does nothing else by itself: it reads when the test says so.
///
/// [`TestApp::client`]: super::TestApp::client
#[derive(Debug)]
pub struct TestClient {
    address: SocketAddr,
    authorization: Option<String>,
    barrier: Arc<Barrier>,
    links: Links,
    link: Arc<Link>,
    live: Option<Query>,
}

impl TestClient {
    pub(super) async fn open(
        address: SocketAddr,
        authorization: Option<String>,
        barrier: Arc<Barrier>,
        links: Links,
    ) -> Result<TestClient> {
        Ok(TestClient {
            address,
            authorization,
            barrier,
            link: links.open(address).await?,
            links,
            live: None,
        })
    }

    /// Asks, and from now on is told when what the answer was made from changes. Gives the answer's
    /// data.
    ///
    /// Everything that is committed before counts as read. A client has one live read: another one
    /// is a page loaded anew, with a session of its own that watches nothing of the former.
    ///
    /// # Errors
    ///
    /// If the answer has errors ([`Code::TestAnswer`]) or does not come in time.
    pub async fn live(&mut self, query: impl Into<Query>) -> Result<Value> {
        if self.live.is_some() {
            self.link = self.links.open(self.address).await?;
        }
        let query = query.into();
        let data = self.read(&query).await;
        self.live = Some(query);
        data
    }

    /// Asks what is read live again: from here on [`TestClient::stale`] and
    /// [`TestClient::updates`] tell of later commits only.
    ///
    /// # Errors
    ///
    /// As [`TestClient::live`]; also before the first of these.
    pub async fn refetch(&mut self) -> Result<Value> {
        match &self.live {
            Some(query) => self.read(query).await,
            None => Err(Error::new(
                ErrorKind::Request,
                Code::TestAnswer,
                "The client reads nothing live, so there is nothing to read again",
            )
            .with_hint("call `live` first")),
        }
    }

    /// Whether it was told, since it has read last, that what it read may have changed. Sound only
    /// after [`TestApp::settled`](super::TestApp::settled), in both directions.
    pub fn stale(&self) -> bool {
        self.link.is_told()
    }

    /// What it was told since it has read last, in order.
    pub fn updates(&self) -> Vec<Update> {
        self.link.updates()
    }

    /// Asks once, and watches nothing. Gives the answer's data.
    ///
    /// # Errors
    ///
    /// As [`TestClient::live`].
    pub async fn ask(&self, query: impl Into<Query>) -> Result<Value> {
        data(self.send(&query.into(), None).await?)
    }

    /// Writes, in the client's session. Gives the answer's data.
    ///
    /// # Errors
    ///
    /// As [`TestClient::live`].
    pub async fn mutate(&self, mutation: impl Into<Query>) -> Result<Value> {
        let session = Some(self.link.session());
        data(self.send(&mutation.into(), session).await?)
    }

    /// Asks once for what is to be refused, and watches nothing. Gives the answer's `errors`.
    ///
    /// # Errors
    ///
    /// If the answer has no errors, or does not come in time.
    pub async fn errors(&self, query: impl Into<Query>) -> Result<Vec<Value>> {
        let (status, mut answer) = self.send(&query.into(), None).await?;
        match answer["errors"].take() {
            Value::Array(errors) if !errors.is_empty() => Ok(errors),
            _ => {
                let sentence = format!("The server answered {status} without errors");
                Err(Error::new(ErrorKind::Request, Code::TestAnswer, sentence))
            }
        }
    }

    /// Lets everything come that is told of commits before, forgets it, and reads.
    async fn read(&self, query: &Query) -> Result<Value> {
        self.barrier.passed().await?;
        self.link.drained().await?;
        self.link.forget();
        data(self.send(query, Some(self.link.session())).await?)
    }

    async fn send(&self, query: &Query, session: Option<&str>) -> Result<(StatusCode, Value)> {
        let asker = Asker {
            authorization: self.authorization.as_deref(),
            session,
        };
        http::ask(self.address, asker, query).await
    }
}

/// The data of an answer without errors.
fn data((status, mut answer): (StatusCode, Value)) -> Result<Value> {
    if let Value::Array(errors) = &answer["errors"] {
        let said: Vec<String> = errors.iter().map(said).collect();
        let sentence = format!("The server answered {status} with errors");
        let error = Error::new(ErrorKind::Request, Code::TestAnswer, sentence);
        return Err(error.with_source(said.join("\n")));
    }
    if status != StatusCode::OK {
        let sentence = format!("The server answered {status}");
        let error = Error::new(ErrorKind::Request, Code::TestAnswer, sentence);
        return Err(error.with_source(answer.to_string()));
    }
    Ok(answer["data"].take())
}

/// An error of an answer in a line: where, what, and its code.
fn said(error: &Value) -> String {
    let step = |step: &Value| match step {
        Value::String(name) => name.clone(),
        other => other.to_string(),
    };
    let path = error["path"].as_array().map(|path| {
        let steps: Vec<String> = path.iter().map(step).collect();
        format!("{}: ", steps.join("."))
    });
    let message = step(&error["message"]);
    let code = error["extensions"]["code"].as_str();
    let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
    format!("{}{message}{code}", path.unwrap_or_default())
}
