#[derive(blazelink_macros::VirtualTable)]
struct Stats {
    #[blazelink(hide)]
    user: i32,
}

fn main() {}
