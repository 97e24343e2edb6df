#[derive(blazelink_macros::Table)]
pub enum Model {
    One,
}

fn main() {}
