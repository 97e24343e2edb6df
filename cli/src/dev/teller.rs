//! What the loop tells, in the terminal and in open pages: what is being built, and what is wrong.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use blazelink_codes::Error;
use serde_json::json;
use tokio::sync::watch::Sender;

use super::editor::Editor;
use super::page::{Problem, Shown, State};
use super::screen::Screen;
use crate::build::{Diagnostic, Failed, Said};

/// The terminal, the pages, and how errors are linked to.
#[derive(Debug)]
pub(crate) struct Teller {
    screen: Screen,
    page: Sender<State>,
    editor: Editor,
    /// Warnings that were shown: cargo tells them with each build.
    warned: Mutex<HashSet<String>>,
}

impl Teller {
    pub(crate) fn new(screen: Screen, page: Sender<State>) -> Teller {
        Teller {
            screen,
            page,
            editor: Editor::chosen(|name| std::env::var(name).ok()),
            warned: Mutex::default(),
        }
    }

    /// What pages are told.
    pub(crate) fn page(&self) -> &Sender<State> {
        &self.page
    }

    /// Shows what cargo does.
    pub(crate) fn tell(&self, said: Said<'_>) {
        match said {
            Said::Doing(doing) => {
                self.screen.status("build", doing);
                self.page.send_modify(|state| {
                    doing.clone_into(&mut state.doing);
                    state.say(doing);
                });
            }
            Said::Count { done, total } => {
                self.screen.status("build", &format!("{done}/{total}"));
                self.page
                    .send_modify(|state| (state.done, state.total) = (done, total));
            }
            Said::Found(found) => {
                let text = found.shown(self.screen.terminal().colours_errors());
                let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
                if found.is_error || warned.insert(text.clone()) {
                    self.screen.words(&text);
                }
            }
            Said::Words(line) => {
                self.screen.words(line);
                self.page.send_modify(|state| state.say(line));
            }
        }
    }

    /// Shows pages why nothing was built, and gives it in one line; the terminal has the compiler's
    /// words already.
    pub(crate) fn not_built(&self, failed: Failed, took: Duration) -> (String, Error) {
        let Failed {
            error,
            errors,
            words,
        } = failed;
        let title = match errors.len() {
            0 => "The build failed".to_owned(),
            1 => "1 error".to_owned(),
            count => format!("{count} errors"),
        };
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.screen
            .event("errors", json!({"count": errors.len(), "ms": ms}));
        let problem = Problem {
            title: title.clone(),
            errors: errors.iter().map(|found| self.shown(found)).collect(),
            text: if errors.is_empty() {
                words.join("\n")
            } else {
                String::new()
            },
        };
        self.page.send_modify(|state| state.fail(problem));
        (title, error)
    }

    /// Shows pages what failed: what the program said last, or else the error itself.
    pub(crate) fn failed(&self, title: &str, error: &Error, words: &[String]) {
        let text = if words.is_empty() {
            format!("{error:#}")
        } else {
            words.join("\n")
        };
        let problem = Problem {
            title: title.to_owned(),
            errors: Vec::new(),
            text,
        };
        self.page.send_modify(|state| state.fail(problem));
    }

    fn shown(&self, found: &Diagnostic) -> Shown {
        let place = found.place.as_ref();
        Shown {
            text: found.rendered.trim_end().to_owned(),
            place: place.map(|at| format!("{}:{}:{}", at.named, at.line, at.column)),
            link: place.and_then(|at| self.editor.link(&at.file, at.line, at.column)),
        }
    }
}
