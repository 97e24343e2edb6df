//! Branches: copies of the project's database, of which one is worked on. Which one stands in
//! `.blazelink/branch`; without the file it is the database itself, `main`.

use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};

use crate::project::Project;

/// What the database itself is called among the branches.
pub(crate) const MAIN: &str = "main";

/// The name of the database that is worked on.
///
/// # Errors
/// [`Code::ProjectFile`] when the file that says it cannot be read.
pub(crate) fn database(project: &Project) -> Result<String> {
    Ok(match current(project)? {
        Some(name) => of_branch(project, &name),
        None => project.database(),
    })
}

/// The database of a branch.
pub(crate) fn of_branch(project: &Project, name: &str) -> String {
    format!("{}-branch-{name}", project.database())
}

/// The branch that is worked on; None for the database itself.
///
/// # Errors
/// [`Code::ProjectFile`] when the file that says it cannot be read.
pub(crate) fn current(project: &Project) -> Result<Option<String>> {
    let file = file(project);
    match std::fs::read_to_string(&file) {
        Ok(name) => Ok(Some(name.trim().to_owned()).filter(|name| !name.is_empty())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(&file, "read").with_source(error)),
    }
}

/// Has this branch worked on from now on.
///
/// # Errors
/// [`Code::ProjectFile`] when that cannot be written down.
pub(crate) fn switch(project: &Project, name: Option<&str>) -> Result<()> {
    let file = file(project);
    let written = match name {
        Some(name) => std::fs::write(&file, format!("{name}\n")),
        None => std::fs::remove_file(&file).or_else(|error| match error.kind() {
            std::io::ErrorKind::NotFound => Ok(()),
            _ => Err(error),
        }),
    };
    written.map_err(|error| failed(&file, "written").with_source(error))
}

fn file(project: &Project) -> PathBuf {
    project.folder.join(".blazelink/branch")
}

fn failed(file: &std::path::Path, what: &str) -> Error {
    let sentence = format!("`{}` cannot be {what}", file.display());
    Error::new(ErrorKind::Setup, Code::ProjectFile, sentence)
}
