//! What the app tells the tool: one JSON object per line, in a file that `BLAZELINK_EVENTS` names.
//!
//! A regular file, so that neither side ever waits for the other to open it. Events that the tool
//! does not know are for a later one.

use std::path::{Path, PathBuf};
use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;

use super::machine::AppId;
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
}

impl Events {
    /// An empty file in the project, for the app of this name.
    pub(crate) fn new(project: &Project, app: AppId) -> Result<Events> {
        let path = project.state()?.join(format!("events-{app}.ndjson"));
        std::fs::write(&path, "").map_err(|error| {
            let sentence = format!("`{}` cannot be written to", path.display());
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
        })?;
        Ok(Events { path })
    }

    /// The path to name to the app.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the app says that it answers.
    pub(crate) async fn ready(&self) {
        loop {
            let text = tokio::fs::read_to_string(&self.path)
                .await
                .unwrap_or_default();
            if is_ready(&text) {
                return;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        // A file that stays is emptied by the next app of that name.
        let _ = std::fs::remove_file(&self.path);
    }
}

/// A line that has no end yet is still being written.
fn is_ready(text: &str) -> bool {
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .filter_map(|line| serde_json::from_str::<Event>(line).ok())
        .any(|event| event.event == "ready")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_makes_the_app_ready() {
        let line = r#"{"event":"ready","url":"http://127.0.0.1:8000","tables":3}"#;
        assert!(!is_ready(line));
        let text = format!("{{\"event\":\"starting\"}}\nnoise\n{line}\n");
        assert!(is_ready(&text));
    }
}
