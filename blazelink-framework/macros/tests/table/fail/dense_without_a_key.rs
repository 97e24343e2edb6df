//! A table without a key, as the second struct that SeaORM makes of a dense entity.

#[derive(blazelink_macros::Table)]
#[sea_orm(model_ex, table_name = "log_line")]
pub struct ModelEx {
    pub text: String,
}

fn main() {}
