#[derive(blazelink_macros::Struct)]
struct Streak {
    best: i32,
    #[blazelink(name = "best")]
    other: i32,
}

fn main() {}
