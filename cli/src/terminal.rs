//! What the person, or the script, at the terminal sees: results on standard output, everything
//! else on standard error; with `--json` all of it as one object per line on standard output.
//!
//! Colour, the progress line and questions only where there is a terminal. A closed output is no
//! reason to stop.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::time::{Duration, SystemTime};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use blazelink_postgres::Dialogue;
use serde_json::{Value, json};

use crate::arguments::{Color, Globals};

/// Columns that are counted with where the terminal does not say how many it has, and the fewest
/// that are counted with.
const COLUMNS: (usize, usize) = (80, 60);

/// Columns of the progress line that its name takes.
const NAME: usize = 14;

/// How output looks, and whether questions can be asked. Small and copied to wherever something is
/// said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    json: bool,
    volume: Volume,
    colour_out: bool,
    colour_err: bool,
    /// Whether a line can be drawn over.
    redraws: bool,
    offline: bool,
    answers: Answers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Volume {
    /// Results and errors.
    Quiet,
    Usual,
    /// Also what is done, and with which commands.
    Verbose,
}

/// Who answers questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// `--yes` has answered them all.
    Yes,
    Person,
    Nobody,
}

impl Terminal {
    /// The terminal, or lack of one, that this process runs in.
    pub(crate) fn new(globals: &Globals) -> Terminal {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let dumb = variable("TERM").is_some_and(|value| value == "dumb");
        let forced = variable("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let plain = dumb || variable("NO_COLOR").is_some();
        let colours = |is_terminal: bool| match globals.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => !plain && (is_terminal || forced),
        };
        let visible = std::io::stderr().is_terminal();
        let person = visible && std::io::stdin().is_terminal() && !globals.json;
        Terminal {
            json: globals.json,
            volume: if globals.quiet {
                Volume::Quiet
            } else if globals.verbose {
                Volume::Verbose
            } else {
                Volume::Usual
            },
            colour_out: !globals.json && colours(std::io::stdout().is_terminal()),
            colour_err: !globals.json && colours(visible),
            offline: globals.offline,
            redraws: visible && !dumb && !globals.json && !globals.quiet,
            answers: if globals.yes {
                Answers::Yes
            } else if person && !globals.no_input {
                Answers::Person
            } else {
                Answers::Nobody
            },
        }
    }

    /// Whether scripts read what is printed.
    pub(crate) fn is_json(self) -> bool {
        self.json
    }

    /// Whether programs that we run may colour their errors.
    pub(crate) fn colours_errors(self) -> bool {
        self.colour_err
    }

    /// The first line: what runs.
    pub(crate) fn title(self, name: &str, rest: &str) {
        let text = format!("\n  {} · {rest}\n", self.bold(name));
        self.say("title", &text, json!({"name": name, "text": rest}));
    }

    /// A step that is done.
    pub(crate) fn step(self, name: &str, what: &str, took: Duration) {
        let seconds = format!("{:.1} s", took.as_secs_f64());
        let text = format!(
            "  {}{what:<44} {}",
            self.label(name),
            self.dim(&format!("{seconds:>8}"))
        );
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        self.say("step", &text, json!({"name": name, "text": what, "ms": ms}));
    }

    /// What there is to say of one thing, without how long it took.
    pub(crate) fn remark(self, name: &str, what: &str) {
        let text = format!("  {}{what}", self.label(name));
        self.say("remark", &text, json!({"name": name, "text": what}));
    }

    /// A remark.
    pub(crate) fn note(self, what: impl Display) {
        let what = what.to_string();
        self.say("note", &format!("  {what}"), json!({"text": what.trim()}));
    }

    /// A blank line.
    pub(crate) fn space(self) {
        if !self.json {
            self.say("", "", Value::Null);
        }
    }

    /// What is done and with which command, for those who want to know.
    fn detail(self, what: impl Display) {
        if self.volume == Volume::Verbose {
            let what = what.to_string();
            self.say(
                "detail",
                &self.dim(&format!("  {what}")),
                json!({"text": what}),
            );
        }
    }

    /// A command that is run, for those who want to know.
    pub(crate) fn command(self, command: &std::process::Command) {
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words: Vec<_> = words.map(|word| word.to_string_lossy()).collect();
        self.detail(words.join(" "));
    }

    /// A fact worth keeping: an address, a command. A result.
    pub(crate) fn fact(self, name: &str, what: impl Display) {
        let what = what.to_string();
        if self.json {
            self.event("fact", json!({"name": name, "value": what}));
        } else {
            self.print(&format!("  {}{what}", self.label(name)));
        }
    }

    /// Text that was asked for, as it is. A result.
    pub(crate) fn result(self, text: impl Display) {
        let text = text.to_string();
        self.outcome("result", json!({"text": text}), &text);
    }

    /// A result that scripts read as an event of its own, and people as this text.
    pub(crate) fn outcome(self, event: &str, fields: Value, text: impl Display) {
        if self.json {
            self.event(event, fields);
        } else {
            self.print(&text.to_string());
        }
    }

    /// An event for scripts alone: what of it a person sees is said otherwise.
    pub(crate) fn event(self, event: &str, fields: Value) {
        if !self.json {
            return;
        }
        let mut object = serde_json::Map::new();
        object.insert("event".into(), event.into());
        object.insert("ts".into(), now().into());
        if let Value::Object(fields) = fields {
            object.extend(fields);
        }
        self.print(&Value::Object(object).to_string());
    }

    /// Shows what is being done, until the next output. Nothing without a terminal.
    pub(crate) fn progress(self, name: &str, what: &str) {
        if self.redraws {
            // A longer line would wrap and could not be redrawn.
            let what: String = what.chars().take(columns() - NAME).collect();
            let _ = write!(std::io::stderr(), "\r\x1b[2K  {name:<11}{what}");
            let _ = std::io::stderr().flush();
        }
    }

    /// Wipes the screen, where there is one.
    pub(crate) fn wipe(self) {
        if self.redraws {
            let _ = write!(std::io::stderr(), "\x1b[2J\x1b[H");
        }
    }

    /// Output of a program that we run.
    pub(crate) fn pass_on(self, line: &str) {
        self.clear();
        let _ = writeln!(std::io::stderr(), "{line}");
    }

    /// What ended the tool.
    pub(crate) fn error(self, error: &Error) {
        self.clear();
        if self.json {
            let mut fields = json!({
                "code": error.code().to_string(),
                "text": error.sentence(),
                "hint": error.hint(),
            });
            let causes = causes(error);
            if !causes.is_empty() {
                fields["because"] = causes.into();
            }
            self.event("error", fields);
            return;
        }
        let word = if self.colour_err {
            "\x1b[1;31merror\x1b[0m"
        } else {
            "error"
        };
        let _ = writeln!(std::io::stderr(), "{word}: {error:#}");
    }

    /// Asks what yes or no answers.
    ///
    /// # Errors
    /// [`Code::NeedsAnswer`] where nobody can answer; `flag` is what to type so that nobody has to.
    pub(crate) fn confirm(self, question: &str, flag: &str) -> Result<bool> {
        match self.answers {
            Answers::Yes => Ok(true),
            Answers::Person => Ok(self.asks(question, "[y/N]").is_some_and(|yes| yes)),
            Answers::Nobody => Err(Error::new(
                ErrorKind::Setup,
                Code::NeedsAnswer,
                format!("There is nobody to answer: {question}"),
            )
            .with_hint(flag.to_owned())),
        }
    }

    /// Asks for one of several words; an empty line, or `--yes`, is `usual`. Asks again until it is
    /// one of them.
    ///
    /// # Errors
    /// [`Code::NeedsAnswer`] where nobody can answer; `hint` is what to type so that nobody has to.
    pub(crate) fn choose(
        self,
        question: &str,
        words: &[&str],
        usual: &str,
        hint: &str,
    ) -> Result<String> {
        let unanswered = || {
            let sentence = format!("There is nobody to answer: {question}");
            Error::new(ErrorKind::Setup, Code::NeedsAnswer, sentence).with_hint(hint.to_owned())
        };
        match self.answers {
            Answers::Yes => return Ok(usual.to_owned()),
            Answers::Nobody => return Err(unanswered()),
            Answers::Person => {}
        }
        let choices = format!("({}) [{usual}]", words.join(", "));
        loop {
            let answer = self.line(question, &choices).ok_or_else(unanswered)?;
            if answer.is_empty() {
                return Ok(usual.to_owned());
            }
            // The first letters are enough.
            let mut meant = words.iter().filter(|word| word.starts_with(&answer));
            if let (Some(word), None) = (meant.next(), meant.next()) {
                return Ok((*word).to_owned());
            }
        }
    }

    /// A person's yes or no; None for an empty line or no line at all.
    fn asks(self, question: &str, choices: &str) -> Option<bool> {
        let answer = self.line(question, choices)?;
        (!answer.is_empty()).then(|| answer.starts_with('y'))
    }

    /// What a person types, in small letters; None at the end of the input.
    fn line(self, question: &str, choices: &str) -> Option<String> {
        self.clear();
        let _ = write!(std::io::stderr(), "  {question} {choices} ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer).ok()?;
        (read > 0).then(|| answer.trim().to_lowercase())
    }

    /// What is said on the way: no result.
    fn say(self, event: &str, text: &str, fields: Value) {
        if self.volume == Volume::Quiet {
            return;
        }
        if self.json {
            self.event(event, fields);
            return;
        }
        self.clear();
        let _ = writeln!(std::io::stderr(), "{text}");
    }

    fn print(self, line: &str) {
        self.clear();
        let _ = writeln!(std::io::stdout(), "{line}");
        let _ = std::io::stdout().flush();
    }

    fn clear(self) {
        if self.redraws {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }

    fn label(self, name: &str) -> String {
        self.dim(&format!("{name:<11}"))
    }

    fn bold(self, text: &str) -> String {
        self.styled("1", text)
    }

    fn dim(self, text: &str) -> String {
        self.styled("2", text)
    }

    fn styled(self, style: &str, text: &str) -> String {
        if self.colour_out && self.colour_err {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Dialogue for Terminal {
    fn say(&self, line: &str) {
        self.note(line);
    }

    /// What is asked there is whether Postgres is to be downloaded.
    fn agrees(&self, question: &str) -> bool {
        if self.offline {
            return false;
        }
        self.answers != Answers::Person || self.asks(question, "[Y/n]").is_none_or(|yes| yes)
    }
}

/// How wide the terminal is.
fn columns() -> usize {
    let (usual, fewest) = COLUMNS;
    let told = rustix::termios::tcgetwinsize(std::io::stderr());
    let told = told.map_or(usual, |size| usize::from(size.ws_col));
    if told == 0 { usual } else { told.max(fewest) }
}

/// So many of a thing, whose plural is formed with an `s`.
pub(crate) fn several(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn causes(error: &Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        causes.push(error.to_string());
        cause = error.source();
    }
    causes
}

/// Milliseconds since 1970.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or_default()
}
