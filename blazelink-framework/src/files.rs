//! The app's own folders of files: from disk, or from inside of the program.
//!
//! `routes` serves one endpoint per folder. In development they are read from disk, whatever is
//! embedded, so that an edit shows; so is a folder that is not embedded.

use std::path::Path;

use bytes::Bytes;
use hashbrown::HashMap;
use percent_encoding::percent_decode_str;
use poem::endpoint::{BoxEndpoint, StaticFilesEndpoint};
use poem::http::{HeaderMap, Method, StatusCode, header};
use poem::{Endpoint, EndpointExt, Request, Response};
use sha2::{Digest, Sha256};

use crate::config::{Config, Environment};
use crate::embedded::Embedded;

/// Bytes of a file's hash that its `ETag` tells: enough that no two versions share it.
const TAG_BYTES: usize = 16;

/// Serves the files of a folder of the project.
pub(crate) fn folder(
    config: &Config,
    embedded: Embedded,
    folder: &Path,
) -> BoxEndpoint<'static, Response> {
    if config.environment == Environment::Production
        && let Some(files) = embedded.folder(folder)
    {
        return EmbeddedFiles::new(files).boxed();
    }
    let on_disk = config.folder.join(folder);
    if !on_disk.is_dir() {
        tracing::warn!(
            folder = %folder.display(),
            "the folder is not there, so each of its files is answered 404; start the app in the \
             project's folder, or name the folder in embed!"
        );
    }
    StaticFilesEndpoint::new(on_disk).map_to_response().boxed()
}

/// Files that are in memory as long as the program runs.
struct EmbeddedFiles {
    files: HashMap<&'static str, EmbeddedFile>,
}

struct EmbeddedFile {
    bytes: &'static [u8],
    content_type: String,
    tag: String,
}

impl EmbeddedFiles {
    fn new(files: impl Iterator<Item = (&'static str, &'static [u8])>) -> EmbeddedFiles {
        let files = files.map(|(path, bytes)| {
            let file = EmbeddedFile {
                bytes,
                content_type: content_type(path),
                tag: tag(bytes),
            };
            (path, file)
        });
        EmbeddedFiles {
            files: files.collect(),
        }
    }
}

impl Endpoint for EmbeddedFiles {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Ok(Response::builder()
                .status(StatusCode::METHOD_NOT_ALLOWED)
                .header(header::ALLOW, "GET, HEAD")
                .finish());
        }
        let path = request.uri().path().trim_start_matches('/');
        let path = percent_decode_str(path).decode_utf8();
        let Some(file) = path.ok().and_then(|path| self.files.get(&*path)) else {
            return Ok(StatusCode::NOT_FOUND.into());
        };
        let answer = Response::builder()
            .header(header::ETAG, &file.tag)
            // The next release has other files under the same names.
            .header(header::CACHE_CONTROL, "no-cache");
        Ok(if has(request.headers(), &file.tag) {
            answer.status(StatusCode::NOT_MODIFIED).finish()
        } else {
            answer
                .content_type(&file.content_type)
                .body(Bytes::from_static(file.bytes))
        })
    }
}

/// Whether the client has this version of a file (`If-None-Match`).
fn has(headers: &HeaderMap, tag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter();
    values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        // A proxy that compresses makes a tag a weak one.
        .any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

fn content_type(path: &str) -> String {
    let mime = mime_guess::from_path(path).first_or_octet_stream();
    let text =
        mime.type_() == mime_guess::mime::TEXT || mime.subtype() == mime_guess::mime::JAVASCRIPT;
    if text {
        format!("{mime}; charset=utf-8")
    } else {
        mime.to_string()
    }
}

fn tag(bytes: &[u8]) -> String {
    let mut tag = String::from("\"");
    for byte in &Sha256::digest(bytes)[..TAG_BYTES] {
        tag.push_str(&format!("{byte:02x}"));
    }
    tag.push('"');
    tag
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const EMBEDDED: Embedded = Embedded::of(&[
        ("static/a b.txt", b"spaced"),
        ("static/app.js", b"from the program"),
    ]);

    async fn get(endpoint: &impl Endpoint<Output = Response>, path: &str, known: &str) -> Response {
        let request = Request::builder()
            .uri(path.parse().unwrap())
            .header("if-none-match", known);
        endpoint.get_response(request.finish()).await
    }

    async fn text(endpoint: &impl Endpoint<Output = Response>, path: &str) -> String {
        let answer = get(endpoint, path, "").await;
        answer.into_body().into_string().await.unwrap()
    }

    #[tokio::test]
    async fn what_is_embedded_is_served_without_the_disk_and_told_apart_by_its_tag() {
        let mut config = Config::new("test", "postgres://nowhere");
        config.folder = "/nowhere".into();
        let files = folder(&config, EMBEDDED, Path::new("static"));
        let first = get(&files, "/app.js", "").await;
        assert_eq!(first.status(), StatusCode::OK);
        let header = |name| {
            first
                .headers()
                .get(name)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(header("content-type"), "text/javascript; charset=utf-8");
        let tag = header("etag");
        let again = get(&files, "/app.js", &format!("\"other\", W/{tag}")).await;
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
        assert_eq!(again.headers().get("etag"), first.headers().get("etag"));
        let newer = get(&files, "/app.js", "\"other\"").await;
        assert_eq!(newer.status(), StatusCode::OK);
        assert_eq!(text(&files, "/a%20b.txt").await, "spaced");
        for lost in ["/", "/static/app.js", "/%ff", "/../Cargo.toml"] {
            let answer = get(&files, lost, "").await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{lost}");
        }
        let posted = Request::builder()
            .method(Method::POST)
            .uri("/app.js".parse().unwrap());
        let refused = files.get_response(posted.finish()).await;
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }

    #[tokio::test]
    async fn in_development_the_disk_goes_before_what_is_embedded() {
        let project = tempfile::tempdir().unwrap();
        std::fs::create_dir(project.path().join("static")).unwrap();
        std::fs::write(project.path().join("static/app.js"), "from disk").unwrap();
        let mut config = Config::new("test", "postgres://nowhere");
        config.folder = project.path().to_owned();
        let served = |config: &Config| folder(config, EMBEDDED, Path::new("static"));
        assert_eq!(text(&served(&config), "/app.js").await, "from the program");
        config.environment = Environment::Development;
        assert_eq!(text(&served(&config), "/app.js").await, "from disk");
    }
}
