//! The endpoint around everything that the debugger tells: asks for the key first. Its pages, which hold
//! nothing of the app, are outside.
//!
//! What must stay true: the key comes in a header that no page of another origin can send and no
//! browser adds by itself, so never as a cookie; how long a comparison takes says nothing of the key.

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};
use sha2::{Digest, Sha256};

/// An endpoint that is for those who have the key.
pub(crate) struct Keyed<E> {
    key: [u8; 32],
    inner: E,
}

impl<E> Keyed<E> {
    /// For those who have this key.
    pub(crate) fn new(key: &str, inner: E) -> Keyed<E> {
        let key = Sha256::digest(key.as_bytes()).into();
        Keyed { key, inner }
    }

    fn admits(&self, request: &Request) -> bool {
        let given = request.header(header::AUTHORIZATION);
        let given = given.and_then(|given| given.strip_prefix("Bearer "));
        // Of digests: where they differ first says nothing of the keys.
        given.is_some_and(|given| Sha256::digest(given.as_bytes())[..] == self.key)
    }
}

impl<E: Endpoint<Output = Response>> Endpoint for Keyed<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = match self.admits(&request) {
            true => self.inner.get_response(request).await,
            false => refused(),
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

fn refused() -> Response {
    Response::builder()
        .status(StatusCode::UNAUTHORIZED)
        .header(header::WWW_AUTHENTICATE, "Bearer")
        .content_type("application/json")
        .body(
            r#"{"error":"The debugger is for those who have its key: Authorization: Bearer KEY"}"#,
        )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use poem::endpoint::make_sync;

    use super::*;

    #[tokio::test]
    async fn only_the_key_opens() {
        let inner = make_sync(|_| Response::builder().body("secret"));
        let keyed = Keyed::new("the key", inner);
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
            let response = keyed.get_response(request.finish()).await;
            assert_eq!(response.status(), status, "{given:?}");
            let body = response.into_body().into_string().await.unwrap();
            assert_eq!(body == "secret", status == StatusCode::OK);
        }
    }
}
