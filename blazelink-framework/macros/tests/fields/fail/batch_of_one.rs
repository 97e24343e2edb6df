struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    #[batch]
    fn total(&self) -> i64 {
        0
    }
}

fn main() {}
