//! One server process: what it is started with, and when it is ready.

use std::fs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::binaries::Binaries;
use crate::guard::Guard;
use crate::lock;
use crate::owner::Owner;
use crate::socket;

/// How long a server may take to answer. Recovery after a crash counts in.
const START: Duration = Duration::from_secs(60);

/// How often a starting server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(5);

/// What blazelink needs of every server it runs. The slots, senders and connections are for many
/// tests and apps at once; the cap on kept WAL is what keeps a forgotten slot from filling the
/// disk; `wal_writer_delay` is the latency of a commit that is not waited for.
const SETTINGS: &[&str] = &[
    "listen_addresses=",
    "wal_level=logical",
    "max_replication_slots=200",
    "max_wal_senders=200",
    "max_connections=200",
    "wal_writer_delay=10ms",
    "max_slot_wal_keep_size=1GB",
    "wal_sender_timeout=10s",
    "logging_collector=off",
];

/// For clusters that end with the process: nothing outlives a crash anyway.
const THROWAWAY: &[&str] = &["fsync=off", "full_page_writes=off", "synchronous_commit=on"];

/// Everything that one start of a server needs.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) binaries: Binaries,
    pub(crate) owner: Owner,
    pub(crate) data: PathBuf,
    pub(crate) sockets: PathBuf,
    pub(crate) log: PathBuf,
    /// A folder that goes when the server ends: the cluster is one that nobody keeps.
    pub(crate) throwaway: Option<PathBuf>,
}

impl Server {
    /// Starts the server and waits until it answers. No server may run in the data folder.
    pub(crate) fn start(&self) -> Result<Guard> {
        self.owner.private_folder(&self.sockets)?;
        lock::clear(&self.data, &self.sockets);
        let said_before = fs::metadata(&self.log).map_or(0, |log| log.len());
        let guard = Guard::start(
            self.owner,
            &self.command(),
            &self.log,
            self.throwaway.as_deref(),
        )?;
        let begun = Instant::now();
        while !answers(&self.sockets) {
            if guard.is_gone() || begun.elapsed() > START {
                return Err(self.failed(said_before));
            }
            std::thread::sleep(ASK_EVERY);
        }
        Ok(guard)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.binaries.program("postgres"));
        command.arg("-D").arg(&self.data);
        command.arg("-k").arg(&self.sockets);
        command.arg("-p").arg(socket::PORT.to_string());
        let throwaway = if self.throwaway.is_some() {
            THROWAWAY
        } else {
            &[]
        };
        for setting in SETTINGS.iter().chain(throwaway) {
            command.args(["-c", setting]);
        }
        command
    }

    fn failed(&self, said_before: u64) -> Error {
        let mut said = String::new();
        if let Ok(mut log) = fs::File::open(&self.log)
            && log.seek(SeekFrom::Start(said_before)).is_ok()
        {
            let _ = log.read_to_string(&mut said);
        }
        Error::new(
            ErrorKind::Setup,
            Code::PostgresStart,
            format!(
                "Postgres {} did not start in `{}`",
                self.binaries.version,
                self.data.display()
            ),
        )
        .with_source(complaints(&said))
        .with_hint(format!("less {}", self.log.display()))
    }
}

/// Makes a new cluster at `place`, whole or not at all. The caller holds the lock under which it
/// is made.
pub(crate) fn make(binaries: &Binaries, owner: Owner, place: &Path) -> Result<()> {
    const NEW: &str = "new-cluster-";
    let Some(folder) = place.parent() else {
        return init(binaries, owner, place);
    };
    // Left by processes that were killed. An initdb of theirs may still be writing, so the name
    // is ours alone.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(NEW) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
    let new = folder.join(format!("{NEW}{}", std::process::id()));
    let made = init(binaries, owner, &new).and_then(|()| {
        fs::rename(&new, place).map_err(|error| {
            Error::new(
                ErrorKind::Setup,
                Code::PostgresFolder,
                format!("`{}` cannot be made", place.display()),
            )
            .with_source(error)
        })
    });
    if made.is_err() {
        let _ = fs::remove_dir_all(&new);
    }
    made
}

fn init(binaries: &Binaries, owner: Owner, data: &Path) -> Result<()> {
    owner.private_folder(data)?;
    let mut command = owner.command(binaries.program("initdb"));
    command.arg("-D").arg(data).args([
        "--username=postgres",
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C",
        // An empty cluster has nothing to lose in a power cut, and syncing it takes seconds.
        "--no-sync",
    ]);
    let failed = || {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresStart,
            format!(
                "A Postgres {} cluster could not be made in `{}`",
                binaries.version,
                data.display()
            ),
        )
    };
    let output = command
        .output()
        .map_err(|error| failed().with_source(error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(failed().with_source(said))
}

/// Whether a server answers on the socket: it asks for authentication (`R`) once it takes
/// connections, and sends an error before.
pub(crate) fn answers(sockets: &Path) -> bool {
    ask(sockets).is_ok_and(|answer| answer == b'R')
}

fn ask(sockets: &Path) -> std::io::Result<u8> {
    let mut socket = UnixStream::connect(socket::file(sockets))?;
    socket.set_read_timeout(Some(START))?;
    let parameters = b"user\0postgres\0database\0postgres\0\0";
    let mut startup = Vec::new();
    let length = u32::try_from(8 + parameters.len()).unwrap_or(u32::MAX);
    startup.extend_from_slice(&length.to_be_bytes());
    startup.extend_from_slice(&0x0003_0000_u32.to_be_bytes());
    startup.extend_from_slice(parameters);
    socket.write_all(&startup)?;
    let mut answer = [0];
    socket.read_exact(&mut answer)?;
    // Terminate, so that the server does not log a lost connection.
    let _ = socket.write_all(&[b'X', 0, 0, 0, 4]);
    Ok(answer[0])
}

/// The lines of a server's log that say why it did not start: those around the first fatal one.
fn complaints(said: &str) -> String {
    const BEFORE: usize = 2;
    const LINES: usize = 4;
    let lines: Vec<&str> = said.lines().collect();
    let fatal = lines
        .iter()
        .position(|line| ["FATAL:", "PANIC:"].iter().any(|word| line.contains(word)));
    let from = fatal.unwrap_or(0).saturating_sub(BEFORE);
    let to = lines.len().min(from + LINES);
    lines[from..to].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_are_what_a_person_needs_of_the_log() {
        let said = "LOG: one\nLOG: two\nLOG: why\nFATAL: what\nHINT: do\nLOG: down\n";
        assert_eq!(
            complaints(said),
            "LOG: two\nLOG: why\nFATAL: what\nHINT: do"
        );
        assert_eq!(complaints("sh: no postgres"), "sh: no postgres");
        assert_eq!(complaints(""), "");
    }
}
