//! What generators have written, so that it can be taken back to the byte: a file per run in
//! `.blazelink/journal/`, the newest with the highest number.

use std::fs;
use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};

use super::changes::{Change, Step, diff};

/// Where it lies, from the project's folder.
const FOLDER: &str = ".blazelink/journal";

/// A run of a generator.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Entry {
    /// What was typed.
    pub(super) command: String,
    pub(super) files: Vec<Written>,
    /// Folders that were made for them, the outer ones first.
    pub(super) folders: Vec<String>,
}

/// A file that was made or added to.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
pub(super) struct Written {
    pub(super) path: String,
    /// None if it was not there.
    pub(super) before: Option<String>,
    pub(super) after: String,
}

impl Entry {
    /// What a run is about to do in this folder.
    pub(super) fn of(command: String, changes: &[Change], project: &Path) -> Entry {
        let written = |change: &&Change| matches!(change.step, Step::Create | Step::Inject);
        let files: Vec<Written> = changes
            .iter()
            .filter(written)
            .map(|change| Written {
                path: change.path.clone(),
                before: change.before.clone(),
                after: change.after.clone(),
            })
            .collect();
        let mut folders: Vec<String> = Vec::new();
        for file in &files {
            let outer = Path::new(&file.path).ancestors().skip(1);
            let missing =
                outer.filter(|it| !it.as_os_str().is_empty() && !project.join(it).exists());
            folders.extend(missing.map(|it| it.to_string_lossy().into_owned()));
        }
        folders.sort();
        folders.dedup();
        Entry {
            command,
            files,
            folders,
        }
    }

    /// The file that it is kept in, as the newest, and its text.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if the journal cannot be read.
    pub(super) fn kept(&self, project: &Path) -> Result<(PathBuf, String)> {
        let newest = numbers(project)?.into_iter().max().unwrap_or(0);
        let path = Path::new(FOLDER).join(format!("{:04}.json", newest + 1));
        let text = serde_json::to_string_pretty(self).map_err(|error| unreadable(&path, error))?;
        Ok((path, text + "\n"))
    }

    /// The newest run, with the file that it is kept in.
    ///
    /// # Errors
    /// [`Code::NothingToUndo`] if there is none; [`Code::ProjectFile`] if it cannot be read.
    pub(super) fn newest(project: &Path) -> Result<(PathBuf, Entry)> {
        let Some(newest) = numbers(project)?.into_iter().max() else {
            let sentence = "No generator has written anything here that is not undone";
            let error = Error::new(ErrorKind::Setup, Code::NothingToUndo, sentence);
            return Err(error.with_hint("blazelink generate --help"));
        };
        let path = Path::new(FOLDER).join(format!("{newest:04}.json"));
        let text = fs::read_to_string(project.join(&path));
        let text = text.map_err(|error| unreadable(&path, error))?;
        let entry = serde_json::from_str(&text).map_err(|error| unreadable(&path, error))?;
        Ok((path, entry))
    }

    /// What was edited since, as a diff; None if every file is as it was left.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if a file cannot be read.
    pub(super) fn edited(&self, project: &Path) -> Result<Option<String>> {
        let mut edited = String::new();
        for file in &self.files {
            let now = match fs::read(project.join(&file.path)) {
                Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
                Err(error) => return Err(unreadable(Path::new(&file.path), error)),
            };
            if now != file.after {
                edited.push_str(&diff(&file.path, &file.after, &now));
            }
        }
        Ok((!edited.is_empty()).then_some(edited))
    }
}

/// The numbers of the runs that are kept.
fn numbers(project: &Path) -> Result<Vec<u32>> {
    let entries = match fs::read_dir(project.join(FOLDER)) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(Path::new(FOLDER), error)),
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    let number = |name: std::ffi::OsString| name.to_str()?.strip_suffix(".json")?.parse().ok();
    Ok(names.filter_map(number).collect())
}

fn unreadable(path: &Path, error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    let sentence = format!("`{}` cannot be read", path.display());
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
}
