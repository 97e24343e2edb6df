//! The project that a verb works on: its folder, the app's program, the migration crate's.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::Deserialize;
use tokio::process::Command;

use crate::build;
use crate::terminal::Terminal;

/// A Blazelink app on disk.
#[derive(Debug)]
pub(crate) struct Project {
    /// Absolute.
    pub(crate) folder: PathBuf,
    pub(crate) app: Program,
    /// The crate in `migration/`, if there is one.
    pub(crate) migration: Option<Program>,
}

/// A program of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    pub(crate) manifest: PathBuf,
    pub(crate) package: String,
    pub(crate) binary: String,
    /// The root of the workspace that the package is in.
    pub(crate) workspace: PathBuf,
}

impl Project {
    /// The project in this folder.
    ///
    /// # Errors
    /// [`Code::NotAProject`] with what is missing.
    pub(crate) async fn open(path: &Path) -> Result<Project> {
        let folder = Project::folder(path)?;
        let app = program(&folder).await?;
        let migration = folder.join("migration");
        let migration = if migration.join("Cargo.toml").is_file() {
            Some(program(&migration).await?)
        } else {
            None
        };
        Ok(Project {
            folder,
            app,
            migration,
        })
    }

    /// The crate of the migrations.
    ///
    /// # Errors
    /// [`Code::NotAProject`] when the project has none.
    pub(crate) fn migration(&self) -> Result<&Program> {
        self.migration.as_ref().ok_or_else(|| {
            let sentence = format!("`{}` has no crate of migrations", self.folder.display());
            Error::new(ErrorKind::Setup, Code::NotAProject, sentence)
                .with_hint("make one in its folder `migration`, as the guide shows")
        })
    }

    /// The absolute path of the folder, if it is a package's.
    ///
    /// # Errors
    /// [`Code::NotAProject`] with what is missing.
    pub(crate) fn folder(path: &Path) -> Result<PathBuf> {
        let folder = path.canonicalize().map_err(|error| {
            not_a_project(format!("There is no folder `{}`", path.display())).with_source(error)
        })?;
        if folder.join("Cargo.toml").is_file() {
            Ok(folder)
        } else {
            let sentence = format!("`{}` has no Cargo.toml", folder.display());
            Err(not_a_project(sentence))
        }
    }

    /// The name of the database: the package's, as SQL likes it.
    pub(crate) fn database(&self) -> String {
        self.app.package.replace('-', "_")
    }

    /// The folder for what the tool keeps in a project; the private Postgres makes it too.
    pub(crate) fn state(&self) -> Result<PathBuf> {
        state(&self.folder)
    }
}

impl Program {
    /// Builds the program and returns where it lies.
    ///
    /// # Errors
    /// As [`build::build`].
    pub(crate) async fn built(&self, terminal: Terminal) -> Result<PathBuf> {
        let built = build::build(&[self], terminal).await?;
        built.into_iter().next().ok_or_else(|| {
            let sentence = format!("cargo did not build the program `{}`", self.binary);
            Error::new(ErrorKind::Setup, Code::CommandFailed, sentence)
        })
    }
}

/// The folder for what the tool keeps in the project of this folder.
pub(crate) fn state(project: &Path) -> Result<PathBuf> {
    let state = project.join(".blazelink");
    let made = std::fs::create_dir_all(&state).and_then(|()| {
        let ignore = state.join(".gitignore");
        if ignore.exists() {
            Ok(())
        } else {
            std::fs::write(ignore, "*\n")
        }
    });
    made.map(|()| state.clone()).map_err(|error| {
        Error::new(
            ErrorKind::Setup,
            Code::NotAProject,
            format!("`{}` cannot be written to", state.display()),
        )
        .with_source(error)
    })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_root: PathBuf,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    default_run: Option<String>,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

async fn program(folder: &Path) -> Result<Program> {
    let manifest = folder.join("Cargo.toml");
    let metadata = metadata(&manifest).await?;
    let package = metadata
        .packages
        .into_iter()
        .find(|package| package.manifest_path == manifest)
        .ok_or_else(|| {
            not_a_project(format!(
                "`{}` is a workspace, not the package of an app",
                manifest.display()
            ))
        })?;
    let binary = binary_of(&package).ok_or_else(|| {
        not_a_project(format!(
            "The package `{}` has no program, or several and no `default-run`",
            package.name
        ))
        .with_hint(format!(
            "add `default-run = \"{0}\"` to [package] in {1}, and src/main.rs",
            package.name,
            manifest.display()
        ))
    })?;
    Ok(Program {
        manifest,
        binary,
        package: package.name,
        workspace: metadata.workspace_root,
    })
}

/// `default-run`, else the only program, else the one named after the package.
fn binary_of(package: &Package) -> Option<String> {
    let binaries: Vec<&str> = package
        .targets
        .iter()
        .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
        .map(|target| target.name.as_str())
        .collect();
    match (&package.default_run, binaries.as_slice()) {
        (Some(name), _) => Some(name.clone()),
        (None, [only]) => Some((*only).to_owned()),
        (None, several) => several
            .iter()
            .find(|name| **name == package.name)
            .map(|name| (*name).to_owned()),
    }
}

async fn metadata(manifest: &Path) -> Result<Metadata> {
    let output = Command::from(build::cargo())
        .args(["metadata", "--no-deps", "--format-version=1"])
        .arg("--manifest-path")
        .arg(manifest)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(build::no_cargo)?;
    let refused = || not_a_project(format!("cargo cannot read `{}`", manifest.display()));
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(refused()
            .with_source(said.trim().to_owned())
            .with_hint(format!(
                "cargo metadata --no-deps --manifest-path {}",
                manifest.display()
            )));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| refused().with_source(error))
}

fn not_a_project(sentence: String) -> Error {
    Error::new(ErrorKind::Setup, Code::NotAProject, sentence).with_hint(
        "change into the folder of your app's Cargo.toml, or name it: blazelink -C PATH ..",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_is_the_default_run_else_the_only_program_else_the_packages_namesake() {
        let package = |default_run: Option<&str>, binaries: &[&str]| Package {
            name: "app".into(),
            manifest_path: PathBuf::new(),
            default_run: default_run.map(str::to_owned),
            targets: [("lib", "lib")]
                .into_iter()
                .chain(binaries.iter().map(|name| (*name, "bin")))
                .map(|(name, kind)| Target {
                    name: name.into(),
                    kind: vec![kind.into()],
                })
                .collect(),
        };
        for (default_run, binaries, chosen) in [
            (None, &["other"][..], Some("other")),
            (None, &["other", "app"], Some("app")),
            (Some("other"), &["other", "app"], Some("other")),
            (None, &["one", "two"], None),
            (None, &[], None),
        ] {
            assert_eq!(
                binary_of(&package(default_run, binaries)).as_deref(),
                chosen
            );
        }
    }
}
