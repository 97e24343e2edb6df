//! A project on disk, and a `blazelink dev` that runs in it.

use std::fs;
use std::io::{BufRead, BufReader, PipeReader, Read};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

const MIGRATION: &str = "fn main() {
    let verb = std::env::args().nth(1).unwrap();
    assert!(std::env::var(\"DATABASE_URL\").is_ok());
    std::fs::write(\"steps\", format!(\"migrate {verb}\\n\")).unwrap();
}
";

/// A project whose app and migration do nothing but tell what they were told.
pub(crate) fn project() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |file: &str, text: &str| {
        let file = folder.path().join(file);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write(
        "Cargo.toml",
        "[package]\nname = \"fake-app\"\nedition = \"2024\"\n[dependencies]\nlistenfd = \"1\"\n[workspace]\nmembers = [\"migration\"]\n",
    );
    write("src/main.rs", include_str!("app.rs"));
    write(
        "migration/Cargo.toml",
        "[package]\nname = \"fake-migration\"\nedition = \"2024\"\n",
    );
    write("migration/src/main.rs", MIGRATION);
    folder
}

pub(crate) fn tool(arguments: &[&str], project: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_blazelink"));
    // What the app depends on is there, since the framework does too.
    command
        .args(["--offline", "dev"])
        .arg(project)
        .args(arguments);
    for name in [
        "DATABASE_URL",
        "BLAZELINK_PORT",
        "BLAZELINK_SLOT",
        "CARGO_TARGET_DIR",
    ] {
        command.env_remove(name);
    }
    command
}

/// A running `blazelink dev`.
pub(crate) struct Dev {
    pub(crate) child: Child,
    output: BufReader<PipeReader>,
    pub(crate) said: String,
    project: PathBuf,
}

impl Dev {
    pub(crate) fn start(project: &Path, port: u16) -> Dev {
        Dev::start_as(tool(&["--port", &port.to_string()], project), project)
    }

    pub(crate) fn start_as(command: Command, project: &Path) -> Dev {
        let mut dev = Dev::begin(command, project);
        dev.until("Ctrl-C stops");
        dev
    }

    /// Starts it, and waits for nothing.
    pub(crate) fn begin(mut command: Command, project: &Path) -> Dev {
        let (output, both) = std::io::pipe().unwrap();
        command.stdout(both.try_clone().unwrap()).stderr(both);
        let child = command.spawn().unwrap();
        // The command holds our ends of the pipe.
        drop(command);
        Dev {
            child,
            output: BufReader::new(output),
            said: String::new(),
            project: project.to_owned(),
        }
    }

    /// Waits until it says this, after what it has said at the last such wait; returns what it said.
    pub(crate) fn until(&mut self, text: &str) -> String {
        let begun = self.said.len();
        while !self.said[begun..].contains(text) {
            let read = self.output.read_line(&mut self.said).unwrap();
            assert_ne!(read, 0, "ended: {}", self.said);
        }
        self.said[begun..].to_owned()
    }

    /// Asks until this build of the app answers: the one before may still take a connection, and cut
    /// it off when it ends, as this app does.
    pub(crate) fn until_answered(&self, answer: &str) {
        let address = self.fact("app").strip_prefix("http://").unwrap();
        loop {
            let client = TcpStream::connect(address).unwrap();
            let told = BufReader::new(&client).lines().nth(3);
            if told.is_some_and(|line| line.is_ok_and(|line| line == answer)) {
                return;
            }
        }
    }

    /// Saves a file of the project.
    pub(crate) fn save(&self, file: &str, text: &str) {
        fs::write(self.project.join(file), text).unwrap();
    }

    /// What stands beside this name in the summary.
    pub(crate) fn fact(&self, name: &str) -> &str {
        let line = self
            .said
            .lines()
            .find(|line| line.trim_start().starts_with(name));
        line.unwrap().trim_start()[name.len()..].trim()
    }

    /// A connection to the app, and what the app was told.
    pub(crate) fn visit(&self) -> (TcpStream, String) {
        let address = self.fact("app").strip_prefix("http://").unwrap();
        let client = TcpStream::connect(address).unwrap();
        let told = BufReader::new(&client)
            .lines()
            .take(4)
            .map(|line| line.unwrap() + "\n")
            .collect();
        (client, told)
    }

    pub(crate) fn postgres(&self) -> Option<u32> {
        let lock = self.project.join(".blazelink/postgres/postmaster.pid");
        let lock = fs::read_to_string(lock).ok()?;
        lock.lines().next()?.parse().ok()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(pid(self.child.id()), signal).unwrap();
    }

    pub(crate) fn wait(mut self) -> (ExitStatus, String) {
        self.output.read_to_string(&mut self.said).unwrap();
        (self.child.wait().unwrap(), self.said)
    }
}

/// A port that nobody listens on, as far as one can know.
pub(crate) fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

pub(crate) fn pid(process: u32) -> Pid {
    Pid::from_raw(process.try_into().unwrap()).unwrap()
}

pub(crate) fn lives(process: u32) -> bool {
    test_kill_process(pid(process)).is_ok()
}
