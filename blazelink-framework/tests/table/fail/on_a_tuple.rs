#[derive(blazelink::Table)]
pub struct Model(i32);

fn main() {}
