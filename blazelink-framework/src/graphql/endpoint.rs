//! `POST /graphql/`: from a request to the executor and back.
//!
//! The app says first who asks. With a `session_id` header, what the document reads is watched for
//! that session. Without one it is answered and nothing is watched. A browser that opens the path
//! is shown the explorer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use async_graphql_poem::GraphQLRequest;
use blazelink_codes::limits;
use bytes::Bytes;
use poem::http::{HeaderValue, Method, StatusCode, header};
use poem::{Endpoint, FromRequest, Request, RequestBody, Response};

use super::body::{self, Unread};
use super::{Executor, Request as Document};
use crate::auth::{Authority, ContextRequest, Unknown};
use crate::context::BlazeContext;
use crate::session::{Peer, SessionId};
use crate::subscription::{SubscriptionManager, Unwatched};
use crate::viewer::Viewer;

/// The header in which the original client names its session.
const SESSION: &str = "session_id";

/// Answers documents.
pub(crate) struct GraphqlEndpoint {
    executor: Arc<Executor>,
    subscriptions: Arc<SubscriptionManager>,
    authority: Arc<Authority>,
    /// Bytes that a request's body may have.
    body_bytes: usize,
    /// Name of the app, for people.
    title: String,
}

impl GraphqlEndpoint {
    /// An endpoint of the app called `title` for this executor, watching for these sessions, for
    /// whom this authority says that they are.
    pub(crate) fn new(
        executor: Arc<Executor>,
        subscriptions: Arc<SubscriptionManager>,
        authority: Arc<Authority>,
        title: impl Into<String>,
    ) -> GraphqlEndpoint {
        GraphqlEndpoint {
            executor,
            subscriptions,
            authority,
            body_bytes: limits::BODY_BYTES,
            title: title.into(),
        }
    }

    /// Takes bodies of so many bytes, instead of [`limits::BODY_BYTES`].
    pub(crate) fn body_bytes(mut self, bytes: usize) -> GraphqlEndpoint {
        self.body_bytes = bytes;
        self
    }

    async fn answer(&self, mut request: Request) -> Response {
        let id = match request.header(SESSION).map(SessionId::new) {
            None => None,
            Some(Some(id)) => Some(id),
            Some(None) => return plain(StatusCode::BAD_REQUEST, "The session id has a wrong size"),
        };
        let viewer = match self.authority.viewer(&ContextRequest::new(&request)).await {
            Ok(viewer) => viewer,
            Err(Unknown::Refused(refused)) => {
                return response(super::Response::denied(401, refused.sentence()));
            }
            Err(Unknown::TooSlow) => {
                let sentence = "It takes too long to find out who asks; ask again";
                return response(super::Response::denied(503, sentence));
            }
        };
        let body = match body::read(request.take_body(), self.body_bytes).await {
            Ok(body) => body,
            Err(unread) => return refused(unread, self.body_bytes),
        };
        let document = if id.is_some() && is_form(&request) {
            from_form(&request, body).await
        } else {
            Document::from_body(request.header(header::CONTENT_TYPE), &body)
        };
        let document = match document {
            Ok(document) => document,
            Err(refusal) => return response(refusal),
        };
        let answer = match id {
            None => {
                let context = self.context(viewer);
                self.executor.execute(document, &context, &Unwatched).await
            }
            Some(id) => {
                let peer = Peer::of(request.remote_addr());
                let connections = self.subscriptions.connections();
                let session = match connections.admit(&id, peer, Instant::now()) {
                    Ok(session) => session,
                    Err(full) => return plain(StatusCode::TOO_MANY_REQUESTS, full.to_string()),
                };
                if let Err(another) = self.subscriptions.bind(&session, &viewer) {
                    return response(super::Response::denied(403, &another.to_string()));
                }
                let context = self.context(viewer).in_session(session.label());
                let watch = self.subscriptions.watch_for(&session);
                let answer = self.executor.execute(document, &context, &watch).await;
                self.subscriptions.answered(&session, context.viewer());
                answer
            }
        };
        response(answer)
    }

    /// What is known of a request's asker. Whoever looks at commits learns from the log which request
    /// has made one.
    fn context(&self, viewer: Viewer) -> BlazeContext {
        let context = BlazeContext::new(viewer);
        let recorder = self.subscriptions.recorder();
        match recorder.is_on() {
            true => context.sealing(recorder.seal().clone()),
            false => context,
        }
    }

    /// The explorer, which asks at `path`.
    fn explorer(&self, path: &str) -> Response {
        let context = BTreeMap::from([("title", &*self.title), ("graphql_url", path)]);
        match blazelink_templates::render("explorer.html", context) {
            Ok(html) => Response::builder()
                .content_type("text/html; charset=utf-8")
                .body(html),
            Err(error) => {
                tracing::error!(%error, "explorer not rendered");
                plain(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The explorer cannot be shown",
                )
            }
        }
    }
}

impl Endpoint for GraphqlEndpoint {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        Ok(match *request.method() {
            Method::POST => self.answer(request).await,
            Method::GET if wants_html(&request) => self.explorer(request.original_uri().path()),
            Method::OPTIONS => allow(StatusCode::OK),
            _ => allow(StatusCode::METHOD_NOT_ALLOWED),
        })
    }
}

/// The answer to a request whose body was not read, if it may have `limit` bytes.
fn refused(unread: Unread, limit: usize) -> Response {
    match unread {
        Unread::TooLarge => {
            let sentence = format!("The request is larger than {limit} bytes");
            plain(StatusCode::PAYLOAD_TOO_LARGE, sentence)
        }
        Unread::Broken => plain(StatusCode::BAD_REQUEST, "The request's body broke off"),
        Unread::TooSlow => {
            let sentence = "The request's body took too long";
            let close = (header::CONNECTION, HeaderValue::from_static("close"));
            let mut refusal = plain(StatusCode::REQUEST_TIMEOUT, sentence);
            refusal.headers_mut().extend([close]);
            refusal
        }
    }
}

fn wants_html(request: &Request) -> bool {
    request
        .header(header::ACCEPT)
        .is_some_and(|accept| accept.contains("text/html"))
}

fn is_form(request: &Request) -> bool {
    let content_type = request.header(header::CONTENT_TYPE).unwrap_or_default();
    content_type
        .to_ascii_lowercase()
        .starts_with("multipart/form-data")
}

/// The request in a form, which the original takes besides JSON. Asked for only beside a
/// session's header: a page of another site can send a form without asking first, but no header
/// of that name (Fetch standard, CORS-safelisted request-header).
async fn from_form(request: &Request, body: Bytes) -> Result<Document, super::Response> {
    let mut body = RequestBody::new(body.into());
    let read = GraphQLRequest::from_request(request, &mut body).await;
    let document = read.ok().and_then(|GraphQLRequest(document)| {
        let variables = serde_json::to_value(document.variables).ok()?;
        let serde_json::Value::Object(variables) = variables else {
            return None;
        };
        Some(Document {
            query: document.query,
            operation_name: document.operation_name,
            variables,
        })
    });
    document.ok_or_else(|| super::Response::text(400, "The form is not a GraphQL request"))
}

fn allow(status: StatusCode) -> Response {
    Response::builder()
        .status(status)
        .header(header::ALLOW, "OPTIONS, POST, GET")
        .finish()
}

fn plain(status: StatusCode, text: impl Into<String>) -> Response {
    Response::builder()
        .status(status)
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}

fn response(answer: super::Response) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Response::builder()
        .status(status)
        .content_type(answer.content_type)
        .body(answer.body)
}
