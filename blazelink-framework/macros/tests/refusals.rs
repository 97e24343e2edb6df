//! What the macros say about what they cannot take.

#[test]
fn macros_explain_what_to_write_instead() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/embed/fail/*.rs");
    cases.compile_fail("tests/table/fail/*.rs");
    cases.compile_fail("tests/fields/fail/*.rs");
    cases.compile_fail("tests/struct/fail/*.rs");
    cases.compile_fail("tests/virtual_table/fail/*.rs");
}
