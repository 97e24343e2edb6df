//! `blazelink version`: which version this is. Asks nobody.

use blazelink_codes::Result;
use clap::Args;
use serde_json::json;

use crate::terminal::Terminal;

/// Say which version this is
#[derive(Args, Debug)]
pub(crate) struct Arguments {}

#[allow(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "as every verb's"
)]
pub(crate) fn run(_: Arguments, terminal: Terminal) -> Result<()> {
    let (version, rust) = (env!("CARGO_PKG_VERSION"), env!("CARGO_PKG_RUST_VERSION"));
    let (system, machine) = (std::env::consts::OS, std::env::consts::ARCH);
    terminal.outcome(
        "version",
        json!({"version": version, "rust": rust, "os": system, "arch": machine}),
        format!("blazelink {version} for {system} {machine}; apps need Rust {rust} or newer"),
    );
    Ok(())
}
