//! Throwaway clusters, for tests: made once per Postgres version with `initdb`, then copied.
//!
//! They live in a folder of the server's account in memory, where the machine lends enough of it,
//! else under the temporary folder. Each holds a lock as long as its process lives; the guard
//! removes it when the process ends, and a later process removes what a killed guard left.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::binaries::Binaries;
use crate::lock;
use crate::owner::Owner;
use crate::server::{self, Server};
use crate::socket;
use crate::tree;

/// Where Linux keeps files in memory. A database is copied there in a fraction of the time that a
/// disk takes for its hundreds of files.
const MEMORY: &str = "/dev/shm";

/// Bytes that have to be free there: for a few clusters, each of which takes 40 MB and may keep 2 GB
/// of its log. With less, clusters lie on the disk.
const MEMORY_FREE: u64 = 4 << 30;

/// A fresh cluster for this process alone, not started yet, and the lock that keeps it.
pub(crate) fn copy(binaries: &Binaries, owner: Owner) -> Result<(Server, File)> {
    let base = base(owner)?;
    // Held while the template is made and while a folder has no lock of its own yet.
    let _turn = locked(&base.join("lock"))?;
    sweep(&base);
    let template = template(&base, binaries, owner)?;
    let folder = tempfile::Builder::new()
        .prefix("test-")
        .tempdir_in(&base)
        .map_err(|error| unusable(&base, error))?;
    let kept = locked(&folder.path().join("lock"))?;
    let (data, sockets) = (folder.path().join("data"), folder.path().join("s"));
    owner.private_folder(&sockets)?;
    owner.give(folder.path())?;
    tree::copy(&template, &data, owner)?;
    let server = Server {
        binaries: binaries.clone(),
        owner,
        data,
        sockets,
        log: folder.path().join("log"),
        throwaway: Some(folder.keep()),
    };
    Ok((server, kept))
}

/// The folder of all throwaway clusters of this account: under `TMPDIR` if that is set, else in
/// memory if there is room, else under `/tmp`.
fn base(owner: Owner) -> Result<PathBuf> {
    let name = format!("blazelink-{}", owner.uid());
    let said = std::env::var_os("TMPDIR").map(PathBuf::from);
    let memory = || Some(PathBuf::from(MEMORY)).filter(|folder| is_roomy(folder));
    let fits = |parent: &PathBuf| {
        socket::fits(&parent.join(&name).join("test-123456/s")) && owner.reaches(parent)
    };
    let parent = said.or_else(memory).filter(fits);
    let base = parent.unwrap_or_else(|| PathBuf::from("/tmp")).join(&name);
    owner.private_folder(&base)?;
    Ok(base)
}

/// Whether this folder is there, with room for clusters.
fn is_roomy(folder: &Path) -> bool {
    rustix::fs::statvfs(folder)
        .is_ok_and(|system| system.f_bavail.saturating_mul(system.f_frsize) >= MEMORY_FREE)
}

fn template(base: &Path, binaries: &Binaries, owner: Owner) -> Result<PathBuf> {
    let made_by = socket::fingerprint(&binaries.folder);
    let template = base.join(format!("template-{}-{made_by}", binaries.version));
    if !template.exists() {
        server::make(binaries, owner, &template)?;
    }
    Ok(template)
}

/// Removes the clusters whose process and whose server are both gone.
fn sweep(base: &Path) {
    let Ok(entries) = fs::read_dir(base) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("test-") {
            continue;
        }
        let folder = entry.path();
        let free = File::open(folder.join("lock")).is_ok_and(|kept| kept.try_lock().is_ok());
        if free && lock::holder(&folder.join("data")).is_none() {
            let _ = fs::remove_dir_all(folder);
        }
    }
}

fn locked(file: &Path) -> Result<File> {
    let open = File::create(file).map_err(|error| unusable(file, error))?;
    open.lock().map_err(|error| unusable(file, error))?;
    Ok(open)
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::PostgresFolder,
        format!("`{}` cannot be used for a test's Postgres", path.display()),
    )
    .with_source(error)
}
