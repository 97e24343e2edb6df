#[derive(blazelink::Table)]
pub struct User {
    pub id: i32,
}

fn main() {}
