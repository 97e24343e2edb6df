#[derive(blazelink_macros::VirtualTable)]
struct Stats(i32);

fn main() {}
