//! `Template`: what documents have in common that write different keys into the same text, as the
//! original's clients do. Pure; `document` keeps one parsed document for each template.
//!
//! A template is the text with the keys of `obj_id`s left out, and so that nothing can differ that
//! validation, the plan or an error's place depends on: it holds of each key whether it is a number
//! or a string, its width, and to which earlier ones it is equal. Whatever is not read here with
//! certainty stays in the text as it is; then each key has a document of its own.

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Selection, SelectionSet,
};
use async_graphql::{Name, Positioned};
use async_graphql_value::{ConstValue, Value};

/// Stand for a character of a key in a template. No document may hold them.
const DIGIT: char = '\u{1}';
const LETTER: char = '\u{2}';
/// Stands before the equalities of the keys.
const EQUALITIES: char = '\u{3}';

/// A text without its keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template {
    /// The text with placeholders.
    pub(super) text: String,
    /// The keys, in the order in which they stand in the text. At least one.
    pub(super) keys: Vec<ConstValue>,
}

impl Template {
    /// The template of a text; nothing if it writes no key, or holds what a template may not.
    pub(super) fn of(document: &str) -> Option<Template> {
        if is_one(document) || asks_for_types(document) {
            return None;
        }
        let mut template = Template {
            text: String::with_capacity(document.len() + 8),
            keys: Vec::new(),
        };
        let mut scanner = Scanner {
            text: document,
            at: 0,
        };
        let mut place = Place::Elsewhere;
        while let Some(token) = scanner.next() {
            let written = &document[token.from..scanner.at];
            let key = match token.kind {
                Lexeme::Integer | Lexeme::String if place.takes_key() => key(written),
                _ => None,
            };
            match key {
                Some(key) => template.take(written, key),
                None => template.text.push_str(written),
            }
            place = place.after(token.kind, written);
        }
        if template.keys.is_empty() {
            return None;
        }
        template.push_equalities();
        Some(template)
    }

    fn take(&mut self, written: &str, key: ConstValue) {
        match &key {
            ConstValue::String(_) => {
                let letters = written.len() - 2;
                self.text.push('"');
                self.text.extend(std::iter::repeat_n(LETTER, letters));
                self.text.push('"');
            }
            _ => self.text.extend(std::iter::repeat_n(DIGIT, written.len())),
        }
        self.keys.push(key);
    }

    /// Two fields of one name merge if their arguments are equal.
    fn push_equalities(&mut self) {
        for (at, key) in self.keys.iter().enumerate().skip(1) {
            if let Some(first) = self.keys[..at].iter().position(|earlier| earlier == key) {
                self.text.push(EQUALITIES);
                self.text.push_str(&format!("{at}={first}"));
            }
        }
    }
}

/// Whether a text holds what templates hold; no client's document may be taken for one.
pub(super) fn is_one(text: &str) -> bool {
    memchr::memchr3(1, 2, 3, text.as_bytes()).is_some()
}

/// The variable that stands for the key of this number. No document can name it.
pub(super) fn variable(number: usize) -> Name {
    Name::new(number.to_string())
}

/// Puts variables in the place of a document's keys, which are these; whether it could. A document
/// in which it could not has to be parsed again.
pub(super) fn open(document: &mut ExecutableDocument, keys: &[ConstValue]) -> bool {
    let operations: Vec<_> = match &mut document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    };
    let operations = operations
        .into_iter()
        .map(|it| (it.pos, &mut it.node.selection_set));
    let fragments = document.fragments.values_mut();
    let fragments = fragments.map(|it| (it.pos, &mut it.node.selection_set));
    let mut sets: Vec<_> = operations.chain(fragments).collect();
    sets.sort_by_key(|(pos, _)| *pos);
    let mut opening = Opening { keys, opened: 0 };
    sets.into_iter().all(|(_, set)| opening.set(set)) && opening.opened == keys.len()
}

struct Opening<'a> {
    keys: &'a [ConstValue],
    opened: usize,
}

impl Opening<'_> {
    fn set(&mut self, set: &mut Positioned<SelectionSet>) -> bool {
        set.node.items.iter_mut().all(|item| match &mut item.node {
            Selection::Field(field) => {
                let mut arguments = field.node.arguments.iter_mut();
                arguments.all(|(name, value)| {
                    name.node != "identifier" || self.identifier(&mut value.node)
                }) && self.set(&mut field.node.selection_set)
            }
            Selection::InlineFragment(inline) => self.set(&mut inline.node.selection_set),
            Selection::FragmentSpread(_) => true,
        })
    }

    fn identifier(&mut self, value: &mut Value) -> bool {
        match value {
            Value::Object(fields) => fields.iter_mut().all(|(name, value)| match value {
                Value::List(values) if name == "obj_id" => {
                    values.iter_mut().all(|value| self.key(value))
                }
                value if name == "obj_id" => self.key(value),
                value => self.identifier(value),
            }),
            Value::List(values) => values.iter_mut().all(|value| self.identifier(value)),
            _ => true,
        }
    }

    /// A value that is the next key becomes its variable; one that was no key for the scanner stays.
    fn key(&mut self, value: &mut Value) -> bool {
        let same = match (self.keys.get(self.opened), &*value) {
            (Some(ConstValue::Number(key)), Value::Number(number)) => key == number,
            (Some(ConstValue::String(key)), Value::String(text)) => key == text,
            _ => false,
        };
        if same {
            *value = Value::Variable(variable(self.opened));
            self.opened += 1;
        }
        true
    }
}

/// Introspection is answered from the document itself, which then must hold no foreign variables.
fn asks_for_types(document: &str) -> bool {
    let mut rest = document;
    while let Some(at) = rest.find("__") {
        rest = &rest[at + 2..];
        if !rest.starts_with("typename") {
            return true;
        }
    }
    false
}

/// The key that stands there, if it is written in the only way in which it can be.
fn key(written: &str) -> Option<ConstValue> {
    if let Some(text) = written.strip_prefix('"') {
        let text = text.strip_suffix('"')?;
        return Some(ConstValue::String(text.to_owned()));
    }
    let number: i64 = written.parse().ok()?;
    (number.to_string() == written).then(|| ConstValue::Number(number.into()))
}

/// Where the scanner stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Elsewhere,
    /// After the name `obj_id`.
    Named,
    /// After its colon.
    Value,
    /// In the list behind the colon.
    List,
}

impl Place {
    fn takes_key(self) -> bool {
        matches!(self, Place::Value | Place::List)
    }

    fn after(self, kind: Lexeme, written: &str) -> Place {
        match (self, kind, written) {
            (_, Lexeme::Ignored, _) => self,
            (Place::List, Lexeme::Integer | Lexeme::String, _) => Place::List,
            (Place::Value, _, "[") => Place::List,
            (Place::Named, _, ":") => Place::Value,
            (_, Lexeme::Name, "obj_id") => Place::Named,
            _ => Place::Elsewhere,
        }
    }
}

/// What a piece of a document is, as far as it matters here.
#[derive(Clone, Copy, PartialEq)]
enum Lexeme {
    Name,
    /// A number without fraction or exponent, and with nothing at its end that could belong to it.
    Integer,
    /// A string on one line in ASCII, without escapes.
    String,
    /// Blanks, commas and comments.
    Ignored,
    /// Everything else: a character, a number or string of another form.
    Other,
}

struct Token {
    from: usize,
    kind: Lexeme,
}

/// Splits a document (GraphQL October 2021, section 2.1). What is no document may be split in any
/// way: it is not valid, and nothing is kept of it.
struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl Scanner<'_> {
    fn next(&mut self) -> Option<Token> {
        let from = self.at;
        let rest = &self.text[from..];
        let first = rest.chars().next()?;
        let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let (length, kind) = match first {
            ' ' | '\t' | '\n' | '\r' | ',' => (1, Lexeme::Ignored),
            '#' => {
                let end = rest.find(['\n', '\r']).unwrap_or(rest.len());
                (end, Lexeme::Ignored)
            }
            'A'..='Z' | 'a'..='z' | '_' => (run(rest, word), Lexeme::Name),
            '0'..='9' | '-' => {
                let length = run(rest, |byte| {
                    word(byte) || matches!(byte, b'.' | b'-' | b'+')
                });
                let digits = rest[..length].strip_prefix('-').unwrap_or(&rest[..length]);
                let integer = !digits.is_empty() && digits.bytes().all(|it| it.is_ascii_digit());
                (
                    length,
                    if integer {
                        Lexeme::Integer
                    } else {
                        Lexeme::Other
                    },
                )
            }
            '"' => string(rest),
            other => (other.len_utf8(), Lexeme::Other),
        };
        self.at += length;
        Some(Token { from, kind })
    }
}

/// Length of the bytes at the beginning that are such; all of them are ASCII.
fn run(text: &str, such: impl Fn(u8) -> bool) -> usize {
    let end = text.bytes().position(|byte| !such(byte));
    end.unwrap_or(text.len())
}

fn string(text: &str) -> (usize, Lexeme) {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut from = 0;
        while let Some(at) = block[from..].find("\"\"\"") {
            let end = from + at;
            if !block[..end].ends_with('\\') {
                return (end + 6, Lexeme::Other);
            }
            from = end + 3;
        }
        return (text.len(), Lexeme::Other);
    }
    let mut escaped = false;
    let mut plain = true;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => (escaped, plain) = (true, false),
            b'"' => {
                let kind = if plain { Lexeme::String } else { Lexeme::Other };
                return (at + 1, kind);
            }
            b'\n' | b'\r' => return (at, Lexeme::Other),
            b' '..=b'~' => {}
            _ => plain = false,
        }
    }
    (text.len(), Lexeme::Other)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::parser::parse_query;
    use proptest::prelude::*;

    use super::*;

    fn template(text: &str) -> String {
        Template::of(text).map_or_else(|| text.to_owned(), |template| template.text)
    }

    #[test]
    fn keys_of_one_form_have_one_template() {
        let of = |key: &str| template(&format!("{{user(identifier:{{obj_id: {key}}}){{id}}}}"));
        assert_eq!(of("1"), of("7"));
        assert_eq!(of("-12"), of("345"));
        assert_eq!(of("\"ab\""), of("\"cd\""));
        assert_eq!(of("[1, \"S1\"]"), of("[2, \"S2\"]"));
        for (one, other) in [("1", "12"), ("1", "\"1\""), ("\"\"", "\"a\""), ("[1]", "1")] {
            assert_ne!(of(one), of(other));
        }
    }

    #[test]
    fn what_is_no_key_stays() {
        for text in [
            "{users(page: 1){count}}",
            "{user(identifier:{obj_id: $id}){id}}",
            "{user(identifier:{obj_id: 007}){id}}",
            "{user(identifier:{obj_id: -0}){id}}",
            "{user(identifier:{obj_id: 1.5}){id}}",
            "{user(identifier:{obj_id: 1e5}){id}}",
            "{user(identifier:{obj_id: 1a}){id}}",
            "{user(identifier:{obj_id: 99999999999999999999}){id}}",
            r#"{user(identifier:{obj_id: "\u0041"}){id}}"#,
            r#"{user(identifier:{obj_id: """a"""}){id}}"#,
            "{user(identifier:{obj_id: \"é\"}){id}}",
            "{user(identifier:{obj_id #: 1\n}){id}}",
            "{__type(name: \"User\"){name} user(identifier:{obj_id: 1}){id}}",
            "{items{obj_id: id}}",
        ] {
            assert_eq!(Template::of(text), None, "{text}");
        }
    }

    #[test]
    fn equal_keys_differ_from_different_ones() {
        let of = |one, other| {
            template(&format!(
                "{{a: user(identifier:{{obj_id: {one}}}){{id}} \
                 a: user(identifier:{{obj_id: {other}}}){{id}}}}"
            ))
        };
        assert_eq!(of(1, 1), of(2, 2));
        assert_eq!(of(1, 2), of(3, 4));
        assert_ne!(of(1, 1), of(1, 2));
    }

    #[test]
    fn keys_become_variables_in_the_order_of_the_text() {
        let text = "query A { user(identifier: {obj_id: 5, dependencies: [{entity: \"Tag\", \
                    obj_id: [6, \"x\"]}]}) { ...F } } fragment F on User { of(identifier: \
                    {obj_id: 7}) { id } }";
        let found = Template::of(text).unwrap();
        let numbers = |number: i64| ConstValue::Number(number.into());
        let name = ConstValue::String("x".to_owned());
        assert_eq!(found.keys, [numbers(5), numbers(6), name, numbers(7)]);
        let mut document = parse_query(text).unwrap();
        assert!(open(&mut document, &found.keys));
        let written = format!("{document:?}");
        for number in 0..4 {
            assert!(
                written.contains(&format!("Variable(Name(\"{number}\"))")),
                "{written}"
            );
        }
    }

    #[test]
    fn keys_that_are_no_identifiers_open_nothing() {
        for text in [
            "query($of: ObjectIdInput = {obj_id: 1}) {user(identifier: $of){id}}",
            "{user(other: {obj_id: 1}){id}}",
            "{user(identifier: {obj_id: 1, obj_id: 2}){id}}",
        ] {
            let found = Template::of(text).unwrap();
            let mut document = parse_query(text).unwrap();
            assert!(!open(&mut document, &found.keys), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_split_without_loss(text in ".{0,60}|[\"#\\\\a1:\\[{obj_id \n-]{0,40}") {
            let mut scanner = Scanner { text: &text, at: 0 };
            let mut from = 0;
            while let Some(token) = scanner.next() {
                prop_assert_eq!(token.from, from);
                prop_assert!(scanner.at > from);
                from = scanner.at;
            }
            prop_assert_eq!(from, text.len());
            let _ = Template::of(&text);
        }

        #[test]
        fn the_keys_of_a_template_are_those_of_the_parsed_text(one: i64, other in "[ -!#-\\[\\]^`-~]{0,9}") {
            let text = format!("{{user(identifier:{{obj_id:[{one},\"{other}\"]}}){{id}}}}");
            let found = Template::of(&text).unwrap();
            let mut document = parse_query(&text).unwrap();
            prop_assert!(open(&mut document, &found.keys));
        }
    }
}
