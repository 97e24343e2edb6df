//! The forms in which the original's endpoints are asked, and how they answer.

use blazelink_tests::app::TestApp;
use reqwest::redirect::Policy;
use reqwest::{Method, Response};

const FORM: &str = "--x\r\n\
    Content-Disposition: form-data; name=\"operations\"\r\n\r\n\
    {\"query\": \"query($n: Int) { users(page: 0, size: $n) { count } }\", \"variables\": {\"n\": 1}}\r\n\
    --x\r\n\
    Content-Disposition: form-data; name=\"map\"\r\n\r\n\
    {}\r\n\
    --x--\r\n";

struct Http {
    client: reqwest::Client,
    app: TestApp,
}

impl Http {
    async fn start() -> Http {
        let client = reqwest::Client::builder().redirect(Policy::none()).build();
        Http {
            client: client.expect("it needs nothing"),
            app: TestApp::start().await,
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Response {
        let url = format!("http://{}{path}", self.app.address());
        let mut request = self.client.request(method, url).body(body.to_owned());
        for &(name, value) in headers {
            request = request.header(name, value);
        }
        request.send().await.expect("the server answers")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn forms_are_answered_beside_a_session_and_refused_without_one() {
    let http = Http::start().await;
    let form = ("content-type", "multipart/form-data; boundary=x");
    let with = [form, ("session_id", "a")];
    let answer = http.send(Method::POST, "/graphql/", &with, FORM).await;
    assert_eq!(
        answer.text().await.expect("a text"),
        r#"{"data":{"users":{"count":0}}}"#
    );
    let refused = http.send(Method::POST, "/graphql/", &[form], FORM).await;
    assert_eq!(refused.status(), 400);
    let broken = http.send(Method::POST, "/graphql/", &with, "--x\r\n").await;
    assert_eq!(broken.status(), 400);
    http.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_path_without_slash_leads_to_the_one_with_it() {
    let http = Http::start().await;
    let answer = http.send(Method::POST, "/graphql", &[], "{}").await;
    assert_eq!(answer.status(), 307);
    assert_eq!(answer.headers()["location"], "/graphql/");
    http.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_is_shown_the_explorer_and_others_what_they_may_ask() {
    let http = Http::start().await;
    let html = [("accept", "text/html,*/*")];
    let explorer = http.send(Method::GET, "/graphql/", &html, "").await;
    assert_eq!(explorer.status(), 200);
    assert!(
        explorer
            .text()
            .await
            .expect("a page")
            .contains("<title>shooter")
    );
    let other = http.send(Method::GET, "/graphql/", &[], "").await;
    assert_eq!(
        (other.status().as_u16(), &other.headers()["allow"]),
        (405, &"OPTIONS, POST, GET".parse().expect("a header"))
    );
    let options = http.send(Method::OPTIONS, "/graphql/", &[], "").await;
    assert_eq!(options.status(), 200);
    http.app.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_files_and_the_client_are_served() {
    let http = Http::start().await;
    for (path, kind) in [
        ("/", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/app.css", "text/css"),
        ("/blazelink/client.js", "text/javascript"),
    ] {
        let answer = http.send(Method::GET, path, &[], "").await;
        assert_eq!(answer.status(), 200, "{path}");
        let served = answer.headers()["content-type"]
            .to_str()
            .expect("a text")
            .to_owned();
        assert!(served.starts_with(kind), "{path} is served as {served}");
    }
    for path in [
        "/nothing",
        "/static/../Cargo.toml",
        "/static/%2e%2e/Cargo.toml",
    ] {
        assert_eq!(
            http.send(Method::GET, path, &[], "").await.status(),
            404,
            "{path}"
        );
    }
    http.app.stop().await;
}
