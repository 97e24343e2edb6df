//! What the person at the terminal sees: lines on standard output, one progress line and errors
//! on standard error. Colour and the progress line only where there is a terminal.

use std::fmt::Display;
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use blazelink_codes::Error;
use blazelink_postgres::Dialogue;

/// Characters of the progress line. Longer ones would wrap and could not be redrawn.
const PROGRESS: usize = 72;

/// How output looks. Small and copied to wherever something is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terminal {
    colour_out: bool,
    colour_err: bool,
    /// Whether a line can be drawn over.
    redraws: bool,
    /// Whether a question can be answered.
    answers: bool,
}

impl Terminal {
    /// The terminal, or lack of one, that this process runs in.
    pub(crate) fn of_this_process() -> Terminal {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let redraws = std::io::stderr().is_terminal();
        Terminal {
            colour_out: !plain && std::io::stdout().is_terminal(),
            colour_err: !plain && redraws,
            redraws: redraws && std::env::var_os("TERM").is_none_or(|value| value != "dumb"),
            answers: redraws && std::io::stdin().is_terminal(),
        }
    }

    /// Whether programs that we run may colour their errors.
    pub(crate) fn colours_errors(self) -> bool {
        self.colour_err
    }

    /// The first line: what runs.
    pub(crate) fn title(self, name: &str, rest: &str) {
        self.print(&format!("\n  {} · {rest}\n", self.bold(name)));
    }

    /// A step that is done.
    pub(crate) fn step(self, name: &str, what: &str, took: Duration) {
        let took = format!("{:.1} s", took.as_secs_f64());
        self.print(&format!(
            "  {}{what:<44} {}",
            self.label(name),
            self.dim(&format!("{took:>8}"))
        ));
    }

    /// A fact worth keeping: an address, a command.
    pub(crate) fn fact(self, name: &str, what: impl Display) {
        self.print(&format!("  {}{what}", self.label(name)));
    }

    /// A blank line.
    pub(crate) fn space(self) {
        self.print("");
    }

    /// A remark.
    pub(crate) fn note(self, what: impl Display) {
        self.print(&format!("  {what}"));
    }

    /// Shows what is being done, until the next output. Nothing without a terminal.
    pub(crate) fn progress(self, name: &str, what: &str) {
        if self.redraws {
            let what: String = what.chars().take(PROGRESS).collect();
            let _ = write!(std::io::stderr(), "\r\x1b[2K  {name:<11}{what}");
            let _ = std::io::stderr().flush();
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
        let word = if self.colour_err {
            "\x1b[1;31merror\x1b[0m"
        } else {
            "error"
        };
        let _ = writeln!(std::io::stderr(), "{word}: {error:#}");
    }

    fn clear(self) {
        if self.redraws {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }

    /// A closed standard output is no reason to stop.
    fn print(self, line: &str) {
        self.clear();
        let _ = writeln!(std::io::stdout(), "{line}");
        let _ = std::io::stdout().flush();
    }

    fn label(self, name: &str) -> String {
        self.dim(&format!("{name:<11}"))
    }

    fn bold(self, text: &str) -> String {
        if self.colour_out {
            format!("\x1b[1m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    fn dim(self, text: &str) -> String {
        if self.colour_out {
            format!("\x1b[2m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Dialogue for Terminal {
    fn say(&self, line: &str) {
        self.note(line);
    }

    fn agrees(&self, question: &str) -> bool {
        if !self.answers {
            return true;
        }
        self.clear();
        let _ = write!(std::io::stderr(), "  {question} [Y/n] ");
        let _ = std::io::stderr().flush();
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        let answer = answer.trim().to_lowercase();
        read.is_ok() && (answer.is_empty() || answer.starts_with('y'))
    }
}
