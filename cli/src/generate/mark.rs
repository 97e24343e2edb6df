//! The mark of a file that nobody has touched since it was generated: a line with a hash of all
//! others. A file whose mark is not right any more is its owner's. Pure.

use sha2::{Digest, Sha256};

/// How the line begins.
const MARK: &str = "// @generated blazelink:entity sha=";

/// Hexadecimal digits of the hash that are written down: it keeps nobody out, it tells texts apart.
const DIGITS: usize = 16;

/// The text with a mark behind the comment that it opens with.
pub(super) fn stamped(text: &str) -> String {
    let at = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with("//!"))
        .map(str::len)
        .sum();
    let (head, rest) = text.split_at(at);
    format!("{head}{MARK}{}\n{rest}", hash(text))
}

/// The text without its mark; None if it has none, or was edited.
fn untouched(text: &str) -> Option<String> {
    let line = text.split_inclusive('\n').find(|it| it.starts_with(MARK))?;
    let plain = text.replacen(line, "", 1);
    (line[MARK.len()..].trim() == hash(&plain)).then_some(plain)
}

/// What became of a marked text by an addition of ours: marked again, if it was untouched before.
pub(super) fn carried_over(before: &str, after: String) -> String {
    if untouched(before).is_none() {
        return after;
    }
    let old = after.split_inclusive('\n').find(|it| it.starts_with(MARK));
    match old.map(str::to_owned) {
        Some(line) => stamped(&after.replacen(&line, "", 1)),
        None => after,
    }
}

/// Whether nobody has touched the file.
pub(super) fn is_untouched(text: &str) -> bool {
    untouched(text).is_some()
}

/// Whether an untouched file is what would be made, but for relations that lead to it, which
/// generators have added since.
pub(super) fn is_the_same(there: &str, made: &str) -> bool {
    let Some(there) = untouched(there) else {
        return false;
    };
    let mut made = made.lines().peekable();
    let mut is_within = false;
    for line in there.lines() {
        if made.next_if_eq(&line).is_some() {
            is_within = false;
            continue;
        }
        // An attribute of several lines ends with its bracket.
        let begins = [
            "    #[sea_orm(has_many",
            "    #[sea_orm(has_one",
            "    #[sea_orm(",
        ];
        let is_attribute = begins.iter().any(|begin| line.starts_with(begin));
        let is_relation = |line: &str| line.starts_with("HasMany<") || line.starts_with("HasOne<");
        let is_member = match line.split_once(": ") {
            Some((_, of)) => is_relation(of),
            // Its type is on the next line.
            None => {
                (line.starts_with("    pub ") && line.ends_with(':')) || is_relation(line.trim())
            }
        };
        if !(is_attribute || is_member || is_within) {
            return false;
        }
        is_within = (is_attribute && !line.ends_with(']')) || (is_within && !line.ends_with(']'));
    }
    made.next().is_none()
}

fn hash(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    digits[..DIGITS].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "//! A.\n//!\n//! B.\n\nstruct Model {\n    pub a: i32,\n}\n";

    #[test]
    fn a_mark_is_right_until_a_byte_changes() {
        let marked = stamped(TEXT);
        assert!(marked.starts_with("//! A.\n//!\n//! B.\n// @generated blazelink:entity sha="));
        assert!(is_untouched(&marked));
        assert!(!is_untouched(&marked.replace("i32", "i64")));
        assert!(!is_untouched(TEXT));
    }

    #[test]
    fn relations_that_were_added_are_no_difference_and_nothing_else_is_overlooked() {
        let member = "    #[sea_orm(has_many)]\n    pub bs: HasMany<super::b::Entity>,\n}";
        let broken = "    #[sea_orm(\n        has_many,\n        via_rel = \"A\"\n    )]\n    \
                      pub bs: HasMany<super::b::Entity>,\n}";
        let long = "    #[sea_orm(has_many)]\n    pub bs:\n        HasMany<super::b::Entity>,\n}";
        for added in [member, broken, long] {
            let marked = stamped(TEXT);
            let with = marked.replace('}', added);
            let carried = carried_over(&marked, with.clone());
            assert!(is_untouched(&carried) && !is_untouched(&with));
            assert!(is_the_same(&carried, TEXT), "{carried}");
            assert!(!is_the_same(&with, TEXT), "it is not marked");
        }
        let more = stamped(&TEXT.replace('}', "    pub b: i32,\n}"));
        assert!(!is_the_same(&more, TEXT));
        let less = stamped(&TEXT.replace("    pub a: i32,\n", ""));
        assert!(!is_the_same(&less, TEXT));
    }
}
