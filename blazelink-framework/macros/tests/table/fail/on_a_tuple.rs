//! A tuple has no columns with names.

#[derive(blazelink_macros::Table)]
pub struct Model(i32);

fn main() {}
