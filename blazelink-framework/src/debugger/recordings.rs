//! The inspector's recordings: made, kept, looked at and replayed.
//!
//! What must stay true: one recording is made at a time. It ends with the app, and is kept then too; a
//! process that is killed loses it.

use std::collections::HashSet;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::filter::Filter;
use super::inspector::Inspector;
use super::picture::Picture;
use super::record::{Moment, Record, Step, Watching, What};
use super::recording::{
    About, Counted, Noted, Recording, RecordingReport, Recordings, ReplayReport, Running,
    RunningReport, Shelf, Unshelved, audience, replay,
};
use super::report::{Path, RecordedSession, RecordedSessions, Updates};
use super::summary::{By, Summary};
use super::trace::Trace;
use crate::session::SessionLabel;
use crate::subscription::ViewName;

/// Sessions of a recording that are told.
const SESSIONS: usize = 50;

/// Why something is not done with recordings, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum NotDone {
    /// There is no such thing.
    Unknown(String),
    /// It cannot be now, or not with this.
    Refused(String),
}

impl From<Unshelved> for NotDone {
    fn from(error: Unshelved) -> NotDone {
        match error {
            Unshelved::Absent => NotDone::Unknown(error.to_string()),
            other => NotDone::Refused(other.to_string()),
        }
    }
}

impl Inspector {
    /// Notes what the recording that is made needs of a record. The record, if the picture is to have
    /// it.
    pub(super) fn noted(&self, record: Record) -> Option<Record> {
        match record {
            Record::Commit(_) | Record::Passed(_) => Some(record),
            Record::Watching(watching) => {
                if let Some(running) = &mut *self.running() {
                    running.note(Noted::Watching(*watching));
                }
                None
            }
            Record::Step(Step { session, at, what }) => {
                if what == What::Ended
                    && let Some(running) = &mut *self.running()
                {
                    running.note(Noted::Ended { session, at });
                }
                Some(record)
            }
        }
    }

    /// The name of the recording that is made, if one is.
    pub(super) fn recording(&self) -> Option<String> {
        self.running().as_ref().map(|running| running.name.clone())
    }

    /// All recordings.
    pub(crate) fn recordings(&self) -> Recordings {
        let picture = self.picture();
        let running = self.running();
        let running = running.as_ref().map(|running| RunningReport {
            name: running.name.clone(),
            began_at_ms: millis(running.began),
            redacted: running.redacted,
            updates: picture.traces.since(running.from).count() as u64,
        });
        drop(picture);
        let kept = self.subject.shelf.as_ref();
        let all = kept.map(Shelf::list).unwrap_or_default();
        Recordings {
            running,
            recordings: all.into_iter().map(RecordingReport::from).collect(),
            most: blazelink_codes::limits::RECORDINGS as u64,
            kept: kept.is_some(),
        }
    }

    /// Begins a recording; without a name, it is called after the time.
    ///
    /// # Errors
    ///
    /// If one is being made, or none of that name can be.
    pub(crate) fn record(&self, name: Option<String>, redacted: bool) -> Result<(), NotDone> {
        let by_time = || Utc::now().format("%Y%m%d-%H%M%S").to_string();
        let name = name.filter(|name| !name.is_empty()).unwrap_or_else(by_time);
        self.shelf()?.check(&name)?;
        // The picture first: what was recorded until now is none of it.
        let picture = self.picture();
        let mut running = self.running();
        if let Some(running) = &*running {
            let name = &running.name;
            return Err(NotDone::Refused(format!(
                "The recording {name} is being made: stop it first"
            )));
        }
        self.recorder().keep(true);
        let began = self.now();
        let mut log = Vec::new();
        let subscriptions = &self.subject.subscriptions;
        for session in subscriptions.connections().all() {
            for (object, selection, view) in subscriptions.views(&session) {
                log.push(Noted::Watching(Watching {
                    session: session.label(),
                    viewer: session.viewer(),
                    began,
                    at: self.now(),
                    view: Some((ViewName { object, selection }, view)),
                }));
            }
        }
        let before = self.counted(&picture);
        let mut begun = Running::begin(name, redacted, (self.now(), SystemTime::now()), before);
        for noted in log {
            begun.note(noted);
        }
        *running = Some(begun);
        Ok(())
    }

    /// Ends the recording that is made, and keeps it.
    ///
    /// # Errors
    ///
    /// If none is made, or the folder does not take it: then it goes on.
    pub(crate) fn stop_recording(&self) -> Result<RecordingReport, NotDone> {
        let shelf = self.shelf()?;
        let picture = self.picture();
        let mut slot = self.running();
        let Some(running) = &*slot else {
            return Err(NotDone::Unknown("No recording is being made".to_owned()));
        };
        let now = self.counted(&picture);
        let traces = picture.traces.since(running.from);
        let newer = picture.traces.newest_first();
        // What came with it or before it, whether or not it is in it.
        let kept = newer.take_while(|trace| trace.number > running.before.updates);
        let came = now.updates.saturating_sub(running.before.updates);
        let about = About {
            app: &self.subject.app,
            moments_began: self.began,
            ended: SystemTime::now(),
            let_go: came.saturating_sub(kept.count() as u64),
            lost: now.lost.saturating_sub(running.before.lost),
            exposure: self.subject.subscriptions.exposure(),
            viewers: self.subject.viewers,
        };
        let name = running.name.clone();
        shelf.put(&name, |out| Recording::write(running, traces, &about, out))?;
        self.recorder().keep(false);
        *slot = None;
        drop(slot);
        drop(picture);
        Ok(shelf.get(&name)?.into())
    }

    /// Ends the recording that is made, if one is, and says in the log what became of it.
    pub(super) fn end_recording(&self) {
        let Some(name) = self.recording() else {
            return;
        };
        match self.stop_recording() {
            Ok(kept) => tracing::info!(file = kept.file, "the recording ends with the app"),
            Err(NotDone::Unknown(why) | NotDone::Refused(why)) => {
                tracing::warn!(name, why, "the recording is not kept");
            }
        }
    }

    /// Deletes a recording.
    ///
    /// # Errors
    ///
    /// If there is none of that name.
    pub(crate) fn delete_recording(&self, name: &str) -> Result<(), NotDone> {
        self.shelf()?.remove(name)?;
        *self.looked_at() = None;
        Ok(())
    }

    /// The transactions of a recording that the filter admits, as [`Inspector::updates`].
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it cannot be read.
    pub(crate) fn recorded_updates(
        &self,
        name: &str,
        filter: &Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Updates, NotDone> {
        let recording = self.look_at(name)?;
        let began = recording.moments_began();
        let ended = Duration::from_micros(recording.head.ended);
        let ended = (UNIX_EPOCH + ended).duration_since(began);
        let now = Moment(ended.map_or(0, |since| since.as_micros() as u64));
        let traces = recording.traces.iter().rev();
        let updates = self.listed(traces, filter, before, limit, (now, began));
        Ok(Updates {
            discarded: recording.head.let_go,
            ..updates
        })
    }

    /// A transaction of a recording and everything that became of it.
    ///
    /// # Errors
    ///
    /// If there is none, or the recording cannot be read.
    pub(crate) fn recorded_update(&self, name: &str, number: u64) -> Result<Path, NotDone> {
        let recording = self.look_at(name)?;
        let trace = trace_of(&recording, name, number)?;
        Ok(self.path_of(trace, recording.moments_began()))
    }

    /// Who watched what at a commit of a recording.
    ///
    /// # Errors
    ///
    /// As [`Inspector::recorded_update`].
    pub(crate) fn recorded_sessions(
        &self,
        name: &str,
        number: u64,
    ) -> Result<RecordedSessions, NotDone> {
        let recording = self.look_at(name)?;
        let trace = trace_of(&recording, name, number)?;
        let told: HashSet<SessionLabel> = trace.deliveries().map(|(it, _)| it.session).collect();
        let audience = audience(&recording, trace.commit.times.told);
        let all = audience.len() as u64;
        let (mut first, rest): (Vec<_>, Vec<_>) = audience
            .into_iter()
            .partition(|(_, (session, _))| told.contains(session));
        first.extend(rest);
        first.truncate(SESSIONS);
        let sessions = first.into_iter().map(|(session, (label, attendant))| {
            let reads = attendant.reads.iter();
            RecordedSession {
                session,
                viewer: attendant.viewer.to_owned(),
                told: told.contains(&label),
                reads: reads
                    .map(|(name, view)| self.read_report(&name.object, view))
                    .collect(),
                left_out: attendant.left_out,
            }
        });
        Ok(RecordedSessions {
            sessions: sessions.collect(),
            all,
        })
    }

    /// A recording in numbers.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it cannot be read.
    pub(crate) fn recording_summary(&self, name: &str) -> Result<Summary, NotDone> {
        let recording = self.look_at(name)?;
        let exposure = self.subject.subscriptions.exposure();
        Ok(Summary::of(recording.traces.iter(), By::Change, exposure))
    }

    /// What would differ if a recording happened now.
    ///
    /// # Errors
    ///
    /// If there is none of that name, or it cannot be replayed.
    pub(crate) async fn replay(&self, name: &str) -> Result<ReplayReport, NotDone> {
        let recording = self.look_at(name)?;
        self.replay_recording(&recording).await
    }

    /// The same of the contents of a file.
    ///
    /// # Errors
    ///
    /// If it cannot be read or replayed.
    pub(crate) async fn replay_file(&self, file: &[u8]) -> Result<ReplayReport, NotDone> {
        let exposure = self.subject.subscriptions.exposure();
        let recording = Recording::read(file, exposure, Instant::now())
            .map_err(|why| NotDone::Refused(format!("The file cannot be replayed: {why}")))?;
        self.replay_recording(&recording).await
    }

    async fn replay_recording(&self, recording: &Recording) -> Result<ReplayReport, NotDone> {
        if recording.head.redacted {
            return Err(NotDone::Refused(
                "The recording is redacted: it has no values to decide by, and can only be looked at"
                    .to_owned(),
            ));
        }
        let subject = &self.subject;
        let replayed = replay(recording, &subject.subscriptions, subject.viewers).await;
        let exposure = subject.subscriptions.exposure();
        Ok(ReplayReport::of(recording, &replayed, exposure))
    }

    /// The recording that is made, if one is. To be locked after the picture.
    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The recording that was looked at last: pages ask again and again.
    fn looked_at(&self) -> MutexGuard<'_, Option<(String, Arc<Recording>)>> {
        self.looked_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at(&self, name: &str) -> Result<Arc<Recording>, NotDone> {
        if let Some((of, recording)) = &*self.looked_at()
            && of == name
        {
            return Ok(Arc::clone(recording));
        }
        let file = self.shelf()?.open(name)?;
        let exposure = self.subject.subscriptions.exposure();
        let recording = Recording::read(file, exposure, Instant::now()).map_err(|why| {
            NotDone::Refused(format!("The recording {name} cannot be read: {why}"))
        })?;
        let recording = Arc::new(recording);
        *self.looked_at() = Some((name.to_owned(), Arc::clone(&recording)));
        Ok(recording)
    }

    fn shelf(&self) -> Result<&Shelf, NotDone> {
        let shelf = self.subject.shelf.as_ref();
        shelf.ok_or_else(|| {
            NotDone::Refused(
                "The app has no folder for recordings: name one with [server] state".to_owned(),
            )
        })
    }

    fn counted(&self, picture: &Picture) -> Counted {
        Counted {
            updates: picture.traces.came(),
            lost: self.recorder().lost(),
        }
    }
}

fn trace_of<'r>(recording: &'r Recording, name: &str, number: u64) -> Result<&'r Trace, NotDone> {
    let mut traces = recording.traces.iter();
    let trace = traces.find(|trace| trace.number == number);
    trace.ok_or_else(|| {
        NotDone::Unknown(format!(
            "There is no update {number} in the recording {name}"
        ))
    })
}

fn millis(time: SystemTime) -> u64 {
    DateTime::<Utc>::from(time).timestamp_millis().max(0) as u64
}
