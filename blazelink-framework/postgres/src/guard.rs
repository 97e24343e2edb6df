//! The guard: a small shell that starts the server and stops it when we are gone.
//!
//! The guard is the server's parent and reads a pipe that we hold. However we end, even by
//! `kill -9`, the pipe closes, the guard stops the server, reaps it and (for tests) removes its
//! folder. It has a process group of its own, so that Ctrl-C reaches us first.
//!
//! The server and all its children inherit the guard's output. Its end of file therefore means
//! that the whole cluster is gone: before that a new server would meet the old one's shared
//! memory and refuse to start.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::watch;

use crate::owner::Owner;

/// How long a server may take to stop by itself before it is made to. It covers the 10 s that a
/// replication client which does not read may hold it up (`wal_sender_timeout`).
const STOP: Duration = Duration::from_secs(20);

const SCRIPT: &str = r#"
remove=$1
log=$2
shift 2
"$@" 3>&1 </dev/null >>"$log" 2>&1 &
server=$!
echo "$server"
exec >/dev/null
while read -r word; do
    if [ "$word" = keep ]; then remove=; fi
done
kill -INT "$server" 2>/dev/null
wait "$server"
if [ -n "$remove" ]; then rm -rf -- "$remove"; fi
"#;

/// How far a server has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Running,
    /// No process of the cluster lives.
    Gone,
    /// The guard has reaped it and ended.
    Ended,
}

/// A running server. Dropping it stops the server without waiting for it.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The pipe whose closing ends the server.
    pipe: Option<ChildStdin>,
    server: Pid,
    phase: watch::Receiver<Phase>,
}

impl Guard {
    /// Starts `command` (program and arguments) as `owner`, its output appended to `log`. The
    /// folder `remove` goes when the server has ended because we have; not when it was stopped or
    /// killed, since then it may start again.
    pub(crate) fn start(
        owner: Owner,
        command: &Command,
        log: &Path,
        remove: Option<&Path>,
    ) -> Result<Guard> {
        let mut guard = owner
            .command("/bin/sh")
            .args(["-c", SCRIPT, "blazelink-guard"])
            .arg(remove.map_or(OsStr::new(""), Path::as_os_str))
            .arg(log)
            .arg(command.get_program())
            .args(command.get_args())
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| failed().with_source(error))?;
        let pipe = guard.stdin.take();
        let mut output = BufReader::new(guard.stdout.take().ok_or_else(failed)?);
        let mut line = String::new();
        output
            .read_line(&mut line)
            .map_err(|error| failed().with_source(error))?;
        let server = line
            .trim()
            .parse()
            .ok()
            .and_then(Pid::from_raw)
            .ok_or_else(failed)?;
        let (tell, phase) = watch::channel(Phase::Running);
        std::thread::Builder::new()
            .name("blazelink-postgres".into())
            .spawn(move || watch_over(guard, output, &tell))
            .map_err(|error| failed().with_source(error))?;
        Ok(Guard {
            pipe,
            server,
            phase,
        })
    }

    /// The process id of the server.
    pub(crate) fn process_id(&self) -> u32 {
        self.server.as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether no process of the cluster lives any more.
    pub(crate) fn is_gone(&self) -> bool {
        *self.phase.borrow() >= Phase::Gone
    }

    /// Waits until no process of the cluster lives.
    pub(crate) fn gone(&self) -> impl Future<Output = ()> + Send + 'static {
        reached(self.phase.clone(), Phase::Gone)
    }

    /// Stops the server and waits until it is gone.
    pub(crate) async fn stop(mut self) {
        self.close_pipe();
        let ended = reached(self.phase.clone(), Phase::Ended);
        if tokio::time::timeout(STOP, ended).await.is_err() {
            self.signal(Signal::QUIT);
            reached(self.phase.clone(), Phase::Ended).await;
        }
    }

    /// Kills the server as the kernel would for want of memory, and waits until all of it is gone.
    pub(crate) async fn kill(mut self) {
        self.signal(Signal::KILL);
        self.gone().await;
        self.close_pipe();
        reached(self.phase.clone(), Phase::Ended).await;
    }

    /// A guard that has ended already cannot be told anything, and has nothing left to remove.
    fn close_pipe(&mut self) {
        if let Some(mut pipe) = self.pipe.take() {
            let _ = pipe.write_all(b"keep\n");
        }
    }

    /// The guard reaps the server only after its pipe has closed, so until the cluster is gone
    /// the process id cannot be another's.
    fn signal(&self, signal: Signal) {
        if !self.is_gone() {
            let _ = kill_process(self.server, signal);
        }
    }
}

fn watch_over(mut guard: Child, mut output: impl Read, tell: &watch::Sender<Phase>) {
    let _ = std::io::copy(&mut output, &mut std::io::sink());
    let _ = tell.send(Phase::Gone);
    let _ = guard.wait();
    let _ = tell.send(Phase::Ended);
}

async fn reached(mut phase: watch::Receiver<Phase>, at_least: Phase) {
    // A sender that is gone has sent the last phase before.
    let _ = phase.wait_for(|phase| *phase >= at_least).await;
}

fn failed() -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::PostgresStart,
        "The shell that watches over Postgres did not start",
    )
}
