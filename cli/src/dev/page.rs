//! What open pages are told: where the loop is, and what is wrong.
//!
//! The driver changes the [`State`]; `front` shows it while no app runs, and each app hands it on to
//! its pages, which it reaches by its standard input (`blazelink-framework/src/dev/overlay.js`).

use serde::Serialize;

/// Lines of output that the build page shows.
const LOG: usize = 12;

/// Errors that a page is told. Whoever has more mends these first.
const ERRORS: usize = 20;

/// Where the loop is.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct State {
    /// `state`.
    event: &'static str,
    /// The app's name.
    pub(crate) app: String,
    pub(crate) phase: Phase,
    /// What is being done, in words.
    pub(crate) doing: String,
    /// Of so many crates so many are built, while that is known.
    pub(crate) done: u32,
    pub(crate) total: u32,
    /// The last lines of output.
    pub(crate) log: Vec<String>,
    pub(crate) problem: Option<Problem>,
    /// What somebody has to decide.
    pub(crate) question: Option<Asked>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Something is being done.
    Working,
    /// Somebody has to decide something.
    Asking,
    /// What is on disk is what answers.
    Live,
    /// Something failed.
    Failed,
}

/// A question with its answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// Goes with the answer.
    pub(crate) id: u32,
    /// In one line.
    pub(crate) title: String,
    /// What it is about.
    pub(crate) text: String,
    pub(crate) choices: Vec<Choice>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Choice {
    /// What is sent back.
    pub(crate) word: &'static str,
    pub(crate) label: &'static str,
}

/// What failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    /// In one line.
    pub(crate) title: String,
    /// Each with its place; none if there is only the text.
    pub(crate) errors: Vec<Shown>,
    /// What the program said.
    pub(crate) text: String,
}

/// An error of the compiler.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shown {
    /// As the compiler shows it, with the colours of a terminal.
    pub(crate) text: String,
    /// `src/app.rs:7:3`.
    pub(crate) place: Option<String>,
    /// What opens that place.
    pub(crate) link: Option<String>,
}

impl State {
    pub(crate) fn new(app: &str) -> State {
        State {
            event: "state",
            app: app.to_owned(),
            phase: Phase::Working,
            doing: "starting".to_owned(),
            done: 0,
            total: 0,
            log: Vec::new(),
            problem: None,
            question: None,
        }
    }

    /// Adds a line of output.
    pub(crate) fn say(&mut self, line: &str) {
        // cargo waits for the same thing in several places.
        if self.log.last().is_some_and(|last| last == line) {
            return;
        }
        if self.log.len() == LOG {
            self.log.remove(0);
        }
        self.log.push(line.to_owned());
    }

    /// Somebody is asked.
    pub(crate) fn ask(&mut self, question: Asked) {
        self.phase = Phase::Asking;
        self.problem = None;
        self.question = Some(question);
    }

    /// Something has begun.
    pub(crate) fn begin(&mut self, doing: &str) {
        self.phase = Phase::Working;
        self.question = None;
        doing.clone_into(&mut self.doing);
        self.done = 0;
        self.total = 0;
    }

    /// Something has failed.
    pub(crate) fn fail(&mut self, mut problem: Problem) {
        problem.errors.truncate(ERRORS);
        self.phase = Phase::Failed;
        self.question = None;
        self.problem = Some(problem);
    }

    /// What is on disk is what answers.
    pub(crate) fn live(&mut self) {
        self.phase = Phase::Live;
        self.question = None;
        self.problem = None;
        self.log.clear();
    }

    /// As a line of JSON. Pages of an app need no log.
    pub(crate) fn line(&self, with_log: bool) -> String {
        let mut state = self.clone();
        if !with_log {
            state.log.clear();
        }
        // Structs of texts and numbers always have a JSON form.
        serde_json::to_string(&state).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_stays_while_something_is_tried_and_goes_when_the_app_is_live() {
        let mut state = State::new("game");
        state.fail(Problem {
            title: "1 error".into(),
            errors: Vec::new(),
            text: "words".into(),
        });
        state.begin("building");
        for line in 0..20 {
            state.say(&line.to_string());
        }
        assert!(state.problem.is_some());
        assert_eq!(state.log.len(), LOG);
        assert!(state.line(true).contains(r#""log":["8","#));
        assert!(state.line(false).contains(r#""phase":"working""#));
        assert!(state.line(false).contains(r#""log":[]"#));
        state.live();
        assert!(state.line(true).contains(r#""problem":null"#));
    }
}
