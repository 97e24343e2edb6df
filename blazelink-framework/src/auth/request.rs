//! `ContextRequest`: what an HTTP request says of its sender, before its body is read.

use std::fmt;
use std::net::IpAddr;

use poem::Request;
use poem::http::{HeaderMap, header};

/// The headers of a request, and where it comes from. `Debug` shows neither.
#[derive(Clone, Copy)]
pub struct ContextRequest<'a> {
    headers: &'a HeaderMap,
    peer: Option<IpAddr>,
}

impl<'a> ContextRequest<'a> {
    pub(crate) fn new(request: &'a Request) -> ContextRequest<'a> {
        ContextRequest {
            headers: request.headers(),
            peer: request.remote_addr().as_socket_addr().map(|at| at.ip()),
        }
    }

    /// The `Authorization` header as it came. Nothing if it is missing, empty, or the text
    /// `undefined`, which the original's client sends for "no key".
    pub fn authorization(&self) -> Option<&'a str> {
        let text = self.header(header::AUTHORIZATION.as_str())?.trim();
        (!text.is_empty() && text != "undefined").then_some(text)
    }

    /// The first header of this name, in any case. Nothing if it is missing or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The address of whoever opened the connection: a proxy's, if one stands before the server.
    pub fn peer(&self) -> Option<IpAddr> {
        self.peer
    }
}

impl fmt::Debug for ContextRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContextRequest(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_originals_client_sends_without_a_key_is_no_authorization() {
        for (sent, read) in [
            (None, None),
            (Some(""), None),
            (Some(" "), None),
            (Some("undefined"), None),
            (Some("Bearer undefined"), Some("Bearer undefined")),
            (Some("k1"), Some("k1")),
        ] {
            let mut request = Request::builder();
            if let Some(sent) = sent {
                request = request.header("authorization", sent);
            }
            let request = request.finish();
            let request = ContextRequest::new(&request);
            assert_eq!(request.authorization(), read, "{sent:?}");
            assert_eq!(request.header("Authorization"), sent);
            assert_eq!(format!("{request:?}"), "ContextRequest(..)");
        }
    }
}
