//! A file that is added to a folder of templates is embedded at the next build.

fn main() {
    for folder in ["generate", "pages", "project"] {
        println!("cargo::rerun-if-changed={folder}");
    }
}
