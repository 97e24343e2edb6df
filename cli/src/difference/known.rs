//! What is remembered of one project between comparisons, in its `.blazelink/entities.json`: which
//! columns entities described when they last agreed with the database, and which differences somebody
//! does not want to be asked about. Losing it loses no more than that.

use std::collections::BTreeSet;
use std::path::PathBuf;

use blazelink_codes::{Code, Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Difference, Known, sql_of};
use crate::project::Project;

/// The file's content.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Memory {
    pub(crate) known: Known,
    /// Hashes of the SQL of differences that are not asked about.
    ignored: BTreeSet<String>,
    #[serde(skip)]
    path: PathBuf,
}

/// Hashes that are kept. More are those of changes that nobody remembers.
const IGNORED: usize = 64;

impl Memory {
    /// What is remembered; nothing, where nothing can be read.
    ///
    /// # Errors
    /// [`Code::NotAProject`] if the project's folder for such things cannot be made.
    pub(crate) fn of(project: &Project) -> Result<Memory> {
        let path = project.state()?.join("entities.json");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let memory: Memory = serde_json::from_str(&text).unwrap_or_default();
        Ok(Memory { path, ..memory })
    }

    /// Whether these are not to be asked about.
    pub(crate) fn ignores(&self, differences: &[Difference]) -> bool {
        self.ignored.contains(&hash(differences))
    }

    /// Does not ask about these again.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if it cannot be written down.
    pub(crate) fn ignore(&mut self, differences: &[Difference]) -> Result<()> {
        if self.ignored.len() >= IGNORED {
            self.ignored.clear();
        }
        self.ignored.insert(hash(differences));
        self.write()
    }

    /// Entities and database agree, and describe these.
    ///
    /// # Errors
    /// [`Code::ProjectFile`] if it cannot be written down.
    pub(crate) fn agree(&mut self, known: Known) -> Result<()> {
        if self.known == known {
            return Ok(());
        }
        self.known = known;
        self.write()
    }

    fn write(&self) -> Result<()> {
        // Of names and hashes: it has a JSON form.
        let text = serde_json::to_string(self).unwrap_or_default();
        std::fs::write(&self.path, text).map_err(|error| {
            let sentence = format!("`{}` cannot be written", self.path.display());
            Error::new(ErrorKind::Setup, Code::ProjectFile, sentence).with_source(error)
        })
    }
}

fn hash(differences: &[Difference]) -> String {
    let sql = sql_of(differences).join("\n");
    let hash = Sha256::digest(sql.as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}
