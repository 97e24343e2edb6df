//! What the app tells the tool: a line of JSON for each event, in the file that `BLAZELINK_EVENTS`
//! names.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use blazelink_codes::Code;
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// Adds an event. Its line is written at once, so that several writers do not mix theirs.
///
/// # Errors
///
/// [`Code::ConfigInvalid`] if the file cannot be written.
pub(crate) fn announce(file: &Path, event: &impl Serialize) -> Result<()> {
    // Events are structs of texts and numbers, and have a JSON form.
    let line = serde_json::to_string(event).unwrap_or_default() + "\n";
    let written = OpenOptions::new()
        .append(true)
        .create(true)
        .open(file)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    written.map_err(|error| {
        let sentence = "The file named by BLAZELINK_EVENTS cannot be written";
        Error::new(ErrorKind::Setup, Code::ConfigInvalid, sentence).with_source(error)
    })
}
