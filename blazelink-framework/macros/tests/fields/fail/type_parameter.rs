struct Model;

#[blazelink_macros::fields]
impl ModelFields for Model {
    fn first<T: Default>(&self) -> T {
        T::default()
    }
}

fn main() {}
