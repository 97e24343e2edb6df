//! A program for a test to run.

use std::path::Path;
use std::process::Command;

/// Writes a script that can be run. A shell writes it: while this process had it open, another
/// test could start a program, which would hold it open too and keep it from being run.
pub(crate) fn program(path: &Path, script: &str) {
    let written = Command::new("/bin/sh")
        .args(["-c", "printf %s \"$1\" >\"$0\" && chmod 755 \"$0\""])
        .arg(path)
        .arg(script)
        .status();
    assert!(
        written.is_ok_and(|status| status.success()),
        "`{}` cannot be written",
        path.display()
    );
}
