//! A program of these tests as a process whose memory and processor time are its own, and that can
//! be killed.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use crate::memory;

/// A running process; killed when dropped.
#[derive(Debug)]
pub struct Process {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// How this program is started once more, with these arguments.
    pub fn itself(arguments: &[&str]) -> Command {
        let program = std::env::current_exe().expect("a program has a path");
        Process::command(&program, arguments)
    }

    /// How a program is started with these arguments.
    pub fn command(program: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(arguments);
        command
    }

    /// Starts it.
    pub fn start(mut command: Command) -> Process {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the program can be started");
        let input = child.stdin.take().expect("it is piped");
        let output = child.stdout.take().expect("it is piped");
        Process {
            child,
            input,
            output: BufReader::new(output).lines(),
        }
    }

    /// The next line that it prints.
    pub async fn line(&mut self) -> String {
        let line = self.output.next_line().await.expect("the process speaks");
        line.expect("it says what it was started for")
    }

    /// Gives it a line to read.
    pub async fn tell(&mut self, line: &str) {
        let line = format!("{line}\n");
        let told = self.input.write_all(line.as_bytes()).await;
        told.expect("the process reads what it is told");
    }

    /// Bytes of memory that it takes now.
    pub fn resident(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()));
        memory::field_of(&status.expect("Linux has /proc"), "VmRSS:")
    }

    /// Processor time that all of its threads have taken (proc(5), `schedstat`: nanoseconds).
    pub fn processor_time(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.id()));
        let nanoseconds = tasks
            .expect("Linux has /proc")
            .flatten()
            .filter_map(|task| {
                // A thread may end meanwhile.
                let stat = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
                stat.split_whitespace().next()?.parse::<u64>().ok()
            });
        Duration::from_nanos(nanoseconds.sum())
    }

    /// Kills it with SIGKILL, and waits until it is gone.
    pub async fn kill(&mut self) {
        self.child.kill().await.expect("the process is ours");
    }

    fn id(&self) -> u32 {
        self.child.id().expect("the process runs")
    }
}
