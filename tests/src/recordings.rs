//! The recordings of the original in `original/recordings`: what was asked of it, and what it
//! answered. Read by the tests that ask the same of the fixture.
//!
//! A recording is known by the beginning of its file's name, such as `http-05` or `ws-12`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use reqwest::Method;
use reqwest::redirect::Policy;
use serde::Deserialize;
use serde_json::Value;

use crate::conversation::Conversation;

/// The folder of the recordings.
pub const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/original/recordings");

/// One request and its answer.
#[derive(Clone, Debug, Deserialize)]
pub struct Exchange {
    /// What it shows, in a sentence.
    pub scenario: String,
    /// The request.
    pub request: Request,
    /// The answer.
    pub response: Response,
}

/// A request over HTTP.
#[derive(Clone, Debug, Deserialize)]
pub struct Request {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Option<String>,
}

/// An answer over HTTP.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers that a client may look at, by their names in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body; nothing where the recording has left it out, and it is then not compared.
    pub body: Option<String>,
}

/// All exchanges in the order in which they were recorded, by name.
pub fn exchanges() -> Vec<(String, Exchange)> {
    recorded("http-")
}

/// All conversations in the order in which they were recorded, by name.
pub fn conversations() -> Vec<(String, Conversation)> {
    recorded("ws-")
}

fn recorded<T: for<'a> Deserialize<'a>>(kind: &str) -> Vec<(String, T)> {
    let names = names().into_iter();
    let recorded = names.filter(|file| file.starts_with(kind));
    recorded
        .map(|file| {
            let text = std::fs::read_to_string(format!("{FOLDER}/{file}"));
            let text = text.expect("the folder is readable");
            let recorded = serde_json::from_str(&text);
            let recorded = recorded.unwrap_or_else(|error| panic!("{file}: {error}"));
            (short(&file).to_owned(), recorded)
        })
        .collect()
}

/// The files of all recordings, sorted.
pub fn names() -> Vec<String> {
    let files = std::fs::read_dir(FOLDER).expect("the recordings are there");
    let mut names: Vec<String> = files
        .map(|file| {
            let name = file.expect("the folder is readable").file_name();
            name.into_string().expect("the names are ASCII")
        })
        .collect();
    names.sort();
    names
}

/// The name by which a recording is known.
pub fn short(file: &str) -> &str {
    let stem = file.strip_suffix(".json").unwrap_or(file);
    stem.split_once('_').map_or(stem, |(name, _)| name)
}

impl Request {
    /// Asks the server at `address` the same: path, headers and body as they were recorded.
    pub async fn send(&self, address: SocketAddr) -> Response {
        let client = reqwest::Client::builder().redirect(Policy::none()).build();
        let method: Method = self.method.parse().expect("a method");
        let mut request = client
            .expect("it needs nothing")
            .request(method, format!("http://{address}{}", self.path));
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        let answer = request.send().await.expect("the server answers");
        let headers = answer.headers().iter();
        Response {
            status: answer.status().as_u16(),
            headers: headers
                .map(|(name, value)| {
                    let value = value.to_str().expect("a text");
                    (name.to_string(), value.to_owned())
                })
                .collect(),
            body: Some(answer.text().await.expect("a text")),
        }
    }
}

impl Response {
    /// The content type without its parameters; empty if there is none.
    pub fn media_type(&self) -> &str {
        let value = self.headers.get("content-type").map_or("", String::as_str);
        value.split(';').next().unwrap_or_default().trim()
    }

    /// Whether a client could not tell this answer from another: by status, kind and JSON. Texts
    /// for people are not looked at, nor are bodies that a recording has left out.
    pub fn is_like(&self, other: &Response) -> bool {
        let known = self.body.is_some() && other.body.is_some();
        self.status == other.status
            && self.media_type() == other.media_type()
            && (!known || self.comparable() == other.comparable())
    }

    /// JSON without the messages of its errors, or the text; nothing for a refusal in plain text.
    fn comparable(&self) -> Value {
        let text = self.body.as_deref().unwrap_or_default();
        if self.media_type() == "text/plain" && self.status >= 400 {
            return Value::Null;
        }
        let mut body = serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        let errors = body.get_mut("errors").and_then(Value::as_array_mut);
        for error in errors.into_iter().flatten() {
            if let Some(error) = error.as_object_mut() {
                error.remove("message");
            }
        }
        body
    }
}
