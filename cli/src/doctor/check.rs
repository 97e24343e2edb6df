//! One thing that was looked at, and how it is told. The app's program tells its own in the same
//! form, as JSON lines.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::terminal::Terminal;

#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct Check {
    /// What was looked at, in a word.
    pub(super) check: String,
    pub(super) state: State,
    pub(super) text: String,
    #[serde(default)]
    pub(super) code: Option<String>,
    /// What mends it, a command or a statement each.
    #[serde(default)]
    pub(super) fix: Vec<String>,
    /// A replication slot that nothing reads, and the database it is of.
    #[serde(default)]
    pub(super) slot: Option<[String; 2]>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    Ok,
    /// It works, but dearer or laxer than it has to.
    Warning,
    /// Without this Blazelink does not work.
    Error,
}

impl Check {
    pub(super) fn ok(check: &str, text: impl Into<String>) -> Check {
        Check::new(check, State::Ok, text, &[])
    }

    pub(super) fn new(check: &str, state: State, text: impl Into<String>, fix: &[&str]) -> Check {
        Check {
            check: check.to_owned(),
            state,
            text: text.into(),
            code: None,
            fix: fix.iter().map(|step| (*step).to_owned()).collect(),
            slot: None,
        }
    }

    /// What went wrong while it was looked at.
    pub(super) fn of_error(check: &str, error: &blazelink_codes::Error) -> Check {
        let mut text = error.sentence().to_owned();
        if let Some(cause) = std::error::Error::source(error) {
            text.push_str(&format!(": {cause}"));
        }
        Check {
            code: Some(error.code().to_string()),
            fix: error.hint().into_iter().map(str::to_owned).collect(),
            ..Check::new(check, State::Error, text, &[])
        }
    }

    pub(super) fn tell(&self, terminal: Terminal) {
        let word = match self.state {
            State::Ok => "ok",
            State::Warning => "warning",
            State::Error => "error",
        };
        let mut fields = json!({
            "check": self.check,
            "state": word,
            "text": self.text,
            "fix": self.fix,
        });
        if let (Value::Object(fields), Some(code)) = (&mut fields, &self.code) {
            fields.insert("code".into(), code.clone().into());
        }
        let mut text = format!(
            "  {word:<9}{:<13}{}",
            self.check,
            self.text.replace('\n', "\n    ")
        );
        if let Some(code) = &self.code {
            text.push_str(&format!(" ({code})"));
        }
        for line in self.fix.iter().flat_map(|step| step.lines()) {
            text.push_str(&format!("\n{:<24}{line}", ""));
        }
        terminal.outcome("check", fields, text);
    }
}
