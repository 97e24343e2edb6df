#[derive(blazelink_macros::Struct)]
struct Streak {
    note: &'static str,
}

fn main() {}
