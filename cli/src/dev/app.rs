//! One run of the app: started on the tool's socket, told what pages should know, ended.
//!
//! Each has a task of its own, which owns the process, hands on what it says and reports twice: when
//! it answers and when it has ended. `driver` gives it orders.

use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::Signal;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::ChildStdin;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::events::Events;
use super::machine::AppId;
use super::screen::Screen;
use crate::process::Running;

/// Where the app finds its socket, and behind it the debugger's: the first descriptor after the standard
/// ones (`LISTEN_FDS`).
const PASSED: i32 = 3;

/// How long an app that gives way, or is stopped, may take before it is killed.
const GRACE: Duration = Duration::from_secs(8);

/// Lines of its output that are kept to show why it ended.
const TAIL: usize = 40;

/// Lines for pages that wait for the app to take them. An app that takes none loses them.
const WAITING: usize = 64;

/// How long what an ended app has said last may take to arrive: a program that it started may hold
/// its output open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// What apps report.
#[derive(Debug)]
pub(crate) enum Report {
    /// It answers.
    Ready(AppId),
    Ended {
        id: AppId,
        status: std::io::Result<ExitStatus>,
        /// What it said last.
        words: Vec<String>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Give way to the next one.
    Retire,
    /// Stop at once, once what is asked is answered.
    Stop,
    Kill,
}

/// What an app is passed.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// Where it answers its clients.
    pub(crate) app: OwnedFd,
    /// Where its debugger answers.
    pub(crate) debugger: OwnedFd,
}

/// A run of the app.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) id: AppId,
    orders: mpsc::UnboundedSender<Order>,
    lines: mpsc::Sender<String>,
    /// Where it tells events.
    events: PathBuf,
    task: JoinHandle<()>,
}

impl App {
    /// Starts the app's program, which is to serve these sockets.
    ///
    /// # Errors
    /// [`Code::CommandFailed`] if it cannot be run.
    pub(crate) fn start(
        id: AppId,
        mut command: Command,
        sockets: Sockets,
        events: Events,
        screen: Screen,
        reports: mpsc::UnboundedSender<Report>,
    ) -> Result<App> {
        command
            .env("BLAZELINK_EVENTS", events.path())
            .env("LISTEN_FDS", "2")
            .env_remove("LISTEN_PID")
            .env_remove("LISTEN_FDNAMES")
            .stdin(Stdio::piped())
            .stderr(Stdio::piped());
        let program = PathBuf::from(command.get_program());
        let not_run = |error: std::io::Error| {
            let sentence = format!("`{}` cannot be run", program.display());
            Error::new(ErrorKind::Setup, Code::CommandFailed, sentence).with_source(error)
        };
        let mapping = |parent_fd, after| FdMapping {
            parent_fd,
            child_fd: PASSED + after,
        };
        command
            .fd_mappings(vec![mapping(sockets.app, 0), mapping(sockets.debugger, 1)])
            .map_err(|error| not_run(std::io::Error::other(error)))?;
        let mut running = Running::start(command).map_err(not_run)?;
        let (orders, ordered) = mpsc::unbounded_channel();
        let (lines, telling) = mpsc::channel(WAITING);
        if let Some(input) = running.input() {
            tokio::spawn(tell(input, telling));
        }
        let told = events.path().to_owned();
        let task = tokio::spawn(run(id, running, events, ordered, screen, reports));
        Ok(App {
            id,
            orders,
            lines,
            events: told,
            task,
        })
    }

    /// Tells the app's pages a line of JSON.
    pub(crate) fn tell(&self, line: &str) {
        let _ = self.lines.try_send(format!("{line}\n"));
    }

    /// The file in which it tells events.
    pub(crate) fn events(&self) -> PathBuf {
        self.events.clone()
    }

    /// Has it give way to the next one.
    pub(crate) fn retire(&self) {
        let _ = self.orders.send(Order::Retire);
    }

    /// Has it stop at once.
    pub(crate) fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Does not wait for it any longer.
    pub(crate) fn kill(&self) {
        let _ = self.orders.send(Order::Kill);
    }

    /// Waits until it has ended. Cancel-safe.
    pub(crate) async fn ended(&mut self) {
        // Its task ends with it.
        let _ = (&mut self.task).await;
    }
}

async fn run(
    id: AppId,
    mut running: Running,
    events: Events,
    mut orders: mpsc::UnboundedReceiver<Order>,
    screen: Screen,
    reports: mpsc::UnboundedSender<Report>,
) {
    let mut reading = tokio::spawn(hand_on(running.outputs().1, screen));
    let ended = {
        let ready = events.ready();
        tokio::pin!(ready);
        let mut answers = false;
        let mut deadline = None;
        loop {
            tokio::select! {
                status = running.ended() => break status,
                _ = &mut ready, if !answers => {
                    answers = true;
                    let _ = reports.send(Report::Ready(id));
                }
                order = orders.recv() => {
                    deadline.get_or_insert(tokio::time::Instant::now() + GRACE);
                    running.signal(match order {
                        Some(Order::Retire) => Signal::TERM,
                        Some(Order::Stop) => Signal::INT,
                        // Nobody is left who could order anything.
                        Some(Order::Kill) | None => Signal::KILL,
                    });
                }
                () = overdue(deadline) => {
                    deadline = None;
                    running.signal(Signal::KILL);
                }
            }
        }
    };
    let words = tokio::time::timeout(LAST_WORDS, &mut reading).await;
    reading.abort();
    let _ = reports.send(Report::Ended {
        id,
        status: ended,
        words: words.ok().and_then(Result::ok).unwrap_or_default(),
    });
}

async fn overdue(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

/// Writes lines to the app until it ends or nobody has any.
async fn tell(mut input: ChildStdin, mut lines: mpsc::Receiver<String>) {
    while let Some(line) = lines.recv().await {
        if input.write_all(line.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Shows what a program says, and returns the last of it.
pub(crate) async fn hand_on(output: Option<impl AsyncRead + Unpin>, screen: Screen) -> Vec<String> {
    let mut tail: Vec<String> = Vec::new();
    let Some(output) = output else { return tail };
    let mut lines = BufReader::new(output).split(b'\n');
    while let Ok(Some(line)) = lines.next_segment().await {
        let line = String::from_utf8_lossy(&line).into_owned();
        screen.log(&line);
        if tail.len() == TAIL {
            tail.remove(0);
        }
        tail.push(line);
    }
    tail
}
