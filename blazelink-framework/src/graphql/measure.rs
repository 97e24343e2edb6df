//! How large a document is, before anyone walks it: fragments that use each other can make a short
//! text stand for more fields than a machine can visit, and nested brackets can exhaust a parser's
//! stack. Pure; called before parsing and before validation.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::Positioned;
use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use blazelink_codes::Code;

use super::query_limits::{QueryLimits, beyond};
use super::response::Fault;

const TOO_DEEP: &str = "Query is nested too deep.";

/// Brackets within brackets that are handed to the parser, which refuses fewer by itself.
const NESTING: usize = 256;

/// Fragments within fields within fragments that are followed.
const STEPS: usize = 512;

/// Refuses text whose brackets nest so deep that parsing it could exhaust the stack.
pub(super) fn check_text(text: &str) -> Result<(), Fault> {
    let mut depth = 0_usize;
    let mut bytes = text.as_bytes();
    while let [first, rest @ ..] = bytes {
        bytes = match first {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > NESTING {
                    return Err(Fault::new(beyond(Code::QueryTooDeep, TOO_DEEP), []));
                }
                rest
            }
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                rest
            }
            b'#' => after_comment(rest),
            b'"' => match rest {
                [b'"', b'"', block @ ..] => after_block_string(block),
                string => after_string(string),
            },
            _ => rest,
        };
    }
    Ok(())
}

fn after_comment(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r'));
    end.map_or(&[], |end| &bytes[end..])
}

fn after_string(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [] => return bytes,
            [b'\\', _, rest @ ..] => rest,
            [b'"' | b'\n' | b'\r', rest @ ..] => return rest,
            [_, rest @ ..] => rest,
        };
    }
}

fn after_block_string(mut bytes: &[u8]) -> &[u8] {
    loop {
        bytes = match bytes {
            [] => return bytes,
            [b'\\', b'"', b'"', b'"', rest @ ..] => rest,
            [b'"', b'"', b'"', rest @ ..] => return rest,
            [_, rest @ ..] => rest,
        };
    }
}

/// Refuses a document that nests deeper, or has more fields or aliases, than these limits allow,
/// with all fragments opened. Each fragment is measured once, however often it is used; fragments
/// that use themselves are left to validation.
pub(super) fn check_document(
    document: &ExecutableDocument,
    limits: &QueryLimits,
) -> Result<(), Fault> {
    let mut measure = Measure {
        fragments: &document.fragments,
        known: HashMap::new(),
    };
    let mut total = Size::default();
    for (_, operation) in document.operations.iter() {
        total.add(measure.set(&operation.node.selection_set.node, 0)?);
    }
    // Fragments that no operation uses are visited by validation too.
    let mut deepest = total.depth;
    for fragment in document.fragments.values() {
        deepest = deepest.max(measure.set(&fragment.node.selection_set.node, 0)?.depth);
    }
    let refuse = |code, sentence| Err(Fault::new(beyond(code, sentence), []));
    if total.fields > limits.fields {
        return refuse(Code::QueryTooComplex, "Query is too complex.");
    }
    if deepest > limits.depth {
        return refuse(Code::QueryTooDeep, TOO_DEEP);
    }
    if total.aliases > limits.aliases {
        return refuse(Code::TooManyAliases, "Query has too many aliases.");
    }
    Ok(())
}

/// How large a selection is.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    aliases: usize,
    /// Levels of fields.
    depth: usize,
}

impl Size {
    /// Adds what stands beside it.
    fn add(&mut self, other: Size) {
        self.fields = self.fields.saturating_add(other.fields);
        self.aliases = self.aliases.saturating_add(other.aliases);
        self.depth = self.depth.max(other.depth);
    }
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Sizes of the fragments measured so far; nothing for those being measured.
    known: HashMap<&'a str, Option<Size>>,
}

impl<'a> Measure<'a> {
    fn set(&mut self, set: &'a SelectionSet, steps: usize) -> Result<Size, Fault> {
        if steps > STEPS {
            return Err(Fault::new(beyond(Code::QueryTooDeep, TOO_DEEP), []));
        }
        let mut total = Size::default();
        for selection in &set.items {
            total.add(match &selection.node {
                Selection::Field(field) => {
                    let mut size = self.set(&field.node.selection_set.node, steps + 1)?;
                    size.add(Size {
                        fields: 1,
                        aliases: usize::from(field.node.alias.is_some()),
                        depth: size.depth + 1,
                    });
                    size
                }
                Selection::InlineFragment(inline) => {
                    self.set(&inline.node.selection_set.node, steps + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, steps + 1)?
                }
            });
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name, steps: usize) -> Result<Size, Fault> {
        if let Some(known) = self.known.get(name.as_str()) {
            return Ok(known.unwrap_or_default());
        }
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(Size::default());
        };
        self.known.insert(name, None);
        let size = self.set(&fragment.node.selection_set.node, steps)?;
        self.known.insert(name, Some(size));
        Ok(size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn brackets_count_only_outside_of_strings_and_comments() {
        assert!(check_text(&"{".repeat(NESTING)).is_ok());
        assert!(check_text(&"{".repeat(NESTING + 1)).is_err());
        assert!(check_text(&"{}".repeat(10_000)).is_ok());
        let braces = "{".repeat(NESTING + 1);
        assert!(check_text(&format!("{{a(b:\"{braces}\")}}")).is_ok());
        assert!(check_text(&format!("{{a(b:\"\\\"{braces}\")}}")).is_ok());
        assert!(check_text(&format!("{{a(b:\"\"\"{braces}\"\"\")}}")).is_ok());
        assert!(check_text(&format!("# {braces}\n{{a}}")).is_ok());
    }

    fn check(text: &str, limits: &QueryLimits) -> Result<(), String> {
        let document = parse_query(text).unwrap();
        check_document(&document, limits).map_err(|fault| fault.message)
    }

    #[test]
    fn documents_are_taken_up_to_each_of_their_limits_and_not_beyond() {
        let limits = QueryLimits {
            depth: 3,
            fields: 6,
            aliases: 2,
            ..QueryLimits::default()
        };
        let rows = [
            ("{a {b {c}}}", Ok(())),
            (
                "{a {b {c {d}}}}",
                Err("Query is nested too deep. (BLZ5005)"),
            ),
            ("{a {...f}} fragment f on A {b {c}}", Ok(())),
            (
                "{a {...f}} fragment f on A {b {c {d}}}",
                Err("Query is nested too deep. (BLZ5005)"),
            ),
            (
                "{a} fragment unused on A {b {c {d {e}}}}",
                Err("Query is nested too deep. (BLZ5005)"),
            ),
            ("{a b c d e f}", Ok(())),
            ("{a b c d e f g}", Err("Query is too complex. (BLZ5006)")),
            ("{...f ...f} fragment f on A {a b c}", Ok(())),
            (
                "{...f ...f x} fragment f on A {a b c}",
                Err("Query is too complex. (BLZ5006)"),
            ),
            ("{x: a y: a}", Ok(())),
            (
                "{x: a y: a z: a}",
                Err("Query has too many aliases. (BLZ5008)"),
            ),
            (
                "{a {x: b} y: c z: d}",
                Err("Query has too many aliases. (BLZ5008)"),
            ),
            ("{...f a {...f}} fragment f on A {x: b}", Ok(())),
            (
                "{...f a {...f} c {...f}} fragment f on A {x: b}",
                Err("Query has too many aliases. (BLZ5008)"),
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(
                check(text, &limits),
                expected.map_err(str::to_owned),
                "{text}"
            );
        }
    }

    #[test]
    fn fragments_that_double_each_other_are_refused_without_walking_them() {
        let mut text = String::from("{...f0}");
        for at in 0..60 {
            text.push_str(&format!(
                " fragment f{at} on Query {{...f{0} ...f{0}}}",
                at + 1
            ));
        }
        text.push_str(" fragment f60 on Query {__typename}");
        let refused = check(&text, &QueryLimits::default()).unwrap_err();
        assert_eq!(refused, "Query is too complex. (BLZ5006)");
    }

    #[test]
    fn fragments_that_use_themselves_are_left_to_validation() {
        let text = "{...a} fragment a on Query {...b} fragment b on Query {...a}";
        assert_eq!(check(text, &QueryLimits::default()), Ok(()));
    }
}
