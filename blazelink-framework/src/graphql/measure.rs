//! How large a document is, before anyone walks it: fragments that use each other can make a short
//! text stand for more fields than a machine can visit, and nested brackets can exhaust a parser's
//! stack. Pure; called before parsing and before validation.

use std::collections::HashMap;

use async_graphql::Name;
use async_graphql::Positioned;
use async_graphql::parser::types::{
    ExecutableDocument, FragmentDefinition, Selection, SelectionSet,
};
use blazelink_codes::limits;

use super::response::Fault;

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
                    return Err(Fault::new("Query is nested too deep.", []));
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

/// Refuses a document of more than [`limits::QUERY_COMPLEXITY`] fields with all fragments opened.
/// Each fragment is counted once, however often it is used; fragments that use themselves are left
/// to validation.
pub(super) fn check_document(document: &ExecutableDocument) -> Result<(), Fault> {
    let mut measure = Measure {
        fragments: &document.fragments,
        known: HashMap::new(),
    };
    let mut total = 0_usize;
    for (_, operation) in document.operations.iter() {
        total = total.saturating_add(measure.fields(&operation.node.selection_set.node, 0)?);
    }
    // Fragments that no operation uses are visited by validation too.
    for fragment in document.fragments.values() {
        measure.fields(&fragment.node.selection_set.node, 0)?;
    }
    if total > limits::QUERY_COMPLEXITY {
        return Err(Fault::new("Query is too complex.", []));
    }
    Ok(())
}

struct Measure<'a> {
    fragments: &'a HashMap<Name, Positioned<FragmentDefinition>>,
    /// Fields of the fragments counted so far; nothing for those being counted.
    known: HashMap<&'a str, Option<usize>>,
}

impl<'a> Measure<'a> {
    fn fields(&mut self, set: &'a SelectionSet, depth: usize) -> Result<usize, Fault> {
        if depth > STEPS {
            return Err(Fault::new("Query is nested too deep.", []));
        }
        let mut total = 0_usize;
        for selection in &set.items {
            let fields = match &selection.node {
                Selection::Field(field) => self
                    .fields(&field.node.selection_set.node, depth + 1)?
                    .saturating_add(1),
                Selection::InlineFragment(inline) => {
                    self.fields(&inline.node.selection_set.node, depth + 1)?
                }
                Selection::FragmentSpread(spread) => {
                    self.fragment(&spread.node.fragment_name.node, depth + 1)?
                }
            };
            total = total.saturating_add(fields);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &'a Name, depth: usize) -> Result<usize, Fault> {
        if let Some(known) = self.known.get(name.as_str()) {
            return Ok(known.unwrap_or(0));
        }
        let Some(fragment) = self.fragments.get(name) else {
            return Ok(0);
        };
        self.known.insert(name, None);
        let fields = self.fields(&fragment.node.selection_set.node, depth)?;
        self.known.insert(name, Some(fields));
        Ok(fields)
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
        let refused = check_document(&parse_query(text).unwrap()).unwrap_err();
        assert_eq!(refused.message, "Query is too complex.");
    }

    #[test]
    fn fragments_that_use_themselves_are_left_to_validation() {
        let document = parse_query("{...a} fragment a on Query {...b} fragment b on Query {...a}");
        assert!(check_document(&document.unwrap()).is_ok());
    }
}
