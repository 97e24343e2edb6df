//! The folder of a project's cluster: `.blazelink/postgres`, or, where the server may not enter
//! it (root with a 0700 home) or permissions do not hold (some shared drives), a fallback folder
//! that `.blazelink/postgres.path` points to.

use std::fs::{self, File, Permissions, TryLockError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use blazelink_codes::Code;

use crate::error::{Error, Result};
use crate::owner::Owner;
use crate::socket;

/// A project's folders.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// `.blazelink`, which git does not see.
    pub(crate) state: PathBuf,
    /// The cluster's data.
    pub(crate) data: PathBuf,
    /// What the server says.
    pub(crate) log: PathBuf,
}

impl Folder {
    /// Finds or makes the folders of `project`.
    ///
    /// # Errors
    /// When the project does not exist or may not be written to.
    pub(crate) fn of(project: &Path, owner: Owner) -> Result<Folder> {
        let state = project.join(".blazelink");
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
            state,
        })
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
        let file = self.state.join("postgres.lock");
        let open = File::create(&file).map_err(|error| unusable(&file, error))?;
        match open.try_lock() {
            Ok(()) => Ok(Some(open)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(&file, error)),
        }
    }
}

fn make(state: &Path, owner: Owner) -> std::io::Result<()> {
    let project_is = |path: &Path| owner.give(path).map_err(std::io::Error::other);
    match fs::create_dir(state) {
        Ok(()) => project_is(state)?,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let ignore = state.join(".gitignore");
    if !ignore.exists() {
        fs::write(&ignore, "*\n")?;
        project_is(&ignore)?;
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

/// A folder outside of the project, for root under `/var/lib`, named after the project.
fn fallback(project: &Path, owner: Owner) -> Result<PathBuf> {
    let name = socket::fingerprint(project);
    let mut tried = None;
    for base in bases(owner) {
        match fs::create_dir_all(&base) {
            Ok(()) if owner.reaches(&base) => return Ok(base.join(&name)),
            Ok(()) => {}
            Err(error) => tried = Some(error),
        }
    }
    let error = tried.unwrap_or_else(|| std::io::Error::other("the server may not enter it"));
    Err(unusable(&project.join(".blazelink"), error))
}

/// Folders for what cannot lie in the project, best first.
fn bases(owner: Owner) -> Vec<PathBuf> {
    let mut bases = Vec::new();
    if owner.is_dropped() {
        bases.push(PathBuf::from("/var/lib/blazelink"));
    } else if let Some(home) = std::env::var_os("HOME") {
        bases.push(PathBuf::from(home).join(".local/share/blazelink"));
    }
    bases.push(std::env::temp_dir().join("blazelink-clusters"));
    bases
}

/// A folder where the server may keep programs that it may not read where they lie.
pub(crate) fn for_programs(owner: Owner) -> Option<PathBuf> {
    bases(owner)
        .into_iter()
        .find(|base| fs::create_dir_all(base).is_ok() && owner.reaches(base))
}

fn unusable(path: &Path, error: std::io::Error) -> Error {
    Error::new(
        Code::PostgresFolder,
        format!(
            "`{}` cannot be used for the private Postgres",
            path.display()
        ),
    )
    .with_source(error)
}
