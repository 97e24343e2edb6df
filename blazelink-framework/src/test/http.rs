//! One question over HTTP, on a connection of its own.

use std::net::SocketAddr;

use blazelink_codes::Code;
use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

use super::in_time;
use super::query::Query;
use crate::error::{Error, ErrorKind, Result};

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Who asks.
pub(super) struct Asker<'a> {
    pub(super) authorization: Option<&'a str>,
    /// The session that is to watch what is read, if one is.
    pub(super) session: Option<&'a str>,
}

/// What the server answers to this query.
pub(super) async fn ask(
    address: SocketAddr,
    asker: Asker<'_>,
    query: &Query,
) -> Result<(StatusCode, Value)> {
    let mut request = Request::post("/graphql/")
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/json");
    if let Some(authorization) = asker.authorization {
        request = request.header(AUTHORIZATION, authorization);
    }
    if let Some(session) = asker.session {
        request = request.header("session_id", session);
    }
    let request = request.body(query.body()).map_err(unanswered)?;
    let (status, body) = in_time(|| "An answer".to_owned(), send(address, request))
        .await?
        .map_err(unanswered)?;
    let answer = serde_json::from_slice(&body).map_err(|error| {
        let sentence = format!("The server answered {status} and no JSON");
        Error::new(ErrorKind::Protocol, Code::TestAnswer, sentence).with_source(error)
    })?;
    Ok((status, answer))
}

async fn send(
    address: SocketAddr,
    request: Request<String>,
) -> Result<(StatusCode, Bytes), Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let exchange = async move {
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        Ok::<_, hyper::Error>((status, answer.into_body().collect().await?.to_bytes()))
    };
    // The connection ends with its sender.
    let (answer, _) = tokio::join!(exchange, connection);
    Ok(answer?)
}

fn unanswered(error: impl Into<Failure>) -> Error {
    let sentence = "The app did not answer a test's client";
    Error::new(ErrorKind::Unavailable, Code::TestAnswer, sentence).with_source(error)
}
