struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn numbers(&self, page: i32) -> i32 {
        page
    }
}

fn main() {}
