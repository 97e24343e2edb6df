#[derive(blazelink::Table)]
pub enum Model {
    One,
}

fn main() {}
