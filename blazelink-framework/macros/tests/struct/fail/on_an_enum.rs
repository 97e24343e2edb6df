#[derive(blazelink_macros::Struct)]
enum Streak {
    Best,
}

fn main() {}
