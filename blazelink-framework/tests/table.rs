//! `#[derive(blazelink::Table)]` as a user meets it: what compiles, and what is said about what
//! does not.

#[test]
fn derive_takes_entities_and_explains_what_it_cannot_take() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/table/pass/*.rs");
    cases.compile_fail("tests/table/fail/*.rs");
}
