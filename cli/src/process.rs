//! Programs that the tool runs. Each has a process group of its own, so that Ctrl-C reaches the
//! tool first and the tool ends them in order; none outlives the tool.

use std::ffi::OsStr;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};

/// Whether the programs that we run are told to use no network.
static OFFLINE: AtomicBool = AtomicBool::new(false);

/// Has every program that is run from now on told to use no network, in the way that cargo
/// understands.
pub(crate) fn go_offline() {
    OFFLINE.store(true, Ordering::Relaxed);
}

/// A command without the variables that cargo set for the tool itself when it ran it. They would
/// tell the program that it is the tool, and make cargo build things anew.
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    if OFFLINE.load(Ordering::Relaxed) {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if [
            "CARGO_PKG_",
            "CARGO_MANIFEST_",
            "CARGO_BIN_",
            "CARGO_CRATE_",
        ]
        .iter()
        .any(|prefix| text.starts_with(prefix))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// A program that runs, in a process group of its own. Dropping it kills the group.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    /// None once the child has been waited for: the number may be another's then.
    group: Option<Pid>,
    /// Our end of the program's standard input, if it was piped. It closes when we end, however
    /// we do; a program that is told to (`BLAZELINK_PARENT_PIPE`) ends then.
    pipe: Option<ChildStdin>,
}

impl Running {
    /// Starts the program.
    pub(crate) fn start(command: Command) -> std::io::Result<Running> {
        let mut child = tokio::process::Command::from(command)
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Ok(Running {
            group: id.and_then(Pid::from_raw),
            // Waiting for a child closes the pipe that it holds.
            pipe: child.stdin.take(),
            child,
        })
    }

    /// The program's standard output and error, if they were piped and not taken before.
    pub(crate) fn outputs(&mut self) -> (Option<ChildStdout>, Option<ChildStderr>) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// Our end of the program's standard input, if it was piped and not taken before. The program
    /// may take its end for ours.
    pub(crate) fn input(&mut self) -> Option<ChildStdin> {
        self.pipe.take()
    }

    /// Waits until the program has ended. May be dropped and called again.
    pub(crate) async fn ended(&mut self) -> std::io::Result<ExitStatus> {
        let status = self.child.wait().await?;
        self.group = None;
        Ok(status)
    }

    /// Sends a signal to the program and those that it has started, unless it has ended.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // It has ended when it is not there.
            let _ = kill_process_group(group, signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// What a program that has ended said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: ExitStatus,
    pub(crate) output: String,
    pub(crate) errors: String,
}

/// Runs a program to its end and keeps what it says. It ends with us, or when this is dropped.
pub(crate) async fn said(mut command: Command) -> std::io::Result<Said> {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut running = Running::start(command)?;
    let (output, errors) = running.outputs();
    let (output, errors) = tokio::join!(all(output), all(errors));
    Ok(Said {
        status: running.ended().await?,
        output: output?,
        errors: errors?,
    })
}

async fn all(output: Option<impl AsyncRead + Unpin>) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    if let Some(mut output) = output {
        output.read_to_end(&mut bytes).await?;
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// How a program ended, for a sentence: `exit status 1`, `signal 9`.
pub(crate) fn ending(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit status {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "no exit status".into(),
    }
}
