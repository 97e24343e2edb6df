#[derive(blazelink::Table)]
pub struct Model {
    #[blazelink(name = "key")]
    pub id: i32,
}

fn main() {}
