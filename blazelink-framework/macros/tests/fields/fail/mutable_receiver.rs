struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn name(&mut self) -> String {
        String::new()
    }
}

fn main() {}
