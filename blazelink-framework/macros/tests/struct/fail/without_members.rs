#[derive(blazelink_macros::Struct)]
struct Streak {}

fn main() {}
