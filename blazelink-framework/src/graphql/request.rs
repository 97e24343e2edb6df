//! One GraphQL request as it comes over HTTP, and the rules of its body: a JSON object with a text
//! `query`. Made by `endpoint`, answered by the `Executor`. What is refused, and in which words, is
//! the original's.

use super::response::Response;

/// A request: a document, the operation to run, its variables.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The document's text.
    pub query: String,
    /// Which operation of the document; needed if it has several.
    pub operation_name: Option<String>,
    /// The variables as they were sent.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

impl Request {
    /// A request for this document without variables.
    pub fn new(query: impl Into<String>) -> Request {
        Request {
            query: query.into(),
            ..Request::default()
        }
    }

    /// Reads a request from a body. The size of the body is the caller's to limit.
    ///
    /// # Errors
    ///
    /// The answer to send instead, always of status 400: plain text if the body is not JSON or not
    /// declared as such, else JSON.
    pub fn from_body(content_type: Option<&str>, body: &[u8]) -> Result<Request, Response> {
        if !content_type.is_some_and(is_json) {
            return Err(Response::text(
                400,
                "Posted content must be of type application/json",
            ));
        }
        let Ok(body) = serde_json::from_slice(body) else {
            return Err(Response::text(400, "Request body is not a valid JSON"));
        };
        let serde_json::Value::Object(mut body) = body else {
            return Err(Response::refused("Operation data should be a JSON object"));
        };
        let query = match body.remove("query") {
            Some(serde_json::Value::String(query)) if !query.is_empty() => query,
            _ => return Err(Response::refused("The query must be a string.")),
        };
        let operation_name = match body.remove("operationName") {
            None | Some(serde_json::Value::Null) => None,
            Some(serde_json::Value::String(name)) => Some(name),
            Some(_) => return Err(Response::refused("\"operationName\" must be a string.")),
        };
        let variables = match body.remove("variables") {
            None | Some(serde_json::Value::Null) => serde_json::Map::new(),
            Some(serde_json::Value::Object(variables)) => variables,
            Some(_) => {
                return Err(Response::refused(
                    "Query variables must be a null or an object.",
                ));
            }
        };
        Ok(Request {
            query,
            operation_name,
            variables,
        })
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(content_type: Option<&str>, body: &[u8]) -> (u16, String) {
        match Request::from_body(content_type, body) {
            Ok(_) => (200, String::new()),
            Err(answer) => (answer.status, String::from_utf8_lossy(&answer.body).into()),
        }
    }

    #[test]
    fn bodies_that_are_no_request_are_refused_with_their_reason() {
        let json = Some("application/json");
        let list = r#"{"errors":[{"message":"Operation data should be a JSON object"}]}"#;
        let query = r#"{"errors":[{"message":"The query must be a string."}]}"#;
        let content = "Posted content must be of type application/json";
        let invalid = "Request body is not a valid JSON";
        let rows: &[(Option<&str>, &[u8], &str)] = &[
            (json, b"[{\"query\":\"{__typename}\"}]", list),
            (json, b"1", list),
            (json, b"{}", query),
            (json, b"{\"query\":\"\"}", query),
            (json, b"{\"query\":7}", query),
            (json, b"{\"query\":", invalid),
            (json, b"{\"query\":\"\xFF\"}", invalid),
            (json, &[b'['; 100_000], invalid),
            (Some("text/plain"), b"{\"query\":\"{__typename}\"}", content),
            (None, b"{\"query\":\"{__typename}\"}", content),
        ];
        for (content_type, body, expected) in rows {
            assert_eq!(refusal(*content_type, body), (400, (*expected).to_owned()));
        }
    }

    #[test]
    fn parameters_of_the_content_type_do_not_matter() {
        let body = br#"{"query":"{__typename}","variables":null,"operationName":null}"#;
        assert_eq!(
            refusal(Some("application/json; charset=utf-8"), body).0,
            200
        );
        assert_eq!(refusal(Some("Application/JSON"), body).0, 200);
    }
}
