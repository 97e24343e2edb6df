//! On an enum.

#[derive(blazelink_macros::Struct)]
enum Streak {
    Best,
}

fn main() {}
