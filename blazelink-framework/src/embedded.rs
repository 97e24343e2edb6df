//! `Embedded`: files of the project inside of the program, as [`embed!`](crate::embed) made them.
//!
//! `routes` serves folders from it and `pages` reads templates from it, so that a program built for
//! release runs without its project's folder. In development files are read from disk all the same,
//! so that an edit shows.

use std::fmt;
use std::path::{Component, Path};

/// Files of the project by their paths, with slashes, in their order.
#[derive(Clone, Copy, Default)]
pub struct Embedded {
    files: &'static [(&'static str, &'static [u8])],
}

impl Embedded {
    /// Without any file.
    pub const fn none() -> Embedded {
        Embedded { files: &[] }
    }

    /// With these files, ordered by their paths; what [`embed!`](crate::embed) writes.
    #[doc(hidden)]
    pub const fn of(files: &'static [(&'static str, &'static [u8])]) -> Embedded {
        Embedded { files }
    }

    /// The files below a folder, with their paths from there on; none if the folder is not embedded.
    pub(crate) fn folder(
        self,
        folder: &Path,
    ) -> Option<impl Iterator<Item = (&'static str, &'static [u8])>> {
        let below = below(folder)?;
        let found = self.files.iter().filter_map(move |&(path, bytes)| {
            let inside = path.strip_prefix(below.as_str())?;
            Some((inside, bytes))
        });
        let mut found = found.peekable();
        found.peek().is_some().then_some(found)
    }

    /// Whether a file of this folder is embedded.
    pub(crate) fn has_folder(self, folder: &Path) -> bool {
        self.folder(folder).is_some()
    }

    /// The file at this path.
    pub(crate) fn file(self, path: &str) -> Option<&'static [u8]> {
        let at = self.files.binary_search_by_key(&path, |&(path, _)| path);
        at.ok().map(|at| self.files[at].1)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let paths = self.files.iter().map(|(path, _)| path);
        f.debug_list().entries(paths).finish()
    }
}

/// How the paths of all files in this folder of the project begin; nothing if it leads out of it.
fn below(folder: &Path) -> Option<String> {
    let mut prefix = String::new();
    for part in folder.components() {
        match part {
            Component::Normal(name) => {
                prefix.push_str(name.to_str()?);
                prefix.push('/');
            }
            Component::CurDir => {}
            _ => return None,
        }
    }
    Some(prefix)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILES: Embedded = Embedded::of(&[
        ("static/app.css", b"css"),
        ("static/img/a.png", b"png"),
        ("statics/b", b"b"),
        ("templates/index.html", b"html"),
    ]);

    fn names(folder: &str) -> Option<Vec<&'static str>> {
        let found = FILES.folder(Path::new(folder))?;
        Some(found.map(|(path, _)| path).collect())
    }

    #[test]
    fn folder_has_the_files_below_it_and_no_others() {
        assert_eq!(names("static"), Some(vec!["app.css", "img/a.png"]));
        assert_eq!(names("./static/img/"), Some(vec!["a.png"]));
        for elsewhere in ["stat", "img", "/static", "../static", "static/app.css"] {
            assert_eq!(names(elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn file_is_found_by_its_whole_path() {
        assert_eq!(FILES.file("templates/index.html"), Some(&b"html"[..]));
        assert_eq!(FILES.file("index.html"), None);
        assert_eq!(Embedded::none().file("static/app.css"), None);
    }
}
