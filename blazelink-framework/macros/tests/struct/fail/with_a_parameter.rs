#[derive(blazelink_macros::Struct)]
struct Streak<T> {
    best: T,
}

fn main() {}
