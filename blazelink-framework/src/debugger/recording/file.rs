//! `Recording`: a recording's file, written and read. Lines of JSON: a head, then what sessions watched
//! and which transactions they were told, each in the order of time.
//!
//! Called by the inspector. What must stay true: whatever a file holds, reading it ends with a recording
//! or with a sentence.

use std::fmt;
use std::io::{self, BufRead, Write};
use std::time::{Instant, SystemTime};

use super::lines::{Head, Line, VERSION, WrittenCommit, WrittenViewer, label, micros, time};
use super::running::{Noted, Running};
use crate::debugger::record::{Moment, Watching};
use crate::debugger::trace::Trace;
use crate::exposure::Exposure;
use crate::session::SessionLabel;
use crate::subscription::{NamedView, View, ViewName};
use crate::viewer::{Viewer, ViewerForm};

/// How much of what happened is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// All of it.
    Whole,
    /// No values but keys, no viewers, and nothing of what sessions watch: to be looked at, and not to
    /// be played again.
    Redacted,
}

/// A recording that was read.
#[derive(Debug)]
pub(crate) struct Recording {
    /// What it says of itself.
    pub(crate) head: Head,
    /// What sessions watched, in the order of time.
    pub(crate) log: Vec<Entry>,
    /// The transactions, the oldest first.
    pub(crate) traces: Vec<Trace>,
    /// Transactions that are about tables that this build has not.
    pub(crate) unknown: u64,
}

/// Something that became of a session.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The session.
    pub(crate) session: SessionLabel,
    /// From when on it may have been so.
    pub(crate) began: Moment,
    /// Since when it was so.
    pub(crate) at: Moment,
    /// What.
    pub(crate) what: Become,
}

/// See [`Entry::what`].
#[derive(Debug)]
pub(crate) enum Become {
    /// It is this viewer's, and a read of it watches this.
    Watching(WrittenViewer, Option<(ViewName, View)>),
    /// It has ended.
    Ended,
    /// It is not known what it watches from then on.
    LeftOut,
}

/// Why a file cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is none.
    NoRecording,
    /// Another version of Blazelink has written it.
    Version(u32),
    /// A line says nothing.
    Line(usize),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreadable::NoRecording => write!(f, "it is no recording of Blazelink's debugger"),
            Unreadable::Version(version) => write!(
                f,
                "it is of version {version} of the format, and this build reads version {VERSION}"
            ),
            Unreadable::Line(line) => write!(f, "line {line} is not what it should be"),
        }
    }
}

/// Of whom a recording is, and what it has not.
#[derive(Debug)]
pub(crate) struct About<'a> {
    /// The app's name.
    pub(crate) app: &'a str,
    /// The server's clock when moments began.
    pub(crate) moments_began: SystemTime,
    /// The server's clock now.
    pub(crate) ended: SystemTime,
    /// Transactions that were let go meanwhile.
    pub(crate) let_go: u64,
    /// Records that found no room meanwhile.
    pub(crate) lost: u64,
    /// The names of tables and columns.
    pub(crate) exposure: &'a Exposure,
    /// How viewers are written.
    pub(crate) viewers: ViewerForm,
}

impl Recording {
    /// Writes a recording that has run, with these transactions, the oldest first.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub(crate) fn write<'t>(
        running: &Running,
        traces: impl Iterator<Item = &'t Trace>,
        about: &About<'_>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let contents = match running.redacted {
            true => Contents::Redacted,
            false => Contents::Whole,
        };
        let head = Head {
            version: VERSION,
            app: about.app.to_owned(),
            moments_began: micros(about.moments_began),
            began: micros(running.began),
            ended: micros(about.ended),
            redacted: running.redacted,
            let_go: about.let_go,
            lost: about.lost,
            left_out: running.left_out(),
        };
        let mut put = |line: &Line<'_>| {
            serde_json::to_writer(&mut *out, line)?;
            out.write_all(b"\n")
        };
        put(&Line::Recording(head))?;
        let log = running.log().into_iter();
        let mut log = log.filter(|_| contents == Contents::Whole);
        let mut next = log.next();
        for trace in traces {
            while let Some(noted) = next
                && noted.at() <= trace.commit.times.told
            {
                put(&line_of(noted, about))?;
                next = log.next();
            }
            let commit = WrittenCommit::of(trace, about.exposure, contents);
            put(&Line::Commit(Box::new(commit)))?;
        }
        for noted in next.into_iter().chain(log) {
            put(&line_of(noted, about))?;
        }
        Ok(())
    }

    /// What a file says to an app that exposes this.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] with the reason.
    pub(crate) fn read(
        file: impl BufRead,
        exposure: &Exposure,
        now: Instant,
    ) -> Result<Recording, Unreadable> {
        let mut lines = file.lines().enumerate();
        let first = lines.next().and_then(|(_, line)| line.ok());
        let head = match first.and_then(|line| serde_json::from_str(&line).ok()) {
            Some(Line::Recording(head)) => head,
            _ => return Err(Unreadable::NoRecording),
        };
        if head.version != VERSION {
            return Err(Unreadable::Version(head.version));
        }
        let mut recording = Recording {
            head,
            log: Vec::new(),
            traces: Vec::new(),
            unknown: 0,
        };
        for (at, line) in lines {
            let wrong = Unreadable::Line(at + 1);
            let line = line.map_err(|_| wrong)?;
            let line: Line<'_> = serde_json::from_str(&line).map_err(|_| wrong)?;
            recording.enter(line, exposure, now).ok_or(wrong)?;
        }
        // A file may be put together by hand.
        recording.log.sort_by_key(|entry| entry.at);
        recording.traces.sort_by_key(|trace| trace.number);
        Ok(recording)
    }

    fn enter(&mut self, line: Line<'_>, exposure: &Exposure, now: Instant) -> Option<()> {
        match line {
            Line::Recording(_) => return None,
            Line::Watching {
                session,
                viewer,
                began,
                at,
                view,
            } => {
                let view = view.and_then(|view| view.to_view(exposure));
                self.log.push(Entry {
                    session: label(&session)?,
                    began: Moment(began),
                    at: Moment(at),
                    what: Become::Watching(viewer, view),
                });
            }
            Line::Ended { session, at } => self.log.push(Entry {
                session: label(&session)?,
                began: Moment(at),
                at: Moment(at),
                what: Become::Ended,
            }),
            Line::LeftOut { session, at } => self.log.push(Entry {
                session: label(&session)?,
                began: Moment(at),
                at: Moment(at),
                what: Become::LeftOut,
            }),
            Line::Commit(commit) => match commit.to_trace(exposure, now) {
                Some(trace) => self.traces.push(trace),
                None => self.unknown += 1,
            },
        }
        Some(())
    }

    /// The server's clock when moments began.
    pub(crate) fn moments_began(&self) -> SystemTime {
        time(self.head.moments_began)
    }
}

fn line_of<'a>(noted: &'a Noted, about: &About<'a>) -> Line<'a> {
    match noted {
        Noted::Watching(watching) => {
            let Watching {
                session,
                viewer,
                began,
                at,
                view,
            } = watching;
            let named =
                |(name, view): &'a (ViewName, View)| NamedView::of(about.exposure, name, view);
            Line::Watching {
                session: session.to_string().into(),
                viewer: written(viewer, about.viewers),
                began: began.0,
                at: at.0,
                view: view.as_ref().map(named),
            }
        }
        Noted::Ended { session, at } => Line::Ended {
            session: session.to_string().into(),
            at: at.0,
        },
        Noted::LeftOut { session, at } => Line::LeftOut {
            session: session.to_string().into(),
            at: at.0,
        },
    }
}

fn written(viewer: &Viewer, form: ViewerForm) -> WrittenViewer {
    match viewer.is_anonymous() {
        true => WrittenViewer::Nobody,
        false => match form.write(viewer) {
            Some(value) => WrittenViewer::Is(value),
            None => WrittenViewer::NotWritten,
        },
    }
}
