//! The texts of a project's files, read once. What is planned is planned on them, so that planning
//! touches nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// Folders of a project that generators look into, besides its root.
const FOLDERS: &[&str] = &["deploy", "migration", "src", "tests"];

/// Bytes of the largest file that is looked at: nobody writes larger ones by hand.
const LARGEST: u64 = 1 << 20;

/// A project, as far as generators look at it.
#[derive(Clone, Debug)]
pub(super) struct Sources {
    /// The package, as Rust code names it.
    pub(super) krate: String,
    pub(super) package: String,
    /// By their paths from the project's folder, with slashes.
    files: BTreeMap<String, String>,
}

impl Sources {
    /// # Errors
    /// [`Code::NotAProject`] if the folder has not what every project has; [`Code::ProjectFile`] if
    /// a file cannot be read.
    pub(super) fn read(folder: &Path) -> Result<Sources> {
        let mut files = BTreeMap::new();
        collect(folder, "", false, &mut files)?;
        for inner in FOLDERS {
            collect(&folder.join(inner), &format!("{inner}/"), true, &mut files)?;
        }
        Sources::of(files, folder)
    }

    /// A project of these files.
    pub(super) fn of(files: BTreeMap<String, String>, folder: &Path) -> Result<Sources> {
        let not_a_project = |what: String| {
            let sentence = format!("`{}` {what}", folder.display());
            Error::new(ErrorKind::Setup, Code::NotAProject, sentence)
                .with_hint("blazelink -C PATH generate .., with the folder of your app")
        };
        let Some(manifest) = files.get("Cargo.toml") else {
            return Err(not_a_project("has no Cargo.toml".to_owned()));
        };
        let manifest: toml::Table = manifest.parse().map_err(|error: toml::de::Error| {
            not_a_project("has a Cargo.toml that cannot be read".to_owned())
                .with_source(error.message().to_owned())
        })?;
        let name = |section: &str| manifest.get(section)?.get("name")?.as_str();
        let Some(package) = name("package") else {
            let what = "is a workspace, not the package of an app".to_owned();
            return Err(not_a_project(what));
        };
        let krate = name("lib").unwrap_or(package).replace('-', "_");
        let package = package.to_owned();
        Ok(Sources {
            krate,
            package,
            files,
        })
    }

    pub(super) fn text(&self, path: &str) -> Option<&str> {
        self.files.get(path).map(String::as_str)
    }

    /// The files directly in a folder, with their names.
    pub(super) fn within<'a>(
        &'a self,
        folder: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> + 'a {
        self.files.iter().filter_map(move |(path, text)| {
            let name = path.strip_prefix(folder)?;
            (!name.contains('/')).then_some((name, text.as_str()))
        })
    }
}

fn collect(
    folder: &Path,
    prefix: &str,
    deeper: bool,
    found: &mut BTreeMap<String, String>,
) -> Result<()> {
    let unreadable = |path: &Path, error| {
        let sentence = format!("`{}` cannot be read", path.display());
        Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|error| unreadable(folder, error))?;
        let path = entry.path();
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| *name != "target") else {
            continue;
        };
        let data = fs::metadata(&path).map_err(|error| unreadable(&path, error))?;
        if data.is_dir() {
            if deeper {
                collect(&path, &format!("{prefix}{name}/"), true, found)?;
            }
        } else if data.is_file() && data.len() <= LARGEST {
            let bytes = fs::read(&path).map_err(|error| unreadable(&path, error))?;
            // What is no text is none of ours.
            if let Ok(text) = String::from_utf8(bytes) {
                found.insert(format!("{prefix}{name}"), text);
            }
        }
    }
    Ok(())
}
