#[derive(blazelink::Table)]
#[blazelink(name = "game event")]
pub struct Model {
    pub id: i32,
}

fn main() {}
