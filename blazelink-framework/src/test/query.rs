//! What a client of a test asks: a GraphQL document, and its variables if it has any.

use serde_json::{Value, json};

/// A GraphQL document with its variables. Made of a text, or of a text and a JSON object.
#[derive(Clone, Debug)]
pub struct Query {
    document: String,
    variables: Value,
}

impl Query {
    /// The body of the request.
    pub(super) fn body(&self) -> String {
        json!({"query": self.document, "variables": self.variables}).to_string()
    }
}

impl From<&str> for Query {
    fn from(document: &str) -> Query {
        Query::from((document, json!({})))
    }
}

impl From<String> for Query {
    fn from(document: String) -> Query {
        Query::from((document.as_str(), json!({})))
    }
}

impl From<&String> for Query {
    fn from(document: &String) -> Query {
        Query::from(document.as_str())
    }
}

impl From<(&str, Value)> for Query {
    fn from((document, variables): (&str, Value)) -> Query {
        Query {
            document: document.to_owned(),
            variables,
        }
    }
}
