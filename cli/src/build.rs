//! Building the project's programs with cargo: what it does, what it has to say, and what came of it.
//!
//! There is no `cargo check` before a build: the compiler tells errors before it makes code, so a
//! build tells them as early, and is done sooner when there are none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use crate::process::{self, Running};
use crate::project::Program;
use crate::terminal::Terminal;

/// Bytes of one line of cargo's. A longer one is cut.
const LINE_BYTES: usize = 64 << 10;

/// Lines of cargo's own words that are kept to tell why it failed.
const WORDS: usize = 40;

/// How to build.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) release: bool,
}

/// What is said while cargo works.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Said<'a> {
    /// What cargo is doing.
    Doing(&'a str),
    /// So many crates of so many.
    Count { done: u32, total: u32 },
    /// What the compiler has found.
    Found(&'a Diagnostic),
    /// Anything else.
    Words(&'a str),
}

/// What the compiler has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    pub(crate) is_error: bool,
    /// As the compiler shows it, in the colours of a terminal.
    pub(crate) rendered: String,
    pub(crate) place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// As the compiler names it: from the root of the workspace.
    pub(crate) named: String,
    /// Absolute.
    pub(crate) file: PathBuf,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

/// Why programs could not be built.
#[derive(Debug)]
pub(crate) struct Failed {
    pub(crate) error: Error,
    /// The compiler's errors.
    pub(crate) errors: Vec<Diagnostic>,
    /// cargo's last words.
    pub(crate) words: Vec<String>,
}

/// Builds these programs and returns where they lie, in the same order, with a progress line on
/// the terminal. Packages of one workspace are built together.
///
/// # Errors
/// [`Code::CommandFailed`] when cargo is missing or fails.
pub(crate) async fn build(programs: &[&Program], terminal: Terminal) -> Result<Vec<PathBuf>> {
    let coloured = terminal.colours_errors();
    let say = |said: Said<'_>| match said {
        Said::Doing(doing) => terminal.progress("build", doing),
        Said::Count { done, total } => terminal.progress("build", &format!("{done}/{total}")),
        Said::Found(diagnostic) => terminal.pass_on(&diagnostic.shown(coloured)),
        Said::Words(line) => terminal.pass_on(line),
    };
    let built = compile(programs, Options::default(), &say).await;
    built.map_err(|failed| failed.error)
}

/// Builds these programs, tells what happens, and returns where they lie, in the same order.
///
/// # Errors
/// With the compiler's errors, if it has told any.
pub(crate) async fn compile(
    programs: &[&Program],
    options: Options,
    say: &(dyn Fn(Said<'_>) + Send + Sync),
) -> std::result::Result<Vec<PathBuf>, Box<Failed>> {
    let mut built = HashMap::new();
    let mut workspaces: Vec<&Path> = Vec::new();
    for program in programs {
        if !workspaces.contains(&program.workspace.as_path()) {
            workspaces.push(&program.workspace);
        }
    }
    for workspace in workspaces {
        let members: Vec<&Program> = programs
            .iter()
            .copied()
            .filter(|program| program.workspace == workspace)
            .collect();
        built.extend(build_workspace(&members, options, say).await?);
    }
    let found = programs.iter().map(|program| {
        let name = (program.manifest.clone(), program.binary.clone());
        built.get(&name).cloned().ok_or_else(|| {
            let sentence = format!("cargo did not build the program `{}`", program.binary);
            let error = Error::new(ErrorKind::Setup, Code::CommandFailed, sentence);
            Failed::because(error.with_hint(by_hand(program)))
        })
    });
    found.collect()
}

impl Failed {
    fn because(error: Error) -> Box<Failed> {
        Box::new(Failed {
            error,
            errors: Vec::new(),
            words: Vec::new(),
        })
    }
}

impl Diagnostic {
    /// As it is to be shown, without the line's end.
    pub(crate) fn shown(&self, coloured: bool) -> String {
        let text = self.rendered.trim_end();
        if coloured {
            text.to_owned()
        } else {
            without_colour(text)
        }
    }
}

/// The cargo that runs us, else the one on `PATH`, without what the former set for us alone.
pub(crate) fn cargo() -> std::process::Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    process::command(program)
}

/// cargo could not be started.
pub(crate) fn no_cargo(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Setup, Code::CommandFailed, "cargo cannot be run")
        .with_source(error)
        .with_hint("install Rust: https://rustup.rs")
}

/// What a build was made from, as cargo writes it down beside the program; nothing if it has not.
pub(crate) fn inputs(program: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    inputs_in(&text)
}

/// `/p/target/debug/app: /p/src/app.rs /p/a\ b.rs`, as make reads it.
fn inputs_in(text: &str) -> Vec<PathBuf> {
    let Some((_, files)) = text.lines().next().and_then(|line| line.split_once(": ")) else {
        return Vec::new();
    };
    let files = files.replace("\\ ", "\0");
    let files = files.split(' ').filter(|file| !file.is_empty());
    files
        .map(|file| PathBuf::from(file.replace('\0', " ")))
        .collect()
}

fn by_hand(program: &Program) -> String {
    format!(
        "cargo build --manifest-path {} --bin {}",
        program.manifest.display(),
        program.binary
    )
}

type Artifacts = HashMap<(PathBuf, String), PathBuf>;

async fn build_workspace(
    programs: &[&Program],
    options: Options,
    say: &(dyn Fn(Said<'_>) + Send + Sync),
) -> std::result::Result<Artifacts, Box<Failed>> {
    let Some(first) = programs.first() else {
        return Ok(Artifacts::new());
    };
    let mut command = cargo();
    command
        .args(["build", "--message-format=json-diagnostic-rendered-ansi"])
        .arg("--manifest-path")
        .arg(&first.manifest)
        // The only way to learn how many crates there are; without colours, one line at a time.
        .args(["--color", "never"])
        .env("CARGO_TERM_PROGRESS_WHEN", "always")
        .env("CARGO_TERM_PROGRESS_WIDTH", "80");
    if options.release {
        command.arg("--release");
    }
    for program in programs {
        command.args(["--package", &program.package, "--bin", &program.binary]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let no_cargo = |error| Failed::because(no_cargo(error));
    // Dropped when the work is given up: the compilers end with cargo.
    let mut cargo = Running::start(command).map_err(no_cargo)?;
    let (output, errors) = cargo.outputs();
    let (messages, words) =
        tokio::join!(messages(output, &first.workspace, say), words(errors, say));
    let status = cargo.ended().await.map_err(no_cargo)?;
    if status.success() {
        return Ok(messages.0);
    }
    let names: Vec<String> = programs
        .iter()
        .map(|program| format!("`{}`", program.package))
        .collect();
    let sentence = format!(
        "{} could not be built; cargo's words are above",
        names.join(" and ")
    );
    let error = Error::new(ErrorKind::Setup, Code::CommandFailed, sentence)
        .with_hint("mend the first error above, then repeat the command");
    Err(Box::new(Failed {
        error,
        errors: messages.1,
        words,
    }))
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
    message: Option<CompilerMessage>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
}

#[derive(Deserialize)]
struct CompilerMessage {
    level: String,
    rendered: Option<String>,
    spans: Vec<Span>,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: u32,
    column_start: u32,
    is_primary: bool,
}

/// The programs that cargo has made, and the compiler's errors.
async fn messages(
    output: Option<impl AsyncRead + Unpin>,
    workspace: &Path,
    say: &(dyn Fn(Said<'_>) + Send + Sync),
) -> (Artifacts, Vec<Diagnostic>) {
    let mut built = Artifacts::new();
    let mut errors = Vec::new();
    let Some(output) = output else {
        return (built, errors);
    };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Lines that are no message are a build script's or a macro's.
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        if let Some(found) = message
            .message
            .filter(|_| message.reason == "compiler-message")
            .and_then(|found| diagnostic(found, workspace))
        {
            say(Said::Found(&found));
            if found.is_error {
                errors.push(found);
            }
            continue;
        }
        if let (Some(manifest), Some(target), Some(path)) =
            (message.manifest_path, message.target, message.executable)
        {
            built.insert((manifest, target.name), path);
        }
    }
    (built, errors)
}

/// What a message says; nothing if it only counts others.
fn diagnostic(message: CompilerMessage, workspace: &Path) -> Option<Diagnostic> {
    let is_error = message.level.starts_with("error");
    let place = message.spans.into_iter().find(|span| span.is_primary);
    if place.is_none() && !is_error && message.level != "warning" {
        return None;
    }
    let rendered = message.rendered?;
    // "aborting due to 2 previous errors", "2 warnings emitted".
    let plain = without_colour(&rendered);
    if place.is_none() && (plain.contains("aborting due to") || plain.contains("emitted")) {
        return None;
    }
    // "For more information about this error, try `rustc --explain E0308`".
    if place.is_none() && plain.starts_with("For more information") {
        return None;
    }
    Some(Diagnostic {
        is_error,
        rendered,
        place: place.map(|span| Place {
            file: workspace.join(&span.file_name),
            named: span.file_name,
            line: span.line_start,
            column: span.column_start,
        }),
    })
}

/// Tells what cargo says: what it is doing, and everything else, of which the last is returned.
async fn words(
    output: Option<impl AsyncRead + Unpin>,
    say: &(dyn Fn(Said<'_>) + Send + Sync),
) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let Some(mut output) = output else {
        return words;
    };
    let mut take = |line: &[u8]| {
        let line = String::from_utf8_lossy(line);
        let line = without_colour(line.trim_end());
        if line.is_empty() {
            return;
        }
        if let Some((done, total)) = count(&line) {
            say(Said::Count { done, total });
        } else if let Some(doing) = doing(&line) {
            say(Said::Doing(&doing));
        } else {
            say(Said::Words(&line));
            if words.len() == WORDS {
                words.remove(0);
            }
            words.push(line);
        }
    };
    let mut line = Vec::new();
    let mut bytes = [0; 4 << 10];
    while let Ok(read @ 1..) = output.read(&mut bytes).await {
        for &byte in &bytes[..read] {
            // The progress bar is drawn over itself.
            if matches!(byte, b'\n' | b'\r') || line.len() == LINE_BYTES {
                take(&line);
                line.clear();
            } else {
                line.push(byte);
            }
        }
    }
    take(&line);
    words
}

/// `    Building [====>     ] 12/308: tokio, syn(build)` says how far cargo is.
fn count(line: &str) -> Option<(u32, u32)> {
    let bar = line.trim_start().strip_prefix("Building [")?;
    let counts = bar.split_once("] ")?.1;
    let (done, rest) = counts.split_once('/')?;
    let total = rest.split([':', ' ']).next()?;
    Some((done.trim().parse().ok()?, total.parse().ok()?))
}

/// `   Compiling tokio v1.54.1` says what cargo is doing.
fn doing(line: &str) -> Option<String> {
    const VERBS: &[&str] = &[
        "Adding",
        "Blocking",
        "Building",
        "Checking",
        "Compiling",
        "Dirty",
        "Downloaded",
        "Downloading",
        "Finished",
        "Fresh",
        "Locking",
        "Removing",
        "Updating",
    ];
    let plain = without_colour(line);
    let text = plain.trim_start();
    let indented = text.len() < plain.len();
    let verb = text.split(' ').next().unwrap_or_default();
    (indented && VERBS.contains(&verb)).then(|| text.to_owned())
}

fn without_colour(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        // A sequence ends with its letter: `m` for colours, `K` where a line is cleared.
        let end = part.find(|letter: char| letter.is_ascii_alphabetic());
        plain.push_str(end.and_then(|end| part.get(end + 1..)).unwrap_or_default());
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cargo_is_doing_is_told_from_what_it_has_to_say() {
        for (line, is_progress) in [
            ("   Compiling tokio v1.54.1", true),
            ("\x1b[1m\x1b[32m   Compiling\x1b[0m app v0.1.0 (/p)", true),
            (
                "    Blocking waiting for file lock on build directory",
                true,
            ),
            ("error[E0308]: mismatched types", false),
            ("   |", false),
            ("warning: unused variable: `x`", false),
            ("Compiling is what this line is about", false),
        ] {
            assert_eq!(doing(line).is_some(), is_progress, "{line}");
        }
    }

    #[test]
    fn the_progress_bar_says_how_far_cargo_is() {
        let bar = "    Building [=======>                 ] 105/308: tokio, syn(build.rs)";
        assert_eq!(count(bar), Some((105, 308)));
        assert_eq!(count("    Building [=> ]   1/8"), Some((1, 8)));
        assert_eq!(count("   Compiling tokio v1.54.1"), None);
    }

    #[test]
    fn inputs_are_read_as_make_reads_them() {
        let text = "/p/target/debug/app: /p/a\\ b.rs /p/src/app.rs\n\n/p/src/app.rs:\n";
        let inputs = ["/p/a b.rs", "/p/src/app.rs"].map(PathBuf::from);
        assert_eq!(inputs_in(text), inputs);
        assert!(inputs_in("").is_empty());
    }

    #[test]
    fn an_error_is_told_with_its_place_and_a_summary_is_none() {
        let message = |level: &str, rendered: &str, spans| CompilerMessage {
            level: level.into(),
            rendered: Some(rendered.into()),
            spans,
        };
        let span = Span {
            file_name: "src/app.rs".into(),
            line_start: 7,
            column_start: 3,
            is_primary: true,
        };
        let workspace = Path::new("/p");
        let found = diagnostic(
            message("error", "\x1b[31merror\x1b[0m: x\n", vec![span]),
            workspace,
        );
        let found = found.map(|found| (found.shown(false), found.place));
        let place = Place {
            named: "src/app.rs".into(),
            file: "/p/src/app.rs".into(),
            line: 7,
            column: 3,
        };
        assert_eq!(found, Some(("error: x".into(), Some(place))));
        let summary = "error: aborting due to 1 previous error";
        assert_eq!(
            diagnostic(message("error", summary, vec![]), workspace),
            None
        );
        let linker = message("error", "error: linking failed", vec![]);
        assert!(diagnostic(linker, workspace).is_some_and(|found| found.is_error));
    }
}
