//! The blazelink command line tool.
fn main() {}
