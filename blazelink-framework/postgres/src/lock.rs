//! The lock files that a server leaves behind when it is killed.
//!
//! `postmaster.pid` and the socket's lock name a process id. Postgres refuses to start while any
//! process of the same user (or a zombie) has that id, whatever it is. So before a start the
//! caller asks [`holder`], deals with a server that is really there, and else lets [`clear`]
//! remove both files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Pid;

use crate::socket;

/// The process id of the server that runs in this data folder, if one does.
pub(crate) fn holder(data: &Path) -> Option<Pid> {
    let lock = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let id: i32 = lock.lines().next()?.trim().parse().ok()?;
    // A stand-alone backend writes its id negated.
    let id = id.checked_abs()?;
    names_folder(&command_line(id)?, data)
        .then(|| Pid::from_raw(id))
        .flatten()
}

/// The socket folder of the server in this data folder, as its lock file tells it.
pub(crate) fn sockets(data: &Path) -> Option<PathBuf> {
    let lock = fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let folder = lock.lines().nth(4).filter(|folder| !folder.is_empty())?;
    Some(PathBuf::from(folder))
}

/// Removes the lock files of a server that is not there any more.
pub(crate) fn clear(data: &Path, sockets: &Path) {
    let socket = socket::file(sockets);
    let mut socket_lock = socket.clone().into_os_string();
    socket_lock.push(".lock");
    for file in [
        data.join("postmaster.pid"),
        socket,
        Path::new(&socket_lock).to_owned(),
    ] {
        // A missing file is what is wanted; one that stays is named by Postgres itself.
        let _ = fs::remove_file(file);
    }
}

/// The command line of a living process, its parts separated by NUL (or, where there is no
/// `/proc`, by spaces). None for a zombie.
fn command_line(id: i32) -> Option<Vec<u8>> {
    if Path::new("/proc/self/cmdline").exists() {
        return fs::read(format!("/proc/{id}/cmdline"))
            .ok()
            .filter(|line| !line.is_empty());
    }
    let id = id.to_string();
    let listed = Command::new("ps")
        .args(["-o", "command=", "-p", &id])
        .output()
        .ok()?;
    listed.status.success().then_some(listed.stdout)
}

fn names_folder(command_line: &[u8], data: &Path) -> bool {
    let data = data.as_os_str().as_encoded_bytes();
    command_line
        .windows(data.len())
        .enumerate()
        .any(|(at, window)| {
            let ends = matches!(
                command_line.get(at + data.len()),
                None | Some(0 | b' ' | b'\n')
            );
            window == data && ends
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn server_is_recognised_by_its_data_folder() {
        let data = Path::new("/p/.blazelink/postgres");
        assert!(names_folder(
            b"/bin/postgres\0-D\0/p/.blazelink/postgres\0-c\0",
            data
        ));
        assert!(names_folder(b"postgres -D /p/.blazelink/postgres", data));
        assert!(!names_folder(
            b"postgres\0-D\0/p/.blazelink/postgres-old\0",
            data
        ));
        assert!(!names_folder(b"vim", data));
    }

    #[test]
    fn lock_of_another_process_is_stale_and_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let pid = folder.path().join("postmaster.pid");
        fs::write(&pid, format!("{}\n", std::process::id())).unwrap();
        let socket_lock = folder.path().join(".s.PGSQL.5432.lock");
        fs::write(&socket_lock, "1\n").unwrap();
        assert_eq!(holder(folder.path()), None);
        clear(folder.path(), folder.path());
        assert!(!pid.exists() && !socket_lock.exists());
    }
}
