//! The inspector's recordings: made, kept, looked at and replayed.
//!
//! What must stay true: one recording is made at a time. It ends with the app, and is kept then too; a
//! process that is killed loses it.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use chrono::{DateTime, Utc};

use super::filter::Filter;
use super::inspector::Inspector;
use super::names::name_of;
use super::picture::Picture;
use super::record::{Moment, Record, Step, Watching, What};
use super::recording::{
    About, Counted, Difference, DifferenceReport, Noted, Recording, RecordingReport, Recordings,
    ReplayReport, Replayed, Running, RunningReport, Shelf, Shelved, Telling, Unshelved, replay,
};
use super::report::{Path, Updates};
use crate::session::UpdateKind;

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
            Record::Commit(_) => Some(record),
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
            recordings: all.into_iter().map(|it| self.told(it)).collect(),
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
                    view: Some((crate::subscription::ViewName { object, selection }, view)),
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
        let kept = traces.clone().count() as u64;
        let came = now.updates.saturating_sub(running.before.updates);
        let about = About {
            app: &self.subject.app,
            moments_began: self.began,
            ended: SystemTime::now(),
            let_go: came.saturating_sub(kept) + now.lost.saturating_sub(running.before.lost),
            exposure: self.subject.subscriptions.exposure(),
            viewers: self.subject.viewers,
        };
        let name = running.name.clone();
        shelf.put(&name, |out| Recording::write(running, traces, &about, out))?;
        self.recorder().keep(false);
        *slot = None;
        drop(slot);
        drop(picture);
        let mut all = shelf.list().into_iter();
        let kept = all.find(|it| it.name == name).ok_or(Unshelved::Absent)?;
        Ok(self.told(kept))
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
        let mut traces = recording.traces.iter();
        let trace = traces.find(|trace| trace.number == number);
        let trace = trace.ok_or_else(|| {
            NotDone::Unknown(format!(
                "There is no update {number} in the recording {name}"
            ))
        })?;
        Ok(self.path_of(trace, recording.moments_began()))
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
        Ok(self.compared(recording, replayed))
    }

    fn compared(&self, recording: &Recording, replayed: Replayed) -> ReplayReport {
        let head = &recording.head;
        let mut not_compared = Vec::new();
        let mut say = |count: u64, one: &str, many: &str| match count {
            0 => {}
            1 => not_compared.push(format!("1 {one}")),
            _ => not_compared.push(format!("{count} {many}")),
        };
        say(
            replayed.unknown_viewers,
            "session is not compared: the recording does not say whose it was (Builder::record_viewers)",
            "sessions are not compared: the recording does not say whose they were (Builder::record_viewers)",
        );
        say(
            replayed.unsettled,
            "delivery is not compared: its session began or ceased to watch something just then",
            "deliveries are not compared: their sessions began or ceased to watch something just then",
        );
        say(
            recording.unknown,
            "commit is about a table that this build does not expose",
            "commits are about tables that this build does not expose",
        );
        say(
            head.let_go,
            "commit is not in the recording: there was no room for it",
            "commits are not in the recording: there was no room for them",
        );
        say(
            head.left_out,
            "change of what a session watched is not in the recording: there was no room for it",
            "changes of what sessions watched are not in the recording: there was no room for them",
        );
        let (commits, sessions) = (replayed.commits, replayed.sessions);
        let of = format!(
            "{} of {}",
            counted(commits, "commit"),
            counted(sessions, "session")
        );
        let sentence = match (replayed.differ, replayed.compared) {
            (0, compared) => format!(
                "{of}: {} as recorded, none differs",
                counted(compared, "delivery")
            ),
            (differ, compared) => {
                format!(
                    "{of}: {differ} of {} would differ",
                    counted(compared, "delivery")
                )
            }
        };
        let differences = replayed.differences.iter();
        ReplayReport {
            sentence,
            commits,
            sessions,
            compared: replayed.compared,
            differ: replayed.differ,
            differences: differences.map(|it| self.difference(it)).collect(),
            not_compared,
        }
    }

    fn difference(&self, difference: &Difference) -> DifferenceReport {
        let exposure = self.subject.subscriptions.exposure();
        let object = name_of(exposure, &difference.object);
        let session = difference.session.to_string();
        let sentence = match (difference.was, difference.would) {
            (Some(was), None) => format!(
                "{session} was told `{}` of {object}, and would be told nothing",
                word(was)
            ),
            (None, Some(would)) => format!(
                "{session} was told nothing of {object}, and would be told `{}`",
                word(would)
            ),
            (Some(was), Some(would)) if word(was) == word(would) => {
                format!("{session} would be told other columns or values of {object} than it was")
            }
            (Some(was), Some(would)) => format!(
                "{session} was told `{}` of {object}, and would be told `{}`",
                word(was),
                word(would)
            ),
            (None, None) => format!("{session} is told nothing of {object}"),
        };
        DifferenceReport {
            update: difference.number,
            session,
            object,
            was: difference.was.map(|was| word(was).to_owned()),
            would: difference.would.map(|would| word(would).to_owned()),
            sentence,
        }
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

    fn told(&self, kept: Shelved) -> RecordingReport {
        let file = self.subject.shelf.as_ref();
        let file = file.and_then(|shelf| shelf.place(&kept.name));
        RecordingReport {
            file: file.unwrap_or_default().display().to_string(),
            name: kept.name,
            bytes: kept.bytes,
            began_at_ms: kept.head.began / 1_000,
            ended_at_ms: kept.head.ended / 1_000,
            redacted: kept.head.redacted,
            let_go: kept.head.let_go,
            left_out: kept.head.left_out,
        }
    }
}

fn word(telling: Telling) -> &'static str {
    match (telling.row, telling.kind) {
        (false, _) => "again",
        (true, UpdateKind::Create) => "create",
        (true, UpdateKind::Update) => "update",
        (true, UpdateKind::Delete) => "delete",
    }
}

fn counted(count: u64, what: &str) -> String {
    match (count, what.strip_suffix('y')) {
        (1, _) => format!("1 {what}"),
        (_, Some(stem)) => format!("{count} {stem}ies"),
        (_, None) => format!("{count} {what}s"),
    }
}

fn millis(time: SystemTime) -> u64 {
    DateTime::<Utc>::from(time).timestamp_millis().max(0) as u64
}
