//! Which files were saved: the system's notices, and where it has none to give, a look at the files
//! every half second.
//!
//! `driver` starts it on the project's folder and on the packages of the workspace that it is built
//! from, and awaits [`Watch::next`]. Each folder is watched on its own, so that `target` and its
//! thousands of folders never are.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use notify::event::{EventKind, ModifyKind};
use notify::{Config, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::change::SKIPPED;

/// How often files are looked at where the system tells nothing.
const POLL_EVERY: Duration = Duration::from_millis(500);

/// Paths that wait to be looked at. Beyond it they are dropped: those that wait lead to the same
/// build already, unless hundreds of files were saved of which only the last is a template.
const WAITING: usize = 4_096;

/// Folders that are watched. Beyond it the rest is not: a project with more has something in it
/// that is no source.
const FOLDERS: usize = 8_192;

/// A watch over some folders and everything in them.
pub(crate) struct Watch {
    watcher: Box<dyn Watcher + Send>,
    saved: mpsc::Receiver<PathBuf>,
    folders: usize,
    /// Whether the system has no notices left to give.
    exhausted: bool,
}

/// How to learn what was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the system's notices, as long as it has any.
    Notices,
    /// By looking: for folders that another machine writes to, of which no system gives notice.
    Looking,
}

type Make = fn(mpsc::Sender<PathBuf>) -> notify::Result<Box<dyn Watcher + Send>>;

impl Watch {
    /// Watches these folders.
    ///
    /// # Errors
    ///
    /// [`Code::System`] if files can be watched in neither way.
    pub(crate) fn over(roots: &[PathBuf], way: Way) -> Result<Watch> {
        match way {
            Way::Notices => Watch::told_or_looking(roots, notices),
            Way::Looking => Watch::with(roots, polling),
        }
        .map_err(failed)
    }

    fn told_or_looking(roots: &[PathBuf], notices: Make) -> notify::Result<Watch> {
        Watch::with(roots, notices).or_else(|error| {
            if !matches!(
                error.kind,
                notify::ErrorKind::MaxFilesWatch | notify::ErrorKind::Io(_)
            ) {
                return Err(error);
            }
            let mut watch = Watch::with(roots, polling)?;
            watch.exhausted = true;
            Ok(watch)
        })
    }

    fn with(roots: &[PathBuf], make: Make) -> notify::Result<Watch> {
        let (sender, saved) = mpsc::channel(WAITING);
        let mut watch = Watch {
            watcher: make(sender)?,
            saved,
            folders: 0,
            exhausted: false,
        };
        for root in roots {
            watch.add(root, &mut |_| {})?;
        }
        Ok(watch)
    }

    /// Watches these folders too, except where others of them are watched already.
    ///
    /// # Errors
    ///
    /// [`Code::System`] if the system has no room for them; then watch all of them anew.
    pub(crate) fn extend(&mut self, roots: &[PathBuf]) -> Result<()> {
        for root in roots {
            self.add(root, &mut |_| {}).map_err(failed)?;
        }
        Ok(())
    }

    /// Whether files are looked at because the system has no notices left to give.
    pub(crate) fn exhausted(&self) -> bool {
        self.exhausted
    }

    /// The next file that was saved, removed or renamed; none is new twice. Cancel-safe but for the
    /// files of a folder that has just come.
    pub(crate) async fn next(&mut self) -> Vec<PathBuf> {
        let Some(path) = self.saved.recv().await else {
            // The watcher lives as long as we do.
            return std::future::pending().await;
        };
        if !path.is_dir() {
            return vec![path];
        }
        let mut files = Vec::new();
        if !is_skipped(&path) {
            // What cannot be watched is still told this once.
            let _ = self.add(&path, &mut |file| files.push(file));
        }
        files
    }

    /// Watches a folder and those in it, and tells the files that are there.
    fn add(&mut self, folder: &Path, found: &mut dyn FnMut(PathBuf)) -> notify::Result<()> {
        if self.folders == FOLDERS {
            return Ok(());
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Err(error) if matches!(error.kind, notify::ErrorKind::PathNotFound) => return Ok(()),
            watched => watched?,
        }
        self.folders += 1;
        let Ok(entries) = std::fs::read_dir(folder) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let path = entry.path();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_skipped(&path) => self.add(&path, found)?,
                Ok(kind) if kind.is_file() => found(path),
                _ => {}
            }
        }
        Ok(())
    }
}

fn is_skipped(folder: &Path) -> bool {
    let name = folder.file_name().and_then(OsStr::to_str).unwrap_or("");
    name.starts_with('.') || SKIPPED.contains(&name)
}

fn notices(sender: mpsc::Sender<PathBuf>) -> notify::Result<Box<dyn Watcher + Send>> {
    let watcher = RecommendedWatcher::new(move |event| hand_on(&sender, event), Config::default())?;
    Ok(Box::new(watcher))
}

fn polling(sender: mpsc::Sender<PathBuf>) -> notify::Result<Box<dyn Watcher + Send>> {
    let config = Config::default().with_poll_interval(POLL_EVERY);
    let watcher = PollWatcher::new(move |event| hand_on(&sender, event), config)?;
    Ok(Box::new(watcher))
}

fn hand_on(sender: &mpsc::Sender<PathBuf>, event: notify::Result<notify::Event>) {
    let Ok(event) = event else { return };
    let of_interest = match event.kind {
        EventKind::Create(_) | EventKind::Remove(_) => true,
        // Being read or touched is no change; a look every half second knows of nothing else.
        EventKind::Modify(ModifyKind::Metadata(what)) => {
            what == notify::event::MetadataKind::WriteTime
        }
        EventKind::Modify(_) => true,
        EventKind::Access(_) | EventKind::Any | EventKind::Other => false,
    };
    if of_interest {
        for path in event.paths {
            let _ = sender.try_send(path);
        }
    }
}

fn failed(error: notify::Error) -> Error {
    let sentence = "The project's files cannot be watched";
    Error::new(ErrorKind::Setup, Code::System, sentence)
        .with_source(error)
        .with_hint(MORE_NOTICES)
}

/// What gives the system room for more watched folders.
pub(crate) const MORE_NOTICES: &str =
    "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512";

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What is saved in a folder until `file` is.
    async fn until(watch: &mut Watch, file: &Path) -> Vec<PathBuf> {
        let mut saved = Vec::new();
        while !saved.iter().any(|path| path == file) {
            saved.extend(watch.next().await);
        }
        saved
    }

    #[tokio::test]
    async fn saves_are_noticed_in_new_folders_too_and_in_target_never() {
        for make in [notices as Make, polling] {
            let project = tempfile::tempdir().unwrap();
            let folder = project.path().canonicalize().unwrap();
            for name in ["src", "target", ".git"] {
                std::fs::create_dir(folder.join(name)).unwrap();
            }
            let mut watch = Watch::with(std::slice::from_ref(&folder), make).unwrap();
            for hidden in ["target/x", ".git/x"] {
                std::fs::write(folder.join(hidden), "").unwrap();
            }
            let first = folder.join("src/main.rs");
            std::fs::write(&first, "fn main() {}").unwrap();
            let saved = until(&mut watch, &first).await;
            assert!(!saved.iter().any(|path| path.ends_with("x")), "{saved:?}");

            let entities = folder.join("src/entities");
            std::fs::create_dir(&entities).unwrap();
            std::fs::write(entities.join("user.rs"), "one").unwrap();
            until(&mut watch, &entities.join("user.rs")).await;
            std::fs::write(entities.join("game.rs"), "two, longer").unwrap();
            until(&mut watch, &entities.join("game.rs")).await;
        }
    }

    #[tokio::test]
    async fn files_are_looked_at_where_the_system_has_no_notices_left() {
        let ways: [Make; 2] = [
            |_| Err(notify::Error::new(notify::ErrorKind::MaxFilesWatch)),
            |_| {
                Err(notify::Error::io(std::io::Error::other(
                    "too many open files",
                )))
            },
        ];
        for notices in ways {
            let project = tempfile::tempdir().unwrap();
            let folder = project.path().canonicalize().unwrap();
            let roots = std::slice::from_ref(&folder);
            let mut watch = Watch::told_or_looking(roots, notices).unwrap();
            assert!(watch.exhausted());
            let file = folder.join("main.rs");
            std::fs::write(&file, "fn main() {}").unwrap();
            until(&mut watch, &file).await;
        }
    }
}
