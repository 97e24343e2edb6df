//! What of this machine a new app will need: told when it is made, so that nobody finds out later.

use std::path::Path;

use blazelink_postgres::Search;
use tokio::process::Command;

/// What is there, and what to do where something is missing; each as the rest of a line.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) rust: String,
    pub(crate) postgres: String,
}

impl Machine {
    /// Looks at the machine for a project in `folder`.
    pub(crate) async fn look(folder: &Path) -> Machine {
        let folder = folder.to_owned();
        let search =
            tokio::task::spawn_blocking(move || Search::of_this_machine().version(&folder));
        let (rust, postgres) = tokio::join!(rust(), search);
        let postgres = match postgres {
            Ok(Ok(Some(version))) => format!("{version}; the app gets a server of its own"),
            Ok(Err(error)) => error.sentence().to_owned(),
            Ok(Ok(None)) | Err(_) => "is not here; `blazelink dev` says how to get it".to_owned(),
        };
        Machine { rust, postgres }
    }
}

async fn rust() -> String {
    let output = Command::new("rustc").arg("--version").output().await;
    let said = output
        .ok()
        .filter(|output| output.status.success())
        .and_then(|output| String::from_utf8(output.stdout).ok())
        .unwrap_or_default();
    sentence(&said)
}

/// What there is to say of `rustc 1.95.0 (59807616e 2026-04-14)`.
fn sentence(said: &str) -> String {
    let needed = env!("CARGO_PKG_RUST_VERSION");
    let Some(version) = said.split(' ').nth(1) else {
        return "is not here: https://rustup.rs".to_owned();
    };
    match (minor(version), minor(needed)) {
        (Some(there), Some(needed_here)) if there < needed_here => {
            format!("{version}; the app needs {needed}: rustup update")
        }
        _ => version.to_owned(),
    }
}

/// `1.95.0` is (1, 95).
fn minor(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.').map(|number| number.parse().ok());
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rust_that_is_too_old_is_told_from_one_that_will_do() {
        for (said, told) in [
            ("rustc 1.95.0 (59807616e 2026-04-14)\n", "1.95.0"),
            ("rustc 1.96.0-nightly (0 2026-05-01)\n", "1.96.0-nightly"),
            ("rustc 2.0.0 (0 2030-01-01)\n", "2.0.0"),
            ("", "is not here: https://rustup.rs"),
        ] {
            assert_eq!(sentence(said), told);
        }
        let old = sentence("rustc 1.9.0 (0 2016-05-18)\n");
        assert!(old.ends_with(": rustup update"), "{old}");
    }
}
