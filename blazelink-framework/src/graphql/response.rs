//! What is answered: a status, a content type and a body, and the errors in it.

use async_graphql::Pos;
use blazelink_codes::{Code, limits};
use bytes::Bytes;

use crate::value::write_string;

/// A complete HTTP answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// The content type.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// An error about a document as a whole: what is wrong, and where in its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) locations: Vec<Pos>,
}

impl Fault {
    pub(super) fn new(message: impl Into<String>, at: impl IntoIterator<Item = Pos>) -> Fault {
        Fault {
            message: message.into(),
            locations: at.into_iter().collect(),
        }
    }
}

/// An error of one field, with what a program may look at besides its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) message: String,
    pub(super) code: Code,
    /// The way from the field's arguments to the value that is wrong; empty if none is.
    pub(super) input: Vec<String>,
}

impl Problem {
    /// Appends `"extensions":{..}`.
    pub(super) fn write_extensions(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\"extensions\":{\"code\":");
        write_string(&self.code.to_string(), out);
        if !self.input.is_empty() {
            out.extend_from_slice(b",\"input\":[");
            for (at, step) in self.input.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                write_string(step, out);
            }
            out.push(b']');
        }
        out.push(b'}');
    }
}

const JSON: &str = "application/json";

impl Response {
    /// An answer in JSON.
    pub(super) fn json(status: u16, body: Vec<u8>) -> Response {
        Response {
            status,
            content_type: JSON,
            body: body.into(),
        }
    }

    /// An answer in plain text.
    pub(super) fn text(status: u16, text: &'static str) -> Response {
        Response {
            status,
            content_type: "text/plain; charset=utf-8",
            body: Bytes::from_static(text.as_bytes()),
        }
    }

    /// The request's body is no GraphQL request.
    pub(super) fn refused(message: &str) -> Response {
        Response::invalid(&[Fault::new(message, [])])
    }

    /// Who asks may not: nothing is read.
    pub(super) fn denied(status: u16, sentence: &str) -> Response {
        Response {
            status,
            ..Response::refused(sentence)
        }
    }

    /// The document is not valid: 400, without `data`.
    pub(super) fn invalid(faults: &[Fault]) -> Response {
        let mut body = b"{\"errors\":".to_vec();
        write_faults(faults, &mut body);
        body.push(b'}');
        Response::json(400, body)
    }

    /// The document is valid, but its operation cannot begin: 200, `data` is null.
    pub(super) fn failed(faults: &[Fault]) -> Response {
        let mut body = b"{\"data\":null,\"errors\":".to_vec();
        write_faults(faults, &mut body);
        body.push(b'}');
        Response::json(200, body)
    }
}

/// Appends the list of the first [`limits::ANSWER_ERRORS`]: a short text can be wrong in very many
/// places.
fn write_faults(faults: &[Fault], out: &mut Vec<u8>) {
    out.push(b'[');
    for (at, fault) in faults.iter().take(limits::ANSWER_ERRORS).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(b"{\"message\":");
        write_string(&fault.message, out);
        if !fault.locations.is_empty() {
            out.push(b',');
            write_locations(&fault.locations, out);
        }
        out.push(b'}');
    }
    out.push(b']');
}

/// Appends `"locations":[..]`.
pub(super) fn write_locations(locations: &[Pos], out: &mut Vec<u8>) {
    use std::io::Write;
    out.extend_from_slice(b"\"locations\":[");
    for (at, position) in locations.iter().enumerate() {
        let comma = if at > 0 { "," } else { "" };
        let (line, column) = (position.line, position.column);
        let written = write!(out, "{comma}{{\"line\":{line},\"column\":{column}}}");
        debug_assert!(written.is_ok(), "writing to a Vec cannot fail");
    }
    out.push(b']');
}
