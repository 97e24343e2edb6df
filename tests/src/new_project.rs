//! A project as `blazelink new` makes it, on this checkout, and the Cargo.lock of such projects: the
//! packages of this repository's own, as far as a project needs them. So what is built there is what
//! was tested here.

use std::path::Path;
use std::process::Command;

use blazelink_templates::project::{self, File, Template, Values};

/// Where the lock of new projects is kept.
pub const LOCK: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../templates/project/Cargo.lock"
);

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// What the project is called in the lock that is kept.
const NAME: &str = "project-name";

/// The files of a project that depends on this checkout.
pub fn files(template: Template, name: &str) -> Vec<File> {
    let root = Path::new(ROOT).canonicalize();
    let root = root.expect("the repository is there");
    let path = |folder: &str| format!("path = {:?}", root.join(folder));
    let values = Values::new(name, path("blazelink-framework"), path("migrations"));
    project::files(template, &values).expect("the template renders")
}

/// Writes a project that depends on this checkout.
pub fn write(template: Template, name: &str, folder: &Path) {
    for file in files(template, name) {
        let path = folder.join(file.path);
        let parent = path.parent().expect("it is in the folder");
        std::fs::create_dir_all(parent).expect("the folder is ours");
        std::fs::write(path, file.text).expect("the folder is ours");
    }
}

/// What the lock should be, as cargo makes it of the repository's. Uses no network.
pub fn lock() -> String {
    let folder = tempfile::tempdir().expect("there is room for a project");
    write(Template::Game, NAME, folder.path());
    let lock = folder.path().join("Cargo.lock");
    std::fs::copy(Path::new(ROOT).join("Cargo.lock"), &lock).expect("the repository has one");
    let told = Command::new("cargo")
        .args(["update", "--workspace", "--offline"])
        .current_dir(folder.path())
        .output()
        .expect("cargo runs");
    assert!(
        told.status.success(),
        "{}",
        String::from_utf8_lossy(&told.stderr)
    );
    std::fs::read_to_string(lock).expect("cargo has written it")
}
