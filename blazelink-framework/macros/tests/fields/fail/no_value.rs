struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn name(&self) {}
}

fn main() {}
