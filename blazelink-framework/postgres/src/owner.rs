//! The account under which the server runs.
//!
//! Postgres refuses to run as root. Whoever is not root runs the server as themselves; root hands
//! it to the owner of the project folder, else to `postgres`, else to `nobody`. Every process
//! that this package starts for the server goes through [`Owner::command`], and everything that
//! the server must read or write through [`Owner::give`].

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// Who runs the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    uid: u32,
    gid: u32,
    /// Whether this is somebody else than us: only root can do that.
    dropped: bool,
}

/// A line of `/etc/passwd`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Account {
    name: String,
    uid: u32,
    gid: u32,
}

impl Owner {
    /// The account for a server whose files belong to `folder`.
    ///
    /// # Errors
    /// When we are root and the machine has no account to hand the server to.
    pub(crate) fn of(folder: &Path) -> Result<Owner> {
        let uid = rustix::process::geteuid().as_raw();
        if uid != 0 {
            let gid = rustix::process::getegid().as_raw();
            return Ok(Owner {
                uid,
                gid,
                dropped: false,
            });
        }
        let folder_uid = fs::metadata(folder).map_or(0, |folder| folder.uid());
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let accounts = accounts(&passwd);
        let account = choose(folder_uid, &accounts).ok_or_else(|| {
            Error::new(
                ErrorKind::Setup,
                Code::PostgresStart,
                "Postgres does not run as root, and this machine has neither a `postgres` nor a \
                 `nobody` account to run it as",
            )
            .with_hint("useradd --system postgres")
        })?;
        Ok(Owner {
            uid: account.uid,
            gid: account.gid,
            dropped: true,
        })
    }

    /// The user id that the server's files have.
    pub(crate) fn uid(self) -> u32 {
        self.uid
    }

    /// Whether the server runs as somebody else than this process.
    pub(crate) fn is_dropped(self) -> bool {
        self.dropped
    }

    /// A command that runs as the owner, in `/`, without the `PG*` variables of our environment
    /// (they would reach into the server's settings).
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.as_encoded_bytes().starts_with(b"PG") {
                command.env_remove(&name);
            }
        }
        command.env("LC_ALL", "C").current_dir("/");
        if self.dropped {
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Makes a file or folder the owner's.
    pub(crate) fn give(self, path: &Path) -> Result<()> {
        if !self.dropped {
            return Ok(());
        }
        chown(path, Some(self.uid), Some(self.gid)).map_err(|error| {
            Error::new(
                ErrorKind::Setup,
                Code::PostgresFolder,
                format!("`{}` cannot be given to the server", path.display()),
            )
            .with_source(error)
        })
    }

    /// Makes a folder that only the owner may enter, or takes one that is exactly that.
    ///
    /// # Errors
    /// When it cannot be made, or somebody else has it (in a temporary folder anyone may make
    /// names).
    pub(crate) fn private_folder(self, path: &Path) -> Result<()> {
        let refused = |error: std::io::Error| {
            Error::new(
                ErrorKind::Setup,
                Code::PostgresFolder,
                format!("The folder `{}` cannot be made", path.display()),
            )
            .with_source(error)
        };
        match fs::create_dir(path) {
            Ok(()) => self.give(path)?,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                let found = fs::symlink_metadata(path).map_err(refused)?;
                if !found.is_dir() || found.uid() != self.uid {
                    return Err(Error::new(
                        ErrorKind::Setup,
                        Code::PostgresFolder,
                        format!("`{}` belongs to somebody else", path.display()),
                    )
                    .with_hint(format!("rm -r {}", path.display())));
                }
            }
            Err(error) => return Err(refused(error)),
        }
        fs::set_permissions(path, Permissions::from_mode(0o700)).map_err(refused)
    }

    /// Whether the owner may enter every folder on the way to `path`, and read `path`.
    pub(crate) fn reaches(self, path: &Path) -> bool {
        if !self.dropped {
            return true;
        }
        let Ok(path) = path.canonicalize() else {
            return false;
        };
        path.ancestors().all(|step| {
            fs::metadata(step).is_ok_and(|found| {
                let needed = if found.is_dir() { 0o1 } else { 0o4 };
                let shift = if found.uid() == self.uid {
                    6
                } else if found.gid() == self.gid {
                    3
                } else {
                    0
                };
                found.mode() >> shift & needed == needed
            })
        })
    }
}

/// The account that root hands the server to: one that the machine knows by name, since `initdb`
/// looks itself up.
fn choose(folder_uid: u32, accounts: &[Account]) -> Option<&Account> {
    accounts
        .iter()
        .find(|account| account.uid == folder_uid && account.uid != 0)
        .or_else(|| accounts.iter().find(|account| account.name == "postgres"))
        .or_else(|| accounts.iter().find(|account| account.name == "nobody"))
}

fn accounts(passwd: &str) -> Vec<Account> {
    let account = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?.to_owned();
        let uid = fields.nth(1)?.parse().ok()?;
        let gid = fields.next()?.parse().ok()?;
        Some(Account { name, uid, gid })
    };
    passwd.lines().filter_map(account).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
                          nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin\n\
                          +nis\n\
                          postgres:x:101:104::/var/lib/postgresql:/bin/bash\n\
                          ada:x:1000:1000::/home/ada:/bin/bash\n";

    #[test]
    fn root_hands_the_server_to_the_owner_of_the_folder_then_to_postgres_then_to_nobody() {
        let all = accounts(PASSWD);
        assert_eq!(
            choose(1000, &all).map(|account| account.name.as_str()),
            Some("ada")
        );
        for folder_uid in [0, 54321] {
            let chosen = choose(folder_uid, &all).map(|account| (account.uid, account.gid));
            assert_eq!(chosen, Some((101, 104)));
        }
        let without: Vec<Account> = all
            .into_iter()
            .filter(|account| account.name != "postgres")
            .collect();
        assert_eq!(choose(0, &without).map(|account| account.gid), Some(65533));
        assert_eq!(choose(0, &without[..1]), None);
    }
}
