//! `Shelf`: the folder with the recordings of an app, a file for each.
//!
//! The inspector writes into it and reads from it. What must stay true: a name leads nowhere else, only
//! the app's own user reads the files, and a file that is there is whole.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use blazelink_codes::limits;

use super::lines::{Head, Line};
use super::report::RecordingReport;

/// What the files' names end with.
const ENDING: &str = "blz";

/// The longest name of a recording.
const LONGEST: usize = 64;

/// See the file's head.
#[derive(Clone, Debug)]
pub(crate) struct Shelf(PathBuf);

/// Why there is no such recording, or none can be made.
#[derive(Debug)]
pub(crate) enum Unshelved {
    /// The name is none.
    Name,
    /// There is one of that name.
    Taken,
    /// There is none of that name.
    Absent,
    /// As many are kept as may be.
    Full,
    /// The folder says so.
    Io(io::Error),
}

impl std::fmt::Display for Unshelved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Unshelved::Name => write!(
                f,
                "A recording's name is made of at most {LONGEST} letters, digits, - and _"
            ),
            Unshelved::Taken => write!(f, "There is a recording of that name: delete it first"),
            Unshelved::Absent => write!(f, "There is no recording of that name"),
            Unshelved::Full => write!(
                f,
                "{} recordings are kept already: delete one first",
                limits::RECORDINGS
            ),
            Unshelved::Io(error) => write!(f, "The folder of the recordings: {error}"),
        }
    }
}

impl From<io::Error> for Unshelved {
    fn from(error: io::Error) -> Unshelved {
        match error.kind() {
            io::ErrorKind::NotFound => Unshelved::Absent,
            _ => Unshelved::Io(error),
        }
    }
}

/// A recording in the folder.
#[derive(Clone, Debug)]
pub(crate) struct Shelved {
    /// What it is called.
    pub(crate) name: String,
    /// Its file.
    pub(crate) path: PathBuf,
    /// Bytes of its file.
    pub(crate) bytes: u64,
    /// What it says of itself.
    pub(crate) head: Head,
}

impl From<Shelved> for RecordingReport {
    fn from(kept: Shelved) -> RecordingReport {
        RecordingReport {
            name: kept.name,
            file: kept.path.display().to_string(),
            bytes: kept.bytes,
            began_at_ms: kept.head.began / 1_000,
            ended_at_ms: kept.head.ended / 1_000,
            redacted: kept.head.redacted,
            let_go: kept.head.let_go,
            lost: kept.head.lost,
            left_out: kept.head.left_out,
        }
    }
}

impl Shelf {
    /// The recordings below this folder, which is made with the first one.
    pub(crate) fn below(state: &Path) -> Shelf {
        Shelf(state.join("recordings"))
    }

    /// All of them, the newest first.
    pub(crate) fn list(&self) -> Vec<Shelved> {
        let files = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let mut all: Vec<Shelved> = files.filter_map(|file| shelved(&file.path())).collect();
        all.sort_by_key(|it| std::cmp::Reverse(it.head.began));
        all
    }

    /// Whether a recording of that name can be made.
    ///
    /// # Errors
    ///
    /// [`Unshelved`] with the reason.
    pub(crate) fn check(&self, name: &str) -> Result<(), Unshelved> {
        let path = self.path(name)?;
        match fs::exists(&path) {
            Ok(true) => Err(Unshelved::Taken),
            _ if self.list().len() >= limits::RECORDINGS => Err(Unshelved::Full),
            _ => Ok(()),
        }
    }

    /// The recording of that name.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn get(&self, name: &str) -> Result<Shelved, Unshelved> {
        shelved(&self.path(name)?).ok_or(Unshelved::Absent)
    }

    /// Makes the file of a recording: it is there once `write` has written it.
    ///
    /// # Errors
    ///
    /// If the folder does not take it, or `write` fails.
    pub(crate) fn put(
        &self,
        name: &str,
        write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Unshelved> {
        let path = self.path(name)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.0)
            .map_err(Unshelved::Io)?;
        let unfinished = path.with_extension("unfinished");
        let mut open = OpenOptions::new();
        open.write(true).create(true).truncate(true).mode(0o600);
        let written = open.open(&unfinished).and_then(|file| {
            let mut out = BufWriter::new(file);
            write(&mut out)?;
            out.flush()?;
            fs::rename(&unfinished, &path)
        });
        if let Err(error) = written {
            let _ = fs::remove_file(&unfinished);
            return Err(Unshelved::Io(error));
        }
        Ok(())
    }

    /// The file of a recording, to be read.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(crate) fn open(&self, name: &str) -> Result<BufReader<File>, Unshelved> {
        Ok(BufReader::new(File::open(self.path(name)?)?))
    }

    /// Deletes a recording.
    ///
    /// # Errors
    ///
    /// If there is none, or the folder does not let it go.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Unshelved> {
        Ok(fs::remove_file(self.path(name)?)?)
    }

    fn path(&self, name: &str) -> Result<PathBuf, Unshelved> {
        let sound = |it: char| it.is_ascii_alphanumeric() || it == '-' || it == '_';
        match (1..=LONGEST).contains(&name.len()) && name.chars().all(sound) {
            true => Ok(self.0.join(name).with_extension(ENDING)),
            false => Err(Unshelved::Name),
        }
    }
}

/// What a file says of itself, if it is a recording.
fn shelved(path: &Path) -> Option<Shelved> {
    if path.extension()? != ENDING {
        return None;
    }
    let file = File::open(path).ok()?;
    let bytes = file.metadata().ok()?.len();
    let mut first = String::new();
    BufReader::new(file).read_line(&mut first).ok()?;
    match serde_json::from_str(&first).ok()? {
        Line::Recording(head) => Some(Shelved {
            name: path.file_stem()?.to_str()?.to_owned(),
            path: path.to_owned(),
            bytes,
            head,
        }),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_nowhere_else_and_what_fails_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::below(folder.path());
        for name in ["", "../a", "a/b", "a.b", &"a".repeat(LONGEST + 1)] {
            assert!(matches!(shelf.check(name), Err(Unshelved::Name)), "{name}");
        }
        assert!(matches!(shelf.open("a"), Err(Unshelved::Absent)));
        let failed = shelf.put("a", |_| Err(io::Error::other("no")));
        assert!(matches!(failed, Err(Unshelved::Io(_))));
        assert_eq!(fs::read_dir(&shelf.0).unwrap().count(), 0);

        shelf.put("a", |out| out.write_all(b"{}\n")).unwrap();
        assert!(matches!(shelf.check("a"), Err(Unshelved::Taken)));
        assert!(shelf.list().is_empty(), "it is no recording");
        shelf.remove("a").unwrap();
        assert!(matches!(shelf.remove("a"), Err(Unshelved::Absent)));
    }
}
