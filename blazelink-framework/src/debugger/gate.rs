//! The gate before everything that the debugger tells: asks who looks. Its pages, which hold nothing of
//! the app, are outside.
//!
//! At an address of its own the debugger is for those who have the key: it comes in a header that no
//! page of another origin can send and no browser adds by itself, so never as a cookie. Below a path of
//! the app's own it is for whom the app takes the request's viewer to be, who may have shown a cookie:
//! so no page of another origin is answered there, though the app itself may let it in. How long a
//! comparison takes says nothing of the key.

use std::fmt;
use std::sync::Arc;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};
use sha2::{Digest, Sha256};

use super::looker::Looker;
use crate::auth::{Authority, ContextRequest};
use crate::config::DebuggerRole;
use crate::viewer::Viewer;

/// Says what a viewer of the app is in the debugger; nothing for those who are not to see it.
pub(crate) type Lookers = Arc<dyn Fn(&Viewer) -> Option<Looker> + Send + Sync>;

/// Who is let in.
#[derive(Clone)]
pub(crate) enum Gate {
    /// Who has the key, and may then do this.
    Key {
        /// The key's digest.
        digest: [u8; 32],
        /// What they may do.
        role: DebuggerRole,
    },
    /// Whom the app knows.
    App {
        /// Who says whose a request is.
        authority: Arc<Authority>,
        /// Who says what they are here.
        lookers: Lookers,
    },
}

impl Gate {
    /// For those who have this key.
    pub(crate) fn key(key: &str, role: DebuggerRole) -> Gate {
        let digest = Sha256::digest(key.as_bytes()).into();
        Gate::Key { digest, role }
    }

    /// Who looks; a refusal if they may not.
    async fn looker(&self, request: &Request) -> Result<Looker, Response> {
        match self {
            Gate::Key { digest, role } => {
                let given = request.header(header::AUTHORIZATION);
                let given = given.and_then(|given| given.strip_prefix("Bearer "));
                // Of digests: where they differ first says nothing of the keys.
                let is_it = given.is_some_and(|it| Sha256::digest(it.as_bytes())[..] == digest[..]);
                match is_it {
                    true => Ok(Looker::new("who has the key", *role)),
                    false => Err(refused(
                        StatusCode::UNAUTHORIZED,
                        "The debugger is for those who have its key: Authorization: Bearer KEY",
                    )),
                }
            }
            Gate::App { authority, lookers } => {
                if !is_of_this_origin(request) {
                    let sentence = "The debugger does not answer pages of another origin";
                    return Err(refused(StatusCode::FORBIDDEN, sentence));
                }
                let viewer = authority.viewer(&ContextRequest::new(request)).await;
                let looker = viewer.ok().and_then(|viewer| lookers(&viewer));
                looker.ok_or_else(|| {
                    let sentence = "The app does not know you as somebody who may look here";
                    refused(StatusCode::UNAUTHORIZED, sentence)
                })
            }
        }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Gate::Key { .. } => "Gate::Key(..)",
            Gate::App { .. } => "Gate::App(..)",
        })
    }
}

/// Whether no page of another origin has sent it: browsers say whence a request comes (Fetch standard,
/// `Origin`; Fetch Metadata, `Sec-Fetch-Site`).
fn is_of_this_origin(request: &Request) -> bool {
    let foreign = |site: &str| !matches!(site, "same-origin" | "none");
    if request.header("Sec-Fetch-Site").is_some_and(foreign) {
        return false;
    }
    let host = request.header(header::HOST).unwrap_or_default();
    let of_host = |origin: &str| origin.split_once("://").is_some_and(|(_, at)| at == host);
    request.header(header::ORIGIN).is_none_or(of_host)
}

/// An endpoint behind a gate, which is told the [`Looker`] of each request.
pub(crate) struct Gated<E> {
    gate: Gate,
    inner: E,
}

impl<E> Gated<E> {
    /// Behind this one.
    pub(crate) fn new(gate: Gate, inner: E) -> Gated<E> {
        Gated { gate, inner }
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Gated<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let mut response = match self.gate.looker(&request).await {
            Ok(looker) => {
                request.set_data(looker);
                self.inner.get_response(request).await
            }
            Err(refused) => refused,
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
        );
        headers.insert(
            header::X_CONTENT_TYPE_OPTIONS,
            HeaderValue::from_static("nosniff"),
        );
        Ok(response)
    }
}

fn refused(status: StatusCode, sentence: &str) -> Response {
    let body = serde_json::json!({ "error": sentence }).to_string();
    let response = Response::builder()
        .status(status)
        .content_type("application/json");
    match status {
        StatusCode::UNAUTHORIZED => response.header(header::WWW_AUTHENTICATE, "Bearer"),
        _ => response,
    }
    .body(body)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;

    fn inner() -> impl Endpoint<Output = Response> {
        make_sync(|_| Response::builder().body("secret"))
    }

    async fn answered(gated: &impl Endpoint<Output = Response>, request: Request) -> StatusCode {
        let response = gated.get_response(request).await;
        let status = response.status();
        let body = response.into_body().into_string().await.unwrap();
        assert_eq!(body == "secret", status == StatusCode::OK);
        status
    }

    #[tokio::test]
    async fn only_the_key_opens() {
        let gated = Gated::new(Gate::key("the key", DebuggerRole::Reader), inner());
        for (given, status) in [
            (Some("Bearer the key"), StatusCode::OK),
            (Some("Bearer the kex"), StatusCode::UNAUTHORIZED),
            (Some("Bearer "), StatusCode::UNAUTHORIZED),
            (Some("the key"), StatusCode::UNAUTHORIZED),
            (None, StatusCode::UNAUTHORIZED),
        ] {
            let mut request = Request::builder();
            if let Some(given) = given {
                request = request.header(header::AUTHORIZATION, given);
            }
            assert_eq!(
                answered(&gated, request.finish()).await,
                status,
                "{given:?}"
            );
        }
    }

    #[tokio::test]
    async fn below_the_app_whom_it_knows_is_let_in_but_not_by_pages_of_others() {
        let lookers: Lookers = Arc::new(|viewer| {
            let is_known = viewer.is_anonymous();
            is_known.then(|| Looker::new("anybody", DebuggerRole::Reader))
        });
        let authority = Arc::new(Authority::default());
        let gated = Gated::new(Gate::App { authority, lookers }, inner());
        for (name, value, status) in [
            ("accept", "*/*", StatusCode::OK),
            ("origin", "https://app.example", StatusCode::OK),
            ("origin", "https://other.example", StatusCode::FORBIDDEN),
            ("origin", "null", StatusCode::FORBIDDEN),
            ("sec-fetch-site", "same-origin", StatusCode::OK),
            ("sec-fetch-site", "same-site", StatusCode::FORBIDDEN),
            ("sec-fetch-site", "cross-site", StatusCode::FORBIDDEN),
        ] {
            let request = Request::builder().header(header::HOST, "app.example");
            let request = request.header(name, value).finish();
            assert_eq!(answered(&gated, request).await, status, "{name}: {value}");
        }
        let nobody: Lookers = Arc::new(|_| None);
        let authority = Arc::new(Authority::default());
        let gate = Gate::App {
            authority,
            lookers: nobody,
        };
        let gated = Gated::new(gate, inner());
        let request = Request::builder().finish();
        assert_eq!(answered(&gated, request).await, StatusCode::UNAUTHORIZED);
    }
}
