//! Writes the Cargo.lock of new projects anew, after the repository's own has changed.

use blazelink_tests::new_project;

fn main() -> std::io::Result<()> {
    std::fs::write(new_project::LOCK, new_project::lock())
}
