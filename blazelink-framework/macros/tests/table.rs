//! What `#[derive(Table)]` says about what it cannot take.

#[test]
fn derive_explains_what_to_write_instead() {
    trybuild::TestCases::new().compile_fail("tests/table/fail/*.rs");
}
