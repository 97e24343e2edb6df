//! From Postgres' text to JSON: one function for answers and for pushed changes.
//!
//! The JSON of a value is decided by the column's [`Kind`] and the text that the type's output
//! function prints, and by nothing else; so an answer and a pushed change of the same row are
//! equal by construction. Both connections print alike because they are opened with the same
//! settings (see `replication`).

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
    /// An array of any depth, each element by the inner kind; text that carries explicit bounds
    /// stays a string.
    Array(Box<Kind>),
    /// Everything else: a string.
    Text,
}

impl Kind {
    /// Whether values of the column compare as integers.
    pub fn is_integer(&self) -> bool {
        matches!(self, Kind::Int | Kind::BigInt)
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
