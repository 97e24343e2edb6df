struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    #[computed(name = "best-kind")]
    fn kind(&self) -> i32 {
        1
    }
}

fn main() {}
