//! `.blazelink/run.json`: that a `dev` runs in this project, which process it is, and where its app is.
//!
//! Locked for as long as it runs, so a file that a killed one has left is told from one that counts.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::debugger::Debugger;

/// The file, ours until it is dropped.
#[derive(Debug)]
pub(crate) struct RunFile {
    file: File,
    path: PathBuf,
}

#[derive(Debug, Deserialize, Serialize)]
struct Run {
    pid: u32,
    url: String,
    #[serde(default)]
    debugger: Option<Desk>,
}

/// Where the debugger of a running app is asked, and with which key.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Desk {
    pub(crate) url: String,
    pub(crate) key: String,
}

/// Where the debugger of the app is that runs in the project with this state folder, if one does.
pub(crate) fn running(state: &Path) -> Option<Desk> {
    let mut file = File::open(state.join("run.json")).ok()?;
    // One that a killed tool has left is not locked.
    if file.try_lock_shared().is_ok() {
        return None;
    }
    let mut text = String::new();
    file.read_to_string(&mut text).ok()?;
    let run: Run = serde_json::from_str(&text).ok()?;
    run.debugger
}

impl RunFile {
    /// Takes the file in the project's state folder.
    ///
    /// # Errors
    /// [`Code::AlreadyRunning`] with where the other one is.
    pub(crate) fn take(state: PathBuf) -> Result<RunFile> {
        let path = state.join("run.json");
        let unusable = |error: std::io::Error| {
            let sentence = format!("`{}` cannot be written to", path.display());
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        // The debugger's key is nobody else's.
        options.mode(0o600);
        let mut file = options.open(&path).map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(RunFile { file, path }),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                let _ = file.read_to_string(&mut text);
                Err(already(serde_json::from_str(&text).ok()))
            }
        }
    }

    /// Says where the app is, and its debugger.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if the disk is full.
    pub(crate) fn write(&mut self, url: &str, debugger: &Debugger) -> Result<()> {
        let desk = serde_json::json!({"url": debugger.socket.url(), "key": debugger.key});
        let run = serde_json::json!({"pid": std::process::id(), "url": url, "debugger": desk});
        let written = self
            .file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(self.file, "{run}"));
        written.map_err(|error| {
            let sentence = format!("`{}` cannot be written to", self.path.display());
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
        })
    }
}

impl Drop for RunFile {
    fn drop(&mut self) {
        // The lock ends with the file; what stays is told from a running one by it.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn already(run: Option<Run>) -> Error {
    let (sentence, hint) = match run {
        Some(Run { pid, url, .. }) => (
            format!("`blazelink dev` runs in this project already, as process {pid}"),
            format!("open {url}, or stop that one: kill {pid}"),
        ),
        None => (
            "`blazelink dev` is being started in this project already".to_owned(),
            "wait until it has said its address".to_owned(),
        ),
    };
    Error::new(ErrorKind::Setup, Code::AlreadyRunning, sentence).with_hint(hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_where_the_first_is_until_that_has_ended() {
        let state = tempfile::tempdir().unwrap();
        let taken = || RunFile::take(state.path().to_owned());
        let mut first = taken().unwrap();
        assert_eq!(taken().unwrap_err().code(), Code::AlreadyRunning);
        assert!(running(state.path()).is_none(), "it has not said where");
        let debugger = Debugger::bind().unwrap();
        first.write("http://127.0.0.1:8000", &debugger).unwrap();
        let desk = running(state.path()).unwrap();
        assert_eq!((desk.url, desk.key), (debugger.socket.url(), debugger.key));
        let told = format!("{:#}", taken().unwrap_err());
        assert!(told.contains("http://127.0.0.1:8000"), "{told}");
        assert!(told.contains(&std::process::id().to_string()), "{told}");
        drop(first);
        assert_eq!(std::fs::read_dir(state.path()).unwrap().count(), 0);
        // As a killed one leaves it.
        std::fs::write(state.path().join("run.json"), "{}").unwrap();
        assert!(running(state.path()).is_none());
        taken().unwrap();
    }
}
