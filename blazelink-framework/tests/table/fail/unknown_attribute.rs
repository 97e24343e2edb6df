#[derive(blazelink::Table)]
#[blazelink(rename = "Player")]
pub struct Model {
    pub id: i32,
}

fn main() {}
