//! Folders that cannot be embedded.

fn main() {
    let _ = blazelink_macros::embed!("no_such_folder");
    let _ = blazelink_macros::embed!("../elsewhere");
    let _ = blazelink_macros::embed!("/etc");
    let _ = blazelink_macros::embed!("");
    let _ = blazelink_macros::embed!();
}
