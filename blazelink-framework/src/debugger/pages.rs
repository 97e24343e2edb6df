//! The debugger's pages: one shell for every screen, and the files that it needs. They hold nothing of
//! the app but its name, so they are for anybody; what they show they ask the API for, with the key.
//!
//! What must stay true: nothing of a page comes from elsewhere, and no script or style that is not a
//! file of ours runs in it (Content Security Policy Level 3).

use std::collections::BTreeMap;

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};

/// What a page may load, and whom it may ask.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// See the file's head.
pub(crate) struct Pages {
    /// Nothing if it could not be rendered.
    shell: Option<String>,
}

impl Pages {
    /// The pages of the app with this name.
    pub(crate) fn of(app: &str) -> Pages {
        let version = env!("CARGO_PKG_VERSION");
        let context = BTreeMap::from([("app", app), ("version", version)]);
        let shell = blazelink_templates::render("debugger.html", context);
        let shell = shell.inspect_err(|error| tracing::warn!(%error, "the debugger has no pages"));
        Pages { shell: shell.ok() }
    }

    fn answer(&self, path: &str) -> Response {
        if let Some(name) = path.strip_prefix("/files/") {
            let file = blazelink_templates::debugger_file(name);
            return match file {
                Some((kind, text)) => Response::builder().content_type(kind).body(text),
                None => StatusCode::NOT_FOUND.into(),
            };
        }
        match &self.shell {
            Some(shell) => Response::builder()
                .content_type("text/html; charset=utf-8")
                .body(shell.clone()),
            None => StatusCode::INTERNAL_SERVER_ERROR.into(),
        }
    }
}

impl Endpoint for Pages {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let mut response = self.answer(request.uri().path());
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            // The program holds them: they change when it does.
            (header::CACHE_CONTROL, "no-cache"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Ok(response)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    async fn get(path: &str) -> Response {
        let request = Request::builder().uri_str(path).finish();
        Pages::of("<shooter>").call(request).await.unwrap()
    }

    #[tokio::test]
    async fn every_screen_is_the_shell_and_names_the_app() {
        for path in ["/", "/updates", "/updates/7"] {
            let response = get(path).await;
            let policy = response.headers()[header::CONTENT_SECURITY_POLICY].clone();
            let body = response.into_body().into_string().await.unwrap();
            assert!(body.contains("&lt;shooter&gt;"), "{path}");
            assert!(!policy.to_str().unwrap().contains("unsafe"));
        }
    }

    #[tokio::test]
    async fn the_shell_names_files_that_there_are() {
        let shell = get("/").await.into_body().into_string().await.unwrap();
        let mut count = 0;
        for named in shell.split('"').filter(|it| it.starts_with("/files/")) {
            assert_eq!(get(named).await.status(), StatusCode::OK, "{named}");
            count += 1;
        }
        assert!(count >= 2);
        assert_eq!(get("/files/none.js").await.status(), StatusCode::NOT_FOUND);
    }
}
