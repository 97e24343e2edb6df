//! What a saved file means to the loop.
//!
//! Pure: `watch` finds out that a file has changed, this says what of, and `machine` what follows.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Folders in which nothing is anybody's source.
pub(crate) const SKIPPED: &[&str] = &["target", "node_modules"];

/// What cargo itself reads.
const CARGO: &[&str] = &[
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain",
    "rust-toolchain.toml",
];

/// What browsers load as it is.
const WEB: &[&str] = &[
    "avif", "css", "gif", "html", "ico", "jpeg", "jpg", "js", "json", "map", "mjs", "mp3", "png",
    "svg", "ttf", "webm", "webp", "woff", "woff2",
];

/// Files that were saved at about the same time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// What cargo builds from.
    pub(crate) code: bool,
    /// What the app reads when it starts.
    pub(crate) settings: bool,
    /// Templates, scripts, images: a page has to be loaded again.
    pub(crate) pages: bool,
    /// Names of style sheets.
    pub(crate) styles: Vec<String>,
    /// All of them, each once.
    pub(crate) files: Vec<PathBuf>,
}

impl Changes {
    /// Adds a file, unless it is of no interest.
    ///
    /// `inputs` are the files that the last build was made from.
    pub(crate) fn add(&mut self, project: &Path, inputs: &HashSet<PathBuf>, file: &Path) {
        match kind(project, inputs.contains(file), file) {
            Kind::Nothing => return,
            Kind::Code => self.code = true,
            Kind::Settings => self.settings = true,
            Kind::Page => self.pages = true,
            Kind::Style => {
                let name = file.file_name().unwrap_or_default();
                let name = name.to_string_lossy().into_owned();
                if !self.styles.contains(&name) {
                    self.styles.push(name);
                }
            }
        }
        if !self.files.iter().any(|known| known == file) {
            self.files.push(file.to_owned());
        }
    }

    /// Whether nothing of interest was saved.
    pub(crate) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Code,
    Settings,
    Page,
    Style,
    Nothing,
}

fn kind(project: &Path, is_input: bool, file: &Path) -> Kind {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let inside = file.strip_prefix(project).ok();
    if inside == Some(Path::new("Blazelink.toml")) {
        return Kind::Settings;
    }
    if is_scratch(&name) {
        return Kind::Nothing;
    }
    let extension = file.extension().unwrap_or_default().to_string_lossy();
    // An app may write files of its own where its sources lie: what is no input is no code.
    if is_input || extension == "rs" || CARGO.contains(&&*name) {
        return Kind::Code;
    }
    let folder = inside.and_then(|inside| inside.components().next());
    let folder = folder.map(|first| first.as_os_str().to_string_lossy().into_owned());
    match (folder.as_deref(), &*extension) {
        (None | Some("src" | "migration"), _) => Kind::Nothing,
        (Some("templates"), _) => Kind::Page,
        (Some(_), "css") => Kind::Style,
        (Some(_), web) if WEB.contains(&web) => Kind::Page,
        (Some(_), _) => Kind::Nothing,
    }
}

/// Files that editors make for themselves beside the one that is edited.
fn is_scratch(name: &str) -> bool {
    name.starts_with('.')
        || name.starts_with('#')
        || name.ends_with('~')
        || name == "4913"
        || [".swp", ".swx", ".tmp", ".bak"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_means_what_it_is() {
        let input = "/p/queries/top.sql";
        for (file, meant) in [
            ("/p/src/app.rs", Kind::Code),
            ("/p/src/page.html", Kind::Nothing),
            ("/p/uploads/one.txt", Kind::Nothing),
            ("/p/app.log", Kind::Nothing),
            ("/p/migration/src/lib.rs", Kind::Code),
            ("/p/Cargo.toml", Kind::Code),
            ("/p/queries/top.sql", Kind::Code),
            ("/elsewhere/lib/src/lib.rs", Kind::Code),
            ("/p/Blazelink.toml", Kind::Settings),
            ("/p/.env", Kind::Nothing),
            ("/p/templates/index.html", Kind::Page),
            ("/p/templates/part.txt", Kind::Page),
            ("/p/static/app.js", Kind::Page),
            ("/p/static/app.css", Kind::Style),
            ("/p/assets/deep/logo.svg", Kind::Page),
            ("/p/src/.app.rs.swp", Kind::Nothing),
            ("/p/src/app.rs~", Kind::Nothing),
            ("/p/src/4913", Kind::Nothing),
            ("/p/.gitignore", Kind::Nothing),
        ] {
            assert_eq!(
                kind(Path::new("/p"), file == input, Path::new(file)),
                meant,
                "{file}"
            );
        }
    }

    #[test]
    fn changes_add_up() {
        let mut changes = Changes::default();
        let (project, inputs) = (Path::new("/p"), HashSet::new());
        changes.add(project, &inputs, Path::new("/p/src/.x"));
        assert!(changes.is_empty());
        for file in ["/p/src/a.rs", "/p/src/a.rs", "/p/static/a.css"] {
            changes.add(project, &inputs, Path::new(file));
        }
        assert_eq!(changes.files.len(), 2);
        assert!(changes.code && !changes.pages);
        assert_eq!(changes.styles, ["a.css"]);
    }
}
