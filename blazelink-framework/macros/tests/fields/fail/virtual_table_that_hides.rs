struct Stats;

#[blazelink_macros::fields(virtual_table, hide(email))]
impl Stats {
    fn kills(&self) -> i32 {
        1
    }
}

fn main() {}
