//! What a generator would do: a list of files with their texts before and after, made from texts
//! alone. Nothing is written here.

use blazelink_codes::{Code, Error, ErrorKind, Result};
use similar::TextDiff;

use super::sources::Sources;

/// Lines around a difference.
const CONTEXT: usize = 2;

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is not there yet.
    Create,
    /// It gets something more; every other byte stays.
    Inject,
    /// It has all of it already.
    Skip,
    /// Somebody's own work is in the way.
    Conflict,
}

impl Step {
    pub(super) fn name(self) -> &'static str {
        match self {
            Step::Create => "create",
            Step::Inject => "inject",
            Step::Skip => "skip",
            Step::Conflict => "conflict",
        }
    }
}

/// A file that a generator is concerned with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// From the project's folder, with slashes.
    pub(super) path: String,
    pub(super) step: Step,
    /// None if there is no such file.
    pub(super) before: Option<String>,
    pub(super) after: String,
    /// What is added, in a few words each.
    pub(super) what: Vec<String>,
}

impl Change {
    /// What would differ.
    pub(super) fn diff(&self) -> String {
        diff(
            &self.path,
            self.before.as_deref().unwrap_or_default(),
            &self.after,
        )
    }
}

/// Two texts of a file, as `diff -u` shows them.
pub(super) fn diff(path: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(CONTEXT)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

/// What a generator has decided so far, and what the files look like then.
#[derive(Debug)]
pub(super) struct Changes<'a> {
    pub(super) sources: &'a Sources,
    changes: Vec<Change>,
}

impl<'a> Changes<'a> {
    pub(super) fn new(sources: &'a Sources) -> Changes<'a> {
        Changes {
            sources,
            changes: Vec::new(),
        }
    }

    /// The text of a file, with what is planned so far.
    pub(super) fn text(&self, path: &str) -> Option<&str> {
        let planned = self.changes.iter().find(|change| change.path == path);
        match planned {
            Some(change) if change.step != Step::Conflict => Some(&change.after),
            _ => self.sources.text(path),
        }
    }

    /// Makes a file. If it is there with the same text, it is skipped, with another one it is a
    /// conflict.
    pub(super) fn create(&mut self, path: String, text: String) {
        let before = self.sources.text(&path).map(str::to_owned);
        let step = match &before {
            None => Step::Create,
            Some(before) if *before == text => Step::Skip,
            Some(_) => Step::Conflict,
        };
        self.changes.push(Change {
            path,
            step,
            before,
            after: text,
            what: Vec::new(),
        });
    }

    /// Leaves a file alone that has all that would be made.
    pub(super) fn skip(&mut self, path: String) {
        let text = self.sources.text(&path).unwrap_or_default().to_owned();
        self.changes.push(Change {
            path,
            step: Step::Skip,
            before: Some(text.clone()),
            after: text,
            what: Vec::new(),
        });
    }

    /// Adds something to a file that is there. `edit` gives the text with it, or None if it has it
    /// already.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if there is no such file, or none that `edit` can add to.
    pub(super) fn inject(
        &mut self,
        path: &str,
        what: &str,
        edit: impl FnOnce(&str) -> std::result::Result<Option<String>, String>,
    ) -> Result<()> {
        let refused = |why: String| {
            let sentence = format!("`{path}` cannot be added to");
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
                .with_source(why)
                .with_hint(format!("mend {path}, or add by hand: {what}"))
        };
        let Some(text) = self.text(path) else {
            return Err(refused("it is not there".to_owned()));
        };
        let after = edit(text).map_err(refused)?;
        let at = match self.changes.iter().position(|change| change.path == path) {
            Some(at) => at,
            None => {
                self.skip(path.to_owned());
                self.changes.len() - 1
            }
        };
        if let Some(after) = after {
            let change = &mut self.changes[at];
            change.after = after;
            change.what.push(what.to_owned());
            if change.step == Step::Skip {
                change.step = Step::Inject;
            }
        }
        Ok(())
    }

    /// All of it, ordered by the paths.
    pub(super) fn finish(mut self) -> Vec<Change> {
        self.changes.sort_by(|one, other| one.path.cmp(&other.path));
        self.changes
    }
}
