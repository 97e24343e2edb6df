struct Model;

#[blazelink_macros::fields(hidden(email))]
impl ModelFields for Model {}

fn main() {}
