struct Model;

#[blazelink_macros::fields]
impl Model {
    fn name(&self) -> String {
        String::new()
    }
}

fn main() {}
