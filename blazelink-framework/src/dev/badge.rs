//! `/blazelink/dev/badge.js` and `/blazelink/dev/debugger`: the badge in the app's pages, and where it
//! leads, which is the debugger's view of the page's own session.
//!
//! `routes` serves them where `blazelink dev` has started the app with a debugger. What must stay true:
//! the debugger's key is in no page and in no answer that a script can read. It is in the address to
//! which a browser is sent that a person has told to go there.

use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use poem::http::{StatusCode, header};
use poem::{Endpoint, Request, Response};

use crate::config::DebuggerAt;
use crate::session::{ConnectionManager, SessionId};

/// Where the script is.
pub(crate) const BADGE: &str = "/blazelink/dev/badge.js";

/// Where the badge leads.
pub(crate) const DEBUGGER: &str = "/blazelink/dev/debugger";

const TEXT: &str = include_str!("badge.js");

/// The script.
pub(crate) fn badge() -> Response {
    Response::builder()
        .content_type("text/javascript; charset=utf-8")
        .header(header::CACHE_CONTROL, "no-cache")
        .body(TEXT)
}

/// The page with the script in it, before all others: it is to see which websocket they open.
pub(crate) fn with_badge(mut html: String) -> String {
    let lower = html.to_ascii_lowercase();
    let begins = |at: usize| lower[at + 5..].starts_with(['>', ' ', '\n', '\t']);
    let head = lower
        .match_indices("<head")
        .map(|(at, _)| at)
        .find(|&at| begins(at));
    let end = head.and_then(|head| Some(head + lower[head..].find('>')? + 1));
    if let Some(end) = end {
        html.insert_str(end, &format!("<script src=\"{BADGE}\"></script>"));
    }
    html
}

/// Leads a browser to the debugger.
pub(crate) struct ToDebugger {
    /// `http://` and the address.
    url: String,
    /// As it stands in an address.
    key: String,
    connections: Arc<ConnectionManager>,
}

impl ToDebugger {
    /// To this one; nothing if it is not known where that will be.
    pub(crate) fn of(at: &DebuggerAt, connections: Arc<ConnectionManager>) -> Option<ToDebugger> {
        let listener = at.listener.as_ref();
        let address = match listener.and_then(|listener| listener.local_addr().ok()) {
            Some(address) => address,
            None => at.listen,
        };
        (address.port() != 0).then(|| ToDebugger {
            url: format!("http://{address}"),
            key: utf8_percent_encode(&at.key.0, NON_ALPHANUMERIC).to_string(),
            connections,
        })
    }

    /// The path below which the debugger shows the session of this id.
    fn path(&self, id: Option<&str>) -> String {
        let id = id.and_then(SessionId::new);
        let session = id.and_then(|id| {
            let all = self.connections.all();
            all.into_iter().find(|session| *session.id() == id)
        });
        match session {
            Some(session) => format!("/sessions/{}", session.label()),
            None => "/sessions".to_owned(),
        }
    }
}

impl Endpoint for ToDebugger {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        // A script that asks gets no address that it could look at.
        let says = |name: &str, what: &str| request.header(name) == Some(what);
        if !says("sec-fetch-mode", "navigate") || !says("sec-fetch-site", "same-origin") {
            return Ok(StatusCode::FORBIDDEN.into());
        }
        let query = request.uri().query().unwrap_or_default();
        let mut query = url::form_urlencoded::parse(query.as_bytes());
        let id = query.find(|(name, _)| name == "session_id");
        let path = self.path(id.as_ref().map(|(_, id)| &**id));
        let address = format!("{}{path}#key={}", self.url, self.key);
        Ok(Response::builder()
            .status(StatusCode::SEE_OTHER)
            .header(header::LOCATION, address)
            .header(header::CACHE_CONTROL, "no-store")
            .header(header::REFERRER_POLICY, "no-referrer")
            .finish())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Instant;

    use super::*;
    use crate::config::DebuggerKey;

    #[test]
    fn the_badge_comes_before_every_other_script() {
        let page = "<!doctype html><HEAD lang='en'><script src=a></script></HEAD><header></header>";
        let with = with_badge(page.to_owned());
        let at = with.find(BADGE).unwrap();
        assert!(at < with.find("src=a").unwrap(), "{with}");
        assert_eq!(with.matches(BADGE).count(), 1);
        for page in ["<header>no head</header>", "text", ""] {
            assert_eq!(with_badge(page.to_owned()), page);
        }
    }

    fn to_debugger(port: u16, connections: &Arc<ConnectionManager>) -> Option<ToDebugger> {
        let at = DebuggerAt {
            listen: SocketAddr::from(([127, 0, 0, 1], port)),
            listener: None,
            key: DebuggerKey::new("a key/of sixteen").unwrap(),
            role: None,
        };
        ToDebugger::of(&at, Arc::clone(connections))
    }

    async fn led(to: &ToDebugger, query: &str, mode: &str, site: &str) -> (StatusCode, String) {
        let request = Request::builder()
            .uri_str(format!("{DEBUGGER}{query}"))
            .header("sec-fetch-mode", mode)
            .header("sec-fetch-site", site)
            .finish();
        let response = to.call(request).await.unwrap();
        let location = response.header(header::LOCATION).unwrap_or_default();
        (response.status(), location.to_owned())
    }

    #[tokio::test]
    async fn only_who_goes_there_is_led_to_the_debugger_and_to_the_session_of_the_page() {
        let connections = Arc::new(ConnectionManager::default());
        assert!(
            to_debugger(0, &connections).is_none(),
            "nobody knows where it is"
        );
        let to = to_debugger(9000, &connections).unwrap();
        let id = SessionId::new("the page's").unwrap();
        let session = connections.open(&id, Instant::now());
        let base = "http://127.0.0.1:9000";
        let key = "#key=a%20key%2Fof%20sixteen";
        let there = (
            StatusCode::SEE_OTHER,
            format!("{base}/sessions/{}{key}", session.label()),
        );
        let query = "?session_id=the+page%27s";
        assert_eq!(led(&to, query, "navigate", "same-origin").await, there);
        let somewhere = (StatusCode::SEE_OTHER, format!("{base}/sessions{key}"));
        assert_eq!(
            led(&to, "?session_id=other", "navigate", "same-origin").await,
            somewhere
        );
        for (mode, site) in [
            ("cors", "same-origin"),
            ("no-cors", "same-origin"),
            ("navigate", "cross-site"),
        ] {
            let refused = (StatusCode::FORBIDDEN, String::new());
            assert_eq!(led(&to, query, mode, site).await, refused);
        }
    }
}
