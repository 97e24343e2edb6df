//! The debugger's pages: one shell for every screen, the files that it needs, and a description of the
//! API. They hold nothing of the app but its name, so they are for anybody; what they show they ask the API for, with the key.
//!
//! What must stay true: nothing of a page comes from elsewhere, and no script or style that is not a
//! file of ours runs in it (Content Security Policy Level 3).

use poem::http::{HeaderValue, StatusCode, header};
use poem::{Endpoint, Request, Response};
use serde_json::{Value, json};

/// Where the API is described.
const API: &str = "/docs";

/// What a page may load, and whom it may ask.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// See the file's head.
pub(crate) struct Pages {
    /// Nothing if it could not be rendered.
    shell: Option<String>,
    /// What the API is, for people; nothing if that could not be rendered.
    api: Option<String>,
}

impl Pages {
    /// The pages of the app with this name below `base`, and what is to be read of the API, of which
    /// `spec` is the OpenAPI document.
    pub(crate) fn of(app: &str, base: &str, spec: &str) -> Pages {
        let version = env!("CARGO_PKG_VERSION");
        let spec: Value = serde_json::from_str(spec).unwrap_or_default();
        let context = json!({"app": app, "version": version, "base": base, "spec": spec});
        let page = |name| {
            let page = blazelink_templates::render(name, &context);
            let page =
                page.inspect_err(|error| tracing::warn!(%error, "the debugger lacks a page"));
            page.ok()
        };
        Pages {
            shell: page("debugger.html"),
            api: page("debugger-api.html"),
        }
    }

    fn answer(&self, path: &str) -> Response {
        if let Some(name) = path.strip_prefix("/files/") {
            let file = blazelink_templates::debugger_file(name);
            return match file {
                Some((kind, text)) => Response::builder().content_type(kind).body(text),
                None => StatusCode::NOT_FOUND.into(),
            };
        }
        let page = match path {
            API => &self.api,
            _ => &self.shell,
        };
        match page {
            Some(page) => Response::builder()
                .content_type("text/html; charset=utf-8")
                .body(page.clone()),
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

    const SPEC: &str = r##"{
        "paths": {"/api/updates/{number}": {"get": {
            "summary": "One transaction.",
            "parameters": [{"name": "number", "in": "path", "required": true,
                "schema": {"type": "integer"}}],
            "responses": {"200": {"description": "", "content": {"application/json": {
                "schema": {"$ref": "#/components/schemas/Path"}}}}}
        }}},
        "components": {"schemas": {"Path": {"properties": {
            "hops": {"type": "array", "items": {"type": "string"}, "description": "<b>In order</b>"}
        }}}}
    }"##;

    async fn get(path: &str) -> Response {
        let request = Request::builder().uri_str(path).finish();
        let pages = Pages::of("<shooter>", "", SPEC);
        pages.call(request).await.unwrap()
    }

    #[tokio::test]
    async fn the_api_is_described_for_people() {
        let page = get("/docs").await.into_body().into_string().await.unwrap();
        let page = page.replace("&#x2f;", "/");
        for part in [
            "GET /api/updates/{number}",
            "One transaction.",
            r##"<a href="#Path">Path</a>"##,
            "list of string",
            "&lt;b&gt;In order",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[tokio::test]
    async fn below_a_path_the_shell_names_files_there() {
        let pages = Pages::of("shooter", "/admin/debugger", SPEC);
        let response = pages.call(Request::default()).await.unwrap();
        let shell = response.into_body().into_string().await.unwrap();
        let shell = shell.replace("&#x2f;", "/");
        assert!(shell.contains(r#"src="/admin/debugger/files/main.js""#));
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
