//! The terminal under a loop: lines that stay, and below them one that says where the loop is.
//!
//! Several tasks write to it. Whatever is printed takes the place of the last line, which is drawn
//! again below it.

use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use blazelink_codes::Error;
use serde_json::Value;

use crate::terminal::Terminal;

/// Shared by everything that speaks. Copies are the same screen.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    terminal: Terminal,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    /// Name and text of the last line. Held while something is printed, so that lines stay whole.
    status: Mutex<(String, String)>,
    /// Whether what the app logs is shown.
    logs: AtomicBool,
}

impl Screen {
    pub(crate) fn new(terminal: Terminal) -> Screen {
        let shared = Shared {
            status: Mutex::default(),
            logs: AtomicBool::new(true),
        };
        Screen {
            terminal,
            shared: Arc::new(shared),
        }
    }

    /// What it is drawn on.
    pub(crate) fn terminal(&self) -> Terminal {
        self.terminal
    }

    /// Says where the loop is.
    pub(crate) fn status(&self, name: &str, text: &str) {
        let mut status = self.lock();
        if (status.0.as_str(), status.1.as_str()) != (name, text) {
            *status = (name.to_owned(), text.to_owned());
            self.terminal.progress(name, text);
        }
    }

    /// A step that is done.
    pub(crate) fn step(&self, name: &str, what: &str, took: Duration) {
        self.print(|terminal| terminal.step(name, what, took));
    }

    /// A remark.
    pub(crate) fn note(&self, what: impl Display) {
        self.print(|terminal| terminal.note(what));
    }

    /// A remark under a name, in the column of the steps.
    pub(crate) fn said(&self, name: &str, what: impl Display) {
        self.note(format!("{name:<11}{what}"));
    }

    /// An event for scripts alone.
    pub(crate) fn event(&self, event: &str, fields: Value) {
        self.print(|terminal| terminal.event(event, fields));
    }

    /// An error after which the loop goes on.
    pub(crate) fn error(&self, error: &Error) {
        self.print(|terminal| terminal.error(error));
    }

    /// Output of a tool that is run.
    pub(crate) fn words(&self, line: &str) {
        self.print(|terminal| terminal.pass_on(line));
    }

    /// Output of the app, unless the person has enough of it.
    pub(crate) fn log(&self, line: &str) {
        if self.shared.logs.load(Ordering::Relaxed) {
            self.words(line);
        }
    }

    /// Shows what the app logs, or does not; returns whether it does now.
    pub(crate) fn toggle_logs(&self) -> bool {
        !self.shared.logs.fetch_xor(true, Ordering::Relaxed)
    }

    /// Runs `print`, and draws the last line again.
    pub(crate) fn print(&self, print: impl FnOnce(Terminal)) {
        let status = self.lock();
        print(self.terminal);
        if !status.0.is_empty() {
            self.terminal.progress(&status.0, &status.1);
        }
    }

    fn lock(&self) -> MutexGuard<'_, (String, String)> {
        self.shared
            .status
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
