//! The folder of a project's cluster: `.blazelink/postgres`, or, where the server may not enter
//! it (root with a 0700 home) or permissions do not hold (some shared drives), a fallback folder
//! that `.blazelink/postgres.path` points to.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::owner::Owner;
use crate::socket;

/// Bytes of the server's log. A longer one is begun anew at the next start.
const LOG_BYTES: u64 = 10 << 20;

/// Where a project's cluster is.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// The cluster's data.
    pub(crate) data: PathBuf,
    /// What the server says.
    pub(crate) log: PathBuf,
    /// Locked by the process that runs the server.
    lock: PathBuf,
}

impl Folder {
    /// Finds or makes the folders of `project`.
    ///
    /// # Errors
    /// When the project does not exist or may not be written to.
    pub(crate) fn of(project: &Path, owner: Owner) -> Result<Folder> {
        let state = state(project);
        make(&state, owner).map_err(|error| unusable(&state, error))?;
        let pointer = state.join("postgres.path");
        let holder = match fs::read_to_string(&pointer) {
            Ok(told) => PathBuf::from(told.trim_end_matches('\n')),
            Err(_) if suits(&state, owner) => state.clone(),
            Err(_) => {
                let fallback = fallback(project, owner)?;
                fs::write(&pointer, format!("{}\n", fallback.display()))
                    .map_err(|error| unusable(&pointer, error))?;
                fallback
            }
        };
        if holder != state {
            owner.private_folder(&holder)?;
        }
        Ok(Folder {
            data: holder.join("postgres"),
            log: holder.join("postgres.log"),
            lock: holder.join("postgres.lock"),
        })
    }

    /// Whether the project has folders of ours already.
    pub(crate) fn is_there(project: &Path) -> bool {
        state(project).exists()
    }

    /// The major version that the cluster was made with; None when there is no cluster yet.
    pub(crate) fn major(&self) -> Result<Option<u32>> {
        if !self.data.exists() {
            return Ok(None);
        }
        let version = fs::read_to_string(self.data.join("PG_VERSION"))
            .map_err(|error| unusable(&self.data, error))?;
        version.trim().parse().map(Some).map_err(|_| {
            Error::new(
                ErrorKind::Setup,
                Code::PostgresFolder,
                format!(
                    "`{}` is not a cluster of Postgres 14 or newer",
                    self.data.display()
                ),
            )
            .with_hint(format!("mv {0} {0}.old", self.data.display()))
        })
    }

    /// Takes the cluster for this process; None when another process has it.
    pub(crate) fn lock(&self) -> Result<Option<File>> {
        let open = File::create(&self.lock).map_err(|error| unusable(&self.lock, error))?;
        match open.try_lock() {
            Ok(()) => Ok(Some(open)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(&self.lock, error)),
        }
    }

    /// Makes the log, or begins one that has grown long anew, for the server to append to: it may
    /// not be allowed to make files beside its data.
    pub(crate) fn open_log(&self, owner: Owner) -> Result<()> {
        let opened = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.log)
            .and_then(|log| match log.metadata()?.len() {
                0..=LOG_BYTES => Ok(()),
                _ => log.set_len(0),
            });
        opened.map_err(|error| unusable(&self.log, error))?;
        owner.give(&self.log)
    }
}

fn state(project: &Path) -> PathBuf {
    project.join(".blazelink")
}

fn make(state: &Path, owner: Owner) -> std::io::Result<()> {
    let hand_over = |path: &Path| owner.give(path).map_err(std::io::Error::other);
    match fs::create_dir(state) {
        Ok(()) => {
            fs::set_permissions(state, Permissions::from_mode(0o755))?;
            hand_over(state)?;
        }
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n")?;
        hand_over(&ignore)?;
    }
    Ok(())
}

/// Whether the server can work in this folder, tried with a folder in it.
fn suits(state: &Path, owner: Owner) -> bool {
    let Ok(trial) = tempfile::Builder::new().prefix("trial-").tempdir_in(state) else {
        return false;
    };
    let private = Permissions::from_mode(0o700);
    let kept = fs::set_permissions(trial.path(), private).is_ok()
        && owner.give(trial.path()).is_ok()
        && fs::metadata(trial.path())
            .is_ok_and(|trial| trial.permissions().mode() & 0o777 == 0o700);
    kept && owner.reaches(trial.path())
}

/// A folder outside of the project, named after it.
fn fallback(project: &Path, owner: Owner) -> Result<PathBuf> {
    base(owner)
        .map(|base| base.join(socket::fingerprint(project)))
        .ok_or_else(|| {
            let error = std::io::Error::other("the account that runs Postgres may not enter it");
            unusable(&state(project), error)
        })
}

/// The folder for what cannot lie in the project, nor in a home that the server may not enter:
/// clusters and copies of programs.
pub(crate) fn base(owner: Owner) -> Option<PathBuf> {
    bases(owner).into_iter().find(|base| {
        let ours = rustix::process::geteuid().as_raw();
        let made = fs::create_dir(base).is_ok();
        // One that is there may be anybody's, in a temporary folder.
        fs::symlink_metadata(base).is_ok_and(|found| found.is_dir() && found.uid() == ours)
            && (!made || fs::set_permissions(base, Permissions::from_mode(0o755)).is_ok())
            && owner.reaches(base)
    })
}

/// Candidates for [`base`], best first.
fn bases(owner: Owner) -> Vec<PathBuf> {
    let mut bases = Vec::new();
    if owner.is_dropped() {
        bases.push(PathBuf::from("/var/lib/blazelink"));
    } else if let Some(home) = std::env::var_os("HOME") {
        bases.push(PathBuf::from(home).join(".local/share/blazelink"));
    }
    bases.push(std::env::temp_dir().join(format!("blazelink-of-{}", owner.uid())));
    bases
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::PostgresFolder,
        format!(
            "`{}` cannot be used for the private Postgres",
            path.display()
        ),
    )
    .with_source(error)
}
