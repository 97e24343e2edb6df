//! Asking the debugger of a running app over HTTP: where it is, with which key, and what it says.
//! Called by `debug`, `why`, `record` and `replay`.

use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use bytes::Bytes;
use clap::Args;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request, StatusCode, Uri, header};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use crate::dev::running;
use crate::project::{self, Project};

/// The variable with the key of a debugger that `dev` has not started.
const KEY: &str = "BLAZELINK_DEBUGGER_KEY";

/// Which debugger is asked
#[derive(Args, Debug)]
pub(crate) struct Place {
    /// The debugger of an app that dev does not run, whose key is in BLAZELINK_DEBUGGER_KEY
    #[arg(long, value_name = "URL", global = true)]
    url: Option<String>,
}

/// A debugger that can be asked.
#[derive(Debug)]
pub(crate) struct Debugger {
    /// `http://` and the address.
    url: String,
    key: String,
}

/// What it is sent.
#[derive(Debug)]
pub(crate) enum Body {
    /// Nothing.
    None,
    Json(Value),
    /// A file's contents.
    File(Vec<u8>),
}

impl Debugger {
    /// The one that is named, or that of the app which `dev` runs in this project.
    ///
    /// # Errors
    /// [`Code::NoDebugger`] if nothing runs here or there is no key.
    pub(crate) fn find(place: Place) -> Result<Debugger> {
        if let Some(url) = place.url {
            let key = std::env::var(KEY).map_err(|_| {
                unreachable(format!("The key of {url} is not known"))
                    .with_hint(format!("set {KEY} to what the app was started with"))
            })?;
            let url = url.trim_end_matches('/').to_owned();
            return Ok(Debugger { url, key });
        }
        let folder = Project::folder(Path::new("."))?;
        let desk = running(&project::state(&folder)?);
        let desk = desk.ok_or_else(|| {
            unreachable("No `blazelink dev` runs in this project".to_owned())
                .with_hint("start it, or name another app's debugger: --url http://127.0.0.1:9000")
        })?;
        Ok(Debugger {
            url: desk.url,
            key: desk.key,
        })
    }

    /// What it answers to this path below `/api/`, with these parameters.
    ///
    /// # Errors
    /// [`Code::NoDebugger`] if it does not answer or does not take the key, [`Code::Usage`] if it says
    /// that the question is wrong, [`Code::NotRemembered`] if it knows nothing of what is asked for.
    pub(crate) async fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Result<Value> {
        self.answer(Method::GET, target(path, parameters), Body::None)
            .await
    }

    /// What it answers to this.
    ///
    /// # Errors
    /// Those of [`Debugger::ask`], and [`Code::NoRecording`] if it does not do it.
    pub(crate) async fn tell(&self, path: &str, body: Body) -> Result<Value> {
        self.answer(Method::POST, target(path, &[]), body).await
    }

    async fn answer(&self, method: Method, target: String, body: Body) -> Result<Value> {
        let broken = |why: String| {
            unreachable(format!(
                "The debugger at {} does not answer: {why}",
                self.url
            ))
            .with_hint("it is there while the app runs, if its settings say so: blazelink dev")
        };
        let (status, body) = self
            .send(method, &target, body)
            .await
            .map_err(|error| broken(error.to_string()))?;
        let answer: Value = serde_json::from_slice(&body).unwrap_or_default();
        let said = answer["error"].as_str().unwrap_or_default().to_owned();
        match status {
            StatusCode::OK => Ok(answer),
            StatusCode::BAD_REQUEST => {
                let part = answer["part"].as_str().unwrap_or("the question");
                let sentence = format!("`{part}` is not understood: {said}");
                Err(Error::new(ErrorKind::Setup, Code::Usage, sentence))
            }
            StatusCode::NOT_FOUND if !said.is_empty() => {
                Err(Error::new(ErrorKind::Setup, Code::NotRemembered, said))
            }
            StatusCode::CONFLICT => Err(Error::new(ErrorKind::Setup, Code::NoRecording, said)),
            StatusCode::UNAUTHORIZED => Err(unreachable(format!(
                "The debugger at {} does not take the key",
                self.url
            ))
            .with_hint(format!("set {KEY} to what the app was started with"))),
            other => Err(broken(format!("it says {other}"))),
        }
    }

    async fn send(
        &self,
        method: Method,
        target: &str,
        body: Body,
    ) -> std::result::Result<(StatusCode, Bytes), Box<dyn std::error::Error + Send + Sync>> {
        let uri: Uri = self.url.parse()?;
        let host = uri.authority().ok_or("its address names no host")?.clone();
        let address = (host.host(), host.port_u16().unwrap_or(80));
        let stream = TcpStream::connect(address).await?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let asking = async {
            let request = Request::builder().method(method).uri(target);
            let request = request
                .header(header::HOST, host.as_str())
                .header(header::AUTHORIZATION, format!("Bearer {}", self.key));
            let (of, bytes) = match body {
                Body::None => (None, Bytes::new()),
                Body::Json(value) => (
                    Some("application/json; charset=utf-8"),
                    value.to_string().into(),
                ),
                Body::File(bytes) => (Some("application/octet-stream"), bytes.into()),
            };
            let request = match of {
                Some(of) => request.header(header::CONTENT_TYPE, of),
                None => request,
            };
            let request = request.body(Full::new(bytes))?;
            let answer = sender.send_request(request).await?;
            let status = answer.status();
            let body = answer.into_body().collect().await?.to_bytes();
            Ok((status, body))
        };
        tokio::select! {
            answered = asking => answered,
            // It ends only with the answer, or before it.
            ended = connection => Err(ended.err().map_or("it has hung up".into(), Into::into)),
        }
    }
}

fn target(path: &str, parameters: &[(&str, String)]) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(parameters);
    let query = query.finish();
    match query.is_empty() {
        true => format!("/api/{path}"),
        false => format!("/api/{path}?{query}"),
    }
}

fn unreachable(sentence: String) -> Error {
    Error::new(ErrorKind::Unavailable, Code::NoDebugger, sentence)
}
