struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn kind(&self) -> i32 {
        1
    }

    #[computed(name = "kind")]
    fn other(&self) -> i32 {
        2
    }
}

fn main() {}
