//! Files that are to be made in a folder: looked at before anything is written, then written all
//! or not at all.
//!
//! Made by the verbs that write into projects. What must stay true: [`Plan::write`] leaves behind
//! either everything or what was there before.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// Files to be made, with their texts, and files to be removed.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Absolute. It need not be there.
    folder: PathBuf,
    files: Vec<(PathBuf, String)>,
    removed: Vec<PathBuf>,
}

/// What a plan would do to one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing is there.
    Create,
    /// Something else is there.
    Replace,
    /// It is there already, as it should be.
    Keep,
}

impl Plan {
    /// Files in `folder`, by their paths from there.
    pub(crate) fn new(folder: PathBuf, files: Vec<(PathBuf, String)>) -> Plan {
        Plan {
            folder,
            files,
            removed: Vec::new(),
        }
    }

    /// Also removes these, by their paths from the folder: files, and then folders, as far as
    /// they are empty by then.
    pub(crate) fn without(mut self, removed: Vec<PathBuf>) -> Plan {
        self.removed = removed;
        self
    }

    pub(crate) fn files(&self) -> usize {
        self.files.len()
    }

    /// What would be done, file by file.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if a file cannot be made: a folder has its name, or a file that of one
    /// of its folders.
    pub(crate) fn steps(&self) -> Result<Vec<(&Path, Step)>> {
        let mut steps = Vec::new();
        for (path, text) in &self.files {
            let target = self.folder.join(path);
            let blocked = target
                .ancestors()
                .skip(1)
                .take_while(|folder| folder.starts_with(&self.folder))
                .find(|folder| folder.exists() && !folder.is_dir());
            if let Some(file) = blocked {
                return Err(in_the_way(file, "no folder"));
            }
            if target.is_dir() {
                return Err(in_the_way(&target, "a folder"));
            }
            let step = match fs::read(&target) {
                Ok(there) if there == text.as_bytes() => Step::Keep,
                Ok(_) => Step::Replace,
                Err(error) if error.kind() == io::ErrorKind::NotFound => Step::Create,
                Err(error) => return Err(not_written(&target, error)),
            };
            steps.push((path.as_path(), step));
        }
        Ok(steps)
    }

    /// Writes every file that is not there yet. The result undoes it until it is kept.
    ///
    /// # Errors
    /// [`Code::ProjectFile`], naming the file. What was written before it is undone.
    pub(crate) fn write(&self) -> Result<Written> {
        let steps = self.steps()?;
        let mut written = Written::default();
        written.make_folder(&self.folder)?;
        for ((path, text), (_, step)) in self.files.iter().zip(steps) {
            let target = self.folder.join(path);
            if let Some(folder) = target.parent() {
                written.make_folder(folder)?;
            }
            let done = match step {
                Step::Keep => continue,
                Step::Create => written.create(&target, text),
                Step::Replace => written.replace(&target, text),
            };
            done.map_err(|error| not_written(&target, error))?;
        }
        for path in &self.removed {
            let target = self.folder.join(path);
            let removed = written.remove(&target);
            removed.map_err(|error| not_written(&target, error))?;
        }
        Ok(written)
    }
}

/// What was written. Dropping it undoes all of it, in the opposite order.
#[derive(Debug, Default)]
#[must_use = "what is not kept is undone"]
pub(crate) struct Written {
    changes: Vec<Change>,
}

#[derive(Debug)]
enum Change {
    Folder(PathBuf),
    File(PathBuf),
    /// A file with the bytes that it had before, whether it is there still or not.
    Replaced(PathBuf, Vec<u8>),
    RemovedFolder(PathBuf),
    /// A folder that belongs to what was written, with everything in it.
    Tree(PathBuf),
}

impl Written {
    /// Lets everything stay.
    pub(crate) fn keep(mut self) {
        self.changes.clear();
    }

    /// Has a folder go too, with everything that others put into it, unless all is kept. It is not
    /// there yet.
    pub(crate) fn with_tree(&mut self, folder: PathBuf) {
        self.changes.push(Change::Tree(folder));
    }

    fn make_folder(&mut self, folder: &Path) -> Result<()> {
        let missing: Vec<&Path> = folder
            .ancestors()
            .take_while(|folder| !folder.exists())
            .collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder).map_err(|error| not_written(folder, error))?;
            self.changes.push(Change::Folder(folder.to_owned()));
        }
        Ok(())
    }

    fn create(&mut self, file: &Path, text: &str) -> io::Result<()> {
        let mut made = fs::File::create_new(file)?;
        // Before it is filled: a full disk is found then.
        self.changes.push(Change::File(file.to_owned()));
        io::Write::write_all(&mut made, text.as_bytes())
    }

    fn replace(&mut self, file: &Path, text: &str) -> io::Result<()> {
        let before = fs::read(file)?;
        self.changes.push(Change::Replaced(file.to_owned(), before));
        fs::write(file, text)
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        if path.is_dir() {
            // One with something of others' in it stays.
            if fs::remove_dir(path).is_ok() {
                self.changes.push(Change::RemovedFolder(path.to_owned()));
            }
            return Ok(());
        }
        let before = match fs::read(path) {
            Ok(before) => before,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        self.changes.push(Change::Replaced(path.to_owned(), before));
        fs::remove_file(path)
    }
}

impl Drop for Written {
    fn drop(&mut self) {
        // What cannot be undone is in nobody's way more than a second error would be.
        for change in self.changes.drain(..).rev() {
            let _ = match change {
                Change::Folder(folder) => fs::remove_dir(folder),
                Change::RemovedFolder(folder) => fs::create_dir(folder),
                Change::File(file) => fs::remove_file(file),
                Change::Replaced(file, before) => fs::write(file, before),
                Change::Tree(folder) => fs::remove_dir_all(folder),
            };
        }
    }
}

fn in_the_way(path: &Path, what: &str) -> Error {
    let sentence = format!("`{}` is {what}", path.display());
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
        .with_hint(format!("mv {0} {0}.old", path.display()))
}

fn not_written(path: &Path, error: io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::PermissionDenied => "choose a folder that you may write to",
        io::ErrorKind::ReadOnlyFilesystem => "choose a folder on a disk that can be written to",
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "make room on the disk",
        _ => "choose another folder",
    };
    let sentence = format!("`{}` cannot be written", path.display());
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
        .with_source(error)
        .with_hint(hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn plan(folder: &Path, files: &[(&str, &str)]) -> Plan {
        let files = files
            .iter()
            .map(|(path, text)| (PathBuf::from(path), (*text).to_owned()));
        Plan::new(folder.to_owned(), files.collect())
    }

    /// Every file below a folder with its text, and every empty folder.
    fn tree(folder: &Path) -> Vec<(PathBuf, String)> {
        let mut found = Vec::new();
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let inside = tree(&path);
                if inside.is_empty() {
                    found.push((path, "folder".to_owned()));
                }
                found.extend(inside);
            } else {
                found.push((path.clone(), fs::read_to_string(path).unwrap()));
            }
        }
        found.sort();
        found
    }

    #[test]
    fn what_is_kept_stays_and_what_is_dropped_is_undone() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("new/app");
        let plan = plan(&folder, &[("a", "1"), ("b/c", "2")]);
        drop(plan.write().unwrap());
        assert_eq!(tree(root.path()), []);
        plan.write().unwrap().keep();
        assert_eq!(fs::read_to_string(folder.join("b/c")).unwrap(), "2");
    }

    #[test]
    fn what_fails_half_way_leaves_what_was_there() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("a"), "mine").unwrap();
        let before = tree(root.path());
        // Longer than any file system lets a name be.
        let long = "x".repeat(300);
        let plan = plan(root.path(), &[("a", "1"), ("b/c", "2"), (&long, "3")]);
        let error = plan.steps().and_then(|_| plan.write()).unwrap_err();
        assert_eq!(error.code(), Code::ProjectFile);
        assert_eq!(tree(root.path()), before);
        // The same where only writing finds it.
        let mut written = Written::default();
        written.replace(&root.path().join("a"), "1").unwrap();
        written.make_folder(&root.path().join("b")).unwrap();
        written.create(&root.path().join("b/c"), "2").unwrap();
        assert!(written.create(&root.path().join("b/c"), "2").is_err());
        drop(written);
        assert_eq!(tree(root.path()), before);
    }

    #[test]
    fn what_is_removed_is_back_unless_it_is_kept() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("b/c")).unwrap();
        fs::write(root.path().join("a"), "1").unwrap();
        fs::write(root.path().join("b/c/d"), "2").unwrap();
        fs::write(root.path().join("b/e"), "3").unwrap();
        let before = tree(root.path());
        let removed = ["a", "b/c/d", "none", "b/c", "b"].map(PathBuf::from);
        let plan = plan(root.path(), &[("f", "4")]).without(removed.to_vec());
        drop(plan.write().unwrap());
        assert_eq!(tree(root.path()), before);
        plan.write().unwrap().keep();
        let left = ["b/e", "f"].map(|path| root.path().join(path));
        let paths: Vec<PathBuf> = tree(root.path())
            .into_iter()
            .map(|(path, _)| path)
            .collect();
        assert_eq!(paths, left);
    }

    #[test]
    fn what_is_in_the_way_is_named_before_anything_is_written() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("src"), "").unwrap();
        fs::create_dir(root.path().join("a")).unwrap();
        for (path, name) in [
            ("src/main.rs", "src` is no folder"),
            ("a", "a` is a folder"),
        ] {
            let plan = plan(root.path(), &[("first", "1"), (path, "2")]);
            let told = format!("{:#}", plan.write().unwrap_err());
            assert!(told.contains(name), "{told}");
            assert!(!root.path().join("first").exists());
        }
    }

    #[test]
    fn steps_tell_what_is_there_from_what_is_not() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("same"), "1").unwrap();
        fs::write(root.path().join("other"), "1").unwrap();
        let plan = plan(root.path(), &[("same", "1"), ("other", "2"), ("none", "3")]);
        let steps: Vec<Step> = plan
            .steps()
            .unwrap()
            .iter()
            .map(|(_, step)| *step)
            .collect();
        assert_eq!(steps, [Step::Keep, Step::Replace, Step::Create]);
        plan.write().unwrap().keep();
        let steps = plan.steps().unwrap();
        assert!(steps.iter().all(|(_, step)| *step == Step::Keep));
    }
}
