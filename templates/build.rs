//! A file that is added to a project template is embedded at the next build.

fn main() {
    println!("cargo::rerun-if-changed=project");
}
