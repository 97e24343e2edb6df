//! What the driver does with saved files: watches where they may be, gathers those of one save, and says
//! which they are.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blazelink_codes::Result;
use serde_json::json;

use super::Driver;
use crate::dev::change::Changes;
use crate::dev::machine::Event;
use crate::dev::watch::{MORE_NOTICES, Watch};
use crate::settings::Settings;

/// How long nothing more has to be saved before something is done about what was: editors write
/// several files, and some of them twice.
const QUIET: Duration = Duration::from_millis(40);

/// How long saves may go on until something is done about the first.
const LONGEST: Duration = Duration::from_millis(500);

/// Files that are named when they were saved together.
const NAMED: usize = 3;

/// The next files that were saved; never any if nothing is watched. Cancel-safe.
pub(super) async fn next(watch: Option<&mut Watch>) -> Vec<PathBuf> {
    match watch {
        Some(watch) => watch.next().await,
        None => std::future::pending().await,
    }
}

impl Driver<'_> {
    /// Watches what else the project is built from.
    pub(super) fn watch_too(&self, watch: &mut Option<Watch>, found: Vec<PathBuf>) -> Result<()> {
        let Some(present) = watch else { return Ok(()) };
        if present.extend(&found).is_err() {
            let mut all = vec![self.world.project.folder.clone()];
            all.extend(found);
            *present = Watch::over(&all, self.world.way)?;
        }
        if present.exhausted() {
            self.screen.note(format!(
                "The system has no room to tell of saved files, so they are looked at twice a \
                 second; for more room: {MORE_NOTICES}"
            ));
        }
        Ok(())
    }

    /// What was saved together with these files.
    pub(super) async fn gather(&self, files: Vec<PathBuf>, watch: Option<&mut Watch>) -> Changes {
        let folder = &self.world.project.folder;
        let mut changes = Changes::default();
        // cargo writes it down itself when it builds for the first time.
        let lock = self.machine.builds().then_some("Cargo.lock");
        let mut add = |files: Vec<PathBuf>| {
            let of_others = files
                .iter()
                .filter(|file| lock.is_none_or(|lock| !file.ends_with(lock)));
            for file in of_others {
                changes.add(folder, &self.inputs, file);
            }
        };
        add(files);
        if let Some(watch) = watch {
            let latest = tokio::time::Instant::now() + LONGEST;
            while let Ok(Ok(more)) =
                tokio::time::timeout_at(latest, tokio::time::timeout(QUIET, watch.next())).await
            {
                add(more);
            }
        }
        changes
    }

    pub(super) async fn saved(&mut self, changes: Changes) {
        if changes.is_empty() {
            return;
        }
        let mut names: Vec<String> = changes
            .files
            .iter()
            .take(NAMED)
            .map(|file| self.short(file))
            .collect();
        if changes.files.len() > NAMED {
            names.push(format!("{} more", changes.files.len() - NAMED));
        }
        self.screen.said("save", names.join(", "));
        let files: Vec<String> = changes.files.iter().map(|file| self.short(file)).collect();
        self.screen.event("save", json!({"files": files}));
        if changes.settings {
            self.compare_settings();
        }
        self.since = Instant::now();
        self.tell(Event::Changed(changes)).await;
    }

    /// Says so where something was set that the loop itself goes by.
    fn compare_settings(&mut self) {
        let folder = &self.world.project.folder;
        // What is not understood is the app's to tell of, which reads the same file.
        let Ok(read) = Settings::read(folder, None, |name| std::env::var_os(name)) else {
            return;
        };
        if self.file.as_ref().is_some_and(|before| *before != read) {
            self.screen.said(
                "settings",
                "database, address, slot and seed count from the next `blazelink dev` on",
            );
        }
        self.file = Some(read);
    }

    /// A path from the project's folder on.
    fn short(&self, file: &Path) -> String {
        let inside = file.strip_prefix(&self.world.project.folder);
        inside.unwrap_or(file).display().to_string()
    }
}
