//! What the app tells the tool: one JSON object per line, in a file that `BLAZELINK_EVENTS` names.
//!
//! A regular file, so that neither side ever waits for the other to open it. Events that the tool
//! does not know are for a later one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;

use crate::project::Project;

/// How often the file is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The file of one run of the app.
#[derive(Debug)]
pub(crate) struct Events {
    path: PathBuf,
}

#[derive(Deserialize)]
struct Event {
    event: String,
    url: Option<String>,
}

impl Events {
    /// An empty file in the project.
    pub(crate) fn new(project: &Project) -> Result<Events> {
        let path = project.state()?.join("events.ndjson");
        std::fs::write(&path, "").map_err(|error| {
            let sentence = format!("`{}` cannot be written to", path.display());
            Error::new(ErrorKind::Setup, Code::CommandFailed, sentence).with_source(error)
        })?;
        Ok(Events { path })
    }

    /// The path to name to the app.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the app says that it answers, and returns its URL as the app told it.
    pub(crate) async fn ready(&self) -> Option<String> {
        loop {
            let text = tokio::fs::read_to_string(&self.path)
                .await
                .unwrap_or_default();
            if let Some(event) = ready_in(&text) {
                return event.url;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

/// A line that has no end yet is still being written.
fn ready_in(text: &str) -> Option<Event> {
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| serde_json::from_str::<Event>(line).ok())
        .find(|event| event.event == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_makes_the_app_ready() {
        let line = r#"{"event":"ready","url":"http://127.0.0.1:8000","tables":3}"#;
        assert!(ready_in(line).is_none());
        let text = format!("{{\"event\":\"starting\"}}\nnoise\n{line}\n");
        let url = ready_in(&text).and_then(|event| event.url);
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:8000"));
    }
}
