//! Building the project's programs with cargo, one progress line on the way.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};

use crate::process::{self, Running};
use crate::project::Program;
use crate::terminal::Terminal;

/// Builds these programs and returns where they lie, in the same order. Packages of one workspace
/// are built together. What the compiler says is passed on as it comes.
///
/// # Errors
/// [`Code::CommandFailed`] when cargo is missing or fails.
pub(crate) async fn build(programs: &[&Program], terminal: Terminal) -> Result<Vec<PathBuf>> {
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
        built.extend(build_workspace(&members, terminal).await?);
    }
    programs
        .iter()
        .map(|program| {
            built
                .get(&(program.manifest.clone(), program.binary.clone()))
                .cloned()
                .ok_or_else(|| {
                    Error::new(
                        ErrorKind::Setup,
                        Code::CommandFailed,
                        format!("cargo did not build the program `{}`", program.binary),
                    )
                    .with_hint(by_hand(program))
                })
        })
        .collect()
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

fn by_hand(program: &Program) -> String {
    format!(
        "cargo build --manifest-path {} --bin {}",
        program.manifest.display(),
        program.binary
    )
}

type Built = HashMap<(PathBuf, String), PathBuf>;

async fn build_workspace(programs: &[&Program], terminal: Terminal) -> Result<Built> {
    let Some(first) = programs.first() else {
        return Ok(Built::new());
    };
    let mut command = cargo();
    command
        .args(["build", "--message-format=json-render-diagnostics"])
        .args([
            "--color",
            if terminal.colours_errors() {
                "always"
            } else {
                "never"
            },
        ])
        .arg("--manifest-path")
        .arg(&first.manifest);
    for program in programs {
        command.args(["--package", &program.package, "--bin", &program.binary]);
    }
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    // Dropped when the tool is told to stop: the compilers end with cargo.
    let mut cargo = Running::start(command).map_err(no_cargo)?;
    let (output, errors) = cargo.outputs();
    let (artifacts, ()) = tokio::join!(artifacts(output, terminal), diagnostics(errors, terminal));
    let status = cargo.ended().await.map_err(no_cargo)?;
    if status.success() {
        return Ok(artifacts);
    }
    let names: Vec<String> = programs
        .iter()
        .map(|program| format!("`{}`", program.package))
        .collect();
    Err(Error::new(
        ErrorKind::Setup,
        Code::CommandFailed,
        format!(
            "{} could not be built; cargo's words are above",
            names.join(" and ")
        ),
    )
    .with_hint("mend the first error above, then repeat the command"))
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<MessageTarget>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct MessageTarget {
    name: String,
}

async fn artifacts(output: Option<impl AsyncRead + Unpin>, terminal: Terminal) -> Built {
    let mut built = Built::new();
    let mut count = 0;
    let Some(output) = output else {
        return built;
    };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // Lines that are no message are a build script's or a macro's.
        let Ok(message) = serde_json::from_str::<Message>(&line) else {
            continue;
        };
        let (Some(manifest), Some(target)) = (message.manifest_path, message.target) else {
            continue;
        };
        if message.reason == "compiler-artifact" {
            count += 1;
            terminal.progress("build", &format!("{count} done, {}", target.name));
        }
        if let Some(executable) = message.executable {
            built.insert((manifest, target.name), executable);
        }
    }
    built
}

/// Passes on what cargo says except for what it is doing, which is the progress line's.
async fn diagnostics(output: Option<impl AsyncRead + Unpin>, terminal: Terminal) {
    let Some(output) = output else {
        return;
    };
    let mut lines = BufReader::new(output).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match doing(&line) {
            Some(doing) => terminal.progress("build", &doing),
            None => terminal.pass_on(&line),
        }
    }
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
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
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
}
