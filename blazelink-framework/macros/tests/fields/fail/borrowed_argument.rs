struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn greeting(&self, word: &str) -> String {
        word.to_owned()
    }
}

fn main() {}
