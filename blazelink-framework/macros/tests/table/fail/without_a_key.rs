//! A table without a key.

#[derive(blazelink_macros::Table)]
#[sea_orm(table_name = "log_line")]
pub struct Model {
    pub at: i64,
    #[sea_orm(column_name = "line", indexed)]
    pub text: String,
}

fn main() {}
