//! Where the server's socket lies: a folder of its own that only its owner may enter, which is
//! what makes password-free access safe, with a path short enough for a socket.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use blazelink_codes::Result;

use crate::owner::Owner;

/// The port in the socket's name. Nothing listens on a port; the folder tells servers apart.
pub(crate) const PORT: u16 = 5432;

/// Bytes of a socket's path, by `sockaddr_un` (107 on Linux, 103 on macOS). Postgres does not
/// start beyond it.
const PATH_BYTES: usize = 103;

/// Makes the socket folder for the cluster of `project` and returns it.
///
/// `runtime` is `$XDG_RUNTIME_DIR`, which only its user may enter: it is of no use to a server
/// that runs as somebody else.
pub(crate) fn folder(project: &Path, owner: Owner, runtime: Option<&OsStr>) -> Result<PathBuf> {
    let folder = choose(project, owner, runtime, &std::env::temp_dir());
    owner.private_folder(&folder)?;
    Ok(folder)
}

/// The socket's file in its folder.
pub(crate) fn file(folder: &Path) -> PathBuf {
    folder.join(format!(".s.PGSQL.{PORT}"))
}

/// Whether a socket in this folder has a short enough path.
pub(crate) fn fits(folder: &Path) -> bool {
    file(folder).as_os_str().len() <= PATH_BYTES
}

/// A connection URL: the folder is the percent-encoded host, which tokio-postgres, sqlx and libpq
/// all read as a socket. (With `@localhost/..?host=` tokio-postgres would try TCP first and might
/// meet another server.)
pub(crate) fn url(folder: &Path, database: &str) -> String {
    let host = percent_encode(folder.as_os_str().as_bytes());
    let database = percent_encode(database.as_bytes());
    format!("postgres://postgres@{host}/{database}")
}

/// A stable name for a path: FNV-1a, 64 bits, in hexadecimal.
pub(crate) fn fingerprint(path: &Path) -> String {
    let hash = path
        .as_os_str()
        .as_bytes()
        .iter()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    format!("{hash:016x}")
}

fn choose(project: &Path, owner: Owner, runtime: Option<&OsStr>, temporary: &Path) -> PathBuf {
    let name = fingerprint(project);
    let shared = OsString::from(format!("blazelink-{}-{name}", owner.uid()));
    let runtime = runtime
        .filter(|runtime| !owner.is_dropped() && !runtime.is_empty())
        .map(|runtime| Path::new(runtime).join(format!("blazelink-{name}")))
        .filter(|folder| folder.parent().is_some_and(Path::is_dir));
    [runtime, Some(temporary.join(&shared))]
        .into_iter()
        .flatten()
        .find(|folder| fits(folder) && folder.parent().is_some_and(|parent| owner.reaches(parent)))
        .unwrap_or_else(|| Path::new("/tmp").join(&shared))
}

fn percent_encode(bytes: &[u8]) -> String {
    let mut encoded = Vec::with_capacity(bytes.len());
    for byte in bytes {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.') {
            encoded.push(*byte);
        } else {
            encoded.extend_from_slice(format!("%{byte:02X}").as_bytes());
        }
    }
    OsString::from_vec(encoded).to_string_lossy().into_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn url_names_the_socket_as_its_host() {
        assert_eq!(
            url(Path::new("/tmp/a b"), "my_app"),
            "postgres://postgres@%2Ftmp%2Fa%20b/my_app"
        );
        let config: tokio_postgres::Config = url(Path::new("/tmp/a b"), "x/y").parse().unwrap();
        assert_eq!(
            config.get_hosts(),
            [tokio_postgres::config::Host::Unix("/tmp/a b".into())]
        );
        assert_eq!(config.get_dbname(), Some("x/y"));
        assert_eq!(config.get_user(), Some("postgres"));
        // What sqlx reads, by the crate that it reads it with.
        let parsed = url::Url::parse(&url(Path::new("/tmp/a b"), "my_app")).unwrap();
        assert_eq!(parsed.host_str(), Some("%2Ftmp%2Fa%20b"));
        assert_eq!(parsed.path(), "/my_app");
    }

    #[test]
    fn socket_moves_to_tmp_when_its_folder_is_too_long() {
        let owner = Owner::of(Path::new("/")).unwrap();
        let long = PathBuf::from(format!("/{}", "t".repeat(100)));
        for deep in [PathBuf::from("/p"), PathBuf::from("/p".repeat(200))] {
            let folder = choose(&deep, owner, Some(long.as_os_str()), &long);
            assert!(folder.starts_with("/tmp") && fits(&folder));
        }
        assert_ne!(
            choose(Path::new("/p"), owner, None, &long),
            choose(Path::new("/q"), owner, None, &long)
        );
    }
}
