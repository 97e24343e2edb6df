//! From Postgres' text to JSON: one function for answers and for pushed changes.
//!
//! The JSON of a value is decided by the column's [`Kind`] and the text that the type's output
//! function prints, and by nothing else; so an answer and a pushed change of the same row are
//! equal by construction. Both connections print alike because they are opened with the same
//! settings (see `replication`). Any text gives valid JSON: what a kind does not expect becomes a
//! string.

use serde::de::IgnoredAny;

use crate::change::{Cell, Row};
use crate::exposure::ExposedTable;
use crate::object_id::Atom;

/// How the text of a column becomes JSON.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// `int2`, `int4`: a number.
    Int,
    /// `int8`: a number within plus and minus 2^53 - 1, else a string.
    BigInt,
    /// `float4`, `float8`: a number; `"NaN"`, `"Infinity"` and `"-Infinity"` as strings.
    Float,
    /// `bool`: true or false.
    Bool,
    /// `char(n)`: a string without its trailing blanks.
    Char,
    /// `json`, `jsonb`: the JSON itself, numbers as written.
    Json,
    /// An array of any depth, each element by the innermost kind: Postgres has one type for arrays
    /// of all depths, and says how deep a value is with the value. An element that is an array
    /// itself (of a domain over one) by the inner kind. Text that carries explicit bounds stays a
    /// string.
    Array(Box<Kind>),
    /// Everything else: a string.
    Text,
}

impl Kind {
    /// Whether values of the column compare as integers.
    pub fn is_integer(&self) -> bool {
        matches!(self, Kind::Int | Kind::BigInt)
    }

    /// The kind of an array's elements, of an array of arrays those of the latter, and so on.
    pub fn innermost(&self) -> &Kind {
        let mut kind = self;
        while let Kind::Array(element) = kind {
            kind = element;
        }
        kind
    }

    /// The value that Postgres printed as `text`, for look-ups. The blanks that pad `char(n)` are
    /// no part of it.
    pub fn atom(&self, text: &str) -> Atom {
        match self {
            Kind::Char => Atom::Text(text.trim_end_matches(' ').into()),
            _ => Atom::from_text(text, self.is_integer()),
        }
    }

    /// Whether [`Kind::atom`] makes this atom of the text, without making it.
    pub(crate) fn makes(&self, text: &str, atom: &Atom) -> bool {
        match (self, atom) {
            (Kind::Char, Atom::Text(value)) => text.trim_end_matches(' ') == &**value,
            (Kind::Char, Atom::Int(_)) => false,
            (_, Atom::Text(value)) => {
                text == &**value && !(self.is_integer() && text.parse::<i64>().is_ok())
            }
            (_, Atom::Int(number)) => self.is_integer() && text.parse() == Ok(*number),
        }
    }
}

/// Largest integer that every JSON reader holds exactly: 2^53 - 1.
const SAFE: u64 = (1 << 53) - 1;

/// Appends an integer: as a number if every reader holds it exactly, else as a string.
pub fn write_integer(number: i64, out: &mut Vec<u8>) {
    use std::io::Write;
    let written = if number.unsigned_abs() <= SAFE {
        write!(out, "{number}")
    } else {
        write!(out, "\"{number}\"")
    };
    debug_assert!(written.is_ok(), "writing to a Vec cannot fail");
}

/// Appends a JSON string (RFC 8259, section 7).
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    let written = serde_json::to_writer(&mut *out, text);
    debug_assert!(written.is_ok(), "writing a str to a Vec cannot fail");
}

/// Appends the value that Postgres printed as `text`.
///
/// Total: whatever the text, what is appended is one valid JSON value. Text that the kind does not
/// expect is appended as a string.
pub fn write_value(kind: &Kind, text: &str, out: &mut Vec<u8>) {
    match kind {
        Kind::Int if is_integer(text) => out.extend_from_slice(text.as_bytes()),
        Kind::BigInt => match text.parse() {
            Ok(number) => write_integer(number, out),
            Err(_) => write_string(text, out),
        },
        Kind::Float if is_number(text) => out.extend_from_slice(text.as_bytes()),
        Kind::Bool if matches!(text, "t" | "true") => out.extend_from_slice(b"true"),
        Kind::Bool if matches!(text, "f" | "false") => out.extend_from_slice(b"false"),
        Kind::Char => write_string(text.trim_end_matches(' '), out),
        Kind::Json if serde_json::from_str::<IgnoredAny>(text).is_ok() => {
            out.extend_from_slice(text.trim_ascii().as_bytes());
        }
        Kind::Array(element) => {
            let start = out.len();
            if write_array(element, text, out).is_none() {
                out.truncate(start);
                write_string(text, out);
            }
        }
        Kind::Int | Kind::Float | Kind::Bool | Kind::Json | Kind::Text => write_string(text, out),
    }
}

/// Appends a row image as the JSON object of a change: every exposed column in order, without
/// those whose value is not known ([`Cell::Unchanged`]).
pub fn write_row(table: &ExposedTable, row: &Row, out: &mut Vec<u8>) {
    write_row_without(table, row, &[], out);
}

/// The same without the columns at these positions.
pub fn write_row_without(table: &ExposedTable, row: &Row, hidden: &[usize], out: &mut Vec<u8>) {
    out.push(b'{');
    let mut first = true;
    for (at, column) in table.columns.iter().enumerate() {
        let cell = row.cell(at);
        if cell == Cell::Unchanged || hidden.contains(&at) {
            continue;
        }
        if !std::mem::take(&mut first) {
            out.push(b',');
        }
        write_string(column.field(), out);
        out.push(b':');
        match cell {
            Cell::Text(text) => write_value(&column.kind, text, out),
            Cell::Null | Cell::Unchanged => out.extend_from_slice(b"null"),
        }
    }
    out.push(b'}');
}

/// Whether the text is an integer as JSON writes it (RFC 8259, section 6, without fraction and
/// exponent).
fn is_integer(text: &str) -> bool {
    after_integer(text.as_bytes()).is_some_and(<[u8]>::is_empty)
}

/// Whether the text is a number as JSON writes it (RFC 8259, section 6).
fn is_number(text: &str) -> bool {
    let Some(mut rest) = after_integer(text.as_bytes()) else {
        return false;
    };
    if let [b'.', fraction @ ..] = rest {
        let Some(after) = after_digits(fraction) else {
            return false;
        };
        rest = after;
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let digits = match exponent {
            [b'+' | b'-', digits @ ..] => digits,
            digits => digits,
        };
        let Some(after) = after_digits(digits) else {
            return false;
        };
        rest = after;
    }
    rest.is_empty()
}

/// What follows a JSON integer, or nothing if the bytes do not begin with one.
fn after_integer(bytes: &[u8]) -> Option<&[u8]> {
    let unsigned = match bytes {
        [b'-', rest @ ..] => rest,
        rest => rest,
    };
    match unsigned {
        [b'0', rest @ ..] => Some(rest),
        _ => after_digits(unsigned),
    }
}

/// What follows one or more digits.
fn after_digits(bytes: &[u8]) -> Option<&[u8]> {
    let digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    (digits > 0).then(|| &bytes[digits..])
}

/// Where a reader of an array's text stands.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    /// After an opening brace.
    ElementOrEnd,
    /// After a comma.
    Element,
    /// After an element.
    CommaOrEnd,
}

/// Appends the array that `array_out` printed (manual, section 8.15.6), or nothing if the text is
/// not one; `out` then holds a part of it. No recursion: the text may nest as deep as it likes.
fn write_array(element: &Kind, text: &str, out: &mut Vec<u8>) -> Option<()> {
    let mut depth = 0_usize;
    let mut expect = Expect::Element;
    let mut rest = text;
    let mut unescaped = String::new();
    loop {
        let next = rest.bytes().next()?;
        match (next, expect) {
            (b'{', Expect::Element | Expect::ElementOrEnd) => {
                out.push(b'[');
                depth += 1;
                expect = Expect::ElementOrEnd;
                rest = &rest[1..];
            }
            (b'}', Expect::CommaOrEnd | Expect::ElementOrEnd) => {
                out.push(b']');
                depth -= 1;
                expect = Expect::CommaOrEnd;
                rest = &rest[1..];
                if depth == 0 {
                    return rest.is_empty().then_some(());
                }
            }
            (b',', Expect::CommaOrEnd) => {
                out.push(b',');
                expect = Expect::Element;
                rest = &rest[1..];
            }
            (_, Expect::CommaOrEnd) | (b'}' | b',', _) => return None,
            // Nothing stands outside the outermost braces.
            (_, Expect::Element | Expect::ElementOrEnd) if depth == 0 => return None,
            (b'"', _) => {
                rest = unquote(&rest[1..], &mut unescaped)?;
                write_value(at_depth(element, depth), &unescaped, out);
                expect = Expect::CommaOrEnd;
            }
            _ => {
                let end = rest.find([',', '{', '}', '"'])?;
                let (bare, after) = rest.split_at(end);
                if bare == "NULL" {
                    out.extend_from_slice(b"null");
                } else {
                    // An array's text is never bare.
                    write_value(element.innermost(), bare, out);
                }
                rest = after;
                expect = Expect::CommaOrEnd;
            }
        }
    }
}

/// The kind of an element within so many braces, where the kind of one within one is `element`.
fn at_depth(element: &Kind, depth: usize) -> &Kind {
    let mut kind = element;
    for _ in 1..depth {
        match kind {
            Kind::Array(inner) => kind = inner,
            innermost => return innermost,
        }
    }
    kind
}

/// Reads a quoted element, whose opening quote is gone, into `unescaped`; gives what follows its
/// closing quote.
fn unquote<'a>(text: &'a str, unescaped: &mut String) -> Option<&'a str> {
    unescaped.clear();
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\'])?;
        unescaped.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if rest.as_bytes()[at] == b'"' {
            return Some(after);
        }
        let escaped = after.chars().next()?;
        unescaped.push(escaped);
        rest = &after[escaped.len_utf8()..];
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::exposure::ExposedColumn;
    use crate::object_id::TableId;

    fn json(kind: &Kind, text: &str) -> String {
        let mut out = Vec::new();
        write_value(kind, text, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn array(element: Kind) -> Kind {
        Kind::Array(Box::new(element))
    }

    #[test]
    fn a_text_makes_exactly_the_atom_that_is_made_of_it() {
        let kinds = [Kind::Int, Kind::BigInt, Kind::Char, Kind::Text, Kind::Bool];
        let texts = [
            "1",
            "01",
            "-1",
            "t",
            "a",
            "a ",
            "",
            " ",
            "9223372036854775808",
        ];
        for kind in &kinds {
            for text in texts {
                for of in &kinds {
                    for atom in texts.map(|text| of.atom(text)) {
                        let made = kind.atom(text) == atom;
                        assert_eq!(kind.makes(text, &atom), made, "{kind:?} {text} {atom:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn values_become_the_json_of_their_kind() {
        let rows = [
            (Kind::Int, "-7", "-7"),
            (Kind::Int, "007", "\"007\""),
            (Kind::BigInt, "9007199254740991", "9007199254740991"),
            (Kind::BigInt, "9007199254740992", "\"9007199254740992\""),
            (Kind::Float, "1e+20", "1e+20"),
            (Kind::Float, "-0", "-0"),
            (Kind::Float, "1.5e-07", "1.5e-07"),
            (Kind::Float, "NaN", "\"NaN\""),
            (Kind::Float, "-Infinity", "\"-Infinity\""),
            (Kind::Float, "1.", "\"1.\""),
            (Kind::Bool, "t", "true"),
            (Kind::Bool, "false", "false"),
            (Kind::Bool, "maybe", "\"maybe\""),
            (Kind::Char, "ab  ", "\"ab\""),
            (Kind::Json, r#"{"a": 1.10}"#, r#"{"a": 1.10}"#),
            (Kind::Json, "{", "\"{\""),
            (Kind::Text, "a\"\u{1}", r#""a\"\u0001""#),
        ];
        for (kind, text, expected) in rows {
            assert_eq!(json(&kind, text), expected, "{kind:?} of {text}");
        }
    }

    #[test]
    fn arrays_become_lists_and_text_with_bounds_stays_a_string() {
        let rows = [
            (Kind::Int, "{1,NULL,3}", "[1,null,3]"),
            (Kind::Int, "{}", "[]"),
            (Kind::Int, "{{1,2},{3,4}}", "[[1,2],[3,4]]"),
            (
                Kind::Text,
                r#"{a,"b c","NULL","q\"\\"}"#,
                r#"["a","b c","NULL","q\"\\"]"#,
            ),
            (Kind::Bool, "{t,f}", "[true,false]"),
            (Kind::Json, r#"{"{\"a\":1}"}"#, r#"[{"a":1}]"#),
            (Kind::Int, "[0:1]={1,2}", r#""[0:1]={1,2}""#),
            (Kind::Int, "{1,}", r#""{1,}""#),
            (Kind::Int, "{1", r#""{1""#),
            (Kind::Int, "{1}}", r#""{1}}""#),
            (Kind::Int, "1", r#""1""#),
        ];
        for (element, text, expected) in rows {
            assert_eq!(json(&array(element), text), expected, "{text}");
        }
    }

    #[test]
    fn arrays_of_arrays_are_as_deep_as_their_text() {
        let rows = [
            (Kind::Int, "{{1,2},{3,NULL}}", "[[1,2],[3,null]]"),
            (Kind::Int, "{1,2}", "[1,2]"),
            (Kind::Int, "{}", "[]"),
            (Kind::Json, r#"{{"{\"a\":1}"}}"#, r#"[[{"a":1}]]"#),
            (Kind::Text, r#"{{"{a}",b}}"#, r#"[["{a}","b"]]"#),
            (Kind::Int, r#"{"{1,2}",NULL}"#, "[[1,2],null]"),
        ];
        for (element, text, expected) in rows {
            assert_eq!(json(&array(array(element)), text), expected, "{text}");
        }
    }

    #[test]
    fn deeply_nested_array_text_needs_no_stack() {
        let text = "{".repeat(1_000_000);
        assert_eq!(json(&array(Kind::Int), &text).len(), text.len() + 2);
    }

    #[test]
    fn rows_leave_out_what_is_not_known() {
        let column = |name: &str, kind| ExposedColumn {
            renamed: None,
            name: name.into(),
            kind,
        };
        let table = ExposedTable {
            id: TableId(0),
            schema: "public".into(),
            table: "user".into(),
            entity: "User".into(),
            columns: vec![
                column("bio", Kind::Text),
                column("id", Kind::Int),
                column("team_id", Kind::Int),
            ],
            key: vec![1],
        };
        let spans = Box::new([
            crate::change::Span::Unchanged,
            crate::change::Span::Text { start: 0, end: 1 },
            crate::change::Span::Null,
        ]);
        let row = Row::new(bytes::Bytes::from_static(b"7"), spans).unwrap();
        let mut out = Vec::new();
        write_row(&table, &row, &mut out);
        assert_eq!(out, br#"{"id":7,"team_id":null}"#);
    }

    fn kinds() -> impl Strategy<Value = Kind> {
        let leaf = prop_oneof![
            Just(Kind::Int),
            Just(Kind::BigInt),
            Just(Kind::Float),
            Just(Kind::Bool),
            Just(Kind::Char),
            Just(Kind::Json),
            Just(Kind::Text),
        ];
        leaf.prop_recursive(2, 4, 1, |inner| {
            inner.prop_map(|kind| Kind::Array(Box::new(kind)))
        })
    }

    fn array_text(elements: &[Option<String>]) -> String {
        let elements: Vec<_> = elements
            .iter()
            .map(|element| match element {
                None => "NULL".to_owned(),
                Some(text) => {
                    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                }
            })
            .collect();
        format!("{{{}}}", elements.join(","))
    }

    proptest! {
        #[test]
        fn any_text_of_any_kind_gives_valid_json(
            kind in kinds(),
            text in prop_oneof![".*", "[{},\"\\\\a1NUL.eE+-]{0,24}"],
        ) {
            let written = json(&kind, &text);
            prop_assert!(serde_json::from_str::<IgnoredAny>(&written).is_ok(), "{}", written);
        }

        #[test]
        fn text_arrays_read_back_as_their_elements(
            elements in proptest::collection::vec(proptest::option::of(".*"), 0..6),
        ) {
            let written = json(&array(Kind::Text), &array_text(&elements));
            let read: Vec<Option<String>> = serde_json::from_str(&written).unwrap();
            prop_assert_eq!(read, elements);
        }

        #[test]
        fn finite_floats_stay_numbers(number in proptest::num::f64::NORMAL) {
            let written = json(&Kind::Float, &number.to_string());
            prop_assert_eq!(written.parse::<f64>().unwrap(), number);
        }
    }
}
