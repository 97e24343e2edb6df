//! Whether an app has a durable slot or temporary ones.

use std::path::{Path, PathBuf};

use blazelink_codes::{Code, Error, ErrorKind, Result};

/// Where it is set for one process; goes before the file.
const VARIABLE: &str = "BLAZELINK_SLOT";

/// Where it is set for a project: `slot` in `[replication]`.
const FILE: &str = "Blazelink.toml";

/// Kind of the app's replication slot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlotMode {
    /// One slot with a name, made and dropped by the migrations. It outlives the app's restarts;
    /// one process at a time reads from it.
    #[default]
    Durable,
    /// Each process makes its own, which ends with its connection: for tests, for further nodes,
    /// and for databases of others.
    Temporary,
}

impl SlotMode {
    /// What `BLAZELINK_SLOT`, else the `Blazelink.toml` of this folder or of one above it, says;
    /// durable if neither does.
    ///
    /// # Errors
    ///
    /// If the value is not `durable` or `temporary`, or the file is not TOML.
    pub fn from_environment() -> Result<SlotMode> {
        if let Ok(value) = std::env::var(VARIABLE) {
            return SlotMode::parse(&value, VARIABLE);
        }
        match std::env::current_dir().ok().and_then(|dir| find(&dir)) {
            Some(file) => SlotMode::from_file(&file),
            None => Ok(SlotMode::default()),
        }
    }

    fn from_file(file: &Path) -> Result<SlotMode> {
        let invalid = |what: String| {
            Error::new(
                ErrorKind::Setup,
                Code::ConfigInvalid,
                format!("`{}` cannot be read: {what}", file.display()),
            )
        };
        let text = std::fs::read_to_string(file).map_err(|error| invalid(error.to_string()))?;
        let settings: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| invalid(error.message().to_owned()))?;
        let slot = settings
            .get("replication")
            .and_then(|section| section.get("slot"));
        match slot {
            None => Ok(SlotMode::default()),
            Some(toml::Value::String(value)) => SlotMode::parse(value, "[replication] slot"),
            Some(_) => Err(invalid("`[replication] slot` is not a text".to_owned())),
        }
    }

    /// The mode of this name. `setting` is where it was set, for the error.
    ///
    /// # Errors
    ///
    /// If it is neither `durable` nor `temporary`.
    pub fn parse(value: &str, setting: &str) -> Result<SlotMode> {
        match value {
            "durable" => Ok(SlotMode::Durable),
            "temporary" => Ok(SlotMode::Temporary),
            _ => Err(Error::new(
                ErrorKind::Setup,
                Code::ConfigInvalid,
                format!("`{setting}` is neither `durable` nor `temporary`"),
            )),
        }
    }
}

fn find(dir: &Path) -> Option<PathBuf> {
    let mut files = dir.ancestors().map(|dir| dir.join(FILE));
    files.find(|file| file.is_file())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn file_of_a_folder_above_says_the_mode() {
        let dir = tempfile::tempdir().unwrap();
        let inner = dir.path().join("migration/src");
        std::fs::create_dir_all(&inner).unwrap();
        let file = dir.path().join(FILE);
        std::fs::write(&file, "[replication]\nslot = \"temporary\"\n").unwrap();
        assert_eq!(find(&inner), Some(file.clone()));
        assert_eq!(SlotMode::from_file(&file).unwrap(), SlotMode::Temporary);

        std::fs::write(&file, "[server]\nport = 8000\n").unwrap();
        assert_eq!(SlotMode::from_file(&file).unwrap(), SlotMode::Durable);
    }

    #[test]
    fn unknown_mode_names_its_setting() {
        let error = SlotMode::parse("eternal", VARIABLE).unwrap_err();
        assert_eq!(
            error.sentence(),
            "`BLAZELINK_SLOT` is neither `durable` nor `temporary`"
        );
    }
}
