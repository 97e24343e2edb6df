//! Where a new project finds the framework: in a checkout of Blazelink, or in the registry.

use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// What a project depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Framework {
    /// The packages of this checkout. Absolute.
    Checkout(PathBuf),
    /// The packages of the tool's own version.
    Released,
}

/// The framework's folder in a checkout.
const FRAMEWORK: &str = "blazelink-framework";

/// The folder in a checkout of what migrations use.
const MIGRATIONS: &str = "migrations";

impl Framework {
    /// What was asked for; else the checkout that the tool was built from, if it is still there.
    ///
    /// # Errors
    /// [`Code::Usage`] if what was asked for is no checkout.
    pub(crate) fn find(asked: Option<&Path>) -> Result<Framework> {
        let built_from = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        match asked {
            Some(folder) => match checkout(folder) {
                Some(folder) => Ok(Framework::Checkout(folder)),
                None => Err(no_checkout(folder)),
            },
            None => Ok(
                checkout(Path::new(built_from)).map_or(Framework::Released, Framework::Checkout)
            ),
        }
    }

    /// The framework, as a dependency in a Cargo.toml.
    pub(crate) fn blazelink(&self) -> String {
        self.dependency(FRAMEWORK)
    }

    /// What migrations use, likewise.
    pub(crate) fn migrations(&self) -> String {
        self.dependency(MIGRATIONS)
    }

    fn dependency(&self, folder: &str) -> String {
        let (key, value) = match self {
            Framework::Checkout(root) => ("path", root.join(folder).display().to_string()),
            Framework::Released => ("version", env!("CARGO_PKG_VERSION").to_owned()),
        };
        format!("{key} = {}", toml::Value::String(value))
    }
}

fn checkout(folder: &Path) -> Option<PathBuf> {
    let folder = folder.canonicalize().ok()?;
    let all = [FRAMEWORK, MIGRATIONS]
        .iter()
        .all(|package| folder.join(package).join("Cargo.toml").is_file());
    // A manifest is UTF-8, and so must be the paths in it.
    (all && folder.to_str().is_some()).then_some(folder)
}

fn no_checkout(folder: &Path) -> Error {
    Error::new(
        ErrorKind::Setup,
        Code::Usage,
        format!("`{}` is no checkout of Blazelink", folder.display()),
    )
    .with_hint("give --framework the folder that has `blazelink-framework` and `migrations` in it")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_is_named_by_its_paths_and_a_release_by_its_version() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let found = Framework::find(None).unwrap();
        assert_eq!(found, Framework::Checkout(root.canonicalize().unwrap()));
        assert_eq!(found, Framework::find(Some(root)).unwrap());
        assert!(found.migrations().ends_with("/migrations\""));
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(
            Framework::Released.blazelink(),
            format!("version = \"{version}\"")
        );
    }

    #[test]
    fn quotes_in_a_path_are_still_one_toml_string() {
        let odd = Framework::Checkout(PathBuf::from("/a \"b\"\\c"));
        let table: toml::Table = odd.blazelink().parse().unwrap();
        assert_eq!(
            table["path"].as_str().unwrap(),
            "/a \"b\"\\c/blazelink-framework"
        );
    }

    #[test]
    fn a_folder_that_is_no_checkout_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Framework::find(Some(folder.path())).unwrap_err();
        assert_eq!(error.code(), Code::Usage);
    }
}
