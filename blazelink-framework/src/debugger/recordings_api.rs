//! The part of the debugger's HTTP API that is about recordings.
//!
//! What must stay true: as for the rest of it, lists have limits and nothing changes the app. Recordings
//! are the debugger's own.

use std::sync::Arc;

use blazelink_codes::limits;
use poem::Body;
use poem::web::Data;
use poem_openapi::param::{Path, Query};
use poem_openapi::payload::{Binary, Json};
use poem_openapi::{Object, OpenApi};

use super::api::{Answer, Refusal, filtered, listed};
use super::inspector::Inspector;
use super::looker::Looker;
use super::recording::{RecordingReport, Recordings, ReplayReport};
use super::recordings::NotDone;
use super::report::{self, RecordedSessions, Updates};
use super::summary::Summary;

/// See the file's head.
pub(crate) struct RecordingsApi {
    /// Who answers.
    pub(crate) inspector: Arc<Inspector>,
}

/// Which recording is to be made.
#[derive(Debug, Object)]
pub(crate) struct Begin {
    /// What it is called; after the time, if nothing is said. Letters, digits, `-` and `_`.
    name: Option<String>,
    /// Whether values, viewers and what sessions watch are left out. It can be looked at then, and not
    /// replayed.
    #[oai(default)]
    redacted: bool,
}

impl From<NotDone> for Refusal {
    fn from(not_done: NotDone) -> Refusal {
        match not_done {
            NotDone::Unknown(sentence) => Refusal::unknown(sentence),
            NotDone::Refused(sentence) => Refusal::refused(sentence),
        }
    }
}

#[OpenApi(prefix_path = "/api")]
#[allow(clippy::unused_async, reason = "the derive takes no other functions")]
impl RecordingsApi {
    /// The recordings that are kept, and the one that is being made.
    #[oai(path = "/recordings", method = "get")]
    async fn recordings(&self) -> Json<Recordings> {
        Json(self.inspector.recordings())
    }

    /// Begins a recording.
    #[oai(path = "/recordings", method = "post")]
    async fn begin(&self, looker: Data<&Looker>, begin: Json<Begin>) -> Answer<Recordings> {
        let Json(Begin { name, redacted }) = begin;
        looker.acts("begin a recording", None)?;
        self.inspector.record(name, redacted)?;
        Ok(Json(self.inspector.recordings()))
    }

    /// Ends the recording that is being made, and keeps it.
    #[oai(path = "/recordings/stop", method = "post")]
    async fn stop(&self, looker: Data<&Looker>) -> Answer<RecordingReport> {
        looker.acts("end a recording", None)?;
        Ok(Json(self.inspector.stop_recording()?))
    }

    /// Deletes a recording.
    #[oai(path = "/recordings/:name", method = "delete")]
    async fn delete(&self, looker: Data<&Looker>, name: Path<String>) -> Answer<Recordings> {
        looker.acts("delete a recording", None)?;
        self.inspector.delete_recording(&name.0)?;
        Ok(Json(self.inspector.recordings()))
    }

    /// The transactions of a recording, the newest first; asked for like those of the app.
    #[oai(path = "/recordings/:name/updates", method = "get")]
    async fn updates(
        &self,
        name: Path<String>,
        /// Which, as for the app's own; `since` counts from the recording's end.
        filter: Query<Option<String>>,
        /// Only those with a smaller number.
        before: Query<Option<u64>>,
        /// How many; at most 500.
        limit: Query<Option<usize>>,
    ) -> Answer<Updates> {
        let filter = filtered(filter.0.as_deref())?;
        let limit = listed(limit.0);
        let updates = self
            .inspector
            .recorded_updates(&name.0, &filter, before.0, limit)?;
        Ok(Json(updates))
    }

    /// Who watched what at one transaction of a recording.
    #[oai(path = "/recordings/:name/updates/:number/sessions", method = "get")]
    async fn sessions(&self, name: Path<String>, number: Path<u64>) -> Answer<RecordedSessions> {
        Ok(Json(self.inspector.recorded_sessions(&name.0, number.0)?))
    }

    /// A recording in numbers, by what was changed. Two of them are compared so.
    #[oai(path = "/recordings/:name/summary", method = "get")]
    async fn summary(&self, name: Path<String>) -> Answer<Summary> {
        Ok(Json(self.inspector.recording_summary(&name.0)?))
    }

    /// One transaction of a recording, and everything that became of it.
    #[oai(path = "/recordings/:name/updates/:number", method = "get")]
    async fn update(&self, name: Path<String>, number: Path<u64>) -> Answer<report::Path> {
        Ok(Json(self.inspector.recorded_update(&name.0, number.0)?))
    }

    /// What would differ if the recording happened to the app as it is now.
    #[oai(path = "/recordings/:name/replay", method = "post")]
    async fn replay(&self, name: Path<String>) -> Answer<ReplayReport> {
        Ok(Json(self.inspector.replay(&name.0).await?))
    }

    /// The same of a recording's file.
    #[oai(path = "/replay", method = "post")]
    async fn replay_file(&self, file: Binary<Body>) -> Answer<ReplayReport> {
        let file = file.0.into_bytes_limit(limits::REPLAY_BYTES).await;
        let file = file.map_err(|_| {
            let most = limits::REPLAY_BYTES >> 20;
            Refusal::refused(format!(
                "The file has more than {most} MiB, or came in part only"
            ))
        })?;
        Ok(Json(self.inspector.replay_file(&file).await?))
    }
}
